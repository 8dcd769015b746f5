"""A launch made ready: its arguments, its grid, its compiled kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..loading import LoadedKernel
from .inputs import Guard


@dataclass
class Prepared:
    """One launch that can be run as often as wished, on the current stream of `device`."""

    kernel: LoadedKernel
    #: The JITFunction (InterpretedFunction in the interpreter's worker) that is launched.
    function: Any
    #: Run-time arguments by name: torch tensors, numbers, ``None``, tensor descriptors, tuples.
    arguments: dict[str, Any]
    constexprs: dict[str, Any]
    #: ``num_warps`` and the like, as keyword arguments of the launch.
    options: dict[str, Any]
    grid: tuple[int, ...]
    #: Triton's CompiledKernel.
    compiled: Any = None
    device: int = 0
    seed: int | None = None
    #: Made tensors by name; empty where the file made its own.
    guards: dict[str, Guard] = field(default_factory=dict)

    def run(self) -> Any:
        """One launch, asynchronous; returns Triton's CompiledKernel."""
        return self.function[self.grid](**self.arguments, **self.constexprs, **self.options)


#: What `prepare_launch` has set up last, for the requests that follow it.
current: Prepared | None = None
