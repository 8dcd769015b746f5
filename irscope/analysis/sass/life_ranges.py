"""The table that ``nvdisasm -plr -lrm narrow`` prints beside each instruction: which registers are live there.

A column is a register, its number stands above it, digit below digit. ``^`` is written by the instruction, ``v``
read, ``x`` both, ``:`` only kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from irscope.analysis.sass.operands import GENERAL, PREDICATE, UNIFORM, UNIFORM_PREDICATE

_ADDRESS = re.compile(r"\s*/\*([0-9a-f]{4,})\*/\s+[@A-Z]")
_SECTION = re.compile(r"\s*\.section\s+\.text\.([^,\s]+)")
_FILES = {"GPR": GENERAL, "PRED": PREDICATE, "UGPR": UNIFORM, "UPRED": UNIFORM_PREDICATE}


@dataclass(frozen=True, slots=True)
class Marks:
    """One instruction's row of the table, as bit sets (see `irscope.analysis.sass.operands`)."""

    live: int
    read: int
    written: int


def parse(text: str) -> dict[str, dict[int, Marks]]:
    """By function and address. A function without a table is not there."""
    result: dict[str, dict[int, Marks]] = {}
    name = ""
    header: list[str] = []
    columns: list[tuple[int, int]] = []
    for line in text.split("\n"):
        if section := _SECTION.match(line):
            name, header, columns = section[1], [], []
        left, bar, table = line.partition("// |")
        if not bar:
            header = [] if "// +--" in line and columns else header
            continue
        if not columns:
            header.append(table)
            if "#" in table and any(character.isdigit() for character in table):
                columns = list(_columns(header))
        elif address := _ADDRESS.match(left):
            result.setdefault(name, {})[int(address[1], 16)] = _marks(table, columns)
    return result


def _columns(header: list[str]) -> Iterator[tuple[int, int]]:
    """Position in the row, and bit, of every register."""
    titles, numbers = header[0], header[1:]
    last = numbers[-1]
    begin = 0
    for title, field in zip(titles.split("|"), last.split("|"), strict=False):
        first_bit = _FILES.get(title.strip())
        if first_bit is not None:
            for position in range(begin + field.index("#") + 1, begin + len(field)):
                digits = "".join(row[position] for row in numbers if position < len(row)).strip()
                if digits.isdigit():
                    yield position, first_bit + int(digits)
        begin += len(field) + 1


def _marks(table: str, columns: list[tuple[int, int]]) -> Marks:
    live = read = written = 0
    for position, bit in columns:
        mark = table[position]
        if mark != " ":
            live |= 1 << bit
            if mark == "v" or mark == "x":
                read |= 1 << bit
            if mark == "^" or mark == "x":
                written |= 1 << bit
    return Marks(live, read, written)
