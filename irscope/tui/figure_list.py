"""Every figure with what it is and where it comes from: what hovering tells, for the keyboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from irscope.explain.figures import column_source, rules, shared_memory_source, verdict_source
from irscope.tui.columns import Column
from irscope.tui.figures import Section


class FigureList(ModalScreen[None]):
    """Escape, q or its key again leaves it."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,F", "dismiss", "close"),
        Binding("j", "move(1)", "down"),
        Binding("k", "move(-1)", "up"),
    ]

    def __init__(self, sections: Sequence[Section], columns: Sequence[Column]) -> None:
        """``columns`` are those of the panes, where they are on."""
        super().__init__()
        self._sections = sections
        self._columns = columns

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="figure-list") as panel:
            panel.border_title = "figures, and where they come from"
            panel.border_subtitle = "escape closes"
            yield Static(Content("\n").join(self._lines()))

    def on_click(self) -> None:
        """A click beside the panel closes it, as escape does."""
        if self.get_child_by_id("figure-list").is_mouse_over is False:
            self.dismiss()

    def action_move(self, step: int) -> None:
        # At once: of two steps in a burst, the second goes on from where the first led.
        self.get_child_by_id("figure-list").scroll_relative(y=step, animate=False, immediate=True)

    def _lines(self) -> Iterator[Content]:
        for section in self._sections:
            yield Content.styled(section.title, "bold underline")
            # Times and counts of the stages are all from one place.
            told = ""
            for figure in section.figures:
                yield Content.assemble("  ", figure.name, "  ", (figure.value, "bold"))
                if figure.about != told:
                    yield from (Content.styled(f"      {line}", "$text-muted") for line in figure.about.splitlines())
                told = figure.about
            if section.note:
                yield Content.styled(f"  {section.note}", "$warning")
        if self._columns:
            yield Content.styled("columns", "bold underline")
        for column in self._columns:
            yield from _explained(column.name, f"{column.meaning}; from {column_source(column.name)}")
        yield Content.styled("verdicts are drawn from", "bold underline")
        for rule in rules():
            yield from _explained(rule, verdict_source(rule))
        yield Content.styled("the map of shared memory", "bold underline")
        yield Content.styled(f"      {shared_memory_source()}", "$text-muted")


def _explained(name: str, words: str) -> Iterator[Content]:
    yield Content(f"  {name}")
    yield Content.styled(f"      {words}", "$text-muted")
