"""What is known of neighbouring elements, and what each operation makes of it: Triton's rules.

The rules are those of ``lib/Analysis/AxisInfo.cpp``: for each axis of a tensor, how many neighbours follow one another
(contiguity), by what power of two the first of them is divisible, and how many neighbours are equal (constancy). An
operation that is not here makes nothing known, as there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from irscope.ir.ssa import Operation

#: Divisible by anything: the divisibility of 0.
_ANY = 1 << 62

_SHAPE = re.compile(r"tensor<((?:\d+x)+)")
_POINTEE = re.compile(r"!tt\.ptr<[a-z]*?(\d+)")
_RANGE = re.compile(r"end = (-?\d+) : i32, start = (-?\d+)")
_CONSTANT = re.compile(r"arith\.constant (?:dense<)?(-?\d+|true|false)(?=>| :|$)")
_AXIS = re.compile(r"axis = (\d+)")
_HINT = re.compile(r"tt\.(contiguity|divisibility|constancy) = (?:dense<\[?([\d, ]+)\]?>|(\d+))")
_PREDICATE = re.compile(r"arith\.cmpi (\w+),")

_SAME = frozenset(
    (
        "arith.extsi",
        "arith.extui",
        "arith.trunci",
        "arith.index_cast",
        "ttg.convert_layout",
        "tt.bitcast",
        "builtin.unrealized_conversion_cast",
    )
)
_LOGIC = frozenset(("arith.andi", "arith.ori", "arith.xori"))
_LEAST = frozenset(("arith.minsi", "arith.maxsi", "arith.minui", "arith.maxui"))
#: Operations whose results were in memory.
READS = frozenset(
    (
        "tt.load",
        "tt.atomic_rmw",
        "tt.atomic_cas",
        "tt.gather",
        "tt.descriptor_load",
        "tt.descriptor_gather",
        "amdg.buffer_load",
        "amdgpu.buffer_load",
    )
)


@dataclass(frozen=True, slots=True)
class Axes:
    """What is known of a value, by axis; a scalar has one axis."""

    contiguity: tuple[int, ...]
    divisibility: tuple[int, ...]
    constancy: tuple[int, ...]
    #: Where every element is the same known number.
    value: int | None = None

    @property
    def rank(self) -> int:
        return len(self.contiguity)

    @property
    def fastest(self) -> int:
        """The axis along which most neighbours follow one another; of equal ones the last."""
        return max(range(self.rank), key=lambda axis: (self.contiguity[axis], axis))

    def aligned_elements(self, bits: int) -> int:
        """Of an address of elements of ``bits``: how many neighbours can be accessed as one."""
        axis = self.fastest
        return max(1, min(self.contiguity[axis], self.divisibility[axis] // max(bits // 8, 1)))


def shape_of(type_: str) -> tuple[int, ...]:
    """Sides of the last tensor in a type; none for a scalar."""
    found = _SHAPE.findall(type_)
    return tuple(map(int, found[-1][:-1].split("x"))) if found else ()


def power_of_two(value: int) -> int:
    """The highest power of two that divides it."""
    return value & -value if value else _ANY


def _times(a: int, b: int) -> int:
    return min(a * b, _ANY)


def unknown(rank: int) -> Axes:
    ones = (1,) * max(rank, 1)
    return Axes(ones, ones, ones)


def _common_divisibility(a: Axes, b: Axes, axis: int) -> int:
    common = math.gcd(a.divisibility[axis], b.divisibility[axis])
    if a.contiguity[axis] == b.contiguity[axis] or _ANY in (a.contiguity[axis], b.contiguity[axis]):
        return common
    return math.gcd(common, a.contiguity[axis], b.contiguity[axis])


def joined(a: Axes | None, b: Axes) -> Axes:
    """What holds for both of two values that one name may have."""
    if a is None or a.rank != b.rank:
        return b
    axes = range(a.rank)
    return Axes(
        tuple(math.gcd(a.contiguity[axis], b.contiguity[axis]) for axis in axes),
        tuple(_common_divisibility(a, b, axis) for axis in axes),
        tuple(math.gcd(a.constancy[axis], b.constancy[axis]) for axis in axes),
        a.value if a.value == b.value else None,
    )


def transfer(operation: Operation, known: list[Axes | None]) -> Axes | None:
    """What an operation's result is, from its operands; ``None`` where one of them is not known yet."""
    shape = shape_of(operation.type)
    rank = max(len(shape), 1)
    operands = [known[operand] for operand in operation.operands]
    if any(axes is None for axes in operands) and operation.name not in READS:
        return None
    found = _rule(operation, [axes or unknown(rank) for axes in operands], shape, rank)
    return _with_hints(operation, found if found is not None else unknown(rank))


