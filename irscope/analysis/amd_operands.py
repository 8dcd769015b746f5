"""What one AMD instruction reads and writes, from its text."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

from irscope.analysis.amd import Instruction
from irscope.analysis.live import AMD

_REGISTERS = re.compile(r"\b([vas])(?:(\d+)|\[(\d+):(\d+)\])")
_FIRST_BIT = {file.prefix: file.first_bit for file in AMD}
#: A pair of operations in one instruction of RDNA.
_DUAL = re.compile(r"\s*::\s*(\w+)\s+")
_RETURNS = re.compile(r"\b(?:glc|sc0|TH_\w*RETURN)\b")
_HALF = re.compile(r"\bv\d+\.[lh]$")
_EVERY_LANE = re.compile(r"row_mask:0xf bank_mask:0xf (?:bound_ctrl:[01]|fi:1)")


@dataclass(frozen=True, slots=True)
class Sets:
    """Bit sets of registers, in the order of `irscope.analysis.live.AMD`."""

    read: int
    written: int
    #: Whether a part of what was there stays, in every lane: then what is written is read too.
    keeps: bool


@functools.cache
def _data() -> Any:
    file = resources.files(__package__).joinpath("amd_operands.json")
    data = json.loads(file.read_text(encoding="utf-8"))
    return [(re.compile(pattern), count) for pattern, count in data["results"]], re.compile(data["keep"])


def registers(text: str) -> int:
    """Every register that a piece of text names: ``v3``, ``s[4:7]``."""
    found = 0
    for file, number, first, last in _REGISTERS.findall(text):
        low, high = (int(number), int(number)) if number else (int(first), int(last))
        found |= ((1 << high - low + 1) - 1) << _FIRST_BIT[file] + low
    return found


def sets(instruction: Instruction) -> Sets:
    text = ", ".join(instruction.operands)
    first, *second = _DUAL.split(text)
    found = _one(instruction.opcode, tuple(first.split(", ")))
    if not second:
        return found
    # Both halves read before either writes.
    other = _one(second[0], tuple(second[1].split(", ")))
    return Sets(found.read | other.read, found.written | other.written, found.keeps or other.keeps)


def _one(opcode: str, operands: tuple[str, ...]) -> Sets:
    count = _results(opcode, operands)
    written = registers(", ".join(operands[:count]))
    read = registers(", ".join(operands[count:]))
    keeps = bool(written) and _keeps(opcode, operands)
    return Sets(read | (written if keeps else 0), written, keeps)


def _results(opcode: str, operands: tuple[str, ...]) -> int:
    """How many operands, the first ones, are written."""
    if operands and re.search(r"\blds$", operands[-1]):
        return 0
    if "_atomic_" in opcode:
        return 1 if operands and _RETURNS.search(operands[-1]) else 0
    return next((int(number) for pattern, number in _data()[0] if pattern.fullmatch(opcode)), 1)


def _keeps(opcode: str, operands: tuple[str, ...]) -> bool:
    last = operands[-1]
    if _data()[1].fullmatch(opcode) or _HALF.search(operands[0]) or "UNUSED_PRESERVE" in last:
        return True
    if "_atomic_" in opcode:
        # What a buffer's atomic returns comes into the register that held the data.
        return opcode.startswith("buffer")
    return "_dpp" in opcode and not _EVERY_LANE.search(last)
