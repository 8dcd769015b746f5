"""What the app compiles: the request in force, the run that answers it, and what every step puts on screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.message import Message

from irscope.events import (
    CaptureStarted,
    Event,
    Finished,
    KernelFound,
    Specialized,
    StageFinished,
    StageStarted,
    WorkerStarted,
)
from irscope.model import Compilation, Failure
from irscope.request import Request
from irscope.tui.header import words_of_request
from irscope.tui.runner import End, News, Run
from irscope.tui.stages import describe
from irscope.tui.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from irscope.tui.app import IrscopeApp
    from irscope.tui.stage_text import StageText


@dataclass
class Told(Message):
    """A run has something to say; posted by its thread."""

    run: Run
    news: News


class Compiling:
    """Runs one request at a time; what a run that was given up still says is passed over."""

    def __init__(self, app: IrscopeApp, request: Request) -> None:
        self._app = app
        self._bench = app.bench
        self.request = request
        self.watcher = Watcher()
        self._run: Run | None = None
        #: The compilation that came last, and what it answers.
        self._answered: tuple[Compilation, Request] | None = None
        #: How many requests there were.
        self.count = 0

    @property
    def running(self) -> bool:
        return self._run is not None

    def start(self, request: Request) -> None:
        """Answer a request; what is in view stays until there is something better."""
        self.stop()
        self._app.tracing.stop()
        self.request = request
        self.count += 1
        self._bench.begin()
        self._run = Run(request)
        self._run.listen(lambda run, news: self._app.post_message(Told(run, news)))
        self._app.refresh_bindings()

    def stop(self) -> None:
        """Give up what runs; nothing more is heard of it."""
        if self._run is not None:
            self._run.stop()
            self._run = None

    def cancel(self) -> None:
        """Give up what runs, and say so on screen."""
        self.stop()
        self._bench.stopped()

    def request_of(self, compilation: Compilation) -> Request | None:
        """What a compilation answers; ``None`` where the answer to something else is on its way."""
        # By its stages: what is in view is replaced by one with edges as soon as these are known.
        if self._answered is None or self._answered[0].stages is not compilation.stages:
            return None
        request = self._answered[1]
        return request if request is self.request or not self.running else None

    async def heard(self, message: Told) -> None:
        if message.run is not self._run:
            return
        if isinstance(message.news, End):
            self._end(message.news)
        else:
            await self._step(message.news.event, message.news.texts)

    async def _step(self, event: Event, texts: Mapping[str, StageText]) -> None:
        bench = self._bench
        match event:
            case WorkerStarted():
                bench.breadcrumb.begin("loading Triton")
            case CaptureStarted():
                bench.breadcrumb.begin("running the file's launch code")
            case KernelFound(kernel=kernel) if bench.compilation is None:
                bench.header.show(*words_of_request(replace(self.request, kernel=kernel.name)))
                bench.show_kernel(kernel)
            case Specialized():
                await bench.plan(event.pipeline)
            case StageStarted(name=name):
                bench.strip.start(name)
                bench.breadcrumb.begin(f"compiling {describe(name).title}")
            case StageFinished(stage=stage):
                bench.add_stage(stage, texts)
            case Finished():
                await self._finished(event.compilation, texts, stored=event.stored)

    async def _finished(self, found: Compilation, texts: Mapping[str, StageText], *, stored: bool) -> None:
        self.watcher.watch(found.sources)
        before = self._bench.compilation
        if found.failure is not None and before is not None and before.failure is None:
            self._bench.keep(found.failure, found.log)
        else:
            came_from = "from the store" if self.request.path.suffix == ".py" else "from a file"
            self._answered = (found, self.request)
            await self._bench.show(found, texts, origin=came_from if stored else "")

    def _end(self, end: End) -> None:
        self._run = None
        self._bench.end()
        if end.failure is not None:
            self._unanswered(end.failure, end.exit_code)
        self._app.refresh_bindings()

    def _unanswered(self, failure: Failure, exit_code: int) -> None:
        """There is no compilation to show for the request."""
        path = self.request.path
        if self._bench.compilation is not None:
            self._bench.keep(failure, failure.detail or "")
        elif path.is_dir() and self.request.kernel is None:
            self._app.action_options()
        elif failure.kind == "usage" and not (path.suffix == ".py" and path.is_file()):
            self._app.exit(exit_code, return_code=exit_code, message=f"irscope: {failure}")
        else:
            self._bench.show_unanswered(failure)
