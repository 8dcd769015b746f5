"""One pane: a bordered view of one stage, or of the files of the source."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from textual.app import ComposeResult
from textual.containers import Vertical

from irscope.correlate import Rows
from irscope.tui.code_view import CodeView
from irscope.tui.stage_text import StageText
from irscope.tui.stages import describe

_NONE = Rows(())


class StagePane(Vertical):
    """Shows one of its texts at a time; a stage has one, the source pane one for each file."""

    def __init__(self, stage: str) -> None:
        super().__init__(id=f"pane-{stage}", classes="pane")
        self.stage = stage
        self.texts: dict[str, StageText] = {}
        #: Key of the text on screen.
        self.current: str | None = None
        self.raw = False
        #: A locked pane does not scroll to what the others light up.
        self.locked = False
        self.note = ""
        self._loaded: tuple[StageText, bool] | None = None
        self._marks = _NONE
        self._written_note: str | None = None

    def compose(self) -> ComposeResult:
        yield CodeView(id=f"view-{self.stage}")

    def on_mount(self) -> None:
        self._retitle()

    @property
    def view(self) -> CodeView:
        return self.query_one(CodeView)

    @property
    def text(self) -> StageText | None:
        return self.texts.get(self.current) if self.current is not None else None

    @property
    def raw_row(self) -> int | None:
        """The row of the stage's own text that the cursor is on; ``None`` where there is none."""
        if self.text is None or self._loaded is None:
            return None
        return self.text.raw_row(self.view.cursor_row, self.raw)

    def set_texts(self, texts: dict[str, StageText], current: str | None = None) -> None:
        """Take new texts; the one on screen stays where it still exists, and so does the cursor's row."""
        self.texts = texts
        if current is not None or self.current not in texts:
            self.current = current if current in texts else next(iter(texts), None)
        self._marks = _NONE
        if self.display:
            self.load()

    def say(self, note: str) -> None:
        """Show a remark in place of the text that is not there (yet)."""
        self.note = note
        if self.display:
            self.load()

    def show_text(self, key: str) -> None:
        """Bring one of the texts on screen."""
        if key in self.texts and key != self.current:
            self.current = key
            self._marks = _NONE
            self.load()

    def load(self) -> None:
        """Put on screen what should be there, if it is not; hidden panes are not loaded at all."""
        text = self.text
        if text is None:
            if self._written_note != self.note or self._loaded is not None:
                self._loaded, self._written_note = None, self.note
                self.view.load([self.note], numbers=None, language="text")
        elif self._loaded != (text, self.raw):
            self._replace(text)
        self._retitle()

    def _replace(self, text: StageText) -> None:
        row = self.view.cursor_row if self._loaded is not None else 0
        if self._loaded is not None:
            before, raw = self._loaded
            row = text.shown_row(before.raw_row(row, raw), self.raw)
        self._loaded, self._written_note = (text, self.raw), None
        lines = text.lines(self.raw)
        self.view.load(lines, numbers=text.numbers(self.raw), language=text.language)
        self.view.go_to(row, notify=False)
        self._light()

    def toggle_raw(self) -> None:
        self.raw = not self.raw
        self.load()

    def toggle_lock(self) -> None:
        self.locked = not self.locked
        self._retitle()

    def mark(self, related: Rows, *, follow: bool) -> None:
        """Light up raw rows and, unless the pane is locked, scroll to them."""
        self._marks = related
        if self._loaded is None:
            return
        self._light()
        if follow and not self.locked:
            self.view.scroll_to_marks()
        self._retitle()

    def _light(self) -> None:
        text = self.text
        if text is not None:
            self.view.set_marks(self._shown(text, self._marks.rows), self._shown(text, self._marks.exact))

    def _shown(self, text: StageText, rows: Sequence[int]) -> list[int]:
        return [text.shown_row(row, self.raw) for row in rows if text.keeps(row, self.raw)]

    def go_to_raw(self, row: int, *, notify: bool = True) -> None:
        """Put the cursor on a row of the stage's own text."""
        if self.text is not None:
            self.load()
            self.view.go_to(self.text.shown_row(row, self.raw), notify=notify)

    def position_changed(self) -> None:
        self._retitle()

    def _retitle(self) -> None:
        title = describe(self.stage)
        name = f"{title.letter} {title.title}" if title.letter else title.title
        if len(self.texts) > 1:
            name += "  " + " │ ".join(self._tab(key, text) for key, text in self.texts.items())
        elif self.text is not None and self.text.title:
            name += f"  {escape(self.text.title)}"
        if self.raw:
            name += "  raw"
        if self.locked:
            name += "  locked"
        self.border_title = name
        if self.text is None or self._loaded is None:
            self.border_subtitle = ""
            return
        position = f"{self.view.cursor_row + 1}/{len(self.text.lines(self.raw))}"
        lit = self.view.mark_count
        self.border_subtitle = (f"{lit} lit  " if lit else "") + position

    def _tab(self, key: str, text: StageText) -> str:
        name = escape(text.title)
        index = list(self.texts).index(key)
        return f"[reverse]{name}[/]" if key == self.current else f"[@click=app.show_file({index})]{name}[/]"
