"""Lines as they were painted last: strips kept by what they look like, in the application's colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from irscope.tui.document import Document
from irscope.tui.highlight import PALETTES, Highlighter, Palette
from irscope.tui.ruler import Sign
from irscope.tui.strips import Frame, Gutter, Look, Painter
from irscope.tui.terse import TerseStrip

#: Finished strips kept; some five screens, so that marks and the cursor come and go without painting.
STRIPS_KEPT = 256


class Surroundings(NamedTuple):
    """What the application decides of the colours."""

    theme: str
    background: Color
    filters: tuple[LineFilter, ...]


class Canvas:
    """Paints the lines of one document beside one gutter."""

    def __init__(self, document: Document, gutter: Gutter) -> None:
        self.painter = Painter(document, Highlighter(PALETTES["dark"], Color.parse("#000000")), gutter)
        self._strips: dict[Look, Strip] = {}
        self._frame: Frame | None = None
        self._surroundings: Surroundings | None = None

    def replace(self, document: Document, gutter: Gutter) -> None:
        """Paint this from now on; what was painted before is forgotten."""
        self._strips.clear()
        self.painter = Painter(document, self.painter.highlighter, gutter)

    def knows(self, surroundings: Surroundings) -> bool:
        """Whether it paints in these surroundings already."""
        return surroundings == self._surroundings

    def enter(self, surroundings: Surroundings, palette: Palette) -> None:
        """Paint in other surroundings from now on."""
        self._strips.clear()
        self._surroundings = surroundings
        highlighter = Highlighter(palette, surroundings.background)
        self.painter = Painter(self.painter.document, highlighter, self.painter.gutter)

    def strips(self, looks: Sequence[Look | Sign], frame: Frame) -> list[Strip]:
        """Lines that look like this; a `Sign` is a line below the text, with that in the ruler."""
        if frame != self._frame:
            self._frame = frame
            self._strips.clear()
        known = self._strips
        return [
            self._blank(look, frame) if isinstance(look, Sign) else known.get(look) or self._paint(look, frame)
            for look in looks
        ]

    def _paint(self, look: Look, frame: Frame) -> Strip:
        if len(self._strips) >= STRIPS_KEPT:
            del self._strips[next(iter(self._strips))]
        strip = self._strips[look] = self._filtered(self.painter.strip(look, frame))
        return strip

    def _blank(self, sign: Sign, frame: Frame) -> Strip:
        return self._filtered(self.painter.blank(sign, frame))

    def _filtered(self, strip: Strip) -> Strip:
        """As the application wants it: without colours, without dim text."""
        if self._surroundings is not None:
            for line_filter in self._surroundings.filters:
                strip = strip.apply_filter(line_filter, self._surroundings.background)
        return TerseStrip(strip, strip.cell_length)
