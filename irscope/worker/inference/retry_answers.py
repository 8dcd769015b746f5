"""What to change in a specialization after a message of the compiler's; ``retry.json`` says which message has which.

Each answer gives changes (new parameters by name) in the order in which they are worth a try. None looks at what
is not a guess: a `Case` has only what may change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import triton.language as tl

from .entries import DIVISOR, TYPES, Parameter

Change = dict[str, Parameter]

LEAST_SIZE = 16
BITS = {"fp16": 16, "bf16": 16, "fp32": 32, "fp64": 64, "i8": 8, "i16": 16, "i32": 32, "i64": 64, "u8": 8, "i1": 8}
#: Of constants that are types; 8 bits that are cast bit by bit are a float of some kind.
TYPE_OF_BITS = {8: tl.float8e5, 16: tl.float16, 32: tl.float32, 64: tl.float64}
OF_BITS = {8: "i8", 16: "fp16", 32: "fp32", 64: "i64"}


@dataclass(frozen=True)
class Case:
    """One failure: guessed parameters that reach its place, nearest first, and the message's parts."""

    near: dict[str, Parameter]
    #: Guessed parameters of the whole kernel.
    all: dict[str, Parameter]
    #: Those that the address or first operand begins with.
    leading: tuple[str, ...]
    #: Parameters that the kernel declares as constexpr.
    declared: frozenset[str]
    parts: Mapping[str, str]

    def sizes(self) -> dict[str, int]:
        return {n: p.value for n, p in self.near.items() if p.type == "constexpr" and type(p.value) is int}

    def pointers(self, element: str | None = None) -> list[str]:
        """Near pointers, those of ``element`` (in Triton's or the signature's word for it) where it is given."""
        wanted = None if element is None else f"*{TYPES.get(element, element)}"
        return [n for n, p in self.near.items() if p.type.startswith("*") and wanted in (None, p.type)]

    def scalars(self, *kinds: str) -> list[str]:
        return [n for n, p in self.near.items() if p.type.startswith(kinds or ("i", "u", "fp", "bf"))]

    def nearest(self) -> list[str]:
        return [*(name for name in self.leading if name in self.near), *(n for n in self.near if n not in self.leading)]

    def with_value(self, **values: Any) -> Change:
        return {name: replace(self.near[name], value=value) for name, value in values.items()}

    def with_type(self, names: list[str], type_: str) -> Change:
        divisor = DIVISOR if type_.startswith("*") or type_ in ("i32", "i64") else None
        return {name: replace(self.near[name], type=type_, value=None, divisor=divisor) for name in names}


# Sizes


def larger(case: Case) -> Iterator[Change]:
    least = max([LEAST_SIZE, *(int(part) for part in case.parts.values() if part.isdigit())])
    for minimum in (least, 2 * least):
        small = {name: minimum for name, value in case.sizes().items() if 0 < value < minimum}
        if small:
            yield case.with_value(**small)


def power_of_two(case: Case) -> Iterator[Change]:
    odd = {name: value for name, value in case.sizes().items() if value <= 0 or value & (value - 1)}
    if odd:
        yield case.with_value(**{name: 1 << max(value, 1).bit_length() for name, value in odd.items()})
    for name, value in case.sizes().items():
        for other in (64, 16, 1024, 1):  # 1: of ``1 + OVERLAP``, how many neighbours
            if other != value:
                yield case.with_value(**{name: other})


