"""Containers whose children cover them wholly: what they paint themselves is never seen, and must cost nothing."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


def covered_lines(widget: Widget, crop: Region) -> list[Strip]:
    """Background alone, one strip for all lines. Textual would draw border, padding and tint of each line anew."""
    return [Strip.blank(crop.width, widget.rich_style)] * crop.height


class CoveredRow(Horizontal):
    """Children side by side, from edge to edge."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return covered_lines(self, crop)
