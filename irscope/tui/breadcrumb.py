"""The line above the footer: what the cursor is on, or what is being compiled."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

_ARROW = " > "


class Breadcrumb(Widget):
    """One line. Progress takes its place while something compiles."""

    DEFAULT_CLASSES = "line"

    def __init__(self) -> None:
        super().__init__(id="breadcrumb")
        self.crumbs: Sequence[Content] = ()
        self._note = ""
        self._doing = ""
        self._since = 0.0
        self._clock: Timer | None = None

    def on_mount(self) -> None:
        self._clock = self.set_interval(0.1, self.refresh, pause=True)

    def show(self, crumbs: Sequence[Content], note: str = "") -> None:
        """Show what the cursor is on; ``note`` stands at the right end, whatever else has to go."""
        self.crumbs, self._note = crumbs, note
        self.refresh()

    def begin(self, doing: str) -> None:
        """Say what is done now, with a moving clock."""
        self._doing, self._since = doing, monotonic()
        if self._clock is not None:
            self._clock.resume()
        self.refresh()

    def end(self) -> None:
        self._doing = ""
        if self._clock is not None:
            self._clock.pause()
        self.refresh()

    def render(self) -> Content:
        if self._doing:
            return Content.assemble(
                (f" {self._doing} ", "bold $warning"),
                (f" {monotonic() - self._since:.1f} s ", ""),
                ("   escape stops it", "$text-muted @click=app.leave"),
            )
        note = Content.styled(f"  {self._note} ", "$text-muted") if self._note else Content("")
        width = max(0, self.size.width - note.cell_length)
        line = Content("")
        for number, crumb in enumerate(self.crumbs):
            longer = Content.assemble(line, _ARROW if number else " ", crumb)
            if number and longer.cell_length > width:
                break
            line = longer
        line = line.truncate(width, ellipsis=True)
        return Content.assemble(line, " " * (width - line.cell_length), note)
