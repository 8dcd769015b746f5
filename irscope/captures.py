"""The launches that a file's own code makes, found by running it, and kept until one of the files changes.

What is kept is found again by the file that defines the kernel, whichever script launched it.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from irscope import interpreter, store
from irscope.captured import Capture, CapturedLaunch, launch_from, merged
from irscope.client import Cancelled, Client
from irscope.launch.fields import from_fields
from irscope.model import Failure, Target
from irscope.paths import cache_directory, write_whole
from irscope.request import IrscopeError

#: Seconds that a capture may take where the user sets no limit.
DEFAULT_TIMEOUT = 20.0

#: Seconds that a worker gets beyond that, to load torch and to tell what it has.
GRACE = 20.0

#: Raised when what earlier versions of irscope kept would be read wrongly.
LAYOUT = 1

#: Captures kept of one kernel file, newest first.
KEPT = 8

#: What the code is run with: compiling in other processes would be out of sight, and no window may wait for anybody.
ENVIRONMENT = {"TRITON_INTERPRET": "0", "TORCHINDUCTOR_COMPILE_THREADS": "1", "MPLBACKEND": "Agg"}


def environment() -> dict[str, str]:
    """`ENVIRONMENT`, and where Inductor's kernels are kept as long as the captures that name their files."""
    kept = os.environ.get("TORCHINDUCTOR_CACHE_DIR") or str(cache_directory() / "inductor")
    return {**ENVIRONMENT, "TORCHINDUCTOR_CACHE_DIR": kept}


class Stopped(Cancelled):
    """The user gave up on a capture, and what was launched by then is kept: ``capture``."""

    def __init__(self, capture: Capture) -> None:
        super().__init__(capture.ended)
        self.capture = capture


def run(
    path: Path,
    target: Target,
    *,
    entry: str | None = None,
    script_arguments: tuple[str, ...] | None = None,
    tests: str | None = None,
    python: Path | None = None,
    timeout: float | None = None,
    gpu: bool = False,
    sets: int | None = None,
    cancel: threading.Event | None = None,
    on_launch: Callable[[CapturedLaunch], None] = lambda launch: None,
) -> Capture:
    """Run what of a file launches kernels, in a worker of its own, and keep what it launched.

    Args:
        entry: a function of the file, in place of its ``__main__`` block, its tests and its benchmarks.
        script_arguments: the file is run as a script with these and nothing else of it.
        tests: the file's tests alone are run, those of this name or pattern.
        timeout: seconds, loading torch aside; what was launched by then is the answer.
        gpu: launch for real.
        sets: of values that a test is called with at most; by default the worker's own bound.

    Raises:
        IrscopeError: the request does not fit, something is missing, or the code ended before it launched anything.
        irscope.client.Cancelled: ``cancel`` was set meanwhile; `Stopped` where something was launched by then.
            Ctrl-C is one of these, or else KeyboardInterrupt as everywhere.
    """
    found = interpreter.identify(python)
    limit = timeout or DEFAULT_TIMEOUT
    told: list[dict[str, Any]] = []

    def heard(message: Mapping[str, Any]) -> None:
        if message["event"] == "launch":
            told.append(message["launch"])
            on_launch(launch_from(message["launch"]))

    message = {
        "do": "capture",
        "path": str(path.absolute()),
        "target": asdict(target),
        "entry": entry,
        "tests": tests,
        "script": script_arguments is not None,
        "script_arguments": list(script_arguments or ()),
        "seconds": limit,
        "gpu": gpu,
        "sets": sets,
    }
    start = time.perf_counter()
    log, stopped = "", False
    with contextlib.closing(Client(environment())) as client:
        _running.add(client)
        try:
            answer, log = client.ask(found.python, message, heard, limit + GRACE, cancel)
            if answer["event"] == "failure":
                raise IrscopeError(failure_from(answer["failure"]))
        except IrscopeError as error:
            if not told:
                raise IrscopeError(with_way_out(error.failure, limit)) from error
            answer = until(path, told, ended_by(error.failure, limit))
        except (Cancelled, KeyboardInterrupt):
            if not told:
                raise
            stopped = True
            answer = until(path, told, "it was stopped")
        finally:
            _running.discard(client)
    capture = Capture(
        path=str(path.absolute()),
        target=target,
        launches=tuple(launch_from(fields) for fields in answer["launches"]),
        ended=answer["ended"],
        complete=not stopped,
        parts=tuple(answer["parts"]),
        warnings=tuple(answer["warnings"]),
        sources={source["path"]: source["sha256"] for source in answer["sources"]},
        gpu=gpu,
        entry=entry,
        script_arguments=script_arguments,
        tests=tests,
        triton=found.triton,
        seconds=time.perf_counter() - start,
        log=log,
    )
    if not stopped:
        put(capture)
        return capture
    if not any(is_alike(other, capture) and other.complete for other in kept(path)):
        put(capture)
    raise Stopped(capture)


#: Those of captures that are under way, which end with irscope.
_running: set[Client] = set()


