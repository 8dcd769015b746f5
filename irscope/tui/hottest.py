"""The list of a pane's rows by what they cost, highest first; enter goes to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from irscope.tui.columns import Column, Table, bar, places
from irscope.tui.row_list import RowList

#: More than anybody reads; a text may have thousands of rows.
ROWS = 200


class HottestLines(ModalScreen["tuple[str, int] | None"]):
    """Gives back the column that was chosen and the row to go to, or ``None``."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,H", "dismiss(None)", "close"),
        Binding("D,right,l", "column(1)", "next column"),
        Binding("left,h", "column(-1)", "column before"),
    ]

    def __init__(self, title: str, table: Table, chosen: Column, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._table = table
        self._column = chosen
        self._lines = lines
        self.rows: list[int] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="hottest"):
            yield RowList("hottest-lines")

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        box, column = self.get_child_by_id("hottest"), self._column
        box.border_title = f"{self._title} by {column.name}: {column.meaning}"
        box.border_subtitle = "enter goes there, left and right choose the column, escape closes"
        self.rows = places(column)[:ROWS]
        highest = max(column.values.values(), default=1)
        digits = len(str(len(self._lines)))
        self.query_one(RowList).show_rows(
            f"{bar(column.values[row] / highest, 8)} {column.aligned(column.cells.get(row, ''))}  "
            f"{row + 1:>{digits}}  {' '.join(self._lines[row].split()) if row < len(self._lines) else ''}"
            for row in self.rows
        )

    def action_column(self, step: int) -> None:
        names = self._table.ranked
        name = names[(names.index(self._column.name) + step) % len(names)]
        self._column = self._table.column(name) or self._column
        self._show()

    @on(RowList.OptionSelected)
    def _selected(self, event: RowList.OptionSelected) -> None:
        self.dismiss((self._column.name, self.rows[event.option_index]))
