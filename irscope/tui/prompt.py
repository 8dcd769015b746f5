"""The line at the bottom that asks for something short: a search, a line number, a path."""

from __future__ import annotations

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
    """One line with a label, an input and a remark. Enter and escape are actions of the app's."""

    # Before the input's own, which would answer by a message: the next key may be there first.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "app.answer", "answer", show=False, priority=True),
        Binding("escape", "app.close_prompt", "close", show=False, priority=True),
    ]

    class Changed(Message):
        """The text is another one; look at the prompt for what it is by now."""

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self.ask = Ask.SEARCH
        self.display = False
        self.field = Input(compact=True, id="prompt-input")

    def compose(self) -> ComposeResult:
        yield Label(id="prompt-label")
        yield self.field
        yield Label(id="prompt-remark")

    @property
    def text(self) -> str:
        return self.field.value

    @property
    def has_keys(self) -> bool:
        """What is typed goes into it."""
        return self.display and self.screen.focused is self.field

    def open(self, ask: Ask, text: str = "") -> None:
        self.ask = ask
        self.query_one("#prompt-label", Label).update(f" {ask.value}: ")
        self.remark("")
        with self.prevent(Input.Changed):
            self.field.value = text
        self.display = True
        self.field.cursor_position = len(text)
        # At once, not after the messages in the queue: the next key belongs to the input.
        self.screen.set_focus(self.field)

    def type(self, text: str) -> None:
        """Put text where the cursor is, in place of what is selected."""
        self.field.replace(text, *self.field.selection)

    def remark(self, text: str, *, bad: bool = False) -> None:
        label = self.query_one("#prompt-remark", Label)
        label.update(f" {text} " if text else "")
        label.set_class(bad, "bad")

    def close(self) -> None:
        self.display = False

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())
