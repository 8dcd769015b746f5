"""Exact edges of sample kernels: how much of each stage has one, how narrow they are, what the second compile costs.

`python -m benchmarks exact`. Shares count operations; the NOPs that fill up the end of a cubin are none.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import ROOT, Row, Samples, compared, progress
from irscope import ir, session
from irscope.correlate import Correlation
from irscope.edges import Edges
from irscope.exact import exact_edges
from irscope.ir import StageIndex
from irscope.model import Compilation, Target
from irscope.request import Request

KERNELS = (
    "vector_add", "softmax", "layer_norm::layer_norm_backward_kernel", "matmul", "flash_attention", "helper_calls",
    "histogram", "dropout",
)  # fmt: skip
TARGETS = ("sm_80", "sm_90")
#: Lower stage, upper stage, and the share of the lower one's operations that must have an edge.
EDGES = (("sass", "ptx", 0.99), ("ptx", "ttgir", 0.97), ("ttgir", "ttir", 0.95))
_PADDING = re.compile(r"\s*/\*[0-9a-f]+\*/\s+NOP\b")


@dataclass(frozen=True)
class Kernel:
    """One kernel for one target, with its edges."""

    name: str
    compilation: Compilation
    stages: Mapping[str, StageIndex]

    @property
    def edges(self) -> Edges:
        return self.compilation.edges or Edges()

    def operations(self, stage: str) -> Sequence[int]:
        index = self.stages[stage]
        return [row for row, line in enumerate(index.lines) if index.operations[row] and not _PADDING.match(line)]

    def mapped(self, lower: str, upper: str) -> Sequence[int]:
        return [row for row in self.operations(lower) if self.edges.rows(lower, [row], upper)]

    def by_location(self, lower: str, upper: str) -> Sequence[int]:
        """Of the mapped ones, those whose way up needs no edge that was found by use."""
        way = self.edges.between(lower, upper)
        found = []
        for start in self.mapped(lower, upper):
            rows = {start}
            for edge in reversed(way):
                rows = {up for row in rows - edge.by_use for up in edge.uppers.get(row, ())}
            if rows:
                found.append(start)
        return found

    def fan_out(self) -> tuple[Sequence[int], Sequence[int]]:
        """For each SASS instruction with an edge to it, rows of PTX: by edges, and by its source line."""
        joined = Correlation(self.stages, [source.path for source in self.compilation.sources])
        rows = self.mapped("sass", "ptx")
        by_line = [joined.related("sass", row).get("ptx") for row in rows]
        return (
            [len(self.edges.rows("sass", [row], "ptx")) for row in rows],
            [len(found.rows) if found else 0 for found in by_line],
        )

    def fan_out_down(self) -> tuple[Sequence[int], Sequence[int]]:
        """For each TTGIR operation that became any, PTX instructions: by edges, and by its source line."""
        joined = Correlation(self.stages, [source.path for source in self.compilation.sources])
        rows = [row for row in self.operations("ttgir") if self.edges.rows("ttgir", [row], "ptx")]
        operations = self.stages["ptx"].operations
        by_line = [joined.related("ttgir", row).get("ptx") for row in rows]
        return (
            [sum(operations[other] for other in self.edges.rows("ttgir", [row], "ptx")) for row in rows],
            [sum(operations[other] for other in found.rows) if found else 0 for found in by_line],
        )


def rows(rounds: int) -> list[Row]:
    found: list[Row] = []
    for target in TARGETS:
        progress(f"\nexact edges, {target} ")
        kernels, first, second = [], [], []
        for name in KERNELS:
            kernel, plain, exact = measured(name, target, rounds)
            kernels.append(kernel)
            first.append(plain)
            second.append(exact)
            progress(".")
        found += shares(kernels, target)
        found += fan_outs(kernels, target)
        found += [
            compared(f"second compile of {kernel.name}, {target} / first", after, before, 1.2)
            for kernel, before, after in zip(kernels, first, second, strict=True)
        ]
    session.close()
    return found


def measured(name: str, target: str, rounds: int) -> tuple[Kernel, Samples, Samples]:
    """The kernel, and the seconds of its compiles: the first with its disassembly, the second with its edges."""
    file, _, kernel = name.partition("::")
    request = Request(ROOT / "sample_kernels" / f"{file}.py", kernel or None, Target.parse(target), fresh=True)
    first, second = [], []
    for turn in range(rounds + 1):
        start = time.perf_counter()
        plain = session.open(request)
        middle = time.perf_counter()
        compilation = exact_edges(plain, request)
        if turn:
            first.append(middle - start)
            second.append(time.perf_counter() - middle)
    assert compilation.edges, compilation.edges
    stages = {
        stage.name: ir.index(stage.name, stage.text) for stage in compilation.stages.values() if stage.text is not None
    }
    return Kernel(kernel or file, compilation, stages), Samples(first), Samples(second)


def shares(kernels: Sequence[Kernel], target: str) -> list[Row]:
    """For each edge, the kernel with the smallest share of operations that have it."""
    found = []
    for lower, upper, limit in EDGES:
        least = min(kernels, key=lambda kernel: len(kernel.mapped(lower, upper)) / len(kernel.operations(lower)))
        share = len(least.mapped(lower, upper)) / len(least.operations(lower))
        located = min(len(one.by_location(lower, upper)) / len(one.operations(lower)) for one in kernels)
        exact = sum(kernel.edges.is_exact(lower, upper) for kernel in kernels)
        what = f"{lower} operations with an edge to {upper}, least of {len(kernels)} kernels, {target}"
        found.append(Row(what, f"{share:.1%} {least.name}", f"{exact} exact", share, limit, at_least=True))
        found.append(Row("  by location alone", f"{located:.1%}", "", located))
    located_rows = [
        [bool(kernel.edges.spans.get(row)) for row, chain in enumerate(kernel.stages["ttir"].chains) if chain]
        for kernel in kernels
    ]
    share = min(sum(known) / len(known) for known in located_rows)
    what = f"ttir rows with a location that have an expression, {target}"
    found.append(Row(what, f"{share:.1%}", "", share, 1.0, at_least=True))
    return found


def fan_outs(kernels: Sequence[Kernel], target: str) -> list[Row]:
    found = []
    for kernel in kernels:
        for what, (by_edges, by_line) in (
            ("PTX lines of a SASS instruction", kernel.fan_out()),
            ("PTX instructions of a TTGIR op", kernel.fan_out_down()),
        ):
            one, other = statistics.median(by_edges), statistics.median(by_line)
            found.append(
                Row(f"{what}, median, {kernel.name}, {target}", f"{one:g}", f"{other:g} by line", one / (other or 1))
            )
    return found
