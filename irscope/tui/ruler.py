"""The overview ruler: one column beside the scroll bar that stands for the whole text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from enum import IntEnum


class Sign(IntEnum):
    """What a cell of the ruler stands for; where several fall into one cell, the highest shows."""

    NOTHING = 0
    HIT = 1
    NEAR = 2
    EXACT = 3


#: Told apart by shape too, for terminals and readers without colour.
GLYPHS = {Sign.NOTHING: " ", Sign.HIT: "•", Sign.NEAR: "─", Sign.EXACT: "━"}


class Ruler:
    """Cells for a text of ``count`` lines on a screen of ``height``."""

    def __init__(self, count: int = 0, height: int = 0) -> None:
        self.count = count
        self.height = height
        self.cells = [Sign.NOTHING] * height
        self._lines: dict[Sign, Collection[int]] = {}

    def cell_of(self, line: int) -> int:
        """A text that fits has each line beside itself; a longer one is scaled."""
        return line if self.count <= self.height else line * self.height // self.count

    def update(self, signs: dict[Sign, Collection[int]]) -> list[int]:
        """Sets what there is, as lines of the text by sign; returns the cells that changed."""
        self._lines = signs
        count, height, fits = self.count, self.height, self.count <= self.height
        cells = [Sign.NOTHING] * height
        for sign in sorted(signs):
            # Without a call for each line: there may be thousands, at every move of the cursor.
            for cell in signs[sign] if fits else {line * height // count for line in signs[sign]}:
                if cell < height:
                    cells[cell] = sign
        changed = [cell for cell in range(height) if cells[cell] is not self.cells[cell]]
        self.cells = cells
        return changed

    def sign(self, cell: int) -> Sign:
        return self.cells[cell] if cell < len(self.cells) else Sign.NOTHING

    def line_at(self, cell: int) -> int:
        """Where a click on a cell leads: the first line of what it shows, or the line at that height."""
        if self.count <= self.height:
            return min(cell, max(self.count - 1, 0))
        line = min(-(-cell * self.count // self.height), self.count - 1)
        lines = sorted(self._lines.get(self.sign(cell), ()))
        at = bisect_left(lines, line)
        return lines[at] if at < len(lines) and self.cell_of(lines[at]) == cell else line
