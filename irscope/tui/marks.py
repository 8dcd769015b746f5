"""The rows that are lit, and the way from one to the next."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable

from irscope.tui.highlight import Layer


class Marks:
    """Lit rows of a text of ``count`` rows, some of them (the exact ones) more strongly."""

    def __init__(self, count: int = 0) -> None:
        self._count = count
        #: All of them, exact ones among them.
        self.rows: frozenset[int] = frozenset()
        self.exact: frozenset[int] = frozenset()
        #: Row of the place that was visited last.
        self._place: int | None = None

    def light(self, rows: Collection[int], exact: Collection[int]) -> frozenset[int]:
        """Lights up these rows and no others, those outside of the text left out; returns what changed."""
        rows_before, exact_before = self.rows, self.exact
        count = self._count
        self.exact = frozenset([row for row in exact if 0 <= row < count])
        self.rows = self.exact.union([row for row in rows if 0 <= row < count])
        self._place = None
        return (rows_before ^ self.rows) | (exact_before ^ self.exact)

    @property
    def leading(self) -> frozenset[int]:
        """Those that are gone to: exact rows, or lit ones where none is exact."""
        return self.exact or self.rows

    @property
    def places(self) -> list[int]:
        """First rows of the runs of exact rows, or of lit ones where none is exact."""
        rows = self.leading
        return sorted(row for row in rows if row - 1 not in rows)

    def within(self, first: int, last: int) -> int:
        """How many marks lie from a row to another: exact ones, if there are any."""
        return sum(first <= row <= last for row in self.leading)

    def thickest(self, height: int, row: int) -> range:
        """The stretch of at most ``height`` rows with most marks (exact ones, if there are any), next to ``row``.

        It begins and ends at a mark. Raises ``ValueError`` where nothing is lit.
        """
        marks = sorted(self.leading)
        most, end = 0, 0
        stretches: list[range] = []
        for start, mark in enumerate(marks):
            while end < len(marks) and marks[end] < mark + height:
                end += 1
            if end - start > most:
                most, stretches = end - start, []
            if end - start == most:
                stretches.append(range(mark, marks[end - 1] + 1))
        return min(stretches, key=lambda rows: abs(rows[len(rows) // 2] - row))

    def next_place(self, cursor: int, direction: int) -> int | None:
        """First row of the next place, round the end: next to the last one visited, or the cursor.

        A place is a run of exact rows, or of lit ones where none is exact.
        """
        places = self.places
        if not places:
            return None
        here = cursor if self._place is None else self._place
        at = bisect_left(places, here + 1) if direction > 0 else bisect_left(places, here) - 1
        self._place = places[at % len(places)]
        return self._place

    def layers(self, rows: Iterable[int], cursor: int, focused: bool) -> list[Layer]:
        """What rows lie on. A list at once, for it is asked for every line of every frame."""
        exact, lit = self.exact, self.rows
        return [
            (Layer.CURSOR_EXACT if row in exact else Layer.CURSOR_NEAR if row in lit else Layer.CURSOR)
            if focused and row == cursor
            else Layer.EXACT
            if row in exact
            else Layer.NEAR
            if row in lit
            else Layer.REST
            if row == cursor
            else Layer.TEXT
            for row in rows
        ]
