"""The line above a pane's text that says what its columns are."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from irscope.explain.figures import column_source
from irscope.tui.columns import BAR, Column, Margin


class ColumnHead(Widget):
    """Names of the columns, each above its own; the chosen one, whose bar is drawn, stands out. Click to choose."""

    DEFAULT_CLASSES = "line"

    def __init__(self) -> None:
        super().__init__()
        self.display = False
        self._margin: Margin | None = None
        self._gap = 0
        self._note = ""
        #: Of the last step through the ranking, in place of the note.
        self._remark = ""

    def show(self, margin: Margin | None, gap: int, note: str) -> None:
        """The columns of a margin, and a note ``gap`` cells behind them; ``None`` takes the line away."""
        self._margin, self._gap, self._note = margin, gap, note
        self.display = margin is not None
        self.tooltip = "\n".join(map(_about, margin.columns)) if margin else None
        self.refresh()

    def tell(self, remark: str) -> None:
        if remark != self._remark:
            self._remark = remark
            self.refresh()

    def render(self) -> Content:
        margin = self._margin
        if margin is None:
            return Content("")
        pieces: list[Content | str | tuple[str, str]] = [" " * BAR]
        for column in margin.columns:
            style = "bold reverse" if column is margin.chosen else "bold"
            if column.values:
                style += f" @click=app.choose_column({column.name!r})"
            padding = " " * (column.width - len(column.name))
            pieces += [" ", *(() if column.left else (padding,)), (column.name, style), padding if column.left else ""]
        more = "" if margin.complete else "(more in a wider pane)  "
        pieces += [" " * self._gap, (self._remark or f"{more}{self._note}", "$text-muted")]
        return Content.assemble(*pieces).truncate(self.size.width, ellipsis=True)


def _about(column: Column) -> str:
    told = column_source(column.name)
    return f"{column.name}: {column.meaning}" + (f"; from {told}" if told else "")
