"""The verdict panel, below the panes: what is good and bad about the compilation, each a key away from its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.events import MouseMove
from textual.message import Message
from textual.widgets.option_list import Option

from irscope.tui.row_list import RowList
from irscope.tui.verdict_text import Diagnosis, Entry, counted, entries, place_words

if TYPE_CHECKING:
    from irscope.analysis.verdicts.model import Evidence

_KEYS = (("maximise", "z zoom"), ("verdicts", "a close"))


class VerdictPanel(RowList):
    """One entry for each verdict and each buffer; enter or a click leads to its places, one after the other."""

    class Led(Message):
        """The reader asks for a place."""

        def __init__(self, place: Evidence) -> None:
            super().__init__()
            self.place = place

    def __init__(self) -> None:
        super().__init__("verdicts", compact=True)
        self.diagnosis = Diagnosis()
        self.entries: list[Entry] = []
        self._kernel = ""
        #: Which of its places each entry led to last.
        self._led: dict[int, int] = {}

    def show(self, kernel: str, diagnosis: Diagnosis) -> None:
        """Show a diagnosis; where it only adds to the one in view, the highlight stays."""
        before = self.highlighted if kernel == self._kernel else None
        adds = self.entries
        self._kernel, self.diagnosis, self.entries = kernel, diagnosis, entries(diagnosis)
        if self.entries[: len(adds)] != adds:
            self._led.clear()
        self.set_options(
            [Option(entry.text, id=str(at), disabled=not entry.places) for at, entry in enumerate(self.entries)]
        )
        if before is not None and before < len(self.entries) and self.entries[before].places:
            self.highlighted = before
        elif any(entry.places for entry in self.entries):
            self.action_first()
        self._retitle()

    def on_option_list_option_highlighted(self, event: RowList.OptionHighlighted) -> None:
        event.stop()
        self._retitle()

    def on_option_list_option_selected(self, event: RowList.OptionSelected) -> None:
        event.stop()
        at = event.option_index
        places = self.entries[at].places
        if places:
            self._led[at] = (self._led.get(at, -1) + 1) % len(places)
            self._retitle()
            self.post_message(self.Led(places[self._led[at]]))

    def on_mouse_move(self, event: MouseMove) -> None:
        at = event.style.meta.get("option")
        self.tooltip = self.entries[at].about or None if at is not None and at < len(self.entries) else None

    def on_resize(self) -> None:
        self.call_after_refresh(self.scroll_to_highlight)

    def _retitle(self) -> None:
        words = counted(self.diagnosis.verdicts)
        if self.diagnosis.unfinished:
            words += f"{', ' if words else ''}more to come"
        self.border_title = Content(f"verdicts  {words}".rstrip()).markup
        keys = "  ".join(f"[@click=app.{action}]{title}[/]" for action, title in _KEYS)
        at = self.highlighted
        places = self.entries[at].places if at is not None and at < len(self.entries) else ()
        if at is None or not places:
            self.border_subtitle = keys
            return
        led = self._led.get(at)
        following = 0 if led is None else (led + 1) % len(places)
        where = f"enter: {place_words(places[following])} ({following + 1} of {len(places)})"
        self.border_subtitle = f"{Content(where).markup}  {keys}"

    @property
    def to_copy(self) -> str:
        """All that it says."""
        return "\n".join(entry.text.plain for entry in self.entries)
