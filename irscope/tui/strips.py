"""Painting: from a row and what lies on it to the strip that Textual shows.

Free of widgets, so that what a row looks like can be tested without an application. A strip has the gutter
(an optional annotation, the number, a glyph), the part of the text that is scrolled into view, and one cell
of the overview ruler.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from irscope.tui.columns import BAR, bar, level
from irscope.tui.document import Document
from irscope.tui.highlight import Highlighter, Layer
from irscope.tui.ruler import GLYPHS, Sign

#: Of exact and near rows, told apart by shape: not everybody sees the colours, and 256 of them are not many.
MARKS = {Layer.EXACT: "▌", Layer.CURSOR_EXACT: "▌", Layer.NEAR: "▏", Layer.CURSOR_NEAR: "▏"}

Annotate = Callable[[int], "str | None"]
#: How much a row has of the highest there is, from 0 to 1.
Heat = Callable[[int], float]


class Overlay(NamedTuple):
    """Shown characters ``start`` to ``end`` (exclusive) that lie on a layer of their own."""

    start: int
    end: int
    layer: Layer


class Look(NamedTuple):
    """All that decides what a line looks like within a frame; the key of the strip cache."""

    row: int
    #: Column with which a wrapped line begins; only a row's first line has a number and a glyph.
    part: int
    layer: Layer
    cursor: bool
    ruler: Sign
    overlays: tuple[Overlay, ...] = ()


class Frame(NamedTuple):
    """What all lines have in common: the first column of text in view, and how many there are."""

    column: int
    width: int


@dataclass(frozen=True, slots=True)
class Gutter:
    """What stands left of the text. ``numbers`` are shown instead of the rows' own (from 1)."""

    digits: int = 1
    numbers: Sequence[int] | None = None
    annotate: Annotate | None = None
    annotation_width: int = 0
    align: Literal["left", "right"] = "right"
    #: Drawn as a bar before the annotation.
    heat: Heat | None = None

    @property
    def width(self) -> int:
        return self.digits + 2 + (self.annotation_width + 1 if self.annotate else 0) + (BAR if self.heat else 0)

    def annotation(self, row: int) -> str:
        text = (self.annotate(row) if self.annotate else None) or ""
        aligned = text.ljust if self.align == "left" else text.rjust
        return aligned(self.annotation_width)[: self.annotation_width]

    def number(self, row: int) -> str:
        return f"{self.numbers[row] if self.numbers else row + 1:>{self.digits}}"


