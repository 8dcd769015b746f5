"""Which screen line shows which part of which row, with soft wrap and without."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate

from irscope.tui.document import Document


class Straight:
    """No wrap: a line for each row."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = len(document)

    def first(self, row: int) -> int:
        """The line on which a row begins."""
        return row

    def row_at(self, line: int) -> tuple[int, int]:
        """The row that a line shows, and the column of the row with which the line begins."""
        return line, 0

    def lines_of(self, row: int) -> range:
        return range(row, row + 1)


class Wrapped:
    """Soft wrap at ``width`` columns, at any character (IR has few blanks to break at)."""

    def __init__(self, document: Document, width: int) -> None:
        self.document = document
        self.width = max(width, 2)
        heights = (self._height(row) for row in range(len(document)))
        #: First line of each row, then the number of lines.
        self._starts = array("q", accumulate(heights, initial=0))
        self.count = self._starts[-1]

    def first(self, row: int) -> int:
        return self._starts[row]

    def row_at(self, line: int) -> tuple[int, int]:
        row = bisect_right(self._starts, line) - 1
        part = line - self._starts[row]
        return row, self._breaks(row)[part] if part else 0

    def lines_of(self, row: int) -> range:
        return range(self._starts[row], self._starts[row + 1])

    def line_of(self, row: int, column: int) -> int:
        """The line that shows a column of a row."""
        return self._starts[row] + bisect_right(self._breaks(row), column) - 1

    def _height(self, row: int) -> int:
        width = self.document.row_width(row)
        if width <= self.width:
            return 1
        return -(-width // self.width) if self.document.lines[row].isascii() else len(self._breaks(row))

    def _breaks(self, row: int) -> list[int]:
        """Columns with which the lines of a row begin. A wide character is never cut in two."""
        columns = self.document.columns(row)
        width = columns[-1]
        breaks = [0]
        while breaks[-1] + self.width < width:
            end = breaks[-1] + self.width
            at = bisect_left(columns, end)
            breaks.append(end if columns[at] == end else columns[at - 1])
        return breaks
