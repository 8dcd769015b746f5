"""A screen of text that is read and left again, over the panes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.visual import VisualType
from textual.widgets import Static


class TextScreen(ModalScreen[None]):
    """Escape, q, or a click beside the text leaves it; a screen of this kind adds the key that opens it."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close"),
        Binding("j", "move(1)", "down"),
        Binding("k", "move(-1)", "up"),
    ]

    def __init__(self, title: str, *parts: VisualType) -> None:
        super().__init__()
        self._title = title
        self._parts = parts

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="text-panel") as panel:
            panel.border_title = self._title
            panel.border_subtitle = "escape closes"
            for part in self._parts:
                yield Static(part)

    def on_click(self) -> None:
        if not self.get_child_by_id("text-panel").is_mouse_over:
            self.dismiss()

    def action_move(self, step: int) -> None:
        # At once: of two steps in a burst, the second goes on from where the first led.
        self.get_child_by_id("text-panel").scroll_relative(y=step, animate=False, immediate=True)