@atexit.register
def close() -> None:
    """Stop the captures that are under way."""
    for client in list(_running):
        client.close()


def failure_from(fields: Mapping[str, Any]) -> Failure:
    known = Failure.__dataclass_fields__
    return Failure(**{name: value for name, value in fields.items() if name in known})


def with_way_out(failure: Failure, limit: float) -> Failure:
    if failure.kind == "timeout":
        return replace(failure, message=f"the code launched nothing within {limit:g} s; its worker was stopped",
                       hint="--timeout gives it more seconds, --entry names a function that does less")  # fmt: skip
    if failure.kind == "worker":
        hint = "the file's own code, or a library that it calls, ended the process: `python FILE` shows more"
        return replace(failure, hint=failure.hint or hint)
    return failure


def ended_by(failure: Failure, limit: float) -> str:
    return f"its {limit:g} s were over" if failure.kind == "timeout" else failure.message.partition("\n")[0]


def until(path: Path, told: list[dict[str, Any]], ended: str) -> dict[str, Any]:
    """The answer of a worker that did not come to give one."""
    return {"launches": told, "ended": ended, "parts": [], "warnings": [], "sources": sources_of(path, told)}


def sources_of(path: Path, launches: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Those files that are known where the worker could not tell them."""
    files = {str(path.absolute()), *(launch["file"] for launch in launches)}
    files |= {site["file"] for launch in launches for site in launch["sites"]}
    hashes = {file: store.sha256_of(file) for file in sorted(files)}
    return [{"path": file, "sha256": sha256} for file, sha256 in hashes.items() if sha256 is not None]


# Keeping


def root() -> Path:
    return cache_directory() / f"captures-{LAYOUT}"


def folder_of(kernel_file: str | Path) -> Path:
    name = os.path.normcase(Path(kernel_file).absolute())
    return root() / hashlib.sha256(name.encode()).hexdigest()[:40]


def put(capture: Capture) -> None:
    """Keep a capture for each file that defines one of its kernels. What cannot be written is captured again."""
    fields = asdict(replace(capture, log=""))
    name, part = name_of(capture), f"{name_of(capture)}-part"
    # The file itself too: that it launches nothing of its own need not be found out twice.
    for file in {capture.path, *(launch.file for launch in capture.launches)}:
        folder = folder_of(file)
        with contextlib.suppress(OSError):
            write_whole(folder / f"{name if capture.complete else part}.json", json.dumps(fields))
            if capture.complete:
                (folder / f"{part}.json").unlink(missing_ok=True)
            for old in newest_first(folder)[KEPT:]:
                old.unlink(missing_ok=True)


def name_of(capture: Capture) -> str:
    """The same for captures of the same: the newer one takes the place of the older."""
    decisive = [capture.path, str(capture.target), capture.entry, capture.script_arguments, capture.gpu, capture.tests]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:24]


def is_alike(one: Capture, other: Capture) -> bool:
    return name_of(one) == name_of(other)


def kept(kernel_file: Path) -> Iterator[Capture]:
    """The captures in which a file's kernels may be, newest first, none of whose files has changed since."""
    for entry in newest_first(folder_of(kernel_file)):
        try:
            fields = json.loads(entry.read_text(encoding="utf-8"))
            capture = from_fields(Capture, fields)
            capture = replace(
                capture,
                target=Target(**fields["target"]),
                launches=tuple(launch_from(launch) for launch in fields["launches"]),
                script_arguments=None if fields["script_arguments"] is None else tuple(fields["script_arguments"]),
            )
        except (OSError, ValueError, TypeError, KeyError):  # half written by another irscope, or of another layout
            continue
        if capture.sources and all(store.sha256_of(file) == known for file, known in capture.sources.items()):
            yield capture


def newest_first(folder: Path) -> list[Path]:
    found = []
    with contextlib.suppress(OSError):
        for entry in folder.glob("*.json"):
            with contextlib.suppress(OSError):
                found.append((entry.stat().st_mtime_ns, entry))
    return [entry for _, entry in sorted(found, reverse=True)]


def launches_of(kernel_file: Path, kernel: str, target: Target | None = None) -> tuple[CapturedLaunch, ...]:
    """The specializations of a kernel that are known; for this target if any are. Those of the newest capture first."""
    return merged(capture.of(kernel_file, kernel) for capture in captures_of(kernel_file, kernel, target))


def ended_early(kernel_file: Path, kernel: str, target: Target | None = None) -> str | None:
    """Which code of those whose launches are known did not come to its end, and why, in one line."""
    found = captures_of(kernel_file, kernel, target)
    return next((f"{Path(each.path).name} ended early: {each.ended}" for each in found if each.ended), None)


def captures_of(kernel_file: Path, kernel: str, target: Target | None) -> list[Capture]:
    found = [capture for capture in kept(kernel_file) if capture.of(kernel_file, kernel)]
    of_target = [capture for capture in found if capture.target == target]
    return of_target or [capture for capture in found if capture.target == found[0].target]
