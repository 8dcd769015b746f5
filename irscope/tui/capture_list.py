"""The launches that a file's own code makes, as captured: choose one to compile, or capture now."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import OptionList, Static

from irscope import captures
from irscope.captures import CapturedLaunch
from irscope.client import Cancelled
from irscope.model import Target
from irscope.request import IrscopeError, Request

_KEYS = "enter compiles it, c runs the file's code anew, escape closes"


class CaptureList(ModalScreen["CapturedLaunch | None"]):
    """Gives back the launch to compile, or ``None``.

    Args:
        request: whose file is run, and whose kernel comes first.
        target: what the code is told that the GPU is.
        at_once: run the code as soon as the list is open.
    """

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,V", "dismiss(None)", "close"),
        Binding("c,E", "capture", "capture"),
        Binding("j", "move(1)", "down"),
        Binding("k", "move(-1)", "up"),
    ]

    def __init__(self, request: Request, target: Target, *, at_once: bool = False) -> None:
        super().__init__()
        self._request = request
        self._target = target
        self._at_once = at_once
        self._given_up = threading.Event()
        self._since = 0.0
        self._clock: Timer | None = None
        self.launches: list[CapturedLaunch] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="captures") as box:
            box.border_subtitle = _KEYS
            yield OptionList(id="capture-list")
            yield Static(id="capture-detail", markup=False)
            yield Static(id="capture-note", markup=False)

    def on_mount(self) -> None:
        self._clock = self.set_interval(0.2, self._tick, pause=True)
        self._show(kept_launches(self._request))
        self._say("" if self.launches else "nothing is captured yet: c runs the file's own launch code, without a GPU")
        self.query_one(OptionList).focus()
        if self._at_once:
            self.action_capture()

    def on_unmount(self) -> None:
        self._given_up.set()

    def _show(self, launches: Sequence[CapturedLaunch]) -> None:
        """The launches, those of the kernel in view first."""
        self.launches = sorted(launches, key=lambda launch: launch.kernel != self._request.kernel)
        count = len(self.launches)
        title = "no launch" if not count else "1 launch" if count == 1 else f"{count} launches"
        self.get_child_by_id("captures").border_title = f"{title} captured from {self._request.path.name}"
        options = self.query_one(OptionList)
        at = options.highlighted
        options.clear_options()
        options.add_options([Text(line, no_wrap=True, overflow="ellipsis") for line in rows(self.launches)])
        options.highlighted = min(at or 0, count - 1) if count else None

    def _say(self, words: str, *, bad: bool = False) -> None:
        note = self.query_one("#capture-note", Static)
        note.update(words)
        note.set_class(bad, "bad")

    def _tick(self) -> None:
        found = f", {len(self.launches)} so far" if self.launches else ""
        self._say(f"running the file's own launch code ... {monotonic() - self._since:.0f} s{found}")

    @work(exclusive=True, group="capture")
    async def action_capture(self) -> None:
        """Run the file's own launch code, which shows its launches as it makes them."""
        self._given_up.set()  # of a run before
        given_up = self._given_up = threading.Event()
        self._since = monotonic()
        assert self._clock is not None
        self._clock.resume()
        self._show([])
        self._tick()
        request = self._request
        try:
            found = await asyncio.to_thread(
                captures.run, request.path, self._target, python=request.python, cancel=given_up,
                on_launch=lambda launch: self.app.call_from_thread(self._came, launch),
            )  # fmt: skip
        except Cancelled:
            return
        except IrscopeError as error:
            hint = f"\ntry: {error.failure.hint}" if error.failure.hint else ""
            self._say(f"{error}{hint}", bad=True)
            return
        finally:
            self._clock.pause()
        self._show(found.launches)
        told = found.ended and f"the code did not come to its end: {found.ended}"
        self._say(told or ("" if found.launches else "the file's code launches no kernel"), bad=bool(told))

    def _came(self, launch: CapturedLaunch) -> None:
        if self.is_attached:
            self._show([*self.launches, launch])

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one("#capture-detail", Static).update(detail(self.launches[event.option_index]))

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.launches[event.option_index])


def kept_launches(request: Request) -> list[CapturedLaunch]:
    """What is captured of the kernels of a file: the newest capture that has any."""
    found = (
        [launch for launch in capture.launches if captures.is_same(launch.file, request.path)]
        for capture in captures.kept(request.path)
    )
    return next((launches for launches in found if launches), [])


def rows(launches: Sequence[CapturedLaunch]) -> list[str]:
    """One line a launch: kernel, where it is launched, how often, its grid, the shapes it has."""
    cells = [
        (launch.kernel, where(launch), f"{launch.count}x", f"grid {grid(launch)}", shapes(launch))
        for launch in launches
    ]  # fmt: skip
    if not cells:
        return []
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def where(launch: CapturedLaunch) -> str:
    return str(launch.sites[0]) if launch.sites else Path(launch.file).name


def grid(launch: CapturedLaunch) -> str:
    return "unknown" if launch.grid is None else "x".join(map(str, launch.grid))


def shapes(launch: CapturedLaunch) -> str:
    """What tells one launch from the next at a glance: constants, then shapes of tensors and values."""
    constants = [f"{name}={text}" for name, text in launch.entries.items() if name in launch.constexprs]
    return " ".join([*constants, *(f"{name}={words(entry)}" for name, entry in launch.arguments.items())])


def words(entry: Mapping[str, Any]) -> str:
    shape = entry.get("shape")
    if shape is not None:
        return f"{'x'.join(map(str, shape)) or 'scalar'} {entry.get('type', '')}".rstrip()
    return str(entry.get("value", entry.get("type", "?")))


def detail(launch: CapturedLaunch) -> str:
    """Everything of a launch: its signature, options, and all places that make it."""
    options = " ".join(f"{name}={value}" for name, value in launch.options.items())
    places = ", ".join(f"{site} in {site.function}" for site in launch.sites)
    return "\n".join(
        line
        for line in (
            " ".join(f"{name}={text}" for name, text in launch.entries.items()),
            f"options: {options}" if options else "",
            f"launched at {places}" if places else "",
        )
        if line
    )


def request_for(launch: CapturedLaunch, base: Request) -> Request:
    """The request that compiles what was launched."""
    return replace(
        base,
        path=Path(launch.file),
        kernel=launch.kernel,
        signature=None,
        arguments=dict(launch.entries),
        constants={},
        configuration=launch.configuration,
        options={**base.options, **{name: str(value) for name, value in launch.options.items()}},
        fresh=False,
    )