def _rule(operation: Operation, operands: list[Axes], shape: tuple[int, ...], rank: int) -> Axes | None:
    name = operation.name
    if name == "arith.constant":
        return _constant(operation, shape, rank)
    if name == "tt.make_range":
        found = _RANGE.search(operation.text)
        return Axes((int(found[1]) - int(found[2]),), (power_of_two(int(found[2])),), (1,)) if found else None
    if not operands:
        return None
    first = operands[0]
    if name in _SAME:
        return first
    if name == "tt.splat":
        return Axes((1,) * rank, (first.divisibility[0],) * rank, shape or (1,), first.value)
    if name == "tt.expand_dims":
        return _expanded(operation, first)
    if name == "tt.broadcast":
        sides = _SHAPE.search(operation.type)
        before = tuple(map(int, sides[1][:-1].split("x"))) if sides else shape
        if first.rank != rank:
            return None
        grown = [len(before) == rank and before[axis] == 1 for axis in range(rank)]
        return replace(
            first,
            contiguity=tuple(1 if grown[axis] else first.contiguity[axis] for axis in range(rank)),
            constancy=tuple(shape[axis] if grown[axis] else first.constancy[axis] for axis in range(rank)),
        )
    if name == "tt.load":
        common = first.constancy
        if len(operands) > 1 and operands[1].rank == first.rank:
            common = tuple(map(math.gcd, common, operands[1].constancy))
        return Axes((1,) * first.rank, (1,) * first.rank, common)
    if name == "arith.select" and len(operands) == 3:
        return _selected(operands, rank)
    if len(operands) == 2 and operands[0].rank == operands[1].rank == rank:
        return _binary(operation, first, operands[1], shape, rank)
    return None


def _constant(operation: Operation, shape: tuple[int, ...], rank: int) -> Axes | None:
    found = _CONSTANT.match(operation.text)
    if found is None:
        return None
    value = {"true": 1, "false": 0}.get(found[1])
    value = int(found[1]) if value is None else value
    return Axes((1,) * rank, (power_of_two(value),) * rank, shape or (1,), value)


def _expanded(operation: Operation, first: Axes) -> Axes | None:
    found = _AXIS.search(operation.text)
    if found is None:
        return None
    at = int(found[1])
    if first.value is not None:
        divisibility = power_of_two(first.value)
    else:
        # Of neighbours that follow one another only the first is divisible.
        each = [1 if first.contiguity[axis] > 1 else first.divisibility[axis] for axis in range(first.rank)]
        divisibility = math.gcd(*each)
    return Axes(
        (*first.contiguity[:at], 1, *first.contiguity[at:]),
        (*first.divisibility[:at], divisibility, *first.divisibility[at:]),
        (*first.constancy[:at], 1, *first.constancy[at:]),
        first.value,
    )


