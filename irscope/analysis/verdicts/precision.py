"""Arithmetic in more bits than the kernel's arguments have: fp64, 64-bit indices, operands widened for a tl.dot."""

from __future__ import annotations

import re
from collections.abc import Iterator

from irscope.analysis.verdicts.model import Verdict
from irscope.analysis.verdicts.program import MANY, Program, count, joined, sentence_case
from irscope.ir.ssa import Operation

RULE_DOUBLE, RULE_LONG, RULE_WIDENED = "fp64", "64-bit indices", "widened operands"

_INTEGER = ("arith.addi", "arith.subi", "arith.muli", "arith.divsi", "arith.divui", "arith.remsi", "arith.remui")
_LONG_TILE = re.compile(r"tensor<(?:\d+x)+i64\b")
_WIDENING = re.compile(r"tensor<(?:\d+x)+(f16|bf16|f8\w+)(?:,[^>]*)?> (?:to|->) tensor<(?:\d+x)+f32\b")
#: They hand on what they get, in another shape.
_SHAPES = frozenset(("tt.trans", "tt.reshape", "tt.broadcast", "tt.expand_dims", "ttg.convert_layout"))


def doubles(program: Program) -> Iterator[Verdict]:
    """fp64 arithmetic: at most half as fast as fp32, and a 32nd or 64th part of it on most GPUs."""
    found = [placed for placed in program.operations("ttir") if _is_double(placed.operation)]
    if not found:
        return
    entry = program.entry("ttir")
    asked = entry is not None and any("f64" in parameter.type for parameter in entry.parameters)
    first = program.chain("ttir", found[0].operation.row)
    why = "as its arguments are" if asked else "although none of its arguments is"
    where = sentence_case(program.line_of(first))
    sentence = f"{where}: the kernel computes in fp64, {why}: {count(len(found), 'operation')}."
    advice = None if asked else "Leave out the conversion to tl.float64 where fp32 is enough."
    rows = program.rows("ttir", [placed.operation.row for placed in found])
    yield Verdict(RULE_DOUBLE, "note" if asked else "bad", sentence, advice, (*program.source(first, "fp64"), *rows))


def _is_double(operation: Operation) -> bool:
    if (
        operation.name[:6] not in ("arith.", "math.a", "math.e", "math.l", "math.s")
        or operation.name == "arith.constant"
    ):
        return False
    type_ = operation.type.rpartition(" to ")[2] or operation.type
    return "xf64" in type_ or type_ == "f64"


def long_indices(program: Program) -> Iterator[Verdict]:
    """Tiles of 64-bit integers that are computed with: two registers each, and several instructions an operation."""
    found = [
        placed
        for placed in program.operations("ttir")
        if placed.operation.name in _INTEGER and _LONG_TILE.match(placed.operation.type)
    ]
    if not found:
        return
    lines = list(dict.fromkeys(program.line_of(program.chain("ttir", placed.operation.row)) for placed in found))
    loops = any(placed.loops for placed in found)
    sentence = (
        f"{sentence_case(joined(lines[:3]))}: {count(len(found), 'operation')} on tiles of 64-bit integers"
        f"{', some in a loop' if loops else ''}: each element takes two registers."
    )
    advice = "Where offsets stay below 2**31, int32 is enough; else add what is long to the pointer as one number."
    rows = program.rows("ttir", [placed.operation.row for placed in found][: MANY - 1])
    first = program.source(program.chain("ttir", found[0].operation.row), "64-bit indices")
    yield Verdict(RULE_LONG, "note", sentence, advice, (*first, *rows))


def widened_operands(program: Program) -> Iterator[Verdict]:
    """Half-precision tiles that become fp32 just before a tl.dot: the tensor cores take them as they are, faster."""
    for function in program.functions["ttir"].values():
        makers = {result: operation for operation in function.body.operations() for result in operation.results}
        for operation in function.body.operations():
            if operation.name != "tt.dot":
                continue
            widened = [found for value in operation.operands[:2] if (found := _widening(value, makers)) is not None]
            if len(widened) == 2:
                yield _widened_verdict(program, operation, widened)


def _widening(value: int, makers: dict[int, Operation]) -> tuple[Operation, str] | None:
    """The operation that widened a value, and from what type."""
    maker = makers.get(value)
    while maker is not None and maker.name in _SHAPES and maker.operands:
        maker = makers.get(maker.operands[0])
    if maker is None or maker.name not in ("arith.extf", "tt.fp_to_fp"):
        return None
    found = _WIDENING.search(maker.text)
    return None if found is None else (maker, found[1])


def _widened_verdict(program: Program, dot: Operation, widened: list[tuple[Operation, str]]) -> Verdict:
    chain = program.chain("ttir", dot.row)
    types = joined(list(dict.fromkeys(type_ for _, type_ in widened)))
    where = sentence_case(program.line_of(chain))
    sentence = f"{where}: both operands of this tl.dot are widened from {types} to fp32 before it."
    advice = f"Give tl.dot the {types} tiles as they are: its products are summed in fp32 all the same."
    rows = program.rows("ttir", [operation.row for operation, _ in widened])
    evidence = (*program.source(chain, "tl.dot"), program.row("ttir", dot.row), *rows)
    return Verdict(RULE_WIDENED, "bad", sentence, advice, evidence)
