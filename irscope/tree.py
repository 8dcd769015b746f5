"""Every kernel of a tree compiled, several workers side by side: `compile_all` gives one `Outcome` for each.

A worker that crashes, hangs or runs out of memory costs the kernel that it was at, and nothing else.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from irscope import discover, session
from irscope.client import Cancelled, Client
from irscope.events import Event, Finished, StageStarted
from irscope.model import Compilation, Failure, Kernel, Resources, Specialization
from irscope.request import IrscopeError, Request

if TYPE_CHECKING:
    from irscope.analysis.figures import Figures

#: Seconds that one kernel may take where the request sets no limit: nobody watches each of a thousand.
TIMEOUT = 120.0

#: Kernels that one worker compiles before a fresh one takes its place: what files leave behind adds up.
KERNELS_PER_WORKER = 100

_POLL = 0.1

#: What is compiled, in the order of a summary; every other kind is that of a `irscope.model.Failure`.
COMPILED, STORED = "compiled", "stored"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one kernel of a tree.

    Attributes:
        kernel: its name; empty for a file whose kernels cannot be read.
        file: as the tree was named, so that it is relative where that was.
        line: of its ``def``; ``None`` where unknown.
        kind: "compiled", "stored" (compiled before, and nothing changed), or the kind of its failure: "compile",
            "file", "missing", "timeout", "worker", "memory", "syntax", "usage", ...
        message: why it failed, in one line; empty where it did not.
        seconds: from when it was taken up, starting a worker included.
        provenance: by parameter, where its value came from (see `irscope.model.Specialization`).
        resources: what the kernel occupies, each figure ``None`` where unknown.
        figures: the resources with occupancy and their like; ``None`` where it failed.
        failure: with the place, the hint and the stage; ``None`` where it compiled.
        compilation: all of it, as far as it came; whoever keeps outcomes had better drop it.
    """

    kernel: str
    file: str
    line: int | None
    kind: str
    message: str = ""
    seconds: float = 0.0
    provenance: Mapping[str, str] = field(default_factory=dict)
    resources: Resources = field(default_factory=Resources)
    figures: Figures | None = None
    specialization: Specialization = field(default_factory=Specialization)
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None
    compilation: Compilation | None = field(default=None, repr=False, compare=False)

    @property
    def failed(self) -> bool:
        return self.failure is not None

    def light(self) -> Outcome:
        """The same without the compilation's texts."""
        return replace(self, compilation=None)


@dataclass(frozen=True, slots=True)
class Job:
    """A kernel to compile, or a file that cannot be read and why."""

    kernel: Kernel
    failure: Failure | None = None


def jobs_of(path: Path, name: str | None = None) -> list[Job]:
    """The kernels of a file or of every file below a folder, each once, those called ``name`` where that is given.

    Functions that other kernels call and that nothing launches are left out, where no name is given. A file that does
    not parse is a job of its own, where it looks like one of Triton's.

    Raises:
        IrscopeError: ``path`` is not there (exit code 2).
    """
    found: dict[tuple[str, str], Job] = {}
    for file in discover.python_files(path) if path.is_dir() else [path]:
        try:
            listed = discover.listed(file)
        except IrscopeError as error:
            if error.failure.kind == "syntax" and mentions_triton(file):
                found[str(file), ""] = Job(Kernel(str(file), "", error.failure.line), error.failure)
            elif not path.is_dir():
                raise
            continue
        for kernel in [each.kernel for each in listed if each.kernel.name == name or not each.prospect.is_helper]:
            if name in (None, kernel.name):
                found.setdefault((kernel.file, kernel.name), Job(kernel))
    return list(found.values())


def mentions_triton(file: Path) -> bool:
    try:
        return b"triton" in file.read_bytes()
    except OSError:
        return False


