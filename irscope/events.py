"""What is told on the way from a request to a compilation. Apart from `irscope.request`, for what only asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from irscope.model import Compilation, Kernel, Specialization, Stage
from irscope.target import Target


class Event:
    """Something that happened on the way to a compilation."""


@dataclass(frozen=True, slots=True)
class WorkerStarted(Event):
    """A worker process is being started (Triton is loading)."""

    python: Path


@dataclass(frozen=True, slots=True)
class CaptureStarted(Event):
    """The file's own launch code is being run, to see what it launches the kernel with."""


@dataclass(frozen=True, slots=True)
class KernelFound(Event):
    """The file was loaded; ``kernels`` are all the names in it that can be compiled."""

    kernel: Kernel
    kernels: tuple[str, ...]
    triton: str


@dataclass(frozen=True, slots=True)
class Specialized(Event):
    """It is settled what the kernel is compiled for, and which stages the backend has."""

    target: Target
    specialization: Specialization
    pipeline: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StageStarted(Event):
    name: str


@dataclass(frozen=True, slots=True)
class StageFinished(Event):
    stage: Stage


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The end: ``compilation.failure`` says whether it went well. ``stored``: no compiler was started."""

    compilation: Compilation
    stored: bool = False
