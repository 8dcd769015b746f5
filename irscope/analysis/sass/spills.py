"""Which local-memory instructions are spill code."""

from __future__ import annotations

import re

from irscope.analysis.sass.instructions import Function
from irscope.analysis.sass.kinds import kind
from irscope.ir.cubin import KernelRecord

#: nvdisasm's remark, from CUDA 12.8's cubins on.
_REMARK = "SpillRefill"
#: Local memory that the program itself asks for; registers are spilled without one.
_PTX_LOCAL = re.compile(r"^\s*\.local\b", re.MULTILINE)


def spill_code(function: Function, kernel: KernelRecord | None = None, ptx: str = "") -> frozenset[int] | None:
    """Numbers of the instructions that store a register for want of room, or load it back.

    By nvdisasm's remark, else by ptxas' marks in the cubin, else every local access of a kernel whose PTX has no
    local memory of its own. ``None`` where none of these tells.
    """
    local = [number for number, each in enumerate(function.instructions) if kind(each) == "local memory"]
    if not local:
        return frozenset()
    remarked = frozenset(number for number in local if function.instructions[number].remark == _REMARK)
    if remarked:
        return remarked
    if ptx and not _PTX_LOCAL.search(ptx):
        return frozenset(local)
    if kernel is not None and kernel.spills is not None:
        return frozenset(number for number in local if function.instructions[number].address in kernel.spills)
    return None
