"""Loads that warps of their own run for those that compute (``tl.range(..., warp_specialize=True)``): how far ahead.

Between the partitions of ``ttg.warp_specialize`` are buffers of shared memory. Before one is filled again, a barrier
tells that it was read, so the loads are ahead by at most the buffers that there are besides the one being read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from irscope.analysis.verdicts.program import Placed, Program
from irscope.ir import flow
from irscope.ir.ssa import Operation

SPECIALIZE = "ttg.warp_specialize"
_VIEWS = ("ttg.memdesc_index", "ttg.memdesc_subview")
_LEADING_SIDE = re.compile(r"memdesc<(\d+)x\d+")


@dataclass(frozen=True, slots=True)
class Handover:
    """Buffers of shared memory that one partition fills and another one reads."""

    buffers: int
    allocation: Operation

    @property
    def distance(self) -> int:
        """Iterations that the loads may be ahead."""
        return self.buffers - 1


def specializations(program: Program) -> list[Placed]:
    """Where warps are told apart."""
    return [placed for placed in program.operations("ttgir") if placed.operation.name == SPECIALIZE]


def handover(program: Program, copies: Sequence[Placed]) -> Handover | None:
    """What the copies of one load fill, where that is certain."""
    entry = program.entry("ttgir")
    if entry is None or not copies:
        return None
    operations = list(entry.body.operations())
    makers = {result: operation for operation in operations for result in operation.results}
    outside: dict[int, int] = {}
    partitions: dict[int, tuple[int, int]] = {}
    for specialize in operations:
        if specialize.name != SPECIALIZE:
            continue
        outside.update({inner: outer for outer, inner in flow.region_edges(specialize)})
        for number, region in enumerate(specialize.regions):
            partitions.update({id(operation): (specialize.row, number) for operation in region.operations()})

    def allocation(view: Operation) -> Operation | None:
        source = view.operands[0] if view.operands else -1
        return makers.get(outside.get(source, source))

    (copy, *others) = [placed.operation for placed in copies]
    mine = partitions.get(id(copy))
    if mine is None or others or not _waits_before(copies[0]):
        return None
    for view in filter(None, map(makers.get, copy.operands)):
        if view.name not in _VIEWS or "xi64" in view.type:
            continue
        owner = allocation(view)
        sides = _LEADING_SIDE.search(owner.type) if owner is not None and owner.name == "ttg.local_alloc" else None
        if owner is None or sides is None:
            continue
        readers = {
            partitions.get(id(other)) for other in operations if other.name in _VIEWS and allocation(other) is owner
        }
        if any(reader is not None and reader[0] == mine[0] and reader != mine for reader in readers):
            return Handover(int(sides[1]), owner)
    return None


def _waits_before(copy: Placed) -> bool:
    """Whether its loop waits for a barrier before it, in every iteration."""
    body = copy.loops[-1].regions[0].blocks[0].operations if copy.loops else ()
    return any(operation.name == "ttng.wait_barrier" and operation.row < copy.operation.row for operation in body)
