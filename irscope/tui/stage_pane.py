"""One pane: a bordered view of one stage, or of the files of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from textual.app import ComposeResult
from textual.containers import Vertical

from irscope.tui.code_view import CodeView
from irscope.tui.column_head import ColumnHead
from irscope.tui.columns import BAR, Margin, Table
from irscope.tui.search import Search
from irscope.tui.stage_text import StageText
from irscope.tui.stages import describe

if TYPE_CHECKING:
    from irscope.correlate import Rows

#: Of a pane's width, what columns may take; the text has the rest.
COLUMNS_SHARE = 0.4


class StagePane(Vertical):
    """Shows one of its texts at a time; a stage has one, the source pane one for each file.

    Texts go by the name of their correlation view. Rows are raw ones, of the text as the compiler wrote it.
    A pane that is not displayed loads nothing: call `load` when it is.
    """

    def __init__(self, stage: str) -> None:
        super().__init__(id=f"pane-{stage}", classes="pane")
        self.stage = stage
        self.texts: dict[str, StageText] = {}
        #: Name of the text on screen.
        self.current: str | None = None
        self.raw = False
        #: A locked pane does not scroll to what the others light up.
        self.locked = False
        #: It came on screen since it was lit up last.
        self.appeared = False
        #: Shown in place of a text that is not there (yet).
        self.note = ""
        self._view = CodeView(id=f"view-{stage}")
        self._loaded: tuple[StageText | str, bool] | None = None
        self._related: Mapping[str, Rows] = {}
        self._pattern = ""
        #: Columns, by text; empty where they are off.
        self.tables: Mapping[str, Table] = {}
        self._chosen: Mapping[str, str] = {}
        self._head = ColumnHead()

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._view

    @property
    def view(self) -> CodeView:
        return self._view

    @property
    def text(self) -> StageText | None:
        return self.texts.get(self.current) if self.current is not None else None

    @property
    def row(self) -> int | None:
        """The row that the cursor is on; ``None`` where there is no text."""
        text = self.text
        return text.raw_row(self.view.cursor_row, self.raw) if text is not None and self._loaded else None

    # What it shows

    def set_texts(self, texts: dict[str, StageText], note: str = "") -> None:
        """Take new texts; the one on screen stays on screen where it still exists, and the cursor its row."""
        self.texts, self.note = texts, note
        if self.current not in texts:
            self.current = next(iter(texts), None)
        self._related = {}
        # The columns are those of the texts before.
        self.tables = {}
        if self.display:
            self.load()

    def show_text(self, name: str) -> None:
        """Bring one of the texts on screen."""
        if name in self.texts and name != self.current:
            self.current = name
            if self.display:
                self.load()

    def load(self) -> None:
        """Put on screen what should be there, if it is not."""
        text = self.text
        wanted = (self.note, False) if text is None else (text, self.raw)
        if self._loaded != wanted:
            before, self._loaded = self._loaded, wanted
            if text is None:
                self.view.load([self.note], language="text")
            else:
                self._replace(text, before)
        self._retitle()

    def _replace(self, text: StageText, before: tuple[StageText | str, bool] | None) -> None:
        row = 0
        if before is not None and isinstance(before[0], StageText):
            row = text.shown_row(before[0].raw_row(self.view.cursor_row, before[1]), self.raw)
        self.view.load(text.lines(self.raw), numbers=text.numbers(self.raw), language=text.language)
        self._lay_out_columns()
        self.view.go_to(row, notify=False)
        if self._pattern:
            self.view.search(self._pattern)
        self._light()

    def toggle_raw(self) -> None:
        self.raw = not self.raw
        self.load()

    def toggle_lock(self) -> None:
        self.locked = not self.locked
        self._retitle()

    # Correlation

    def light(self, related: Mapping[str, Rows], *, follow: bool) -> None:
        """Light up rows, by text, and unless the pane is locked scroll to them."""
        self._related = related
        if self.display:
            self.appeared = False
            self._light()
            if follow and not self.locked:
                self.view.scroll_to_marks()
            self._retitle()

    def _light(self) -> None:
        text = self.text
        if text is not None and self.current is not None:
            rows = self._related.get(self.current)
            lit, exact = (rows.rows, rows.exact) if rows is not None else ((), ())
            self.view.set_marks(self._shown(text, lit), self._shown(text, exact))

    def _shown(self, text: StageText, rows: Sequence[int]) -> list[int]:
        return [text.shown_row(row, self.raw) for row in rows if text.keeps(row, self.raw)]

    def enter(self) -> None:
        """The pane is in use from now on: start from what is lit, if anything is."""
        marks = self.view.marks
        if marks and self.view.cursor_row not in marks and not self.locked:
            self.view.cursor_row = min(marks)
            self.view.scroll_to_row(self.view.cursor_row)
            self._retitle()

    @property
    def places(self) -> int:
        """Runs of rows that are lit most strongly."""
        return self.view.place_count

    def go_to(self, row: int, *, notify: bool = True) -> None:
        """Put the cursor on a row."""
        if self.text is not None:
            self.load()
            self.view.go_to(self.text.shown_row(row, self.raw), notify=notify)
            self._retitle()

    # Columns

    def show_columns(self, tables: Mapping[str, Table], chosen: Mapping[str, str]) -> None:
        """Show figures beside the rows of each text, ranked by the chosen columns; no tables: no columns."""
        if tables or self.tables:
            self.tables, self._chosen = tables, chosen
            if self.display and self._loaded:
                self._lay_out_columns()

    def _lay_out_columns(self) -> None:
        """As many columns as there is room for, in the gutter and in the line above."""
        text, raw = self.text, self.raw
        table = self.tables.get(self.current or "")
        if text is None or table is None or not table.columns:
            if self._head.display:
                self._head.show(None, 0, "")
                self.view.set_annotations(None)
            return
        chosen = table.column(self._chosen.get(self.current or ""))
        margin = Margin(table, chosen, int(self.size.width * COLUMNS_SHARE))

        def cells(row: int) -> str:
            # Behind the bar, which is no part of the annotation.
            return margin.cells(text.raw_row(row, raw))

        self.view.set_annotations(
            cells, margin.width - BAR, align="left", heat=lambda row: margin.heat(text.raw_row(row, raw))
        )
        self._head.show(margin, self.view.number_width, table.note)

    def on_resize(self) -> None:
        if self.tables:
            self._lay_out_columns()

    def keeps(self, row: int) -> bool:
        """Whether a raw row of the text in use is on screen as one of its own."""
        return self.text is not None and self.text.keeps(row, self.raw)

    def tell(self, remark: str) -> None:
        """Say something of the columns in the line above them."""
        self._head.tell(remark)

    # Search

    def find(self, pattern: str) -> int:
        """Show where a pattern is, now and in what is loaded later; the number of hits in the text in use."""
        self._pattern = pattern
        text = self.text
        if text is None:
            return 0
        if self.display:
            return self.view.search(pattern)
        return Search(text.lines(self.raw), pattern).count if pattern else 0

    # Title

    def moved(self) -> None:
        """The cursor is on another row: say so."""
        self._head.tell("")
        self._retitle()

    def _retitle(self) -> None:
        title = describe(self.stage)
        words = [f"{title.letter} {title.title}".strip()]
        if len(self.texts) > 1:
            words += [self._tab(number, name) for number, name in enumerate(self.texts)]
        elif self.text is not None and self.text.title:
            words.append(escape(self.text.title))
        if self.raw:
            words.append("raw")
        if self.locked:
            words.append("locked")
        self.border_title = "  ".join(words)
        self.border_subtitle = ""
        if self.text is not None:
            lit = self.view.mark_count
            position = f"{self.view.cursor_row + 1}/{len(self.text.lines(self.raw))}"
            self.border_subtitle = f"{lit} lit  {position}" if lit else position

    def _tab(self, number: int, name: str) -> str:
        title = escape(self.texts[name].title)
        return f"[reverse] {title} [/]" if name == self.current else f"[@click=app.show_file({number})]{title}[/]"
