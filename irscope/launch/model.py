"""A launch as a value: what was run, on what, and what came back.

Plain frozen dataclasses, as in `irscope.model`: an unknown figure is ``None``, never 0. Times are in
microseconds, sizes in bytes, rates in GB/s (1e9 bytes) and TFLOP/s (1e12, a multiply-add counted as two).
Element types are written as in Triton's signatures: ``fp16``, ``i32``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from irscope.model import Failure, Specialization
from irscope.request import Request

#: Where the arguments come from: the file's own launch code, or tensors made from the specialization.
Source = Literal["file", "inputs"]
Reference = Literal["interpreter", "file"]

#: Seconds a launch may take as a whole where the user sets no limit: a kernel that hangs must not stay.
DEFAULT_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """One launch, and all that the user said about how."""

    #: File, kernel, constants, configuration, options, interpreter, timeout; its target is the GPU's own.
    compile: Request
    #: ``None``: the file's own launch code where it has any, else made inputs.
    source: Source | None = None
    #: A function of the file to run instead of its ``__main__`` block.
    entry: str | None = None
    #: Which of the file's launches of the kernel, from 0, in the order in which they happen.
    number: int = 0
    #: By parameter, ``randn:1024x1024:fp16``, ``full:2.5:64``, ``weights.npy`` or a number.
    inputs: Mapping[str, str] = field(default_factory=dict)
    #: ``"cdiv(n, BLOCK), 4"``: up to three integers, in terms of the kernel's parameters.
    grid: str | None = None
    seed: int = 0
    device: int = 0
    #: Let the autotuner choose the configuration, as the file's own launch would.
    autotune: bool = False
    check: Reference | None = None
    #: No GPU: run in Triton's interpreter on the CPU alone; nothing is timed.
    interpret: bool = False
    #: Seconds that the interpreter may take; after that, what it has done so far is compared.
    check_seconds: float = 60.0
    #: Bytes and floating-point operations of one launch, where the user knows better.
    bytes: int | None = None
    flops: float | None = None
    #: Where to write what the kernel wrote, one ``.npy`` a tensor.
    save: Path | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A launch that the file's own code makes; equal ones are one, with their count."""

    number: int
    kernel: str
    file: str
    line: int
    #: The function that launches, ``<module>`` at the top level.
    function: str
    grid: tuple[int, ...]
    #: By parameter, in words: ``fp16[4096, 4096]`` or ``4096``.
    arguments: Mapping[str, str]
    constexprs: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1


@dataclass(frozen=True, slots=True)
class Argument:
    """What one run-time parameter got."""

    name: str
    #: As in a signature: ``*fp16``, ``i32``.
    type: str
    shape: tuple[int, ...] | None = None
    strides: tuple[int, ...] | None = None
    bytes: int | None = None
    #: The value of a number; ``None`` for a tensor.
    value: Any = None
    #: Where it came from: "the file", "randn", "weights.npy".
    how: str = ""


#: What a CUDA event is exact to.
EVENT_MICROSECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Timing:
    """Repeated runs of one launch, in microseconds."""

    #: ``events``: CUDA events, the L2 flushed before each run. ``graph``: a CUDA graph of many runs, L2 warm.
    method: Literal["events", "graph"]
    median: float
    p20: float
    p80: float
    runs: int

    @property
    def wide(self) -> bool:
        """Whether single runs differ so much that the median says little."""
        exact_to = EVENT_MICROSECONDS if self.method == "events" else 0.0
        return self.p80 - self.p20 > max(0.1 * self.median, 2 * exact_to)


