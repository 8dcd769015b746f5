"""Shared-memory bank conflicts of a CUDA kernel, instruction by instruction, from the addresses in its PTX.

Shared memory has 32 banks of 4 bytes (CUDA C++ Programming Guide). What one warp asks for at once is served in as many
turns as the fullest bank has different words. Accesses of 8 bytes a thread are two requests of half a warp, those of
16 bytes four of a quarter; ``ldmatrix`` and ``stmatrix`` have eight rows of 16 bytes for each matrix.

Nothing is said where an address is not known from the text. What uses shared memory in a way that no address tells
(copies by TMA and ``cp.async``, operands of ``wgmma`` and ``tcgen05``, atomics) is listed by `own_traffic`, with the
reason.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from irscope import ir
from irscope.analysis.lanes import WARP, Instruction, Lanes
from irscope.ir.lines import Chain, StageIndex

_BANKS = 32
_WORD = 4

_PLAIN = re.compile(r"(ld|st)\.(?:volatile\.|relaxed\.|weak\.)?shared(?:::cta)?(?:\.v([24]))?\.[busf](8|16|32|64)$")
_MATRIX = re.compile(
    r"(ld|st)matrix\.sync\.aligned\.(?:m8n8\.)?x([124])(?:\.trans)?(?:\.m8n8)?\.shared(?:::cta)?\.b16$"
)
_OPCODE = re.compile(r"\s*(?:@!?\S+\s+)?([a-z]\w*\.[\w.:]+)\s")
_ADDRESS = re.compile(r"\[\s*([^\]+\s]+)\s*(?:\+\s*(-?\w+)\s*)?\]")


@dataclass(frozen=True, slots=True)
class Access:
    """One PTX instruction that reads or writes shared memory."""

    #: In the raw PTX, from 0.
    row: int
    instruction: str
    write: bool
    #: How many turns the fullest request of a warp takes: 1 is free of conflicts, ``None`` unknown.
    ways: int | None
    #: Turns of one warp in all, and how many there would be without conflicts. ``None``: unknown.
    wavefronts: int | None
    ideal: int | None
    #: How many warps of a block take part; those without an active thread do not.
    warps: int | None
    #: Why ``ways`` is not known, in one line.
    reason: str | None
    source: Chain


@dataclass(frozen=True, slots=True)
class OwnTraffic:
    """One PTX instruction whose use of shared memory does not follow from an address in each thread."""

    #: In the raw PTX, from 0.
    row: int
    #: ``cp.async``, ``wgmma``
    name: str
    #: Why its bank conflicts are not known.
    reason: str


@functools.cache
def _own_traffic() -> list[tuple[re.Pattern[str], str, str]]:
    file = resources.files(__package__).joinpath("own_traffic.json")
    entries = json.loads(file.read_text(encoding="utf-8"))
    return [(re.compile(entry["pattern"]), entry["name"], entry["reason"]) for entry in entries]


def own_traffic(ptx: str | StageIndex) -> list[OwnTraffic]:
    """What `accesses` cannot look at, in the order of the text."""
    found = []
    for row, line in enumerate(ptx.split("\n") if isinstance(ptx, str) else ptx.lines):
        opcode = _OPCODE.match(line)
        kind = next((entry for entry in _own_traffic() if entry[0].match(opcode[1])), None) if opcode else None
        if kind is not None:
            found.append(OwnTraffic(row, kind[1], kind[2]))
    return found


def accesses(ptx: str | StageIndex) -> list[Access]:
    """Every plain access of shared memory in the kernel's entry function, in the order of the text.

    Empty for a text that is no PTX. The functions that a kernel calls are not looked at.
    """
    index = ir.index("ptx", ptx) if isinstance(ptx, str) else ptx
    lanes = Lanes(index.lines)
    return [
        _access(instruction, shape, lanes, index.chains[instruction.row])
        for instruction in lanes.instructions
        if (shape := _shape(instruction.opcode)) is not None
    ]


@dataclass(frozen=True, slots=True)
class _Shape:
    write: bool
    #: Bytes at each address, how many threads give one, and how many of these are served together.
    size: int
    threads: int
    together: int


def _shape(opcode: str) -> _Shape | None:
    plain = _PLAIN.match(opcode)
    if plain is not None:
        size = int(plain[2] or 1) * int(plain[3]) // 8
        return _Shape(plain[1] == "st", size, WARP, WARP * _WORD // max(size, _WORD))
    matrix = _MATRIX.match(opcode)
    return None if matrix is None else _Shape(matrix[1] == "st", 16, 8 * int(matrix[2]), 8)


def _access(instruction: Instruction, shape: _Shape, lanes: Lanes, source: Chain) -> Access:
    counted, reason = _count(instruction, shape, lanes)
    ways, wavefronts, ideal, warps = counted or (None, None, None, None)
    return Access(instruction.row, instruction.opcode, shape.write, ways, wavefronts, ideal, warps, reason, source)


def _count(
    instruction: Instruction, shape: _Shape, lanes: Lanes
) -> tuple[tuple[int, int, int, int] | None, str | None]:
    place = next((found for operand in instruction.operands if (found := _ADDRESS.fullmatch(operand))), None)
    if lanes.threads is None or lanes.threads % WARP:
        return None, "the text does not say how many threads a block has"
    address = lanes.value(place[1]) if place is not None else None
    if place is None or address is None:
        return None, "its address depends on what only running tells"
    if address.unit % _WORD:
        return None, "where its memory begins is not known to the word"
    active = lanes.active(instruction)
    if active is None:
        return None, "which threads take part depends on what only running tells"
    offset = int(place[2] or "0", 0)
    seen: list[tuple[int, int, int]] = []
    for start in range(0, lanes.threads, WARP):
        # Threads that take no part leave their group smaller; the groups stay those of the hardware.
        groups = [
            [address.threads[lane] + offset for lane in range(first, first + shape.together) if active[lane]]
            for first in range(start, start + shape.threads, shape.together)
        ]
        turns = [_turns(group, shape.size) for group in groups if group]
        if turns:
            seen.append((max(turns), sum(turns), len(turns)))
    if len(set(seen)) > 1:
        return None, "it is not the same for every warp"
    return ((*seen[0], len(seen)), None) if seen else (None, "no thread takes part")


def _turns(addresses: Sequence[int], size: int) -> int:
    """How many different words the fullest bank is asked for."""
    words = {byte // _WORD for address in addresses for byte in range(address, address + size, min(size, _WORD))}
    banks = [word % _BANKS for word in words]
    return max(banks.count(bank) for bank in set(banks))
