"""The launches that a file's own code makes: recorded, and stopped at the chosen one.

The chosen launch is only captured, with its real arguments. Compiling and running it is the caller's business,
so that this serves a GPU, Triton's interpreter, and a stand-in driver that launches nothing.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import triton
from triton.runtime.autotuner import Autotuner

from .. import loading, versions
from ..compiling import plain
from ..protocol import Rejected
from . import standins
from .entry import run_entry
from .resolve import Call, Nesting, Resolver, Wanted
from .words import in_words

_WORKER = Path(__file__).parent.parent
_TRITON = Path(triton.__file__).parent

#: Given a launch that is not the chosen one, ready to be called, and what it launches: runs it or not.
LaunchOther = Callable[[Callable[[], Any], Call], Any]
#: Given each launch that differs from those before, as the fields of `irscope.launch.model.Site`.
OnSite = Callable[[dict[str, Any]], None]


class Stop(BaseException):
    """Ends the file's code at the chosen launch; no `Exception`, so that few handlers catch it."""


@dataclass
class Recording:
    """What the file's code did."""

    #: The file as a module, executed as far as it came.
    module: ModuleType
    #: Fields of `irscope.launch.model.Site`; equal launches are one.
    sites: list[dict[str, Any]] = field(default_factory=list)
    #: The chosen launch and the site that it is, where the file came to it.
    call: Call | None = None
    site: dict[str, Any] | None = None
    #: What ended the file instead, where it was not its last line.
    error: BaseException | None = None
    warnings: list[str] = field(default_factory=list)

    def sites_of(self, kernel: str | None) -> list[dict[str, Any]]:
        return [site for site in self.sites if kernel in (None, site["kernel"])]


def record(
    path: Path,
    entry: str | None,
    wanted: Wanted,
    launch_other: LaunchOther | None = None,
    on_site: OnSite | None = None,
) -> Recording:
    """Run the file's ``__main__`` block, or its function ``entry``, up to the wanted launch.

    Launches before it run for real, or as ``launch_other`` says. What the file raises, or exits with, is in
    the answer's ``error``. Raises `Rejected` (kind "usage") for an entry that is not there.
    """
    recorder = Recorder(path, wanted, launch_other or (lambda launch, call: launch()), on_site or (lambda site: None))
    recording = recorder.recording
    process = os.getpid()
    try:
        with recorder.installed():
            run_entry(path, entry, recording.module)
    except Rejected:
        raise
    except Stop:
        pass
    except SystemExit as error:
        if error.code not in (None, 0):
            recording.error = error
    except BaseException as error:
        recording.error = error
    finally:
        if os.getpid() != process:
            os._exit(1)  # a fork of the file's own must not answer in this process's place
    if recorder.rejection is not None:
        raise recorder.rejection
    if recorder.stops > 1:
        recording.warnings.append("the file went on after the chosen launch: what it did since may be in the tensors")
    return recording