def _selected(operands: list[Axes], rank: int) -> Axes | None:
    condition, a, b = operands
    if a.rank != rank or b.rank != rank:
        return None
    if condition.value is not None:
        return a if condition.value else b
    limits = condition.constancy if condition.rank == rank and rank > 1 else (0,) * rank
    if condition.rank == rank == 1 and condition.constancy != (1,):
        limits = condition.constancy
    axes = range(rank)
    return Axes(
        tuple(math.gcd(a.contiguity[axis], b.contiguity[axis], limits[axis]) for axis in axes),
        tuple(_common_divisibility(a, b, axis) for axis in axes),
        tuple(math.gcd(a.constancy[axis], b.constancy[axis], limits[axis]) for axis in axes),
        a.value if a.value == b.value else None,
    )


def _binary(operation: Operation, a: Axes, b: Axes, shape: tuple[int, ...], rank: int) -> Axes | None:
    name = operation.name
    axes = range(rank)
    constancy = tuple(map(math.gcd, a.constancy, b.constancy))
    ones = (1,) * rank
    value = _value(name, a.value, b.value, operation)
    if value is not None and name != "arith.cmpi" and name not in _LEAST:
        # Of two numbers that are known each is the same all over.
        return Axes(ones, (power_of_two(value),) * rank, tuple(map(max, a.constancy, b.constancy)), value)
    if name in ("tt.addptr", "arith.addi", "arith.subi"):
        scale = _element_bytes(operation.type) if name == "tt.addptr" else 1
        follows = [math.gcd(a.contiguity[axis], b.constancy[axis]) for axis in axes]
        if name != "arith.subi":
            follows = [max(follows[axis], math.gcd(a.constancy[axis], b.contiguity[axis])) for axis in axes]
        divisible = [math.gcd(a.divisibility[axis], _times(b.divisibility[axis], scale)) for axis in axes]
        return Axes(tuple(follows), tuple(divisible), constancy)
    if name == "arith.muli":
        follows = [max(a.contiguity[x] if b.value == 1 else 1, b.contiguity[x] if a.value == 1 else 1) for x in axes]
        left = [1 if a.contiguity[axis] > 1 and b.value != 1 else a.divisibility[axis] for axis in axes]
        right = [1 if b.contiguity[axis] > 1 and a.value != 1 else b.divisibility[axis] for axis in axes]
        return Axes(tuple(follows), tuple(map(_times, left, right)), constancy)
    if name in ("arith.divsi", "arith.divui"):
        return _divided(a, b, shape, constancy)
    if name in ("arith.remsi", "arith.remui"):
        return _remainder(a, b, shape, constancy)
    if name == "arith.cmpi":
        return Axes(ones, ones, _compared(operation, a, b, shape, constancy), value)
    if name in _LOGIC:
        return Axes(ones, ones, constancy)
    if name in ("arith.shli", "arith.shrsi", "arith.shrui"):
        return _shifted(name, a, b, constancy)
    if name in _LEAST:
        follows = list(map(math.gcd, a.contiguity, b.contiguity))
        return Axes(tuple(follows), tuple(_common_divisibility(a, b, axis) for axis in axes), constancy, value)
    return None


