"""What a layout of TritonGPU IR gives to one thread."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LIST = re.compile(r"(\w+) = \[([\d, ]*)\]")
_SLICE = re.compile(r"slice<\{dim = (\d+), parent = (.*)\}>$")
_REGISTERS = re.compile(r"register = \[((?:\[[\d, ]*\](?:, )?)*)\]")
_WMMA = re.compile(r"amd_wmma<\{version = (\d+), isTransposed? = (true|false)")
_ALIAS = re.compile(r"#[\w$.-]+$")


def tensor_layout(type_: str) -> str | None:
    """The layout of the last tensor (or of the first piece of shared memory) in a type, as it is written there."""
    at = type_.rfind("tensor<")
    if at < 0:
        return None
    depth, comma = 0, None
    for position in range(at + 6, len(type_)):
        letter = type_[position]
        if letter == "<":
            depth += 1
        elif letter == ">" and type_[position - 1] != "-":
            depth -= 1
            if depth == 0:
                return None if comma is None else type_[comma + 1 : position].strip()
        elif letter == "," and depth == 1 and comma is None:
            comma = position
    return None


def definition(layout: str, aliases: Mapping[str, str]) -> str:
    """A layout with its alias resolved."""
    return aliases.get(layout, layout)


def neighbours(layout: str, axis: int, aliases: Mapping[str, str]) -> int | None:
    """How many elements that follow one another along an axis a thread has; ``None`` where that is not known here."""
    return _neighbours(layout, axis, aliases, ())


def _neighbours(layout: str, axis: int, aliases: Mapping[str, str], dropped: tuple[int, ...]) -> int | None:
    """``dropped``: axes of the layout that a slice leaves out."""
    text = definition(layout, aliases)
    slice_ = _SLICE.search(text)
    if slice_:
        out = int(slice_[1])
        return _neighbours(slice_[2], axis + (axis >= out), aliases, (*(d + (d >= out) for d in dropped), out))
    if "nvidia_mma<" in text:
        return 2 if axis == 1 else 1
    if "amd_mfma<" in text:
        return 4 if axis == int("isTransposed = true" in text) else 1
    wmma = _WMMA.search(text)
    if wmma:
        # The first one gives a thread every other row; the next one eight in a row.
        return {"1": 1, "2": 8 if axis == int(wmma[2] == "true") else 1}.get(wmma[1])
    if "linear<" in text:
        registers = _REGISTERS.search(text)
        return None if registers is None else _neighbours_of_bases(registers[1], axis, dropped)
    if "blocked<" in text:
        lists = {
            name: [int(part) for part in numbers.split(",") if part.strip()] for name, numbers in _LIST.findall(text)
        }
        sizes, order = lists.get("sizePerThread", []), lists.get("order", [])
        return sizes[axis] if order[:1] == [axis] and axis < len(sizes) else 1
    return None


def _neighbours_of_bases(bases: str, axis: int, dropped: tuple[int, ...]) -> int:
    """Where the first registers go one, two, four, ... elements along the axis, and nowhere else."""
    reached = 1
    for base in re.findall(r"\[([\d, ]*)\]", bases):
        steps = [int(part) for part in base.split(",") if part.strip()]
        kept = [step for at, step in enumerate(steps) if at not in dropped]
        if dropped and not any(kept):
            continue  # Along an axis that is left out: the same element once more.
        if axis < len(steps) and steps[axis] == reached == sum(kept):
            reached *= 2
        else:
            break
    return reached


def first_axis(layout: str, aliases: Mapping[str, str]) -> int | None:
    """The axis along which neighbours lie together in shared memory; ``None`` where that is not known here."""
    text = definition(layout, aliases)
    if "nvmma_shared<" in text:
        return None if "transposed" not in text else int("transposed = false" in text)
    found = re.search(r"order = \[(\d+)", text)
    return int(found[1]) if found and "_shared<" in text else None


def short(layout: str, aliases: Mapping[str, str]) -> str:
    """``#blocked (1 x 8 a thread)`` rather than all of its numbers."""
    text = definition(layout, aliases)
    sizes = re.search(r"blocked<\{sizePerThread = \[([\d, ]+)\]", text)
    alias = layout if _ALIAS.match(layout) else _name(text)
    return f"{alias} ({' x '.join(part.strip() for part in sizes[1].split(','))} a thread)" if sizes else alias


def _name(text: str) -> str:
    """``operand 0 of a dot in #mma``, ``a slice of #mma`` for a layout that has no alias."""
    slice_ = _SLICE.search(text)
    if slice_:
        return f"a slice of {_name(slice_[2])}"
    operand = re.search(r"dot_op<\{opIdx = (\d+), parent = (#[\w$.-]+)", text)
    if operand:
        return f"operand {operand[1]} of a dot in {operand[2]}"
    return text.partition("<")[0]