def compile_all(
    jobs: Iterable[Job],
    request: Request,
    workers: int | None = None,
    on_start: Callable[[Kernel], None] = lambda kernel: None,
    cancel: threading.Event | None = None,
) -> Generator[Outcome, None, None]:
    """Compile every job, yielding outcomes as they come, in no order.

    Closing the iterator, or an exception where it waits (Ctrl-C), ends all workers.

    Args:
        request: target, options, interpreter and limits for all; its path, kernel and what belongs to one kernel's
            parameters are not used.
        workers: how many at once; as many as there are cores where it is left out.
        on_start: told of each kernel that is taken up, by the thread that does it.
        cancel: set, it ends all as closing does.
    """
    stop = cancel or threading.Event()
    # To run each file's own code takes longer than to compile it: what is known is used, more only when asked for.
    capture = "kept" if request.capture == "auto" else request.capture
    limited = replace(request, timeout=request.timeout or TIMEOUT, capture=capture)
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    count = 0
    for job in jobs:
        waiting.put(job)
        count += 1
    outcomes: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
    number = max(1, min(workers or os.cpu_count() or 1, count))

    def work() -> None:
        try:
            with Lane(limited, stop) as lane:
                while not stop.is_set():
                    job = waiting.get_nowait()
                    on_start(job.kernel)
                    outcomes.put(lane.outcome(job))
        except (queue.Empty, Cancelled):
            pass
        except BaseException as error:
            outcomes.put(error)
        finally:
            outcomes.put(None)

    with ThreadPoolExecutor(number, "irscope-tree") as pool:
        try:
            for _ in range(number):
                pool.submit(work)
            ended = 0
            while ended < number:
                try:
                    # With a limit, so that Ctrl-C is heard on Windows too.
                    outcome = outcomes.get(timeout=_POLL)
                except queue.Empty:
                    continue
                if outcome is None:
                    ended += 1
                elif isinstance(outcome, Outcome):
                    yield outcome
                else:
                    raise outcome
        finally:
            stop.set()


class Lane:
    """One worker after the other, for one thread."""

    def __init__(self, request: Request, stop: threading.Event) -> None:
        self._request = request
        self._stop = stop
        self._client = Client()
        self._asked = 0

    def __enter__(self) -> Lane:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def outcome(self, job: Job) -> Outcome:
        """Raises `Cancelled` where all is to end."""
        kernel, start = job.kernel, time.perf_counter()
        stored, reached = False, ""

        def follow(event: Event) -> None:
            nonlocal stored, reached
            if isinstance(event, Finished):
                stored = event.stored
            elif isinstance(event, StageStarted):
                reached = event.name

        compilation = None
        failure = job.failure
        if failure is None:
            try:
                asked = replace(self._request, path=Path(kernel.file), kernel=kernel.name)
                compilation = session.open(asked, follow, self._stop, self._client)
                failure = compilation.failure
            except IrscopeError as error:
                failure = error.failure
            except (OSError, ValueError, RecursionError) as error:
                # A defect of irscope's, or a file that went away: neither is to end the run.
                failure = Failure("internal", f"{type(error).__name__}: {error}", stage=reached or None)
        self._renew(stored)
        return outcome_of(kernel, compilation, failure, stored, time.perf_counter() - start)

    def _renew(self, stored: bool) -> None:
        self._asked += not stored
        if self._asked >= KERNELS_PER_WORKER:
            self._client.close()
            self._asked = 0


def outcome_of(
    kernel: Kernel, compilation: Compilation | None, failure: Failure | None, stored: bool, seconds: float
) -> Outcome:
    figures = None
    if compilation is not None and failure is None:
        from irscope.analysis.figures import figures as figures_of

        figures = figures_of(compilation)
    specialization = compilation.specialization if compilation is not None else Specialization()
    return Outcome(
        kernel=kernel.name,
        file=kernel.file,
        line=kernel.line,
        kind=failure.kind if failure is not None else STORED if stored else COMPILED,
        message="" if failure is None else " ".join(failure.message.split()),
        seconds=seconds,
        provenance=specialization.provenance,
        resources=figures.resources if figures is not None else Resources(),
        figures=figures,
        specialization=specialization,
        warnings=compilation.warnings if compilation is not None else (),
        failure=failure,
        compilation=compilation,
    )


def counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many there are of each kind: those that compiled first, then the most frequent failures."""
    found = Counter(outcome.kind for outcome in outcomes)
    first = [kind for kind in (COMPILED, STORED) if kind in found]
    return {kind: found[kind] for kind in (*first, *(kind for kind, _ in found.most_common() if kind not in first))}
