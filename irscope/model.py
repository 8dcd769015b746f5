"""A compilation as a value: plain frozen dataclasses in the words of the field.

Nothing here reads files, starts processes or knows a user interface. An unknown figure is ``None``,
never 0. Line numbers count from 1, as editors do; columns count from 1 too, 0 or ``None`` where unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from irscope.target import InvalidTarget as InvalidTarget
from irscope.target import Target as Target

if TYPE_CHECKING:
    from irscope.edges import Edges
    from irscope.launch.model import Launch

BackendName = Literal["cuda", "hip"]

#: Where the value of a parameter came from, strongest first (DESIGN section 7).
Provenance = Literal["given", "saved", "captured", "configuration", "heuristic", "default", "inferred", "guessed"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a kernel as its ``def`` line has it."""

    name: str
    constexpr: bool = False
    annotation: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """One ``triton.Config`` of ``@triton.autotune``."""

    constexprs: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in {**self.constexprs, **self.options}.items())


@dataclass(frozen=True, slots=True)
class Kernel:
    """A ``@triton.jit`` (or ``@gluon.jit``) function that a host can launch."""

    file: str
    name: str
    line: int | None = None
    parameters: tuple[Parameter, ...] = ()
    configurations: tuple[Configuration, ...] = ()
    heuristics: tuple[str, ...] = ()
    dialect: str = "triton"
    #: False where the configurations are computed, so that reading the file cannot tell them.
    configurations_known: bool = True


@dataclass(frozen=True, slots=True)
class Specialization:
    """What a kernel is compiled for: a type for each run-time parameter, a value for each constexpr."""

    signature: Mapping[str, str] = field(default_factory=dict)
    constexprs: Mapping[str, Any] = field(default_factory=dict)
    #: By parameter, Triton's attributes of it, such as ``{"x_ptr": {"tt.divisibility": 16}}``.
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Every field of the backend's options, as Triton resolved them.
    options: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    #: What in the file says so, by parameter: "tl.dot at line 17".
    evidence: Mapping[str, str] = field(default_factory=dict)
    #: By guessed constant, the blocks that it leaves out: "with HAS_BIAS on, 3 more blocks".
    hidden: Mapping[str, str] = field(default_factory=dict)
    #: Number of the autotune configuration in use, from 0.
    configuration: int | None = None
    #: By parameter, what a user writes to get it: "*fp16:16", "128"; one that cannot be written is not there.
    entries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """One form of the kernel. Text stages have ``text``, binary ones (cubin, hsaco) ``data``."""

    name: str
    text: str | None = None
    data: bytes | None = None
    seconds: float | None = None

    @property
    def lines(self) -> int | None:
        return None if self.text is None else self.text.count("\n") + (not self.text.endswith("\n"))

    @property
    def bytes(self) -> int:
        return len(self.data) if self.data is not None else len((self.text or "").encode())


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A Python file that took part in a compilation, as it was then."""

    path: str
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request did not give a result, in one line, with the place and the way out."""

    kind: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    #: The stage in which it happened, where one had begun.
    stage: str | None = None
    #: The end of what the worker wrote to stdout and stderr, or the compiler's longer report.
    detail: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {self.message}" if place else self.message


@dataclass(frozen=True, slots=True)
class Resources:
    """What one thread, or one block, of the kernel occupies. Sizes in bytes; ``None`` is unknown."""

    registers: int | None = None
    spill_store_bytes: int | None = None
    spill_load_bytes: int | None = None
    stack_bytes: int | None = None
    local_bytes: int | None = None
    shared_static_bytes: int | None = None
    shared_dynamic_bytes: int | None = None
    barriers: int | None = None
    parameter_bytes: int | None = None
    constant_bytes: int | None = None
    code_bytes: int | None = None
    #: Machine instructions, padding included, as the disassembler counts them.
    instructions: int | None = None
    #: AMD: scalar and accumulation registers beside the vector ones in ``registers``.
    sgprs: int | None = None
    agprs: int | None = None


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Theoretical occupancy of one multiprocessor (AMD: one compute unit)."""

    blocks_per_sm: int | None = None
    warps_per_sm: int | None = None
    max_warps_per_sm: int | None = None
    #: What allows no more blocks: "registers", "shared memory", "warps", "blocks" or "barriers".
    limiter: str | None = None


@dataclass(frozen=True, slots=True)
class Compilation:
    """A kernel, what it was compiled for, and every stage that was reached."""

    kernel: Kernel
    target: Target
    specialization: Specialization
    stages: Mapping[str, Stage]
    sources: Sequence[SourceFile] = ()
    #: Triton's version; ``None`` where nothing says (a bare IR file).
    triton: str | None = None
    #: Triton's own metadata of the kernel (``shared``, ``num_warps``, ...).
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: The stages that the backend's pipeline has, in order, reached or not.
    pipeline: tuple[str, ...] = ()
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    #: What the compiler and the file printed meanwhile.
    log: str = ""
    #: What ``ptxas -v`` said in the very run that made the cubin: the source of the spill figures.
    ptxas_log: str = ""
    seconds: float | None = None
    #: Of a bundle: the last launches of this kernel when it was saved, oldest first.
    launches: tuple[Launch, ...] = ()
    #: Exact edges between the stages; ``None`` as long as nobody has asked for them (`irscope.exact`).
    edges: Edges | None = None

    def source(self, path: str) -> SourceFile | None:
        return next((source for source in self.sources if source.path == path), None)

    def text(self, stage: str) -> str:
        """Text of a stage; empty where it was not reached or is binary."""
        found = self.stages.get(stage)
        return (found.text if found else None) or ""
