"""All that differs between Triton versions, from 3.3.1 on. Nothing else in the worker asks for a version."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.compiler import compiler as triton_compiler
from triton.runtime import driver
from triton.runtime.jit import JITFunction

TRITON: str = triton.__version__

#: A stage of the backend's pipeline: it takes the module so far and Triton's metadata of the kernel.
StageFunction = Callable[[Any, dict[str, Any]], Any]
#: Called with a stage's name and its function, in its place.
StageObserver = Callable[[str, StageFunction, Any, dict[str, Any]], Any]


def is_gluon(function: JITFunction[Any]) -> bool:
    # By name: Gluon came with 3.4, and importing it costs more than compiling a small kernel.
    return type(function).__name__ == "GluonJITFunction"


def gpu_target(backend: str, arch: str, warp_size: int) -> GPUTarget:
    """Triton's target: CUDA architectures are numbers there (90), AMD's are names (gfx942)."""
    return GPUTarget(backend, int(arch.removeprefix("sm_")) if backend == "cuda" else arch, warp_size)


def make_backend(target: GPUTarget) -> Any:
    return triton_compiler.make_backend(target)


def source_of(function: JITFunction[Any], signature: dict[str, str], constants: dict[str, Any],
              attributes: dict[str, Any]) -> ASTSource:  # fmt: skip
    """What ``triton.compile`` compiles, with constants and attributes by parameter name."""
    index = {parameter.name: parameter.num for parameter in function.params}
    kind = ASTSource
    if is_gluon(function):
        from triton.experimental.gluon._runtime import GluonASTSource as kind  # type: ignore[no-redef]
    return kind(
        function,
        signature,
        {(index[name],): value for name, value in constants.items()},
        {(index[name],): value for name, value in attributes.items()},
    )


def divisibility(divisor: int) -> list[list[Any]]:
    """The attribute that a parameter is a multiple of ``divisor``, as backends' ``parse_attr`` gives it."""
    return [["tt.divisibility", divisor]]


@contextmanager
def observed_stages(observer: StageObserver) -> Iterator[None]:
    """Within, ``triton.compile`` runs each stage of its backend through ``observer``.

    Triton's own driver stays in charge (contexts, overrides, metadata), in every version.
    """
    make = triton_compiler.make_backend

    def make_observed(target: GPUTarget) -> Any:
        backend = make(target)
        add_stages = backend.add_stages

        def add_observed_stages(stages: dict[str, StageFunction], *rest: Any, **named: Any) -> None:
            add_stages(stages, *rest, **named)
            for name, function in list(stages.items()):
                stages[name] = observe(name, function)

        backend.add_stages = add_observed_stages
        return backend

    def observe(name: str, function: StageFunction) -> StageFunction:
        return lambda module, metadata: observer(name, function, module, metadata)

    triton_compiler.make_backend = make_observed
    try:
        yield
    finally:
        triton_compiler.make_backend = make


@contextmanager
def unhashed_compiler() -> Iterator[None]:
    """Within, Triton does not read its own 300 MB to make the key of a cache that is known to be empty."""
    name = "get_cache_key" if hasattr(triton_compiler, "get_cache_key") else "triton_key"
    before = getattr(triton_compiler, name)
    if name == "triton_key":
        triton_compiler.triton_key = lambda: TRITON
    else:
        triton_compiler.get_cache_key = lambda source, *rest, **named: source.hash()
    try:
        yield
    finally:
        setattr(triton_compiler, name, before)


def pipeline(backend: Any, options: Any, source: ASTSource) -> list[str]:
    """Names of the stages that the backend has for this kind of source, in order."""
    stages: dict[str, StageFunction] = {}
    # 3.3 has no language argument.
    takes_language = len(inspect.signature(backend.add_stages).parameters) > 2
    backend.add_stages(stages, options, *([source.language] if takes_language else []))
    names = list(stages)
    return names[names.index(source.ext) :]


def set_active_driver(stand_in: Any) -> None:
    driver.set_active(stand_in)
