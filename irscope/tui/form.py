"""The form: kernel, target, options, constants and types, changed in place and compiled with one key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantFocus
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Collapsible, Input, Label, Select, Static

from irscope import saved
from irscope.model import Compilation, InvalidTarget, Kernel, Specialization
from irscope.request import IrscopeError, Request
from irscope.tui.form_values import COMMON_TARGETS, Field, configured, fields, request_from, to_save


class Row(Horizontal):
    """A question: its name, its answer, and where the answer in force came from."""

    def __init__(self, field: Field) -> None:
        super().__init__(classes="row")
        self.field = field

    def compose(self) -> ComposeResult:
        yield Label(self.field.name, classes="row-name")
        placeholder = "the backend's choice" if self.field.kind == "option" else "as inferred"
        yield Input(self.field.value, compact=True, placeholder=placeholder)
        yield Label(classes="row-note", markup=False)

    def on_mount(self) -> None:
        self._tell()

    @property
    def answer(self) -> str:
        return self.query_one(Input).value

    @property
    def note(self) -> str:
        return self._as_answered.note

    @property
    def _as_answered(self) -> Field:
        """The question as it is answered now: an answer that was changed is given."""
        changed = bool(self.answer.strip()) and self.answer.strip() != self.field.value
        return replace(self.field, given=self.field.given or changed)

    def fill(self, field: Field) -> None:
        """Ask another question of the same name; its answer takes the place of the one there."""
        self.field = field
        self.query_one(Input).value = field.value
        self._tell()

    def pin(self) -> None:
        """Say this value from now on, or leave it to irscope again."""
        answer = self.answer.strip()
        if self._as_answered.given:
            # A value that was typed is given by being another; unpinned, it is what it was.
            self.field = replace(self.field, given=False)
            self.query_one(Input).value = self.field.value
        elif answer:
            self.field = replace(self.field, given=True)
        self._tell()

    @on(Input.Changed)
    def _tell(self) -> None:
        note, shown = self.query_one(".row-note", Label), self._as_answered
        note.update(shown.note)
        note.set_class(shown.given, "given")
        note.set_class(shown.guessed, "guessed")


class OptionsForm(ModalScreen[Request | None]):
    """Gives back the request to compile, or ``None`` where the user thought better of it."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close"),
        Binding("f5,ctrl+r", "compile", "compile"),
        Binding("f2", "pin", "pin"),
        Binding("f4", "save", "save"),
    ]

    def __init__(self, request: Request, kernels: Sequence[Kernel], compilation: Compilation | None) -> None:
        super().__init__()
        self._request = request
        self._kernels = list(kernels)
        self._compilation = compilation
        self._kernel = self._start()
        #: The row that was used last.
        self._row: Row | None = None

    def _start(self) -> Kernel:
        """The kernel in view, with the configurations that its compilation knows."""
        compiled = self._compilation.kernel if self._compilation else None
        wanted = compiled.name if compiled else self._request.kernel
        for position, kernel in enumerate(self._kernels):
            if kernel.name == wanted and (compiled is None or _same_file(kernel, compiled)):
                if compiled and compiled.configurations:
                    self._kernels[position] = replace(
                        kernel, configurations=compiled.configurations, configurations_known=True
                    )
                return self._kernels[position]
        return self._kernels[0]

    @property
    def _chosen(self) -> Specialization | None:
        """What the kernel of the form was compiled for, if it is the one in view."""
        if self._compilation and self._kernel.name == self._compilation.kernel.name:
            return self._compilation.specialization
        return None

    @property
    def _base(self) -> Request:
        """The request as far as it is about the kernel of the form."""
        if self._chosen:
            return self._request
        return replace(self._request, kernel=self._kernel.name, options={}, constants={}, arguments={}, captured=0)

    def compose(self) -> ComposeResult:
        several = len({kernel.file for kernel in self._kernels}) > 1
        with Vertical(id="form") as form:
            form.border_title = "options"
            form.border_subtitle = "enter or F5 compiles, F2 pins a value, F4 saves all, escape closes"
            with Horizontal(classes="row"):
                yield Label("kernel", classes="row-name")
                yield Select(
                    [(_label(kernel, several), number) for number, kernel in enumerate(self._kernels)],
                    value=self._kernels.index(self._kernel),
                    allow_blank=False,
                    compact=True,
                    id="form-kernel",
                )
            with Horizontal(classes="row"):
                yield Label("target", classes="row-name")
                yield Input(
                    self._target(),
                    compact=True,
                    placeholder="this machine's GPU, else sm_90",
                    suggester=SuggestFromList(COMMON_TARGETS, case_sensitive=False),
                    id="form-target",
                )
                yield Label("sm_80, gfx942 ...", classes="row-note")
            with Horizontal(classes="row"):
                yield Label("configuration", classes="row-name")
                yield Select([], prompt="none", compact=True, id="form-configuration")
                yield Input(compact=True, type="integer", placeholder="its number, from 1", id="form-number")
            yield VerticalScroll(id="form-fields")
            yield Static(id="form-detail", markup=False)
            yield Static(id="form-error", markup=False)
            with Horizontal(id="form-buttons"):
                yield Button("Compile", variant="primary", compact=True, id="form-compile")
                yield Button("Pin", compact=True, id="form-pin")
                yield Button("Save", compact=True, id="form-save")
                yield Button("Cancel", compact=True, id="form-cancel")

    async def on_mount(self) -> None:
        await self._ask()

    def _target(self) -> str:
        if self._compilation and self._compilation.target.arch:
            return str(self._compilation.target)
        return str(self._request.target or "")

    async def _ask(self) -> None:
        """Show the questions of the chosen kernel."""
        chosen, kernel = self._chosen, self._kernel
        self._show_configurations(kernel, chosen.configuration if chosen else None)
        asked = fields(kernel, chosen, self._base)
        others = [Row(field) for field in asked if not field.main]
        groups = {"option": "options", "constant": "constexprs", "argument": "types"}
        content: list[Static | Row | Collapsible] = []
        for kind, title in groups.items():
            rows = [Row(field) for field in asked if field.kind == kind and field.main]
            if rows:
                content += [Static(title, classes="form-title"), *rows]
        if others:
            content.append(Collapsible(*others, title="every other option of the backend"))
        panel = self.query_one("#form-fields")
        await panel.remove_children()
        await panel.mount_all(content)

    def _show_configurations(self, kernel: Kernel, current: int | None) -> None:
        select, number = self.query_one("#form-configuration", Select), self.query_one("#form-number", Input)
        options = [(f"{n}: {found}", n - 1) for n, found in enumerate(kernel.configurations, 1)]
        with self.prevent(Select.Changed):
            select.set_options(options)
            if options:
                select.value = min(current or 0, len(options) - 1)
        select.display = bool(options) or kernel.configurations_known
        select.disabled = not options
        # The file computes its configurations: reading it cannot list them, but a number can be said.
        number.display = not select.display
        number.value = "" if current is None else str(current + 1)

    @on(Select.Changed, "#form-kernel")
    async def _kernel_changed(self, event: Select.Changed) -> None:
        if isinstance(event.value, int) and self._kernels[event.value] is not self._kernel:
            self._kernel = self._kernels[event.value]
            await self._ask()

    @on(Select.Changed, "#form-configuration")
    def _configuration_changed(self, event: Select.Changed) -> None:
        if not isinstance(event.value, int):
            return
        answers = configured(self._kernel, event.value)
        for row in self.query(Row):
            key = (row.field.kind, row.field.name)
            if key in answers:
                # As the configuration has it, so nothing that the user gave.
                row.fill(replace(row.field, value=answers[key], given=False, provenance="configuration", evidence=""))

    def _configuration(self) -> int | None:
        select = self.query_one("#form-configuration", Select)
        if select.display:
            return select.value if isinstance(select.value, int) else None
        text = self.query_one("#form-number", Input).value
        return int(text) - 1 if text.isdigit() and int(text) > 0 else None

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        row = next((node for node in event.widget.ancestors if isinstance(node, Row)), None)
        if row is not None:
            self._row = row
        self._tell()

    @on(Input.Changed)
    def _tell(self) -> None:
        """Where the value of the row in use came from, at full length."""
        row = self._row
        said = "" if row is None or not row.is_attached else f"{row.field.name}: {row.note.strip()}"
        self.query_one("#form-detail", Static).update(said)

    @on(Button.Pressed, "#form-pin")
    def action_pin(self) -> None:
        """Pin the value of the row in use, or leave it to irscope again."""
        if self._row is not None and self._row.is_attached:
            self._row.pin()
            self._tell()

    @on(Button.Pressed, "#form-save")
    def action_save(self) -> None:
        """Write the answers beside the kernel's file, as they are in the form."""
        asked, answers = self._answers()
        file = saved.path_of(Path(self._kernel.file))
        try:
            found = to_save(
                self._kernel, self.query_one("#form-target", Input).value, self._configuration(), asked, answers,
                self._request, self._compilation.target if self._compilation else None,
            )  # fmt: skip
            saved.write(file, {self._kernel.name: found})
        except InvalidTarget as error:
            self._complain(str(error), "#form-target")
        except IrscopeError as error:
            self._complain(str(error))
        except OSError as error:
            self._complain(f"cannot write {file}: {error.strerror or error}")
        else:
            self._complain("")
            self.notify(f"wrote {file}; later compiles, launches and `irscope dump` use it")

    def _answers(self) -> tuple[list[Field], dict[tuple[str, str], str]]:
        rows = list(self.query(Row))
        return [row.field for row in rows], {(row.field.kind, row.field.name): row.answer for row in rows}

    def _complain(self, words: str, focus: str | None = None) -> None:
        self.query_one("#form-error", Static).update(words)
        if focus is not None:
            self.query_one(focus).focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#form-compile")
    def action_compile(self) -> None:
        asked, answers = self._answers()
        target = self.query_one("#form-target", Input).value
        try:
            answer = request_from(self._base, self._kernel, target, self._configuration(), asked, answers)
        except InvalidTarget as error:
            self._complain(str(error), "#form-target")
            return
        self.dismiss(answer)

    @on(Button.Pressed, "#form-cancel")
    def _cancel(self) -> None:
        self.dismiss(None)


def _same_file(left: Kernel, right: Kernel) -> bool:
    return left.file.replace("\\", "/").endswith(right.file.replace("\\", "/").rsplit("/", 1)[-1])


def _label(kernel: Kernel, with_file: bool) -> str:
    file = kernel.file.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{file}::{kernel.name}" if with_file else kernel.name
