"""Instructions of PTX and of AMD's assembly that access global memory, and how wide they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

#: ``copy`` goes from global to shared memory past the registers; ``tile`` is a whole tile by one instruction (TMA).
Way = Literal["load", "store", "copy", "tile"]

_PLAIN = re.compile(r"(?:^|\s)(ld|st)((?:\.[\w:]+)+)\s")
_COPY = re.compile(
    r"(?:^|\s)cp\.async\.c[ag]\.shared[\w:]*\.global[\w:.]*\s+\[[^\]]*\]\s*,\s*\[[^\]]*\]\s*,\s*(0x[0-9a-f]+|[1-9]\d*)\b"
)
_TILE = re.compile(r"(?:^|\s)(cp\.(?:reduce\.)?async\.bulk[\w:.]*)\s")
_VECTOR = re.compile(r"\.v(\d)(?:\.|$)")
_TYPE = re.compile(r"\.[bfus](\d+)(?:x2)?$")
_AMD = re.compile(r"^\s*(global|buffer|flat)_(load|store)_(\w+)(.*)")
#: ``d16`` says which half of a register is loaded, ``lds`` that none is; not how much.
_AMD_WORDS = re.compile(r"(?:lds_)?(?:d16_)?(?:hi_)?(?:dwordx(\d)|b(\d+)|(dword)|[us]?(?:[ui](\d+)|(short)|(byte)))")


@dataclass(frozen=True, slots=True)
class Access:
    """One instruction. ``bits`` for each thread, ``None`` for a whole tile."""

    row: int
    way: Way
    bits: int | None
    #: What to call it: ``ld.global.v4.b32``, ``cp.async of 16 bytes``.
    name: str


def of_ptx(lines: Sequence[str]) -> Iterator[Access]:
    for row, line in enumerate(lines):
        if "global" not in line or line.lstrip()[:2] == "//":
            continue
        copy = _COPY.search(line)
        if copy:
            size = int(copy[1], 0)
            yield Access(row, "copy", 8 * size, f"cp.async of {size} bytes")
            continue
        tile = _TILE.search(line)
        if tile:
            yield Access(row, "tile", None, ".".join(tile[1].split(".")[:4]))
            continue
        plain = _PLAIN.search(line)
        if plain and ".global" in plain[2]:
            type_ = _TYPE.search(plain[2])
            vector = _VECTOR.search(plain[2])
            if type_:
                bits = int(type_[1]) * (int(vector[1]) if vector else 1)
                shown = f".v{vector[1]}" if vector else ""
                yield Access(row, "load" if plain[1] == "ld" else "store", bits, f"{plain[1]}.global{shown}{type_[0]}")


def of_amdgcn(lines: Sequence[str]) -> Iterator[Access]:
    for row, line in enumerate(lines):
        if "_load_" not in line and "_store_" not in line:
            continue
        found = _AMD.match(line)
        if found is None:
            continue
        bits = _amd_bits(found[3])
        if bits is not None:
            name = f"{found[1]}_{found[2]}_{found[3]}"
            to_shared = found[2] == "load" and re.search(r"^lds_|\blds\b", f"{found[3]} {found[4]}") is not None
            yield Access(row, "copy" if to_shared else "load" if found[2] == "load" else "store", bits, name)


def _amd_bits(suffix: str) -> int | None:
    found = _AMD_WORDS.match(suffix)
    if found is None:
        return None
    words, bits, word, small, short, byte = found.groups()
    if words:
        return 32 * int(words)
    if bits or small:
        return int(bits or small)
    return 32 if word else 16 if short else 8 if byte else None
