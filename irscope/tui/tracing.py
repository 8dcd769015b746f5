"""Exact edges in the background: a second compile tells them once the stages are on screen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.message import Message

from irscope.client import Cancelled
from irscope.edges import Edges
from irscope.events import Event
from irscope.lineage import Lineages
from irscope.model import Compilation
from irscope.request import IrscopeError, Request
from irscope.tui.linking import Links

if TYPE_CHECKING:
    from irscope.tui.app import IrscopeApp


@dataclass(frozen=True, slots=True)
class Progress:
    """So many edges are known, of so many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Found:
    """The end: the compilation with its edges, and what looks lineages up in them."""

    compilation: Compilation
    lineages: Lineages | None = None


@dataclass
class Traced(Message):
    """A trace has something to say; posted by its thread."""

    trace: Trace
    news: Progress | Found


class Trace:
    """Works the exact edges of one compilation out, in a thread of its own, from now on."""

    def __init__(self, app: IrscopeApp, compilation: Compilation, request: Request, links: Links) -> None:
        self.compilation = compilation
        self._app = app
        self._request = request
        self._links = links
        self._cancel = threading.Event()
        # A daemon: leaving irscope never waits for it, nor for its worker.
        threading.Thread(target=self._work, name="irscope-edges", daemon=True).start()

    def stop(self) -> None:
        """Give up; nothing more is said."""
        self._cancel.set()

    def _tell(self, news: Progress | Found) -> None:
        if not self._cancel.is_set():
            self._app.post_message(Traced(self, news))

    def _work(self) -> None:
        # Loaded while the reader looks at the stages.
        from irscope.exact import exact_edges

        try:
            found = exact_edges(self.compilation, self._request, _Counter(self).hear, self._cancel)
            edges = found.edges
            sources = {source.path: source.text for source in found.sources}
            known = edges is not None and all(name in self._links.indices for name in edges.stages)
            self._tell(Found(found, Lineages(edges, self._links.indices, sources) if edges and known else None))
        except Cancelled:
            pass
        except IrscopeError as error:
            self._fail(str(error.failure))
        except Exception as error:
            # The stages are on screen and joined by their lines: that must not end because of this.
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, reason: str) -> None:
        self._tell(Found(replace(self.compilation, edges=Edges(reason=reason))))


@dataclass
class _Counter:
    """Turns the events of `irscope.exact` into progress."""

    trace: Trace
    done: int = 0
    total: int = 0

    def hear(self, event: Event) -> None:
        from irscope.exact import EdgeFound, EdgesStarted

        if isinstance(event, EdgesStarted):
            self.done, self.total = 0, max(0, len(event.stages) - 1)
        elif isinstance(event, EdgeFound):
            self.done += 1
        else:
            return
        self.trace._tell(Progress(self.done, self.total))


class Tracing:
    """Traces one compilation at a time; the next compile, and leaving irscope, end it."""

    def __init__(self, app: IrscopeApp) -> None:
        self._app = app
        self._bench = app.bench
        self._trace: Trace | None = None

    @property
    def running(self) -> bool:
        return self._trace is not None

    def start(self, compilation: Compilation, request: Request, links: Links) -> None:
        self.stop()
        if compilation.failure is None:
            self._trace = Trace(self._app, compilation, request, links)

    def stop(self) -> None:
        if self._trace is not None:
            self._trace.stop()
            self._trace = None
            self._bench.show_tracing("")

    def heard(self, message: Traced) -> None:
        if message.trace is not self._trace:
            return
        if isinstance(message.news, Progress):
            self._bench.show_tracing(f"exact edges {message.news.done}/{message.news.total}")
            return
        self._trace = None
        self._bench.show_tracing("")
        if message.trace.compilation is self._bench.compilation:
            self._bench.take_edges(message.news.compilation, message.news.lineages)