class Painter:
    def __init__(self, document: Document, highlighter: Highlighter, gutter: Gutter) -> None:
        self.document = document
        self.highlighter = highlighter
        self.gutter = gutter

    def strip(self, look: Look, frame: Frame) -> Strip:
        """The finished line: gutter, ``frame.width`` columns of text, ruler."""
        segments = self._gutter(look)
        segments += [Segment(text, style) for text, style, _ in self._text(look, frame)]
        segments.append(self._ruler(look.ruler))
        return Strip(segments, self.gutter.width + frame.width + 1)

    def blank(self, ruler: Sign, frame: Frame) -> Strip:
        """A line below the text."""
        style = self.highlighter.plain(self.highlighter.palette.number, Layer.TEXT)
        width = self.gutter.width + frame.width
        return Strip([Segment(" " * width, style), self._ruler(ruler)], width + 1)

    def stamped(self, look: Look, frame: Frame) -> Strip:
        """The same line, each segment with the shown character at which it begins, for mouse selection.

        Textual asks for it under the pointer only; to stamp all that is painted would cost a third more.
        """

        def stamp(text: str, style: Style | None, character: int) -> Segment:
            offset = Style.from_meta({"offset": (character, look.row)})
            return Segment(text, style + offset if style else offset)

        column = look.part + frame.column
        first = self.document.character_at(look.row, column)
        segments = [
            # A cell at a time: all of the gutter means the first character in view.
            stamp(cell, style, first)
            for text, style, _ in self._gutter(look)
            for cell in text
        ]
        end = first
        for text, style, start in self._text(look, frame):
            if start is not None:
                segments.append(stamp(text, style, start))
                end = start + len(text)
            else:
                # Padding: the end of the text; an empty segment, for Textual takes the last one's end.
                segments += [stamp("", style, end), Segment(text, style)]
        segments += [stamp("", None, end), self._ruler(look.ruler)]
        return Strip(segments, self.gutter.width + frame.width + 1)

    def _gutter(self, look: Look) -> list[Segment]:
        plain, palette = self.highlighter.plain, self.highlighter.palette
        layer, gutter = look.layer, self.gutter
        if look.part:
            return [Segment(" " * gutter.width, plain(palette.number, layer))]
        number = plain(palette.number_lit if look.cursor else palette.number, layer, bold=look.cursor)
        text = gutter.number(look.row) + " "
        before = [self._bar(gutter.heat(look.row), layer)] if gutter.heat else []
        if gutter.annotate:
            # To be read, on lit rows too; numbers are to be found.
            figures = number if look.cursor else plain(palette.tokens["Operator"], layer)
            before.append(Segment(f"{gutter.annotation(look.row)} ", figures))
        glyph = MARKS.get(layer)
        if glyph is None:
            return [*before, Segment(text + " ", number)]
        exact = glyph == MARKS[Layer.EXACT]
        return [
            *before,
            Segment(text, number),
            Segment(glyph, plain(palette.exact if exact else palette.near, layer, bold=exact)),
        ]

    def _bar(self, share: float, layer: Layer) -> Segment:
        """Longer and, by lightness, stronger the higher the share: told apart without seeing any hue."""
        colours = self.highlighter.palette.heat
        return Segment(bar(share), self.highlighter.plain(colours[level(share, len(colours))], layer))

    def _ruler(self, sign: Sign) -> Segment:
        palette = self.highlighter.palette
        colour = {Sign.EXACT: palette.exact, Sign.NEAR: palette.near, Sign.HIT: palette.hit}.get(sign, palette.number)
        style = self.highlighter.plain(colour, Layer.RULER, bold=sign is Sign.EXACT)
        return Segment(GLYPHS[sign], style)

    def _text(self, look: Look, frame: Frame) -> list[tuple[str, Style, int | None]]:
        """Text, style and first shown character (``None``: padding) of each piece of the line."""
        row, style = look.row, self.highlighter.style
        text, columns = self.document.shown(row), self.document.columns(row)
        pad = self.highlighter.plain(self.highlighter.palette.number, look.layer)
        column = look.part + frame.column
        start = bisect_left(columns, column)
        if start >= len(text):
            return [(" " * frame.width, pad, None)]
        last = column + frame.width
        end = bisect_left(columns, last)
        if end > len(text):
            end = len(text)
        elif columns[end] > last:
            # The wide character at the edge does not fit.
            end = bisect_left(columns, columns[end - 1])
        pieces: list[tuple[str, Style, int | None]] = []
        before = columns[start] - column
        if before:
            pieces.append((" " * before, pad, None))
        layers = _layers(look, start, end)
        at = start
        before_style: Style | None = None
        for run_end, token in self.document.runs(row, end):
            while at < run_end and at < end:
                layer = look.layer if layers is None else layers[at - start]
                stop = min(run_end, end)
                if layers is not None:
                    stop = next((i for i in range(at, stop) if layers[i - start] != layer), stop)
                if (here := style(token, layer)) is before_style:
                    # One escape code for neighbours of one colour, such as an operator and a bracket.
                    joined, _, first = pieces.pop()
                    pieces.append((joined + text[at:stop], here, first))
                else:
                    pieces.append((text[at:stop], here, at))
                at, before_style = stop, here
        after = last - columns[end] if end > start else frame.width - before
        if after:
            pieces.append((" " * after, pad, None))
        return pieces


def _layers(look: Look, start: int, end: int) -> list[Layer] | None:
    """The layer of each character from ``start`` to ``end``; ``None`` where the row's own is all of them."""
    if not look.overlays:
        return None
    layers = [look.layer] * (end - start)
    for overlay in sorted(look.overlays, key=lambda overlay: overlay.layer):
        low, high = max(overlay.start, start), min(overlay.end, end)
        if low < high:
            layers[low - start : high - start] = [overlay.layer] * (high - low)
    return layers