@dataclass(frozen=True, slots=True)
class Output:
    """What a tensor holds that the kernel wrote. Statistics are over finite elements; NaN and Inf are counted."""

    name: str
    type: str
    shape: tuple[int, ...]
    #: In memory: an expanded tensor's repetitions count once.
    elements: int
    #: Elements that this launch wrote: exact where the kernel only writes the tensor, else those that changed.
    written: int | None
    #: Whether ``written`` counts changes only, since the kernel reads the tensor too.
    changed_only: bool
    minimum: float | None
    maximum: float | None
    mean: float | None
    nan: int
    inf: int
    #: Numbers; ``"nan"``, ``"inf"`` and ``"-inf"`` as text, which JSON has; ``None`` was not written.
    first: tuple[Any, ...]
    #: Elements written outside the tensor, in the guard around it; ``None`` where it has none.
    outside: int | None = None
    file: str | None = None
    #: Where the interpreter's time ended before the grid did: the programs that ran, of all.
    programs_run: int | None = None
    programs: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What one block occupies and how many fit, by one source: the driver, or irscope without a GPU."""

    registers: int | None = None
    local_bytes: int | None = None
    shared_static_bytes: int | None = None
    shared_dynamic_bytes: int | None = None
    max_threads: int | None = None
    blocks_per_sm: int | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU as CUDA tells it."""

    index: int
    name: str
    #: ``sm_90``.
    arch: str
    uuid: str
    driver: str
    memory_bytes: int
    l2_bytes: int
    multiprocessors: int


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What a device reaches: a large copy, and torch's matrix product by element type."""

    device: str
    copy_gb_s: float
    matmul_tflop_s: Mapping[str, float]
    #: ISO date.
    measured: str
    torch: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One tensor against a reference: error is ``||out - ref|| / ||ref||``, in the Euclidean norm."""

    name: str
    error: float | None
    tolerance: float
    passed: bool
    #: Elements that were compared, of all; fewer where the interpreter ran part of the grid.
    compared: int
    elements: int
    largest: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What a reference says about the outputs."""

    against: Reference
    passed: bool
    comparisons: tuple[Comparison, ...] = ()
    #: Programs of the grid that the interpreter ran, of all.
    programs_run: int | None = None
    programs: int | None = None
    seconds: float | None = None
    #: Why there is no comparison, or what the file's own check said.
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch with all that came back."""

    file: str
    kernel: str
    #: ISO time of the launch.
    when: str
    source: Source
    specialization: Specialization
    grid: tuple[int, ...]
    arguments: tuple[Argument, ...]
    #: ``None``: in the interpreter.
    device: Device | None = None
    site: Site | None = None
    sites: tuple[Site, ...] = ()
    seed: int | None = None
    triton: str | None = None
    torch: str | None = None
    #: With the L2 flushed, and for short kernels in a CUDA graph too.
    timing: Timing | None = None
    graph: Timing | None = None
    #: Bytes of the tensors read and written, and operations of the tensor cores, of one launch; ``None``: not certain.
    bytes: int | None = None
    flops: float | None = None
    #: Element type of the tensor-core operands, by which the matrix ceiling is chosen.
    flops_type: str | None = None
    ceilings: Ceilings | None = None
    outputs: tuple[Output, ...] = ()
    driver: Figures | None = None
    static: Figures | None = None
    check: Check | None = None
    warnings: tuple[str, ...] = ()
    #: What the file printed.
    log: str = ""
    #: Seconds from the request to the first figure, and to the end.
    seconds: float | None = None
    failure: Failure | None = None

    @property
    def gb_s(self) -> float | None:
        return None if self.timing is None or self.bytes is None else self.bytes / self.timing.median * 1e-3

    @property
    def tflop_s(self) -> float | None:
        return None if self.timing is None or self.flops is None else self.flops / self.timing.median * 1e-6

    @property
    def copy_share(self) -> float | None:
        """Of the bandwidth that a copy reaches on this device."""
        return None if self.gb_s is None or self.ceilings is None else self.gb_s / self.ceilings.copy_gb_s

    @property
    def matmul_share(self) -> float | None:
        """Of what torch's matrix product reaches on this device in the same element type."""
        if self.tflop_s is None or self.ceilings is None or self.flops_type is None:
            return None
        ceiling = self.ceilings.matmul_tflop_s.get(self.flops_type)
        return self.tflop_s / ceiling if ceiling else None

    @property
    def disagreements(self) -> tuple[str, ...]:
        """Fields of `Figures` in which irscope's static figure is not the driver's: each an error of irscope's."""
        if self.driver is None or self.static is None:
            return ()
        names = Figures.__dataclass_fields__
        pairs = ((name, getattr(self.driver, name), getattr(self.static, name)) for name in names)
        return tuple(name for name, theirs, ours in pairs if None not in (theirs, ours) and theirs != ours)
