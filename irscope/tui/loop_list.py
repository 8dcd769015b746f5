"""The loops and blocks of the machine code as a tree, below the curve of live registers; enter goes to one."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Static

from irscope.tui.loop_text import BlockRow, LoopRow, LoopTree, curve_lines, tree_lines
from irscope.tui.row_list import RowList
from irscope.tui.stages import describe

#: Cells beside the curve: borders and padding.
_FRAME = 4


class LoopList(ModalScreen["int | None"]):
    """Gives back the row of the machine code to go to, or ``None``."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,r", "dismiss(None)", "close"),
        Binding("e", "end", "to its end"),
        Binding("b", "blocks", "basic blocks"),
    ]

    def __init__(self, tree: LoopTree) -> None:
        super().__init__()
        self.found = tree
        #: Whether the basic blocks are listed too; all that a kernel without loops has.
        self.with_blocks = not tree.loops

    @property
    def shown(self) -> tuple[LoopRow | BlockRow, ...]:
        """What the list has, in its order."""
        return self.found.parts if self.with_blocks else self.found.loops

    def compose(self) -> ComposeResult:
        with Vertical(id="loops") as box:
            count = len(self.found.loops)
            loops = "no loops" if not count else "1 loop" if count == 1 else f"{count} loops"
            box.border_title = f"{loops} in {self.found.count} instructions of the {describe(self.found.stage).title}"
            blocks = ", b: blocks" if count else ""
            box.border_subtitle = f"enter: its head, e: its end{blocks}, escape closes"
            yield Static(id="loop-curve", markup=False)
            yield RowList("loop-tree")

    def on_mount(self) -> None:
        self.query_one(RowList).show_rows(tree_lines(self.found, self.shown))

    @on(Resize)
    def _resized(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = self.get_child_by_id("loops").size.width - _FRAME + 2
        self.query_one(Static).update("\n".join(curve_lines(self.found, width)))

    def action_blocks(self) -> None:
        """List the basic blocks too, or the loops alone; the place stays."""
        if not self.found.loops:
            return
        rows = self.query_one(RowList)
        at = None if rows.highlighted is None else self.shown[rows.highlighted]
        self.with_blocks = not self.with_blocks
        place = 0
        if at is not None:
            before = [row for row, part in enumerate(self.shown) if part.head <= at.head]
            place = self.shown.index(at) if at in self.shown else max(before, default=0)
        rows.show_rows(tree_lines(self.found, self.shown), place)

    def action_end(self) -> None:
        at = self.query_one(RowList).highlighted
        if at is not None:
            self.dismiss(self.shown[at].end)

    @on(RowList.OptionSelected)
    def _selected(self, event: RowList.OptionSelected) -> None:
        self.dismiss(self.shown[event.option_index].head)
