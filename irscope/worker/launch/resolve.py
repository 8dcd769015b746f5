"""What Triton would launch: the autotuner's, the heuristics' and the signature's part of one launch settled."""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import triton
from triton.runtime.autotuner import Autotuner, Heuristics

from .. import loading
from ..protocol import Rejected
from .words import value_of


@dataclass(frozen=True)
class Wanted:
    """Which launch is looked for, and what is changed about it."""

    #: ``None``: the first of the file's own kernels that is launched.
    kernel: str | None = None
    #: From 0, among those of the kernel that differ; ``None`` runs the file to its end.
    number: int | None = 0
    #: Number of the kernel's autotune configuration; ``None``: the first that the file's pruning leaves.
    configuration: int | None = None
    #: The autotuner times its configurations, as in the file's own launch.
    autotune: bool = False
    #: Parameters, options and grid (of its parameters) that the chosen launch gets in place of the file's own.
    constants: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    grid: Callable[[Mapping[str, Any]], tuple[int, ...]] | None = None


@dataclass
class Call:
    """One launch with everything settled."""

    #: What the file launches: an Autotuner, Heuristics, or the function itself.
    launched: Any
    #: The JITFunction, or the InterpretedFunction.
    function: Any
    #: Every parameter by name, in order, defaults included.
    values: dict[str, Any]
    options: dict[str, Any]
    grid: tuple[int, ...]
    #: Number of the autotune configuration; ``None`` where there is no autotuner.
    configuration: int | None

    @property
    def kernel(self) -> loading.LoadedKernel:
        return kernel_of(self.launched)

    @property
    def constexprs(self) -> dict[str, Any]:
        names = {parameter.name for parameter in self.kernel.function.params if parameter.is_constexpr}
        return {name: value_of(value) for name, value in self.values.items() if name in names}

    @property
    def arguments(self) -> dict[str, Any]:
        """The run-time ones."""
        constexprs = self.constexprs
        return {name: value for name, value in self.values.items() if name not in constexprs}


def kernel_of(launched: Any) -> loading.LoadedKernel:
    kernel = loading.unwrap(launched)
    assert kernel is not None
    return kernel


class Nesting(threading.local):
    """How deep this thread is within launches: one goes through several of Triton's methods."""

    depth = 0

    @contextmanager
    def within(self) -> Iterator[None]:
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1


