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
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from irscope import interpreter, store
from irscope.client import Client
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


@dataclass(frozen=True, slots=True)
class Site:
    """Where a launch is in the code: its innermost line outside of Triton and torch, and how often it launched."""

    file: str
    line: int
    function: str
    count: int = 1

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.line}" if self.file else "generated code"


@dataclass(frozen=True, slots=True)
class CapturedLaunch:
    """One specialization of a kernel, as its launches have it; grid and arguments are those of the first."""

    #: From 0, among those of the kernel.
    number: int
    kernel: str
    #: The file that defines the kernel, and the line of its ``def``.
    file: str
    line: int
    #: ``None`` where the code only warms the kernel up.
    grid: tuple[int, ...] | None
    #: As Triton has them: types, values of constants, attributes by parameter.
    signature: Mapping[str, Any]
    constexprs: Mapping[str, Any]
    attributes: Mapping[str, Any]
    #: By parameter, as ``--arg`` and ``--const`` take it: ``*fp16:16``, ``i32:1``, ``128``, ``tl.float16``.
    entries: Mapping[str, str]
    #: Those that the launch gives, its autotune configuration's among them.
    options: Mapping[str, Any] = field(default_factory=dict)
    configuration: int | None = None
    #: By run-time parameter: ``type``, ``shape``, ``strides``, ``value``, those that it has.
    arguments: Mapping[str, Any] = field(default_factory=dict)
    dialect: str = "triton"
    count: int = 1
    sites: tuple[Site, ...] = ()

    @property
    def aot_signature(self) -> str:
        """As Triton's AOT tool takes it: ``*fp16:16, i32, 128``."""
        return ", ".join(self.entries.values())


@dataclass(frozen=True, slots=True)
class Capture:
    """All that a file's code launched."""

    path: str
    target: Target
    launches: tuple[CapturedLaunch, ...]
    #: Why the code did not come to its end, in one line.
    ended: str | None = None
    #: What was run, each with what ended it: ``__main__``, tests, benchmarks.
    parts: tuple[Mapping[str, Any], ...] = ()
    #: What was not run as it would be with a GPU, a line each.
    warnings: tuple[str, ...] = ()
    #: SHA-256 by path of the files that took part.
    sources: Mapping[str, str] = field(default_factory=dict)
    gpu: bool = False
    entry: str | None = None
    script_arguments: tuple[str, ...] | None = None
    triton: str | None = None
    seconds: float | None = None
    #: What the code printed.
    log: str = ""

    def of(self, kernel_file: Path, kernel: str) -> tuple[CapturedLaunch, ...]:
        return tuple(one for one in self.launches if one.kernel == kernel and is_same(one.file, kernel_file))


def run(
    path: Path,
    target: Target,
    *,
    entry: str | None = None,
    script_arguments: tuple[str, ...] | None = None,
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
        timeout: seconds, loading torch aside; what was launched by then is the answer.
        gpu: launch for real.
        sets: of values that a test is called with at most; by default the worker's own bound.

    Raises:
        IrscopeError: the request does not fit, something is missing, or the code ended before it launched anything.
        irscope.client.Cancelled: ``cancel`` was set meanwhile.
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
        "script": script_arguments is not None,
        "script_arguments": list(script_arguments or ()),
        "seconds": limit,
        "gpu": gpu,
        "sets": sets,
    }
    start = time.perf_counter()
    log = ""
    with contextlib.closing(Client(environment())) as client:
        _running.add(client)
        try:
            answer, log = client.ask(found.python, message, heard, limit + GRACE, cancel)
            if answer["event"] == "failure":
                raise IrscopeError(failure_from(answer["failure"]))
        except IrscopeError as error:
            if not told:
                raise IrscopeError(with_way_out(error.failure, limit)) from error
            answer = {"launches": told, "ended": ended_by(error.failure, limit), "parts": [], "warnings": [],
                      "sources": sources_of(path, told)}  # fmt: skip
        finally:
            _running.discard(client)
    capture = Capture(
        path=str(path.absolute()),
        target=target,
        launches=tuple(launch_from(fields) for fields in answer["launches"]),
        ended=answer["ended"],
        parts=tuple(answer["parts"]),
        warnings=tuple(answer["warnings"]),
        sources={source["path"]: source["sha256"] for source in answer["sources"]},
        gpu=gpu,
        entry=entry,
        script_arguments=script_arguments,
        triton=found.triton,
        seconds=time.perf_counter() - start,
        log=log,
    )
    put(capture)
    return capture


#: Those of captures that are under way, which end with irscope.
_running: set[Client] = set()


@atexit.register
def close() -> None:
    """Stop the captures that are under way."""
    for client in list(_running):
        client.close()


def launch_from(fields: Mapping[str, Any]) -> CapturedLaunch:
    sites = tuple(from_fields(Site, site) for site in fields["sites"])
    grid = fields["grid"]
    return replace(from_fields(CapturedLaunch, fields), sites=sites, grid=None if grid is None else tuple(grid))


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
    decisive = [capture.path, str(capture.target), capture.entry, capture.script_arguments, capture.gpu]
    name = hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:24]
    # The file itself too: that it launches nothing of its own need not be found out twice.
    for file in {capture.path, *(launch.file for launch in capture.launches)}:
        folder = folder_of(file)
        with contextlib.suppress(OSError):
            write_whole(folder / f"{name}.json", json.dumps(fields))
            for old in newest_first(folder)[KEPT:]:
                old.unlink(missing_ok=True)


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
    """The specializations of a kernel that are known, of the newest capture that has any; for this target if it can."""
    captures = [capture for capture in kept(kernel_file) if capture.of(kernel_file, kernel)]
    captures.sort(key=lambda capture: capture.target != target)
    return captures[0].of(kernel_file, kernel) if captures else ()


def is_same(file: str, other: Path) -> bool:
    return os.path.normcase(file) == os.path.normcase(other.absolute())


def only(capture: Capture, kernel: str) -> Capture:
    """The launches of one kernel."""
    return replace(capture, launches=tuple(launch for launch in capture.launches if launch.kernel == kernel))


def layer(launch: CapturedLaunch) -> dict[str, Any]:
    """A launch as a layer of a compile request."""
    return {
        "provenance": "captured",
        "origin": str(launch.sites[0]) if launch.sites else Path(launch.file).name,
        "entries": dict(launch.entries),
        "options": dict(launch.options),
        "configuration": launch.configuration,
    }
