"""Theoretical occupancy: how many blocks of a kernel one multiprocessor can hold at once, and why no more.

The rules are those of NVIDIA's cuda_occupancy.h and of LLVM for AMD; the architectures' numbers and their
sources are in limits.json. An architecture that is not there has no figures, rather than guessed ones.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from irscope.model import Occupancy, Resources, Target

_MAX_THREADS_PER_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one multiprocessor has; limits.json says the units. ``None``: no such limit."""

    warps: int
    blocks: int | None
    registers: int
    #: Registers are given to a warp (AMD: to a lane) in multiples of this.
    register_unit: int
    #: The multiprocessor's parts with registers of their own; a warp stays in one.
    partitions: int
    shared: int
    shared_per_block: int
    #: What the system takes from every block's shared memory besides.
    shared_reserved: int
    shared_unit: int
    barriers: int | None
    scalar_registers: int | None = None


def limits(target: Target) -> Limits | None:
    """The numbers of an architecture, ``None`` where it is not known."""
    found = _table().get(target.backend, {}).get(target.arch)
    return None if found is None else Limits(**found)


def occupancy(resources: Resources, target: Target, num_warps: int | None) -> Occupancy:
    """Blocks and warps that one multiprocessor holds, and what allows no more.

    A cluster (``num_ctas``) does not change what one multiprocessor can hold. Nothing is known (``None``) for an
    unknown architecture, or where registers, shared memory or the warps of a block are not known.
    """
    has = limits(target)
    if has is None:
        return Occupancy()
    by_limit = block_limits(resources, target, num_warps)
    if by_limit is None or num_warps is None:
        return Occupancy(max_warps_per_sm=has.warps)
    limiter = min(by_limit, key=lambda name: by_limit[name])
    blocks = by_limit[limiter]
    return Occupancy(blocks, blocks * num_warps, has.warps, limiter)


