"""The launches of a kernel that the file's own code makes, as captured: choose one to compile, or capture now."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from time import monotonic
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static

from irscope import captured, captures
from irscope.captured import CapturedLaunch
from irscope.client import Cancelled
from irscope.model import Compilation, Failure, Target
from irscope.report.capture import summary
from irscope.request import IrscopeError, Request
from irscope.tui import capture_text
from irscope.tui.row_list import RowList

_TICK_SECONDS = 0.2


class CaptureList(ModalScreen["CapturedLaunch | None"]):
    """Gives back the launch to compile, or ``None``.

    Args:
        request: whose kernel's launches are listed.
        target: what the file's code is told that the GPU is.
        in_view: the compilation in view and what it answers, for the mark at the launch in use.
        at_once: run the code as soon as the list is open.
    """

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "close"),
        Binding("q,V", "dismiss(None)", "close"),
        Binding("c,E", "capture", "capture"),
    ]

    def __init__(
        self,
        request: Request,
        target: Target,
        in_view: tuple[Request | None, Compilation | None] = (None, None),
        *,
        at_once: bool = False,
    ) -> None:
        super().__init__()
        self._request = request
        self._target = target
        self._in_view = in_view
        self._at_once = at_once
        self._given_up: threading.Event | None = None
        self._since = 0.0
        self._clock: Timer | None = None
        #: Those that a run has told so far.
        self._told: list[CapturedLaunch] = []
        self.launches: Sequence[CapturedLaunch] = ()

    @property
    def running(self) -> bool:
        return self._given_up is not None

    def compose(self) -> ComposeResult:
        with Vertical(id="captures"):
            yield RowList("capture-list")
            yield Static(id="capture-detail", markup=False)
            yield Static(id="capture-note", markup=False)

    def on_mount(self) -> None:
        self._clock = self.set_interval(_TICK_SECONDS, self._tick, pause=True)
        self._show_known()
        self.query_one(RowList).focus()
        if self._at_once:
            self.action_capture()

    def on_unmount(self) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._given_up is not None:
            self._given_up.set()
            self._given_up = None
        if self._clock is not None:
            self._clock.pause()

    def _show_known(self) -> None:
        """What a compile of the kernel would choose from."""
        request = self._request
        assert request.kernel is not None
        known = captures.launches_of(request.path, request.kernel, request.target)
        self._show(known, capture_text.in_use(*self._in_view, known))
        if not known:
            self._say(f"{capture_text.why_none(request)}. c runs the file's launch code, without a GPU.")
        else:
            self._say(captures.ended_early(request.path, request.kernel, request.target) or "")

    def _show(self, launches: Sequence[CapturedLaunch], in_use: int | None = None) -> None:
        self.launches = launches
        box, options = self.get_child_by_id("captures"), self.query_one(RowList)
        count = len(launches)
        what = "no launch" if not count else "1 launch" if count == 1 else f"{count} launches"
        box.border_title = f"{what} of {self._request.kernel} captured"
        if self.running:
            box.border_subtitle = "escape stops it"
        else:
            box.border_subtitle = f"{'enter compiles it, ' if count else ''}c captures now, escape closes"
        at = options.highlighted
        options.show_rows(capture_text.rows(launches, in_use), in_use or 0 if at is None else at)
        options.display = bool(count)
        self.query_one("#capture-detail").display = bool(count)

    def _say(self, words: str, *, bad: bool = False) -> None:
        note = self.query_one("#capture-note", Static)
        note.update(words)
        note.set_class(bad, "bad")

    def _tick(self) -> None:
        if len(self._told) != len(self.launches):
            self._show(list(self._told))
        self._say(f"running the file's launch code, without a GPU ... {monotonic() - self._since:.0f} s")

    def action_capture(self) -> None:
        if not self.running:
            self._capture()

    @work(exclusive=True, group="capture")
    async def _capture(self) -> None:
        """Run the file's own launch code, and show its launches as it makes them."""
        given_up = self._given_up = threading.Event()
        told = self._told = []
        self._since = monotonic()
        request = self._request

        def heard(launch: CapturedLaunch) -> None:
            if launch.kernel == request.kernel and captured.is_same(launch.file, request.path):
                told.append(launch)

        assert self._clock is not None
        self._clock.resume()
        self._show(())
        self._tick()
        try:
            found = await asyncio.to_thread(
                captures.run, request.path, self._target, python=request.python, cancel=given_up, on_launch=heard
            )
        except captures.Stopped:
            if self.is_mounted and not self.running:
                self._show_known()
        except Cancelled:
            return
        except IrscopeError as error:
            self._ended(self._words_of(error.failure))
        else:
            self._ended("; ".join(summary(found)))

    def _ended(self, problem: str) -> None:
        self._stop()
        self._show_known()
        if problem:
            self._say(problem, bad=True)

    def _words_of(self, failure: Failure) -> str:
        hint = failure.hint or ""
        way_out = f"`irscope capture {self._request.path.name}`: {hint}" if hint.startswith("--") else hint
        return f"{failure}; {way_out}" if way_out else str(failure)

    def action_leave(self) -> None:
        """Stop what runs, or close."""
        if self.running:
            self._stop()
            self._show(list(self._told))
            self._say("stopped; c captures again")
        else:
            self.dismiss(None)

    @on(RowList.OptionHighlighted)
    def _highlighted(self, event: RowList.OptionHighlighted) -> None:
        # A row may be gone again by the time that this is heard.
        if event.option_index < len(self.launches):
            self.query_one("#capture-detail", Static).update(capture_text.detail(self.launches[event.option_index]))

    @on(RowList.OptionSelected)
    def _selected(self, event: RowList.OptionSelected) -> None:
        if self.running:
            self.notify("the launch code still runs: what it launches can be compiled once it has ended")
        else:
            self.dismiss(self.launches[event.option_index])