class Resolver:
    """Settles launches. ``is_about`` says whether a kernel is the one that a configuration was chosen for."""

    def __init__(self, wanted: Wanted, nesting: Nesting, is_about: Callable[[loading.LoadedKernel], bool]) -> None:
        self.wanted = wanted
        self.nesting = nesting
        self.is_about = is_about
        self._reset_for: set[tuple[Any, ...]] = set()

    def resolve(self, launched: Any, arguments: tuple[Any, ...], named: dict[str, Any], *, chosen: bool) -> Call:
        """Follow a launch down to the function.

        ``chosen``: with what the request changes about it, and with the hooks that Triton runs before it.
        """
        constants = self.wanted.constants if chosen else {}
        options = self.wanted.options if chosen else {}
        names = list(launched.arg_names)
        constants = {name: value for name, value in constants.items() if name in names}
        positional = [constants.get(name, value) for name, value in zip(names, arguments, strict=False)]
        positional += arguments[len(names) :]
        # What the request changes goes in at every layer: what a layer computes may depend on it.
        changed = {name: value for name, value in constants.items() if name not in names[: len(positional)]}
        configuration = None
        layer = launched
        while isinstance(layer, Autotuner | Heuristics):
            if isinstance(layer, Autotuner):
                configuration, config = self.configuration(layer, positional, named)
                named = {**named, **config.all_kwargs(), **changed, **options}
                if chosen:
                    self.before_launch(layer, config, positional, named)
            else:
                named = {**named, **changed}
                for name, heuristic in layer.values.items():
                    value = heuristic({**dict(zip(names, positional, strict=False)), **named})
                    named[name] = changed.get(name, value)
            layer = layer.fn
        named = {**named, **changed, **options}
        grid = named.pop("grid")
        named.pop("warmup", None)
        given = {name: value for name, value in named.items() if name in names}
        bound = inspect.signature(layer.fn).bind(*positional, **given)
        bound.apply_defaults()
        values = dict(bound.arguments)
        if chosen and self.wanted.grid is not None:
            grid = self.wanted.grid
        rest = {name: value for name, value in named.items() if name not in names}
        return Call(launched, layer, values, rest, evaluated(grid, values), configuration)

    def configuration(self, tuner: Any, positional: list[Any], named: dict[str, Any]) -> tuple[int, Any]:
        """Number and configuration that an autotuner launches."""
        number = self.wanted.configuration
        kernel = kernel_of(tuner)
        if number is not None and self.is_about(kernel):
            if not 0 <= number < len(tuner.configs):
                last = len(tuner.configs) - 1
                raise Rejected("usage", f"--config {number}: {kernel.name} has configurations 0 to {last}")
            return number, tuner.configs[number]
        if self.wanted.autotune:
            config = self._fastest(tuner, positional, named)
        else:
            config = candidates(tuner, positional, named)[0]
        return next((i for i, each in enumerate(tuner.configs) if each is config), 0), config

    def _fastest(self, tuner: Any, positional: list[Any], named: dict[str, Any]) -> Any:
        """The configuration that the autotuner chooses by timing, without the launch that follows."""
        tuned = copy.copy(tuner)
        timed = OnlyWhileTiming(tuned)
        tuned._bench, tuned.fn = timed.bench, timed
        with self.nesting.within():
            tuned.run(*positional, **{"warmup": False, **named})
        return tuned.best_config

    def before_launch(self, tuner: Any, config: Any, positional: list[Any], named: dict[str, Any]) -> None:
        """What an autotuner does to the arguments before it launches a configuration."""
        arguments = {**dict(zip(tuner.arg_names, positional, strict=False)), **named}
        # Timing dirties the outputs: the first launch for a key gets those of ``reset_to_zero`` zeroed.
        key = (id(tuner), *(repr(arguments.get(name)) for name in tuner.keys))
        if len(tuner.configs) > 1 and not self.wanted.autotune and key not in self._reset_for:
            tuner.pre_hook(arguments, reset_only=True)
        self._reset_for.add(key)
        if config.pre_hook is not None:
            config.pre_hook(arguments)

    def run_untimed(
        self, run: Callable[..., Any], tuner: Any, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        """Launch an autotuner's first configuration that fits into the GPU; ``run`` is Triton's own method."""
        _, first = self.configuration(tuner, list(arguments), named)
        rest = [config for config in candidates(tuner, list(arguments), named) if config is not first]
        everything = tuner.configs
        try:
            for config, is_last in ((config, config is [first, *rest][-1]) for config in [first, *rest]):
                tuner.configs = [config]
                try:
                    return run(tuner, *arguments, **named)
                except triton.OutOfResources:
                    if is_last:
                        raise
        finally:
            tuner.configs = everything


class OnlyWhileTiming:
    """Stands in an autotuner for its kernel: launches that it times run, the one that follows does not."""

    def __init__(self, tuner: Any) -> None:
        self.fn = tuner.fn
        self._bench = tuner._bench
        self._timing = False

    def bench(self, *arguments: Any, **named: Any) -> Any:
        self._timing = True
        try:
            return self._bench(*arguments, **named)
        finally:
            self._timing = False

    def run(self, *arguments: Any, **named: Any) -> Any:
        return self.fn.run(*arguments, **named) if self._timing else None


def candidates(tuner: Any, positional: list[Any], named: dict[str, Any]) -> list[Any]:
    """The configurations that the file's own pruning leaves, in their order; all where there is none."""
    if tuner.early_config_prune is None:
        return list(tuner.configs)
    arguments = dict(zip(tuner.arg_names, positional, strict=False))
    return list(tuner.early_config_prune(tuner.configs, arguments, **named)) or list(tuner.configs)


def evaluated(grid: Any, values: Mapping[str, Any]) -> tuple[int, ...]:
    if callable(grid):
        grid = grid(dict(values))
    return tuple(int(size) for size in grid)
