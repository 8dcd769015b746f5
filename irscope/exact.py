"""The exact edges of a compilation: made by a second compile, checked against the first.

The worker compiles the kernel again so that the locations in each stage name rows of the stage before
(`irscope.worker.snapshots`); here they are read, and each stage compared with the plain one. It comes after the
stages are on screen, and takes about as long as they did without ptxas.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from irscope import interpreter, session, store
from irscope.edges import Edge, Edges
from irscope.model import Compilation
from irscope.request import Event, IrscopeError, Request
from irscope.snapshots import Joining, StaleFirstStage


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
    start = time.perf_counter()
    if compilation.failure is not None:
        found = Edges(reason="the kernel did not compile")
    elif request.path.suffix != ".py":
        found = Edges(reason="only a kernel's Python file can be compiled again, and this was read from "
                             f"{request.path.name}")  # fmt: skip
    else:
        found = compiled_edges(compilation, request, on_event, cancel or threading.Event())
        found = replace(found, seconds=time.perf_counter() - start)
    known = replace(compilation, edges=found)
    if found and request.path.suffix == ".py":
        store.put_edges(store.key_of(request, compilation.target, interpreter.identify(request.python)), known)
    on_event(EdgesFinished(known))
    return known


def compiled_edges(
    compilation: Compilation, request: Request, on_event: Callable[[Event], None], cancel: threading.Event
) -> Edges:
    """The edges that a second compile tells; a worker's failure becomes the reason why there are none."""
    found = interpreter.identify(request.python)
    asked = {**session.compile_message(session.with_kernel(request), compilation.target), "do": "snapshots"}
    on_event(EdgesStarted(tuple(name for name in compilation.pipeline if compilation.text(name))))
    # What the worker compiled last may be another state of the file: then it loads the file.
    for afresh in (False, True):
        joining = Joining(compilation)

        def follow(message: dict[str, Any], joining: Joining = joining) -> None:
            if message["event"] == "snapshot":
                for edge in joining.add(message["name"], message["text"]):
                    on_event(EdgeFound(edge))

        try:
            answer, _ = session.ask(found.python, {**asked, "afresh": afresh}, follow, request.timeout, cancel)
            if answer["event"] == "failure":
                return Edges(reason=f"the second compile failed: {answer['failure']['message']}")
            return joining.edges(answer)
        except StaleFirstStage as stale:
            reason = str(stale)
        except IrscopeError as error:
            return Edges(reason=f"the second compile failed: {error.failure.message}")
    return Edges(reason=reason)
