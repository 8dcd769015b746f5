"""What an instruction does: its kind for the instruction mix, and what a memory instruction moves."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from irscope.analysis.sass.instructions import Instruction

#: Of an opcode that ``opcodes.json`` does not have.
OTHER = "other"
PADDING = "padding"
#: The predicate of an instruction that no lane executes.
NEVER = "!PT"

Space = Literal["global", "shared", "global to shared", "shared to global", "local", "constant", "tensor"]
Direction = Literal["load", "store", "atomic", "copy"]

WARP = 32

_SPACES: Mapping[str, Space] = {
    "global memory": "global",
    "shared memory": "shared",
    "local memory": "local",
    "constant memory": "constant",
    "tensor memory": "tensor",
}
#: Copies between the two memories that pass no register.
_COPIES: Mapping[str, Space] = {
    "LDGSTS": "global to shared",
    "UTMALDG": "global to shared",
    "UBLKCP": "global to shared",
    "UTMASTG": "shared to global",
    "UTMAREDG": "shared to global",
    "UBLKRED": "shared to global",
}
_WIDTHS = {"8": 8, "16": 16, "32": 32, "64": 64, "128": 128, "256": 256}
_WIDTH = re.compile(r"[USB]?(8|16|32|64|128|256)|F(16|32|64)(?:x2)?|BF16(?:x2)?|F16x2|F16x4|F16x8|BF16x4|BF16x8")
_MATRICES = {"M88": 1, "MT88": 1, "2": 2, "4": 4}
_REPEATED = re.compile(r"x(\d+)")


@dataclass(frozen=True, slots=True)
class Access:
    """What one execution of a memory instruction moves, all lanes active."""

    space: Space
    direction: Direction
    #: Of each lane; ``None`` where the instruction does not say (TMA, bulk copies). The widest is 256.
    bits: int | None
    #: Bytes that a warp moves; ``None`` as ``bits``.
    bytes_per_warp: int | None

    @property
    def bytes_per_thread(self) -> int | None:
        """Bytes of one lane; ``None`` where one access serves the whole warp, or the size is not known."""
        return None if self.bits is None or self.bytes_per_warp != WARP * self.bits // 8 else self.bits // 8


@functools.cache
def _data() -> Any:
    return json.loads(resources.files(__package__).joinpath("opcodes.json").read_text(encoding="utf-8"))


@functools.cache
def _kinds_by_name() -> Mapping[str, str]:
    return {name: kind for kind, names in _data()["kinds"].items() for name in names}


def opcodes(group: str) -> frozenset[str]:
    """Opcodes without modifiers whose operands the data file puts in one group: ``no result``, ``packed``, ..."""
    return frozenset(_data()["operands"][group])


def all_kinds() -> tuple[str, ...]:
    """Every kind, in the order of the data file, ``other`` last."""
    return (*_data()["kinds"], OTHER)


def known(name: str) -> bool:
    """Whether an opcode without modifiers is in the data file."""
    return name in _kinds_by_name()


def kind(instruction: Instruction) -> str:
    """The kind of an instruction; ``other`` where the data file does not know its opcode.

    What never executes (``@!PT LDS RZ, [RZ]``, which ptxas puts before some copies) is padding.
    """
    return PADDING if instruction.predicate == NEVER else _kind(instruction.opcode)


@functools.lru_cache(4096)
def _kind(opcode: str) -> str:
    name, _, rest = opcode.partition(".")
    modified = f"{name}.{rest.partition('.')[0]}"
    exception: str | None = _data()["exceptions"].get(modified)
    return exception or _kinds_by_name().get(name, OTHER)


def access(instruction: Instruction) -> Access | None:
    """What it moves; ``None`` for an instruction that is no memory instruction, or never executes."""
    return None if instruction.predicate == NEVER else _access(instruction.opcode)


@functools.lru_cache(4096)
def _access(opcode: str) -> Access | None:
    name, *modifiers = opcode.split(".")
    space = _SPACES.get(_kind(opcode))
    if space is None or name in opcodes("moves no data"):
        return None
    space = _COPIES.get(name, space)
    direction = _direction(name, space)
    if name in opcodes("size elsewhere"):
        return Access(space, direction, None, None)
    bits = _bits(name, modifiers)
    return Access(space, direction, bits, bits // 8 if name in opcodes("once a warp") else WARP * bits // 8)


def _direction(name: str, space: Space) -> Direction:
    if " to " in space or name == "UTCCP":
        return "copy"
    if name.startswith(("ATOM", "RED", "SUATOM", "SURED")):
        return "atomic"
    return "store" if name.startswith(("ST", "SUST")) else "load"


def _bits(name: str, modifiers: list[str]) -> int:
    if name in ("LDSM", "STSM"):
        return 32 * max((_MATRICES.get(modifier, 1) for modifier in modifiers), default=1)
    if name in ("LDTM", "STTM"):
        return 32 * _tensor_memory_registers(modifiers)
    for modifier in reversed(modifiers):
        if match := _WIDTH.fullmatch(modifier):
            if match[1]:
                return _WIDTHS[match[1]]
            return _float_bits(modifier)
    return 32


def _float_bits(modifier: str) -> int:
    each, _, count = modifier.removeprefix("B").removeprefix("F").partition("x")
    return int(each) * int(count or 1)


def _tensor_memory_registers(modifiers: list[str]) -> int:
    """Registers of a lane: one for each repetition, 2 and 4 in the shapes 16dp128bit and 16dp256bit."""
    shape = next((modifier for modifier in modifiers if modifier.startswith("16dp")), "")
    each = 4 if shape.startswith("16dp256") else 2 if shape.startswith("16dp128") else 1
    repeated = next((int(found[1]) for modifier in modifiers if (found := _REPEATED.fullmatch(modifier))), 1)
    return each * repeated
