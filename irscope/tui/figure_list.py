"""Every figure with what it is and where it comes from: what hovering tells, for the keyboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from irscope.explain.figures import column_source, rules, shared_memory_source, verdict_source
from irscope.tui.columns import Column
from irscope.tui.figures import Section
from irscope.tui.text_screen import TextScreen


class FigureList(TextScreen):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("F", "dismiss", "close")]

    def __init__(self, sections: Sequence[Section], columns: Sequence[Column]) -> None:
        """``columns`` are those of the panes, where they are on."""
        super().__init__("figures, and where they come from", Content("\n").join(lines(sections, columns)))


def lines(sections: Sequence[Section], columns: Sequence[Column]) -> Iterator[Content]:
    for section in sections:
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
    if columns:
        yield Content.styled("columns", "bold underline")
    for column in columns:
        yield from _explained(column.name, f"{column.meaning}; from {column_source(column.name)}")
    yield Content.styled("verdicts are drawn from", "bold underline")
    for rule in rules():
        yield from _explained(rule, verdict_source(rule))
    yield Content.styled("the map of shared memory", "bold underline")
    yield Content.styled(f"      {shared_memory_source()}", "$text-muted")


def _explained(name: str, words: str) -> Iterator[Content]:
    yield Content(f"  {name}")
    yield Content.styled(f"      {words}", "$text-muted")
