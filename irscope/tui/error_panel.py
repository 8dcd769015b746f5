"""Why it did not compile: the compiler's message, the place in the file, the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from irscope.tui.stages import describe

if TYPE_CHECKING:
    from irscope.model import Failure


class ErrorPanel(VerticalScroll):
    """Shows a failure; a click on the place, or the key, goes to the source line."""

    can_focus = True

    def __init__(self) -> None:
        super().__init__(id="error")
        self.failure: Failure | None = None
        self.display = False

    def compose(self) -> ComposeResult:
        yield Static(id="error-text")

    def show(self, failure: Failure, *, stale: bool) -> None:
        self.failure = failure
        self.border_title = f"error in {describe(failure.stage).title}" if failure.stage else "error"
        self.border_subtitle = "what is shown is the compilation before" if stale else ""
        self.query_one(Static).update(_written(failure))
        self.display = True
        self.scroll_home(animate=False)

    def close(self) -> None:
        self.failure = None
        self.display = False


def _written(failure: Failure) -> Content:
    parts: list[Content | str | tuple[str, str]] = []
    if failure.file:
        place = ":".join(str(part) for part in (failure.file, failure.line, failure.column) if part is not None)
        parts += [(place, "bold underline @click=app.go_to_error"), "\n"]
    parts.append((failure.message.strip(), "$text-error"))
    if failure.hint:
        parts += ["\n", ("try: ", "bold"), failure.hint]
    if failure.detail and failure.detail.strip() not in failure.message:
        parts += ["\n", (failure.detail.rstrip(), "$text-muted")]
    return Content.assemble(*parts)
