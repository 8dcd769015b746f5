"""A list of rows to choose one from, with the keys of a pane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList


class RowList(OptionList, inherit_bindings=False):
    """Moves as a pane does; enter or space chooses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", show=False),
        Binding("down,j", "cursor_down", show=False),
        Binding("pageup,ctrl+u", "page_up", show=False),
        Binding("pagedown,ctrl+d", "page_down", show=False),
        Binding("home,g", "first", show=False),
        Binding("end", "last", show=False),
        Binding("enter,space", "select", show=False),
    ]

    def __init__(self, id: str, *, compact: bool = False) -> None:
        super().__init__(id=id, compact=compact, markup=False)

    def show_rows(self, rows: Iterable[str], highlighted: int | None = 0) -> None:
        """Show these in place of those before; ``highlighted`` may lie behind the last one."""
        self.set_options(rows)
        if highlighted is not None and self.option_count:
            self.highlighted = min(highlighted, self.option_count - 1)
