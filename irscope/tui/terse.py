"""A strip that costs the terminal about half the bytes."""

from __future__ import annotations

from functools import lru_cache

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style
from textual.strip import Strip

_RESET = "\x1b[0m"


class TerseStrip(Strip):
    """Tells the terminal what changes from one segment to the next, and no more.

    Textual's own sets and resets both colours with every segment, some 40 bytes each. Neighbours in a line of
    code share their background, so that most need half of that: what a slow connection waits for, and a good
    part of what a repaint costs at all.
    """

    __slots__ = ["_sequence"]

    _sequence: str

    def render(self, console: Console) -> str:
        """The segments with their escape codes, made once; begins and ends with the terminal's defaults."""
        try:
            return self._sequence
        except AttributeError:
            self._sequence = self._tersely(COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR))
            return self._sequence

    def _tersely(self, system: ColorSystem) -> str:
        before = Style.null()
        pieces = []
        for text, style, _ in self:
            after = style or Style.null()
            pieces += [_change(before, after, system), text]
            before = after
        return "".join(pieces) + _RESET


@lru_cache(maxsize=4096)
def _change(before: Style, after: Style, system: ColorSystem) -> str:
    """The escape code after which text has the style ``after`` instead of ``before``. Links are left out."""
    same = before.without_color == after.without_color
    if not same or (before.color and not after.color) or (before.bgcolor and not after.bgcolor):
        return _RESET + _start(after, system)
    colour = after.color if after.color != before.color else None
    background = after.bgcolor if after.bgcolor != before.bgcolor else None
    return _start(Style(color=colour, bgcolor=background), system)


def _start(style: Style, system: ColorSystem) -> str:
    return Strip.render_style(style.update_link(None), "", system).removesuffix(_RESET)
