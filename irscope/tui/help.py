"""The help screen, made from the list of actions."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.keys import format_key

from irscope.tui.actions import ACTIONS
from irscope.tui.text_screen import TextScreen

_NOTES = """\
Everything works with the mouse too: click a line, a box of the strip, a pane's name, a key in the footer; \
drag to select; the wheel scrolls, with Shift sideways.
Inside a pane: arrows, Page Up and Down, Home and End move; left and right scroll sideways.
In the form: F2 pins the value of a row (▌ given, ? guessed) or leaves it to irscope again, F4 saves all, F5 compiles.
The names at the right are the actions' names for [keys] in the configuration file: {path}"""


def keys_in_use(overrides: Mapping[str, str]) -> dict[str, str]:
    """The keys of each action as one sees them, the user's own in place of ours."""
    return {
        action.id: "  ".join(format_key(key.strip()) for key in overrides.get(action.id, action.keys).split(","))
        for action in ACTIONS
    }


class HelpScreen(TextScreen):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1,question_mark", "dismiss", "close")]

    def __init__(self, overrides: Mapping[str, str], config_path: str) -> None:
        notes = Content("\n" + _NOTES.format(path=config_path))
        super().__init__("keys", keys_by_group(keys_in_use(overrides)), notes)


def keys_by_group(keys: Mapping[str, str]) -> Table:
    """Every action with its keys, what it does, and its name."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    table.add_column(no_wrap=True)
    for group, actions in groupby(sorted(ACTIONS, key=lambda action: action.group), lambda action: action.group):
        table.add_row("", Text(f"\n{group}", style="bold underline"), "")
        for action in actions:
            table.add_row(Text(keys[action.id], style="bold"), action.tooltip, Text(action.id, "dim"))
    return table