class Recorder:
    def __init__(self, path: Path, wanted: Wanted, launch_other: LaunchOther, on_site: OnSite) -> None:
        self.path = path
        self.wanted = wanted
        self.launch_other = launch_other
        self.on_site = on_site
        self.recording = Recording(ModuleType("__main__"))
        #: How often a launch was answered by `Stop`: more than once where the file caught it.
        self.stops = 0
        self.rejection: Rejected | None = None
        self._kernel = wanted.kernel
        self._lock = threading.RLock()
        self._nesting = Nesting()
        self._resolver = Resolver(wanted, self._nesting, self._is_about)
        self._known: dict[str, dict[str, Any]] = {}

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Within, launches come here first."""
        from triton import testing

        replacements: list[standins.Replacement] = [
            (testing.Mark, "run", standins.run_first_row),
            (threading, "excepthook", silent_about_stops(threading.excepthook)),
        ]
        for owner, name in versions.launch_methods():
            patch = self._by_index if name == "__getitem__" else self._method
            replacements.append((owner, name, patch(getattr(owner, name))))
        for name in vars(testing):
            if name.startswith("do_bench"):
                replacements.append((testing, name, self._benchmark(getattr(testing, name))))
        with standins.replaced(replacements):
            yield

    def _method(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def run(launched: Any, *arguments: Any, **named: Any) -> Any:
            return self._launch(original, launched, arguments, named)

        return run

    def _by_index(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def run(launched: Any, *arguments: Any, grid: Any, warmup: bool, **named: Any) -> Any:
            return original(launched, grid)(*arguments, **named)

        def index(launched: Any, grid: Any) -> Callable[..., Any]:
            return lambda *arguments, **named: self._launch(
                run, launched, arguments, {**named, "grid": grid, "warmup": False}
            )

        return index

    def _benchmark(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """In place of ``triton.testing.do_bench`` and its like: nothing is timed on the way to a launch."""

        def do_bench(*arguments: Any, **named: Any) -> Any:
            autotuning = self._nesting.depth > 0  # which chooses by it
            return (original if autotuning else standins.call_once)(*arguments, **named)

        return do_bench

    def _launch(self, original: Callable[..., Any], launched: Any, arguments: tuple[Any, ...],
                named: dict[str, Any]) -> Any:  # fmt: skip
        """In place of a method of Triton's that launches ``launched``."""

        def launch() -> Any:
            untimed = isinstance(launched, Autotuner) and not self.wanted.autotune and not named.get("warmup")
            if untimed:
                return self._resolver.run_untimed(original, launched, arguments, named)
            return original(launched, *arguments, **named)

        # A wrapper that Triton does not know launches what it wraps, and that comes here by itself.
        if self._nesting.depth or named.get("warmup") or loading.unwrap(launched) is None:
            return launch()
        with self._lock:
            if self.stops:
                self._stop()
            try:
                call = self._resolver.resolve(launched, arguments, named, chosen=False)
                site = self._note(call)
                if self._is_wanted(site, call):
                    self.recording.call = self._resolver.resolve(launched, arguments, named, chosen=True)
                    self.recording.site = site
            except Rejected as error:
                self.rejection = error  # the file might take it for an error of its own
            if self.recording.call is not None or self.rejection is not None:
                self._stop()
        with self._nesting.within():
            return self.launch_other(launch, call)

    def _stop(self) -> None:
        self.stops += 1
        raise Stop

    def _is_about(self, kernel: loading.LoadedKernel) -> bool:
        if self._kernel is None:
            return loading.defined_in(kernel.function, self.recording.module)
        return kernel.name == self._kernel

    def _is_wanted(self, site: dict[str, Any], call: Call) -> bool:
        if not self._is_about(call.kernel):
            return False
        self._kernel = call.kernel.name
        return bool(site["number"] == self.wanted.number)

    def _note(self, call: Call) -> dict[str, Any]:
        """The site that a launch is: a new one, or an equal one counted once more."""
        frame = calling_frame(self.path)
        name = call.kernel.name
        described = {
            "kernel": name,
            "file": frame.f_code.co_filename if frame else str(self.path),
            "line": frame.f_lineno if frame else 0,
            "function": frame.f_code.co_name if frame else "",
            "grid": list(call.grid),
            "arguments": {name: in_words(value) for name, value in call.arguments.items()},
            "constexprs": plain(call.constexprs),
            "options": plain(call.options),
        }
        key = repr(described)
        if key not in self._known:
            number = len(self.recording.sites_of(name))
            self._known[key] = {"number": number, **described, "count": 0}
            self.recording.sites.append(self._known[key])
            self.on_site({**self._known[key], "count": 1})
        self._known[key]["count"] += 1
        return self._known[key]


def silent_about_stops(hook: Callable[[Any], object]) -> Callable[[Any], None]:
    """In place of ``threading.excepthook``: a thread that ends at the chosen launch has not failed."""

    def told(ended: Any) -> None:
        if not issubclass(ended.exc_type, Stop):
            hook(ended)

    return told


def calling_frame(path: Path) -> FrameType | None:
    """The user's frame that launches: the innermost that is of no library, or at least not of Triton's."""
    frame: FrameType | None = sys._getframe(1)
    outside = None
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if _WORKER not in file.parents and _TRITON not in file.parents:
            outside = outside or frame
            if file == path or (file.is_absolute() and not loading.is_installed(file)):
                return frame
        frame = frame.f_back
    return outside
