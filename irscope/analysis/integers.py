"""Scalar integer arithmetic of MLIR (``arith``) as Python expressions.

Integers are as MLIR has them: signed, of a width; an i1 is 0 or 1. What is not known is ``None``, and every
expression is such that ``None`` in it raises `TypeError`.
"""

from __future__ import annotations

import re

from irscope.ir.ssa import Operation


def _quotient(a: int, b: int) -> int:
    """Towards zero."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


#: What the expressions may call.
GLOBALS: dict[str, object] = {
    "__builtins__": {},
    "range": range,
    "len": len,
    "quotient": _quotient,
    "remainder": lambda a, b: a - b * _quotient(a, b),
}

#: ``{m}`` is the mask of the width, for what reads its operands as unsigned.
_EXACT = {
    "arith.divsi": "{0} // {1} if {0} >= 0 < {1} else quotient({0}, {1})",
    "arith.remsi": "{0} % {1} if {0} >= 0 < {1} else remainder({0}, {1})",
    "arith.floordivsi": "{0} // {1}",
    "arith.ceildivsi": "-(-{0} // {1})",
    "arith.andi": "{0} & {1}",
    "arith.ori": "{0} | {1}",
    "arith.xori": "{0} ^ {1}",
    "arith.minsi": "{0} if {0} < {1} else {1}",
    "arith.maxsi": "{0} if {0} > {1} else {1}",
    "arith.minui": "{0} if {0} & {m} < {1} & {m} else {1}",
    "arith.maxui": "{0} if {0} & {m} > {1} & {m} else {1}",
    "arith.shrsi": "{0} >> ({1} & 127)",
}
#: The result may not fit into the width.
_WRAPPED = {
    "arith.addi": "{0} + {1}",
    "arith.subi": "{0} - {1}",
    "math.absi": "{0} if {0} >= 0 else -{0}",
    "arith.muli": "{0} * {1}",
    "arith.shli": "{0} << ({1} & 127)",
    "arith.shrui": "({0} & {m}) >> ({1} & 127)",
    "arith.divui": "({0} & {m}) // ({1} & {m})",
    "arith.remui": "({0} & {m}) % ({1} & {m})",
    "arith.ceildivui": "-(-({0} & {m}) // ({1} & {m}))",
}
#: An equality as a difference, as ``None == 0`` would not raise.
_COMPARISONS = {
    "eq": "{0} - {1} == 0",
    "ne": "{0} - {1} != 0",
    "slt": "{0} < {1}",
    "sle": "{0} <= {1}",
    "sgt": "{0} > {1}",
    "sge": "{0} >= {1}",
    "ult": "{0} & {m} < {1} & {m}",
    "ule": "{0} & {m} <= {1} & {m}",
    "ugt": "{0} & {m} > {1} & {m}",
    "uge": "{0} & {m} >= {1} & {m}",
}
_CASTS = frozenset(("arith.extsi", "arith.extui", "arith.trunci", "arith.index_cast", "arith.index_castui"))
_SCALARS = frozenset((*_EXACT, *_WRAPPED, *_CASTS, "arith.cmpi", "arith.select"))

CONSTANT = re.compile(r"arith\.constant (-?\d+|true|false)(?: : (?:i\d+|index))?$")
_COMPARISON = re.compile(r"arith\.cmpi (\w+),")
_INTEGER = re.compile(r"i(\d+)$|index$")


def width_of(type_: str) -> int | None:
    """Bits of an integer type, ``None`` for all others."""
    match = _INTEGER.match(type_)
    return None if match is None else int(match[1] or 64)


def wrapped(expression: str, width: int) -> str:
    if width == 1:
        return f"({expression}) & 1"
    half = 1 << (width - 1)
    return f"(({expression}) + {half} & {2 * half - 1}) - {half}"


def expression_of(operation: Operation) -> str | None:
    """The operation in Python, its operands ``{0}``, ``{1}``, ...; ``None`` where it is not scalar integers'."""
    name = operation.name
    source, _, target = operation.type.partition(" to ")
    width = width_of(source)
    if width is None or name not in _SCALARS:
        return None
    mask = str((1 << width) - 1)
    if name == "arith.select":
        return "{1} if {0} > 0 else {2}"
    if name in _CASTS:
        to = width_of(target)
        if to is None:
            return None
        if name == "arith.extsi" or name == "arith.index_cast":
            exact = "-{0}" if width == 1 else "{0} + 0"
        else:
            exact = "{0} & " + mask
        return exact if to > width else wrapped(exact, to)
    if name == "arith.cmpi":
        predicate = _COMPARISON.match(operation.text)
        template = _COMPARISONS.get(predicate[1]) if predicate else None
        return None if template is None else template.replace("{m}", mask)
    template = _EXACT.get(name)
    if template is None:
        template = _WRAPPED[name]
        if "overflow<" not in operation.text:
            template = wrapped(template, width)
    return template.replace("{m}", mask)


def folded(expression: str) -> str:
    """The value of an expression of integers, as Python; ``None`` where it has none."""
    try:
        value = int(eval(expression, dict(GLOBALS)))
    except (TypeError, ZeroDivisionError, ValueError, OverflowError):
        return "None"
    return str(value) if value >= 0 else f"({value})"
