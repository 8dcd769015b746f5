"""The line at the bottom that asks for something short: a search, a line number, a path."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class Ask(Enum):
    """What is asked for, as the line says it."""

    SEARCH = "search"
    SEARCH_ALL = "search all panes"
    LINE = "line"
    SAVE_STAGE = "write this stage to"
    SAVE_BUNDLE = "write the bundle to (a folder, or a name that ends in .irscope)"
    SCREENSHOT = "write a picture to"


class Prompt(Horizontal):
    """One line with a label, an input and a remark; escape always closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close", show=False)]

    @dataclass
    class Changed(Message):
        ask: Ask
        text: str

    @dataclass
    class Submitted(Message):
        ask: Ask
        text: str

    @dataclass
    class Closed(Message):
        ask: Ask

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self.ask = Ask.SEARCH
        self.display = False

    def compose(self) -> ComposeResult:
        yield Label(id="prompt-label")
        yield Input(compact=True, id="prompt-input")
        yield Label(id="prompt-remark")

    def open(self, ask: Ask, text: str = "") -> None:
        self.ask = ask
        self.query_one("#prompt-label", Label).update(f" {ask.value}: ")
        self.remark("")
        field = self.query_one(Input)
        with self.prevent(Input.Changed):
            field.value = text
        self.display = True
        field.cursor_position = len(text)
        # At once, not after the messages in the queue: the next key belongs to the input.
        self.screen.set_focus(field)

    def remark(self, text: str, *, bad: bool = False) -> None:
        label = self.query_one("#prompt-remark", Label)
        label.update(f" {text} " if text else "")
        label.set_class(bad, "bad")

    def close(self) -> None:
        self.display = False

    def action_close(self) -> None:
        self.close()
        self.post_message(self.Closed(self.ask))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self.ask, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(self.ask, event.value))
