"""The exact edges of a compilation: made by a second compile, checked against the first.

The worker compiles the kernel again so that the locations in each stage name rows of the stage before
(`irscope.worker.snapshots`); here they are read, and each stage compared with the plain one. It comes after the
stages are on screen, and takes about as long as they did without ptxas.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from irscope import interpreter, session, store
from irscope.client import Client
from irscope.edges import Edge, Edges
from irscope.events import Event
from irscope.model import Compilation
from irscope.request import IrscopeError, Request
from irscope.snapshots import Joining


@dataclass(frozen=True, slots=True)
class EdgesStarted(Event):
    """The second compile has begun; ``stages`` are those it has to go through."""

    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EdgeFound(Event):
    """One more edge; the stage compiled next is the one after ``edge.lower``."""

    edge: Edge


@dataclass(frozen=True, slots=True)
class EdgesFinished(Event):
    """The end; ``compilation`` is the one asked about, with its edges."""

    compilation: Compilation


def exact_edges(
    compilation: Compilation,
    request: Request,
    on_event: Callable[[Event], None] = session.ignore,
    cancel: threading.Event | None = None,
) -> Compilation:
    """``compilation`` with its exact edges, which the store then has too.

    Where they cannot be had (it was read from a file, the kernel no longer compiles to the same TTIR, the worker
    fails), ``edges`` is empty and its ``reason`` says why: stages are then joined by source line.

    Raises:
        irscope.client.Cancelled: ``cancel`` was set meanwhile; the worker is gone.
    """
    if compilation.edges is not None:
        return compilation
    cancel = cancel or threading.Event()
    start = time.perf_counter()
    if compilation.failure is not None:
        found = Edges(reason="the kernel did not compile")
    elif request.path.suffix != ".py":
        found = Edges(reason="only a kernel's Python file can be compiled again, and this was read from "
                             f"{request.path.name}")  # fmt: skip
    else:
        request = session.with_kernel(request)
        found = compiled_edges(compilation, request, on_event, cancel)
        found = replace(found, seconds=time.perf_counter() - start)
    known = replace(compilation, edges=found)
    if found:
        store.put_edges(store.key_of(request, compilation.target, interpreter.identify(request.python)), known)
    on_event(EdgesFinished(known))
    return known


def compiled_edges(
    compilation: Compilation, request: Request, on_event: Callable[[Event], None], cancel: threading.Event
) -> Edges:
    """The edges that a second compile tells; a worker's failure becomes the reason why there are none."""
    on_event(EdgesStarted(tuple(name for name in compilation.pipeline if compilation.text(name))))
    # The worker that compiled it has all it needs, unless it has compiled another state of the file since.
    found = told_edges(compilation, request, session.ask, on_event, cancel)
    if found.stale:
        found = told_edges(compilation, request, session.ask, on_event, cancel, afresh=True)
    elif (compilation.triton or "").startswith("3.3.") and any(not edge.exact for edge in found.edges.edges):
        # Triton 3.3 compiles otherwise once it has compiled something; there a new worker does what the first did.
        # Later ones only differ where LLVM heeds debug information, and would again, after the time of a start.
        with Client() as client:
            again = told_edges(compilation, request, client.ask, on_event, cancel)
        if sum(edge.exact for edge in again.edges.edges) > sum(edge.exact for edge in found.edges.edges):
            found = again
    return found.edges


#: As `irscope.client.Client.ask`.
Ask = Callable[
    [Path, Mapping[str, Any], Callable[[dict[str, Any]], None], "float | None", threading.Event],
    tuple[dict[str, Any], str],
]


@dataclass(frozen=True, slots=True)
class Told:
    """What one second compile told; ``stale`` where it began with other code than the first."""

    edges: Edges
    stale: bool = False


def told_edges(
    compilation: Compilation,
    request: Request,
    ask: Ask,
    on_event: Callable[[Event], None],
    cancel: threading.Event,
    afresh: bool = False,
) -> Told:
    """Ask a worker for a second compile; with ``afresh`` it loads the file even if it has it."""
    message = {**session.compile_message(request, compilation.target), "do": "snapshots", "afresh": afresh}
    python = interpreter.identify(request.python).python
    joining = Joining(compilation)
    reader = Reader(joining, on_event)
    try:
        answer, _ = ask(python, message, reader.follow, request.timeout, cancel)
    except IrscopeError as error:
        return Told(Edges(reason=f"the second compile failed: {error.failure.message}"))
    if reader.error is not None:
        raise reader.error
    if joining.stale is not None:
        return Told(Edges(reason=joining.stale), stale=True)
    if answer["event"] == "failure":
        return Told(Edges(reason=f"the second compile failed: {answer['failure']['message']}"))
    return Told(joining.edges(answer))


class Reader:
    """Hands a worker's snapshots on. What goes wrong meanwhile waits until the worker has answered in full."""

    def __init__(self, joining: Joining, on_event: Callable[[Event], None]) -> None:
        self.error: Exception | None = None
        self._joining = joining
        self._on_event = on_event

    def follow(self, message: dict[str, Any]) -> None:
        if message["event"] != "snapshot" or self.error is not None:
            return
        try:
            for edge in self._joining.add(message["name"], message["text"]):
                self._on_event(EdgeFound(edge))
        except Exception as error:
            self.error = error
