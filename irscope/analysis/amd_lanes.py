"""At which AMD instructions every lane of a wave takes part.

A vector instruction writes the lanes that EXEC has, the others keep what they hold. EXEC is followed forward: it is
full at the start, LLVM narrows it (``s_and_saveexec_b64 s[0:1], vcc``) and widens it again (``s_or_b64 exec, exec,
s[0:1]``). Known at each point are the scalar registers that hold the full mask, and those that together with EXEC
make it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from irscope.analysis.amd import Instruction
from irscope.analysis.amd_operands import registers
from irscope.analysis.flow import Flow

_EXEC = ("exec", "exec_lo")
#: Vector compares into EXEC, and scalar instructions that leave a part of it.
_NARROWS = re.compile(r"v_cmpx_\w+|s_and_saveexec_b\d+|s_(?:and|andn2|and_not1)_b\d+")


@dataclass(frozen=True, slots=True)
class _Masks:
    full: bool
    #: Operands (``s[0:1]``, ``s4``) that hold the full mask.
    saved: frozenset[str]
    #: Operands that make the full mask, with EXEC; all do while EXEC is full.
    missing: frozenset[str]

    def completes(self, operand: str) -> bool:
        return self.full or operand in self.saved or operand in self.missing

    def meet(self, other: _Masks) -> _Masks:
        if self.full != other.full:
            missing = other.missing if self.full else self.missing
        else:
            missing = self.missing & other.missing
        return _Masks(self.full and other.full, self.saved & other.saved, missing)

    def without(self, written: int) -> _Masks:
        def kept(operands: frozenset[str]) -> frozenset[str]:
            return frozenset(operand for operand in operands if not registers(operand) & written)

        return replace(self, saved=kept(self.saved), missing=kept(self.missing))


def every_lane(instructions: Sequence[Instruction], written: Sequence[int], edges: Flow) -> tuple[bool, ...]:
    """By instruction, whether EXEC is surely full there."""
    entering: dict[int, _Masks] = {0: _Masks(True, frozenset(), frozenset())} if edges.blocks else {}
    result = [False] * len(instructions)
    waiting = set(entering)
    while waiting:
        number = min(waiting)
        waiting.remove(number)
        block, masks = edges.blocks[number], entering[number]
        for at in range(block.first, block.last + 1):
            result[at] = masks.full
            masks = _after(instructions[at], written[at], masks)
        for following in block.successors:
            known = entering.get(following)
            joined = masks if known is None else known.meet(masks)
            if joined != known:
                entering[following] = joined
                waiting.add(following)
    return tuple(result)


def widens(instruction: Instruction) -> bool:
    """Whether lanes may take part behind an instruction that did not before it."""
    if _NARROWS.fullmatch(instruction.opcode):
        is_exec = [operand in _EXEC for operand in instruction.operands[:2]]
        return is_exec == [True, False]
    return "saveexec" in instruction.opcode or instruction.operands[:1] in (("exec",), ("exec_lo",))


def _after(instruction: Instruction, written: int, masks: _Masks) -> _Masks:
    opcode, operands = instruction.opcode.removesuffix("_b64").removesuffix("_b32"), instruction.operands
    if opcode.endswith("_saveexec") and len(operands) == 2:
        return _saved(opcode, operands[0], operands[1], written, masks)
    if operands and operands[0] in _EXEC and opcode.startswith("s_"):
        return _changed(opcode, operands[1:], masks)
    if opcode.startswith("v_cmpx"):
        return _Masks(False, masks.saved, frozenset())
    after = masks.without(written)
    if not written or not operands:
        return after
    target, sources = operands[0], operands[1:]
    if opcode == "s_mov" and sources:
        if (sources[0] in _EXEC and masks.full) or sources[0] in masks.saved:
            return replace(after, saved=after.saved | {target})
        if sources[0] in masks.missing:
            return replace(after, missing=after.missing | {target})
    if opcode == "s_xor" and any(each in _EXEC for each in sources) and any(each in masks.saved for each in sources):
        return replace(after, missing=after.missing | {target})
    if opcode == "s_or" and any(each in masks.missing for each in sources):
        return replace(after, missing=after.missing | {target})
    return after


def _saved(opcode: str, target: str, source: str, written: int, masks: _Masks) -> _Masks:
    """``target = exec; exec = source OP exec``."""
    after = masks.without(written)
    saved = after.saved | {target} if masks.full else after.saved
    if opcode.startswith("s_or_"):
        return _Masks(masks.completes(source), saved, after.missing)
    # The else of an if: EXEC becomes what was missing, what it was is what is missing then.
    swaps = opcode.startswith(("s_andn2_", "s_and_not1_")) and source in masks.missing
    return _Masks(False, saved, frozenset({target}) if swaps or masks.full else frozenset())


def _changed(opcode: str, sources: Sequence[str], masks: _Masks) -> _Masks:
    """EXEC is the target."""
    others = [source for source in sources if source not in _EXEC]
    source = others[0] if len(others) == 1 else ""
    if opcode == "s_mov":
        return _Masks(source == "-1" or source in masks.saved, masks.saved, frozenset())
    with_exec = len(others) < len(sources)
    if opcode == "s_or" and with_exec:
        return _Masks(masks.completes(source), masks.saved, masks.missing)
    if opcode == "s_xor" and with_exec and masks.full:
        return _Masks(False, masks.saved, frozenset({source}))
    if opcode in ("s_andn2", "s_and_not1") and with_exec and sources[-1] == source and masks.completes(source):
        return _Masks(False, masks.saved, frozenset({source}))
    return _Masks(False, masks.saved, frozenset())