def block_limits(resources: Resources, target: Target, num_warps: int | None) -> dict[str, int] | None:
    """How many blocks each limit alone would allow; what cannot limit this kernel is left out.

    In the order in which `occupancy` names one of several equal ones. 0: such a block cannot run at all.
    """
    has = limits(target)
    static, dynamic = resources.shared_static_bytes, resources.shared_dynamic_bytes
    if has is None or not num_warps or resources.registers is None or static is None or dynamic is None:
        return None
    blocks = {"warps": has.warps // num_warps}
    if num_warps * target.warp_size > _MAX_THREADS_PER_BLOCK:
        blocks["warps"] = 0
    if has.blocks is not None:
        blocks["blocks"] = has.blocks
    by_registers = _by_cuda_registers if target.backend == "cuda" else _by_amd_registers
    if resources.registers:
        blocks["registers"] = by_registers(has, resources, num_warps)
    allocated = _round_up(static + dynamic + has.shared_reserved, has.shared_unit)
    if allocated > has.shared_per_block + has.shared_reserved:
        blocks["shared memory"] = 0
    elif allocated:
        blocks["shared memory"] = has.shared // allocated
    if has.barriers is not None:
        # CUDA counts the named barriers of a block; on AMD a block of several waves takes one.
        used = (resources.barriers or 0) if target.backend == "cuda" else int(num_warps > 1)
        if used:
            blocks["barriers"] = has.barriers // used
    return blocks


@dataclass(frozen=True, slots=True)
class Change:
    """Something that, with all else equal, lets a multiprocessor hold more warps of the kernel."""

    before: Occupancy
    after: Occupancy
    #: What the kernel has then.
    resources: Resources
    num_warps: int
    #: How many registers a thread it needs less, and bytes of shared memory a block.
    fewer_registers: int = 0
    less_shared_bytes: int = 0
    #: Warps of a block now, where it is their number that changes; it changes registers and memory too, as only
    #: compiling tells.
    num_warps_before: int | None = None

    def __str__(self) -> str:
        """One sentence: "8 fewer registers: 3 blocks instead of 2"."""
        if self.num_warps_before is not None:
            what = f"num_warps {self.num_warps} instead of {self.num_warps_before}, registers and shared memory equal"
            return f"{what}: {_counted(self.after.warps_per_sm, 'warp')} instead of {self.before.warps_per_sm}"
        parts = []
        if self.fewer_registers:
            parts.append(_counted(self.fewer_registers, "fewer register"))
        if self.less_shared_bytes:
            parts.append(f"{_size(self.less_shared_bytes)} less shared memory")
        blocks = f"{_counted(self.after.blocks_per_sm, 'block')} instead of {self.before.blocks_per_sm}"
        return f"{' and '.join(parts)}: {blocks}"


def nearest_changes(resources: Resources, target: Target, num_warps: int | None) -> tuple[Change, ...]:
    """The least change of registers and shared memory that raises `occupancy`, and the nearest number of warps.

    Where two limits allow equally few blocks, the change is of both. Empty where nothing helps: more of neither kind
    fits, or too little is known.
    """
    found = (fewer_resources(resources, target, num_warps), _other_warps(resources, target, num_warps))
    return tuple(change for change in found if change is not None)


def fewer_resources(resources: Resources, target: Target, num_warps: int | None) -> Change | None:
    """The fewest registers and bytes of shared memory less that fit another block on a multiprocessor.

    ``None`` where nothing is known, or where neither is what keeps another block out: the warps, blocks or barriers
    of the multiprocessor are used up, or no block of such a size fits at all.
    """
    before = occupancy(resources, target, num_warps)
    if before.blocks_per_sm is None or num_warps is None:
        return None
    wanted = before.blocks_per_sm + 1
    dynamic, static = resources.shared_dynamic_bytes or 0, resources.shared_static_bytes or 0

    def with_less(registers: int, shared: int) -> Resources:
        return replace(
            resources,
            registers=(resources.registers or 0) - registers,
            # Dynamic memory is Triton's own, static comes from elsewhere: the last to be given up.
            shared_dynamic_bytes=max(dynamic - shared, 0),
            shared_static_bytes=static - max(shared - dynamic, 0),
        )

    def enough(changed: Resources, limit: str) -> bool:
        return (block_limits(changed, target, num_warps) or {}).get(limit, wanted) >= wanted

    registers = _least((resources.registers or 1) - 1, lambda less: enough(with_less(less, 0), "registers"))
    shared = _least(dynamic + static, lambda less: enough(with_less(0, less), "shared memory"))
    if registers is None or shared is None:
        return None
    changed = with_less(registers, shared)
    after = occupancy(changed, target, num_warps)
    if (after.blocks_per_sm or 0) < wanted:
        return None
    return Change(before, after, changed, num_warps, fewer_registers=registers, less_shared_bytes=shared)


def _other_warps(resources: Resources, target: Target, num_warps: int | None) -> Change | None:
    before = occupancy(resources, target, num_warps)
    if before.warps_per_sm is None or num_warps is None:
        return None
    # Triton takes powers of two; the smaller step first, and of two equal ones the one to fewer.
    others = sorted(
        (1 << exponent for exponent in range(6)), key=lambda warps: abs(warps.bit_length() - num_warps.bit_length())
    )
    for warps in others:
        after = occupancy(resources, target, warps)
        if (after.warps_per_sm or 0) > before.warps_per_sm:
            return Change(before, after, resources, warps, num_warps_before=num_warps)
    return None


def _least(most: int, enough: Callable[[int], bool]) -> int | None:
    """The smallest number from 0 to ``most`` that is enough, where every larger one is too."""
    if not enough(most):
        return None
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _counted(count: int | None, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _size(count: int) -> str:
    return f"{count // 1024} KB" if count % 1024 == 0 else _counted(count, "byte")


def _by_cuda_registers(has: Limits, resources: Resources, num_warps: int) -> int:
    per_warp = _round_up((resources.registers or 0) * 32, has.register_unit)
    # The launch is checked as if every partition took as many warps of the block as the fullest one.
    if per_warp * _round_up(num_warps, has.partitions) > has.registers:
        return 0
    return has.registers // has.partitions // per_warp * has.partitions // num_warps


def _by_amd_registers(has: Limits, resources: Resources, num_warps: int) -> int:
    waves = has.registers // _round_up(resources.registers or 0, has.register_unit)
    if has.scalar_registers is not None and resources.sgprs:
        waves = min(waves, has.scalar_registers // resources.sgprs)
    return waves * has.partitions // num_warps


def _round_up(count: int, unit: int) -> int:
    return -(-count // unit) * unit


@functools.cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    text = Path(__file__).with_name("limits.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    return table