def smaller(case: Case) -> Iterator[Change]:
    """A quarter of the largest sizes, one halving at a time, as often as it takes."""
    sizes = case.sizes() or {n: p.value for n, p in case.all.items() if p.type == "constexpr" and type(p.value) is int}
    largest = max(sizes.values(), default=0)
    if largest >= 2 * LEAST_SIZE:
        yield {n: replace(case.all[n], value=value // 2) for n, value in sizes.items() if value == largest}
        yield {n: replace(case.all[n], value=max(value // 4, LEAST_SIZE)) for n, value in sizes.items() if value > 64}


def fewer_bits(case: Case) -> Iterator[Change]:
    """A number of bits made a number too large for its type."""
    for most in (8, 4):
        if wide := {name: most for name, value in case.sizes().items() if value > most}:
            yield case.with_value(**wide)


def equal(case: Case) -> Iterator[Change]:
    a, b = int(case.parts["a"]), int(case.parts["b"])
    sizes = case.sizes()
    for name, value in sizes.items():
        if value > 1 and max(a, b) == value * min(a, b):  # one is the other divided by it
            yield case.with_value(**{name: 1})
    for name, value in sizes.items():
        for here, there in ((a, b), (b, a)):
            if value == here:
                yield case.with_value(**{name: there})
    for name, value in sizes.items():
        for here, there in ((a, b), (b, a)):
            if value != here and value * there % here == 0 and value * there // here > 0:
                yield case.with_value(**{name: value * there // here})


def as_others(case: Case) -> Iterator[Change]:
    sizes = case.sizes()
    for name, value in sizes.items():
        for other in dict.fromkeys(sizes.values()):
            if other != value:
                yield case.with_value(**{name: other})
    for name, value in sizes.items():
        halves = [half for other in (value, *sizes.values()) for half in (other // 2, other * 2)]
        for other in dict.fromkeys(halves):
            if other > 0 and other != value:
                yield case.with_value(**{name: other})


def consistent(case: Case) -> Iterator[Change]:
    """Two types of one variable, such as ``<['32'], fp32>`` and ``<['64'], fp32>``."""
    one, other = case.parts["one"], case.parts["other"]
    for a, b in zip(re.findall(r"'(\d+)'", one), re.findall(r"'(\d+)'", other), strict=False):
        if a != b:
            yield from equal(replace(case, parts={"a": a, "b": b}))
    elements = [re.findall(r"\b((?:fp|bf|int|uint)\d+\w*)\b", text)[-1:] for text in (one, other)]
    if elements[0] and elements[1] and elements[0] != elements[1]:
        yield from same_element(replace(case, parts={"a": elements[1][0], "b": elements[0][0]}))


# Element types


def same_element(case: Case) -> Iterator[Change]:
    a, b = (TYPES.get(case.parts[part], case.parts[part]) for part in ("a", "b"))
    for here, there in ((b, a), (a, b)):
        if there not in BITS and not there.startswith("fp8"):
            continue
        scalars = [name for name in case.scalars() if case.near[name].type == here]
        if case.pointers(here):
            yield case.with_type(case.pointers(here), f"*{there}")
        if scalars:
            yield case.with_type(scalars, there)


def half(case: Case) -> Iterator[Change]:
    if names := case.pointers(case.parts.get("a")) or case.pointers():
        yield case.with_type(names, "*fp16")


def expected_element(case: Case) -> Iterator[Change]:
    """Mathematics is done in fp32, whatever else may be allowed."""
    got = case.parts["a"]
    if "fp32" not in case.parts["expected"]:
        return
    if case.pointers(got):
        yield case.with_type(case.pointers(got), "*fp32")
    if scalars := [name for name in case.scalars() if case.near[name].type == TYPES.get(got, got)]:
        yield case.with_type(scalars, "fp32")


def bits(case: Case) -> Iterator[Change]:
    a, b = int(case.parts["a"]), int(case.parts["b"])
    for name in case.pointers():
        if BITS.get(case.near[name].type[1:]) == a and b in OF_BITS:
            yield case.with_type([name], f"*{OF_BITS[b]}")
    if scalars := [name for name in case.scalars() if BITS.get(case.near[name].type) == a and b in OF_BITS]:
        yield case.with_type(scalars, OF_BITS[b])
    for name, parameter in case.near.items():
        if isinstance(parameter.value, tl.dtype) and parameter.value.primitive_bitwidth == a and b in TYPE_OF_BITS:
            yield case.with_value(**{name: TYPE_OF_BITS[b]})


def single(case: Case) -> Iterator[Change]:
    for element in ("*fp32", "*i32"):
        if others := [name for name in case.pointers(case.parts.get("a")) if case.near[name].type != element]:
            yield case.with_type(others, element)


def integer_element(case: Case) -> Iterator[Change]:
    names = [name for name in case.nearest() if case.near[name].type in ("*fp32", "*fp16", "*bf16", "*fp64")]
    for name in names:
        yield case.with_type([name], "*i32")
    if floats := case.scalars("fp", "bf"):
        yield case.with_type(floats, "i1")


# Kinds


def pointer(case: Case) -> Iterator[Change]:
    """What is loaded from is a pointer; what is loaded and loaded from again holds addresses, which no guess says."""
    for name in case.nearest():
        if not case.near[name].type.startswith("*") and name not in case.declared:
            yield case.with_type([name], "*fp32")


def present(case: Case) -> Iterator[Change]:
    """A parameter that was taken to be ``None`` is used."""
    for name in case.nearest():
        parameter = case.near[name]
        if parameter.type == "constexpr" and parameter.value is None:
            if name in case.declared:
                yield case.with_value(**{name: 64})
            else:
                yield case.with_type([name], "*fp32")
                yield case.with_type([name], "i32")
                yield case.with_type([name], "fp32")


def not_pointer(case: Case) -> Iterator[Change]:
    for type_ in ("fp32", "i32"):
        for name in case.nearest():
            if case.near[name].type.startswith("*"):
                yield case.with_type([name], type_)


def integer(case: Case) -> Iterator[Change]:
    if floats := case.scalars("fp", "bf"):
        yield case.with_type(floats, "i32")
    for name in case.pointers():
        if case.near[name].type[1:].startswith(("fp", "bf")):
            yield case.with_type([name], "*i32")
    types = {name: tl.int32 for name, p in case.near.items() if isinstance(p.value, tl.dtype) and p.value.is_floating()}
    if types:
        yield case.with_value(**types)


def run_time(case: Case) -> Iterator[Change]:
    """A number that was folded into the kernel (a stride of 1) is asked for what only run-time values have."""
    for name in case.nearest():
        parameter = case.near[name]
        if name not in case.declared and parameter.type == "constexpr" and type(parameter.value) in (int, float):
            yield case.with_type([name], "i32" if type(parameter.value) is int else "fp32")


# Constexprs that are no sizes


def element(case: Case) -> Iterator[Change]:
    for name, value in case.sizes().items():
        if name in case.declared:
            yield case.with_value(**{name: tl.float16 if value == 16 else tl.float32})
    for name, parameter in case.near.items():
        if name in case.declared and isinstance(parameter.value, bool | float):
            yield case.with_value(**{name: tl.float32})


def number(case: Case) -> Iterator[Change]:
    for name, parameter in case.near.items():
        if parameter.type == "constexpr" and isinstance(parameter.value, tl.dtype):
            yield case.with_value(**{name: 64})


def pair(case: Case) -> Iterator[Change]:
    for name, value in case.sizes().items():
        for length in (2, 1, 3):
            yield case.with_value(**{name: (value,) * length})


def otherwise(case: Case) -> Iterator[Change]:
    """An assertion fails: flags the other way round, then other sizes."""
    for name, parameter in case.near.items():
        if parameter.type == "constexpr" and isinstance(parameter.value, bool):
            yield case.with_value(**{name: not parameter.value})
    for name, value in case.sizes().items():
        for other in (16, 32, 64, 128, 1, 2, 4, 8, 256):
            if other != value:
                yield case.with_value(**{name: other})


ANSWERS: dict[str, Callable[[Case], Iterator[Change]]] = {
    answer.__name__: answer
    for answer in (
        larger, power_of_two, smaller, fewer_bits, equal, as_others, consistent, same_element, half, expected_element,
        bits, single, integer_element, pointer, present, not_pointer, integer, run_time, element, number, pair,
        otherwise,
    )
}  # fmt: skip
