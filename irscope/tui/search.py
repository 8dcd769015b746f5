"""Search within the text of a pane: one pass for the rows that match, positions only where they are shown."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

Case = Literal["smart", "sensitive", "insensitive"]


class Search:
    """A pattern and the rows of a text that contain it.

    ``case="smart"`` ignores case as long as the pattern has no capital letter. Raises ``re.error`` where
    ``regex`` is set and the pattern is none. Matches of no length count for nothing.
    """

    def __init__(self, lines: Sequence[str], pattern: str, *, regex: bool = False, case: Case = "smart") -> None:
        ignore = case == "insensitive" or (case == "smart" and pattern == pattern.lower())
        self.lines = lines
        #: What to look for by plain comparison, several times as fast as a regular expression.
        self._literal = None if regex or not pattern.isascii() else pattern.lower() if ignore else pattern
        self._ignore = ignore
        source = pattern if regex else re.escape(pattern)
        self._expression = re.compile(source, re.IGNORECASE if ignore else 0)
        counts = [(row, count) for row, line in enumerate(lines) if (count := self._count(line))]
        self.rows = [row for row, _ in counts]
        #: Number of matches.
        self.count = sum(count for _, count in counts)

    def _count(self, line: str) -> int:
        if self._literal is not None and line.isascii():
            return (line.lower() if self._ignore else line).count(self._literal)
        return sum(match.end() > match.start() for match in self._expression.finditer(line))

    def spans(self, row: int) -> list[tuple[int, int]]:
        """Raw characters of each match in a row."""
        at = bisect_left(self.rows, row)
        if at == len(self.rows) or self.rows[at] != row:
            return []
        matches = self._expression.finditer(self.lines[row])
        return [match.span() for match in matches if match.end() > match.start()]

    def next(self, row: int, raw: int, direction: int) -> tuple[int, int] | None:
        """The match after (or before) a position, round the end of the text; ``None`` where nothing matches.

        A match that begins at the position itself is not its own next one, unless it is the only one.
        """
        if not self.rows:
            return None
        step = 1 if direction >= 0 else -1
        beside = [start for start, _ in self.spans(row) if (start - raw) * step > 0]
        if beside:
            return row, beside[0 if step > 0 else -1]
        at = bisect_left(self.rows, row + 1) if step > 0 else bisect_left(self.rows, row) - 1
        row = self.rows[at % len(self.rows)]
        return row, self.spans(row)[0 if step > 0 else -1][0]
