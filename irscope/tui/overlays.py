"""What lies on parts of rows: the expression that a row came from, search hits, the selection.

Free of widgets. Positions are raw characters: of the text as the compiler wrote it, before tabs are spread.
"""

from __future__ import annotations

from collections.abc import Collection

from textual.selection import Selection

from irscope.tui.document import TAB, Document
from irscope.tui.highlight import Layer
from irscope.tui.search import Search
from irscope.tui.strips import Overlay


class Overlays:
    """The parts of one text that are set off, and the way from hit to hit."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._spans: dict[int, list[tuple[int, int]]] = {}
        self.search: Search | None = None
        #: Row and first character of the hit that was gone to last.
        self._hit: tuple[int, int] | None = None

    @property
    def any(self) -> bool:
        return self.search is not None or bool(self._spans)

    def set_spans(self, spans: Collection[tuple[int, int, int]]) -> set[int]:
        """Sets off these parts, each (row, first character, character after the last); returns the rows to repaint."""
        before = set(self._spans)
        self._spans = {}
        for row, start, end in spans:
            self._spans.setdefault(row, []).append((start, end))
        return before | set(self._spans)

    def find(self, search: Search | None) -> None:
        self.search, self._hit = search, None

    def next_hit(self, cursor: int, direction: int) -> tuple[int, int, set[int]] | None:
        """The hit after the last one, or the cursor: its row, its first character, and the rows to repaint."""
        if self.search is None:
            return None
        row, character = self._hit or (cursor, -1)
        if row != cursor:
            row, character = cursor, -1
        found = self.search.next(row, character, direction)
        if found is None:
            return None
        changed = {found[0], self._hit[0] if self._hit else found[0]}
        self._hit = found
        return *found, changed

    def of(self, row: int, selection: Selection | None) -> tuple[Overlay, ...]:
        """What lies on a row, the uppermost last."""
        shown = self._document.to_shown
        overlays = [Overlay(shown(row, start), shown(row, end), Layer.SPAN) for start, end in self._spans.get(row, ())]
        for start, end in self.search.spans(row) if self.search is not None else ():
            layer = Layer.CURRENT_HIT if self._hit == (row, start) else Layer.HIT
            overlays.append(Overlay(shown(row, start), shown(row, end), layer))
        if selection is not None and (span := selection.get_span(row)) is not None:
            start, end = span
            to_the_end = len(self._document.lines[row]) * TAB
            overlays.append(Overlay(start, end if end >= 0 else to_the_end, Layer.SELECTION))
        return tuple(overlays)
