"""Driving the app in tests: open a request, wait until everything is on screen, read what is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from textual.pilot import Pilot

from irscope.config import Config
from irscope.request import Request
from irscope.tui.app import IrscopeApp
from irscope.tui.code_view import CodeView
from irscope.tui.workbench import Workbench

WIDE = (200, 50)
NARROW = (80, 24)
#: A compilation on a busy machine; waiting ends as soon as there is what is waited for.
_PATIENCE_SECONDS = 60.0
_STEP_SECONDS = 0.02


@dataclass
class Driver:
    app: IrscopeApp
    pilot: Pilot[Any]

    @property
    def bench(self) -> Workbench:
        return self.app.bench

    async def until(self, condition: Callable[[], object]) -> None:
        end = monotonic() + _PATIENCE_SECONDS
        while monotonic() < end:
            await self.pilot.pause()
            if condition():
                return
            await self.pilot.pause(_STEP_SECONDS)
        raise AssertionError("it never came to that")

    async def settled(self) -> None:
        """The request is answered, joined, and its figures are shown."""
        await self.until(
            lambda: (
                not self.app.compiling.running
                and (self.bench.error.display or (self.bench.links.indices and self.bench.figure_lines.shown))
            )
        )
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        names = {"/": "slash", ".": "full_stop", " ": "space", ":": "colon", "_": "underscore", "*": "asterisk"}
        await self.press(*(names.get(character, character) for character in text))

    def view(self, pane: str) -> CodeView:
        return self.bench.panes.panes[pane].view

    def text(self, pane: str) -> str:
        """What a pane has on screen."""
        view = self.view(pane)
        return "\n".join(view.render_line(row).text for row in range(view.size.height))

    def line_of(self, pane: str, part: str) -> int:
        """The row on screen of the first line with ``part`` in it."""
        return next(row for row, line in enumerate(self.view(pane).lines) if part in line)

    async def go_to(self, pane: str, part: str) -> None:
        """Put the cursor of a pane on the first line with ``part`` in it, as a user's move."""
        self.bench.panes.use(pane)
        await self.pilot.pause()
        self.view(pane).go_to(self.line_of(pane, part), notify=True)
        await self.pilot.pause()

    def strip(self) -> str:
        return self.bench.strip.render().plain

    def header(self) -> str:
        return self.bench.header.render().plain

    def crumbs(self) -> str:
        return self.bench.breadcrumb.render().plain

    def figures(self) -> str:
        return self.bench.figure_lines.render().plain


@asynccontextmanager
async def opened(
    request: Request, size: tuple[int, int] = WIDE, *, watch: bool = False, settings: Config | None = None
) -> AsyncIterator[Driver]:
    """The app with the request answered."""
    app = IrscopeApp(request, watch=watch, settings=settings)
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, pilot)
        await driver.until(lambda: app.compiling.count)
        await driver.settled()
        yield driver
