"""The help screen, made from the list of actions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.keys import format_key
from textual.screen import ModalScreen
from textual.widgets import Static

from irscope.tui.actions import ACTIONS

_NOTES = """\
Everything works with the mouse too: click a line, a box of the strip, a pane's name, a key in the footer; \
drag to select; the wheel scrolls, with Shift sideways.
Inside a pane: arrows, Page Up and Down, Home and End move; left and right scroll sideways.
In the form: F2 pins the value of a row (▌ given, ? guessed) or leaves it to irscope again, F4 saves all, F5 compiles.
Names in brackets are the actions' names for [keys] in the configuration file: {path}"""


def keys_in_use(overrides: Mapping[str, str]) -> dict[str, str]:
    """The keys of each action as one sees them, the user's own in place of ours."""
    return {
        action.id: "  ".join(format_key(key.strip()) for key in overrides.get(action.id, action.keys).split(","))
        for action in ACTIONS
    }


class HelpScreen(ModalScreen[None]):
    """All keys by group; escape, q or the help key again leaves it."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,f1,question_mark", "dismiss", "close")]

    def __init__(self, overrides: Mapping[str, str], config_path: str) -> None:
        super().__init__()
        self._overrides = overrides
        self._config_path = config_path

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as panel:
            panel.border_title = "keys"
            panel.border_subtitle = "escape closes"
            keys = keys_in_use(self._overrides)
            table = Table.grid(padding=(0, 2))
            table.add_column(justify="right", no_wrap=True)
            table.add_column()
            table.add_column(no_wrap=True)
            for group, actions in groupby(sorted(ACTIONS, key=lambda action: action.group), lambda a: a.group):
                table.add_row("", Text(f"\n{group}", style="bold underline"), "")
                for action in actions:
                    table.add_row(Text(keys[action.id], style="bold"), action.tooltip, Text(action.id, "dim"))
            yield Static(table)
            yield Static(Content("\n" + _NOTES.format(path=self._config_path)))

    def on_click(self) -> None:
        """A click beside the panel closes it, as escape does."""
        if self.get_child_by_id("help").is_mouse_over is False:
            self.dismiss()
