"""A line with the name of every pane: those on screen stand out, a click shows or hides one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content
from textual.widget import Widget

from irscope.tui.stages import describe


class PaneTabs(Widget):
    """One line; counts of lit rows stand beside the names, so that hidden panes tell theirs too."""

    DEFAULT_CLASSES = "line"

    def __init__(self) -> None:
        super().__init__(id="tabs")
        self.names: Sequence[str] = ()
        self.shown: Sequence[str] = ()
        self.current = ""
        self.counts: Mapping[str, int] = {}

    def show(self, names: Sequence[str], shown: Sequence[str], current: str) -> None:
        self.names, self.shown, self.current = names, shown, current
        self.refresh()

    def count(self, counts: Mapping[str, int]) -> None:
        """Lit rows, by pane."""
        self.counts = counts
        self.refresh()

    def render(self) -> Content:
        line = self._line(short=False)
        return line if line.cell_length <= self.size.width else self._line(short=True)

    def _line(self, *, short: bool) -> Content:
        parts: list[Content | str] = []
        for name in self.names:
            title = describe(name)
            style = "bold reverse" if name == self.current else "bold" if name in self.shown else "$text-muted"
            words = title.letter if short and title.letter else f"{title.letter} {title.title}".strip()
            if short and name == self.current:
                words = f"{title.letter} {title.short}".strip()
            if count := self.counts.get(name):
                words += f" {count}"
            parts += [Content.styled(f" {words} ", f"{style} @click=app.tab('{name}')"), " "]
        return Content.assemble(*parts)
