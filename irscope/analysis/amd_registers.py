"""Live VGPRs and SGPRs at each AMD instruction, by irscope's own data-flow over the assembly.

A register is live at an instruction that reads or writes it, and wherever a later one may read what an earlier one
may have written. Where some lanes take no part (`irscope.analysis.amd_lanes`), a vector write leaves them their old
values, which whoever reads after they have come back may want. VCC, EXEC, M0 and SCC are not counted: no kernel can
do without them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from irscope.analysis.amd import Amd
from irscope.analysis.amd_lanes import every_lane, widens
from irscope.analysis.amd_operands import Sets, registers, sets
from irscope.analysis.flow import Block, Flow
from irscope.analysis.live import AMD, LiveRegisters
from irscope.model import Failure
from irscope.request import IrscopeError

_SCALARS = registers("s[0:127]")
_LENGTH = max(file.first_bit + file.size for file in AMD)
_ALL = (1 << _LENGTH) - 1
#: What the hardware sets before the first instruction: addresses and numbers of the workgroup, the thread's number.
_AT_START = _SCALARS | registers("v[0:2]")


def live_registers(code: Amd) -> LiveRegisters:
    """Live registers of a kernel; some 20 ms for a thousand instructions.

    Raises:
        IrscopeError: it calls functions, or jumps to where a register says.
    """
    if code.flow.calls:
        raise _unavailable("the kernel calls a function, whose registers irscope does not follow")
    if any(each.opcode == "s_setpc_b64" for each in code.instructions):
        raise _unavailable("an indirect jump has targets that nothing names")
    both = [sets(instruction) for instruction in code.instructions]
    needed, partly = _needed(code, both)
    there = _there(code.flow, both)
    live = [held & known | each.read | each.written for held, known, each in zip(needed, there, both, strict=True)]
    read, written = tuple([each.read for each in both]), tuple([each.written for each in both])
    return LiveRegisters("irscope", tuple(live), read, written, tuple(partly), AMD)


def _unavailable(reason: str) -> IrscopeError:
    return IrscopeError(Failure("unavailable", f"no live registers: {reason}", stage="amdgcn"))


def _needed(code: Amd, both: Sequence[Sets]) -> tuple[list[int], list[bool]]:
    """By instruction, what later ones may read of what is there, and whether it leaves some lanes what they need.

    A set is twice as long as usual: what those read that the lanes here take part in, and above it what is read after
    other lanes have come back.
    """
    whole = every_lane(code.instructions, [each.written for each in both], code.flow)
    widening = [widens(instruction) for instruction in code.instructions]
    needed, partly = [0] * len(both), [False] * len(both)

    def through(block: Block, leaving: int) -> int:
        here, later = leaving & _ALL, leaving >> _LENGTH
        for at in range(block.last, block.first - 1, -1):
            needed[at] = here | later
            each = both[at]
            if widening[at]:
                here, later = 0, here | later
            ended = 0 if each.keeps else each.written
            left = ended & ~_SCALARS & later if not whole[at] else 0
            partly[at] = each.keeps or left != 0
            here = here & ~ended | each.read
            later &= ~ended | left
        return here | later << _LENGTH

    _settle(code.flow, lambda block: block.successors, lambda block: block.predecessors, through, {})
    return needed, partly


def _there(edges: Flow, both: Sequence[Sets]) -> list[int]:
    """By instruction, what it or an earlier one may have written."""
    result = [0] * len(both)

    def through(block: Block, entering: int) -> int:
        held = entering
        for at in range(block.first, block.last + 1):
            held |= both[at].written
            result[at] = held
        return held

    _settle(edges, lambda block: block.predecessors, lambda block: block.successors, through, {0: _AT_START})
    return result


def _settle(
    edges: Flow,
    sources: Callable[[Block], Sequence[int]],
    targets: Callable[[Block], Sequence[int]],
    through: Callable[[Block, int], int],
    start: dict[int, int],
) -> None:
    """Goes through blocks until nothing changes; ``through`` turns what comes into a block into what leaves it."""
    left: dict[int, int] = {}
    waiting = set(edges.reached)
    while waiting:
        number = waiting.pop()
        block = edges.blocks[number]
        coming = start.get(number, 0)
        for source in sources(block):
            coming |= left.get(source, 0)
        leaving = through(block, coming)
        if left.get(number) != leaving:
            left[number] = leaving
            waiting.update(edges.reached.intersection(targets(block)))
