"""Every launch that code makes, as Triton itself specializes it; with no GPU none of them happens.

Triton's own ``JITFunction.run`` binds and specializes the arguments of each launch, up to the point where it would
compile: what it says there is what is recorded.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import triton
from triton.runtime.autotuner import Autotuner
from triton.runtime.jit import JITFunction

from .. import versions
from ..launch import standins
from . import describe, inductor
from .kernels import CapturedKernel

#: Options of a kernel that the code compiled by itself; which of them it asked for is not known.
COMPILED_WITH = ("num_warps", "num_stages", "num_ctas", "maxnreg")

OnLaunch = Callable[[dict[str, Any]], None]

#: By launch, how often it was made, and its call sites.
Counts = dict[str, tuple[int, list[dict[str, Any]]]]


class Recorder:
    """Records launches within `installed`. ``gpu``: they are made as well."""

    def __init__(self, on_launch: OnLaunch, gpu: bool = False) -> None:
        #: Launches that differ, as `describe.launch` has them, with ``count`` and ``sites``.
        self.launches: list[dict[str, Any]] = []
        self.gpu = gpu
        self._on_launch = on_launch
        self._known: dict[str, dict[str, Any]] = {}
        self._before_again: Counts = {}
        self._lock = threading.RLock()
        # Both a launch that is specialized and one that is made ask what is of the class or of the function.
        self._one_launch = threading.RLock()
        self._tuning = Tuning()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Within, launches come here."""

        def launched(launcher: Any, grid: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
            self._note_compiled(launcher, grid, arguments)

        replacements: list[standins.Replacement] = [
            (JITFunction, "run", self._in_place_of_run(JITFunction.run)),
            (Autotuner, "run", self._tuning.noticed(Autotuner.run)),
            (Autotuner, "_bench", self._tuning.first_that_runs(Autotuner._bench, self.gpu)),
        ]
        if self.gpu:
            replacements.append((triton, "compile", self._noting(triton.compile)))
        else:
            replacements.append((standins.Launcher, "launched", launched))
        with standins.replaced(replacements):
            yield

    def _in_place_of_run(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def run(function: Any, *arguments: Any, grid: Any = None, warmup: bool = False, **named: Any) -> Any:
            specialized = None
            if not self._tuning.timing:
                with self._one_launch:
                    specialized = versions.specialize_launch(original, function, arguments, named, hooks=not self.gpu)
                self.note(specialized, None if warmup else grid, named)
            if self.gpu:
                with self._one_launch:
                    return original(function, *arguments, grid=grid, warmup=warmup, **named)
            return CapturedKernel(specialized, self.note, named) if specialized is not None else None

        return run

    def _note_compiled(self, launcher: Any, grid: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
        """In place of `standins.Launcher.launched`, for a kernel that the code has compiled by itself."""
        specialized = versions.launch_of_compiled(launcher.source, launcher.metadata, arguments)
        if specialized is not None:
            asked = {name: getattr(specialized.options, name, None) for name in COMPILED_WITH}
            self.note(specialized, grid, asked)

    def _noting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """In place of ``triton.compile``, which no launch by ``kernel[grid]`` calls; for Inductor's see `inductor`."""

        def compile(source: Any, target: Any = None, options: Any = None, **more: Any) -> Any:
            if not inductor.is_of_inductor(source):
                self.note_source(source, dict(options or {}))
            return original(source, target, options, **more)

        return compile

    def note_source(self, source: Any, options: dict[str, Any]) -> None:
        """Count a kernel that is compiled by itself."""
        specialized = versions.launch_of_compiled(source, SimpleNamespace(**options), ())
        if specialized is not None:
            self.note(specialized, None, {name: options.get(name) for name in COMPILED_WITH})

    def note(self, specialized: versions.SpecializedLaunch, grid: Any, named: dict[str, Any]) -> None:
        """Count a launch; ``grid`` is ``None`` for a warm-up, which compiles a kernel and does not launch it."""
        programs = None if grid is None else evaluated(grid, specialized.arguments)
        configuration = self._tuning.configuration(specialized.function)
        self.add(describe.launch(specialized, programs, named, configuration), describe.site())

    def add(self, described: dict[str, Any], site: dict[str, Any]) -> None:
        key = json.dumps([described[name] for name in describe.IDENTITY], sort_keys=True, default=str)
        with self._lock:
            known = self._known.get(key)
            if known is None:
                number = sum(one["kernel"] == described["kernel"] and one["file"] == described["file"]
                             for one in self.launches)  # fmt: skip
                known = self._known[key] = {"number": number, **described, "count": 0, "sites": []}
                self.launches.append(known)
                self._on_launch({**known, "count": 1, "sites": [{**site, "count": 1}]})
            elif known["grid"] is None and described["grid"] is not None:
                known["grid"] = described["grid"]  # a warm-up's kernel, launched now
            known["count"] += 1
            same = next((one for one in known["sites"] if {**one, "count": 0} == {**site, "count": 0}), None)
            if same is None:
                known["sites"].append(same := {**site, "count": 0})
            same["count"] += 1

    def counts(self) -> Counts:
        """How often what is known by now was launched, and where."""
        with self._lock:
            return {key: (one["count"], [dict(site) for site in one["sites"]]) for key, one in self._known.items()}

    def return_to(self, counts: Counts) -> None:
        """Code that has launched something since is run once more."""
        with self._lock:
            for key, one in self._known.items():
                count, sites = counts.get(key, (0, []))
                self._before_again.setdefault(key, (one["count"], one["sites"]))
                one.update(count=count, sites=[dict(site) for site in sites])

    def keep_what_was_launched_once(self) -> None:
        """What code that was run again did not launch any more was launched all the same."""
        with self._lock:
            for key, (count, sites) in self._before_again.items():
                if not self._known[key]["count"]:
                    self._known[key].update(count=count, sites=sites)


class Tuning(threading.local):
    """What an autotuner is at, in this thread."""

    #: Whether what is launched now is only timed.
    timing = False

    def __init__(self) -> None:
        self._tuners: list[Any] = []
        self._found: tuple[int, bool] = (0, False)

    def noticed(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def run(tuner: Any, *arguments: Any, **named: Any) -> Any:
            self._tuners.append(tuner)
            try:
                return original(tuner, *arguments, **named)
            finally:
                self._tuners.pop()

        return run

    def first_that_runs(self, original: Callable[..., Any], gpu: bool) -> Callable[..., Any]:
        """In place of ``Autotuner._bench``: the first configuration wins, with a GPU the first that fits into it."""

        def bench(tuner: Any, *arguments: Any, config: Any, **named: Any) -> list[float]:
            sweep, found = id(tuner.nargs), False
            if self._found[0] == sweep:
                found = self._found[1]
            if found:
                return [2.0] * 3
            if gpu:
                self.timing = True
                try:
                    run_restoring(tuner, config, arguments, {**named, **config.all_kwargs()})
                except (triton.OutOfResources, triton.CompilationError):
                    return [float("inf")] * 3
                finally:
                    self.timing = False
            self._found = sweep, True
            return [1.0] * 3

        return bench

    def configuration(self, function: Any) -> int | None:
        """Number of the configuration that the innermost autotuner of this function launches."""
        for tuner in reversed(self._tuners):
            if tuner.base_fn is function.fn:
                best = getattr(tuner, "best_config", None)
                return next((i for i, one in enumerate(tuner.configs) if one is best), None)
        return None


def run_restoring(tuner: Any, config: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    """One launch of a sweep: what it changes is put back as its ``restore_value`` says."""
    bound = {**tuner.nargs, **named}
    if config.pre_hook:
        config.pre_hook(bound)
    tuner.pre_hook(bound)
    try:
        tuner.fn.run(*arguments, **named)
    except Exception as error:
        tuner.post_hook(bound, exception=error)
        raise
    tuner.post_hook(bound, exception=None)


def evaluated(grid: Any, arguments: dict[str, Any]) -> tuple[int, ...]:
    if callable(grid):
        grid = grid(dict(arguments))
    if isinstance(grid, int):
        grid = (grid,)
    return tuple(int(size) for size in grid)