def _divided(a: Axes, b: Axes, shape: tuple[int, ...], constancy: tuple[int, ...]) -> Axes:
    if b.value == 1 or a.value == 0:
        return replace(a, constancy=constancy, value=None)
    same = list(constancy)
    divisible = [1] * a.rank
    for axis, side in enumerate(shape):
        if a.contiguity[axis] == side and b.constancy[axis] == side:
            same[axis] = max(same[axis], math.gcd(a.contiguity[axis], a.divisibility[axis], b.divisibility[axis]))
    if b.value and abs(b.value).bit_count() == 1:
        divisible = [
            max(1, a.divisibility[axis] // abs(b.value)) if a.contiguity[axis] == 1 else 1 for axis in range(a.rank)
        ]
    return Axes((1,) * a.rank, tuple(divisible), tuple(same) if shape else (1,) * a.rank)


def _remainder(a: Axes, b: Axes, shape: tuple[int, ...], constancy: tuple[int, ...]) -> Axes:
    follows = [1] * a.rank
    for axis, side in enumerate(shape):
        if a.contiguity[axis] == side and b.constancy[axis] == side:
            follows[axis] = math.gcd(a.contiguity[axis], a.divisibility[axis], b.divisibility[axis])
    divisible = [
        math.gcd(a.divisibility[axis], b.divisibility[axis]) if b.constancy[axis] > 1 else 1 for axis in range(a.rank)
    ]
    return Axes(tuple(follows), tuple(divisible), constancy if shape else (1,) * a.rank)


def _compared(
    operation: Operation, a: Axes, b: Axes, shape: tuple[int, ...], constancy: tuple[int, ...]
) -> tuple[int, ...]:
    """How many neighbours a comparison answers alike: whole groups, where both sides are divisible by the group."""
    found = _PREDICATE.match(operation.text)
    predicate = found[1] if found else ""
    same = list(constancy)
    if a.value is not None and b.value is not None:
        return a.constancy
    for axis, side in enumerate(shape):
        if predicate in ("sgt", "ugt", "sle", "ule") and a.constancy[axis] == side:
            same[axis] = max(same[axis], math.gcd(b.contiguity[axis], a.divisibility[axis], b.divisibility[axis]))
        elif predicate in ("slt", "ult", "sge", "uge") and b.constancy[axis] == side:
            same[axis] = max(same[axis], math.gcd(a.contiguity[axis], a.divisibility[axis], b.divisibility[axis]))
    return tuple(same)


def _shifted(name: str, a: Axes, b: Axes, constancy: tuple[int, ...]) -> Axes:
    axes = range(a.rank)
    if b.value is None:
        lowest = a.divisibility if name == "arith.shli" else (1,) * a.rank
        return Axes((1,) * a.rank, lowest, constancy)
    shift = min(b.value & 127, 62)
    start = [1 if a.contiguity[axis] > 1 and shift else a.divisibility[axis] for axis in axes]
    divisible = [_times(d, 1 << shift) if name == "arith.shli" else max(1, d >> shift) for d in start]
    return Axes(a.contiguity if shift == 0 else (1,) * a.rank, tuple(divisible), constancy)


_VALUES: dict[str, Callable[[int, int], int]] = {
    "arith.addi": lambda a, b: a + b,
    "arith.subi": lambda a, b: a - b,
    "arith.muli": lambda a, b: a * b,
    "arith.andi": lambda a, b: a & b,
    "arith.ori": lambda a, b: a | b,
    "arith.xori": lambda a, b: a ^ b,
    "arith.shli": lambda a, b: a << (b & 63),
    "arith.minsi": min,
    "arith.maxsi": max,
}


def _value(name: str, a: int | None, b: int | None, operation: Operation) -> int | None:
    """The number, where both operands are known ones; no more than canonical text still has to work out."""
    if a is None or b is None:
        return None
    compute = _VALUES.get(name)
    return None if compute is None else compute(a, b)


def _element_bytes(type_: str) -> int:
    found = _POINTEE.search(type_)
    return max(1, int(found[1]) // 8) if found else 1


def _with_hints(operation: Operation, axes: Axes) -> Axes:
    """``tl.multiple_of``, ``tl.max_contiguous`` and ``tl.max_constancy`` have the last word."""
    if "tt." not in operation.text[4:]:
        return axes
    for what, several, one in _HINT.findall(operation.text):
        numbers = tuple(map(int, (several or one).split(",")))
        if len(numbers) == axes.rank or len(numbers) == 1:
            numbers = numbers if len(numbers) == axes.rank else numbers * axes.rank
            if what == "contiguity":
                axes = replace(axes, contiguity=numbers)
            elif what == "divisibility":
                axes = replace(axes, divisibility=numbers)
            else:
                axes = replace(axes, constancy=numbers)
    return axes


def pointee_bits(type_: str) -> int | None:
    """Bits of the element that a pointer type points to."""
    found = _POINTEE.search(type_)
    return int(found[1]) if found else None
