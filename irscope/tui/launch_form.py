"""The launch form: what the kernel runs on, changed in place and launched with one key."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select, Static

from irscope.launch.model import Launch, LaunchRequest, Site
from irscope.model import Compilation
from irscope.tui.launch_form_values import Question, launch_question, problems, questions, request_from


class Row(Horizontal):
    """A question and its answer; what is wrong with it takes the place of the note."""

    def __init__(self, question: Question) -> None:
        super().__init__(classes="row")
        self.question = question

    def compose(self) -> ComposeResult:
        question = self.question
        yield Label(question.label, classes="row-name", markup=False)
        if question.choices:
            known = {value for value, _ in question.choices}
            yield Select(
                [(words, value) for value, words in question.choices],
                value=question.value if question.value in known else question.choices[0][0],
                allow_blank=False,
                compact=True,
            )
        else:
            yield Input(question.value, compact=True, placeholder=question.placeholder)
        yield Label(classes="row-note", markup=False)

    def on_mount(self) -> None:
        self.complain("")

    @property
    def answer(self) -> str:
        if self.question.choices:
            return str(self.query_one(Select).value)
        return self.query_one(Input).value

    def complain(self, problem: str) -> None:
        note = self.query_one(".row-note", Label)
        # A choice's own words need the room.
        said = f"✗ {problem}" if problem else "" if self.question.choices else self.question.note
        note.update(said)
        note.display = bool(said)
        note.set_class(bool(problem), "bad")

    def enter(self) -> None:
        self.query_one(Select if self.question.choices else Input).focus()


class LaunchForm(ModalScreen[LaunchRequest | None]):
    """Gives back the launch to make, or ``None`` where the user thought better of it."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close"),
        Binding("f5,ctrl+r", "launch", "launch"),
        Binding("f6", "list_launches", "list launches"),
    ]

    def __init__(
        self, request: LaunchRequest, compilation: Compilation | None, last: Launch | None, sites: Sequence[Site]
    ) -> None:
        super().__init__()
        self._request = request
        self._questions = questions(request, compilation, last, sites)
        self._given_up = threading.Event()

    def on_unmount(self) -> None:
        self._given_up.set()

    def compose(self) -> ComposeResult:
        with Vertical(id="form") as form:
            form.border_title = f"launch {self._request.compile.kernel or ''}".rstrip()
            form.border_subtitle = "enter or F5 launches, F6 lists the file's launches, escape closes"
            with VerticalScroll(id="form-fields", can_focus=False):
                for question in self._questions:
                    yield Row(question)
            yield Static(id="form-error", markup=False)
            with Horizontal(id="form-buttons"):
                yield Button("Launch", variant="primary", compact=True, id="form-launch")
                yield Button("List the file's launches", compact=True, id="form-list")
                yield Button("Cancel", compact=True, id="form-cancel")

    def row(self, key: str) -> Row:
        return next(row for row in self.query(Row) if row.question.key == key)

    @property
    def answers(self) -> dict[str, str]:
        return {row.question.key: row.answer for row in self.query(Row)}

    @on(Input.Submitted)
    @on(Button.Pressed, "#form-launch")
    def action_launch(self) -> None:
        if self._is_right():
            self.dismiss(request_from(self._request, self.answers))

    def _is_right(self) -> bool:
        """Whether the answers make a launch; each that does not is marked, and the first of them has the focus."""
        found = problems(self.answers)
        for row in self.query(Row):
            row.complain(found.get(row.question.key, ""))
        if found:
            next(row for row in self.query(Row) if row.question.key in found).enter()
        return not found

    @on(Button.Pressed, "#form-list")
    @work(exclusive=True, group="sites")
    async def action_list_launches(self) -> None:
        """Run the file's own code to its end, for the launches that it makes."""
        from irscope.client import Cancelled
        from irscope.launch import run
        from irscope.request import IrscopeError

        if not self._is_right():
            return
        said = self.query_one("#form-error", Static)
        said.update("running the file for the launches that it makes ...")
        asked = replace(request_from(self._request, self.answers), source="file", inputs={}, grid=None)
        try:
            found = await asyncio.to_thread(run.sites, asked, run.ignore, self._given_up)
        except Cancelled:
            return
        except IrscopeError as error:
            said.update(
                str(error) if error.failure.hint is None else f"{error}\ntry: {error.failure.hint.removeprefix('try ')}"
            )
            return
        question = launch_question(self._request, found)
        said.update("" if question.choices else "the file launches this kernel nowhere")
        if question.choices:
            old = self.row("number")
            await self.query_one("#form-fields").mount(Row(question), after=old)
            await old.remove()

    @on(Button.Pressed, "#form-cancel")
    def _cancel(self) -> None:
        self.dismiss(None)
