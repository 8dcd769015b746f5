"""Integer division and modulo by what is no constant, in loops: each is some twenty instructions on a GPU."""

from __future__ import annotations

from collections.abc import Iterator

from irscope.analysis.verdicts.model import Verdict
from irscope.analysis.verdicts.program import Program, of_chain, sentence_case
from irscope.ir.lines import Chain
from irscope.ir.ssa import Operation

RULE = "integer division"

_WORDS = {
    "arith.divsi": "division",
    "arith.divui": "division",
    "arith.remsi": "modulo",
    "arith.remui": "modulo",
    "arith.floordivsi": "division",
    "arith.ceildivsi": "division",
}
_INSTRUCTIONS = ("div.s", "div.u", "rem.s", "rem.u")


def divisions(program: Program) -> Iterator[Verdict]:
    seen: set[tuple[Chain, str]] = set()
    rows: dict[Chain, list[int]] = {}
    locations = program.locations(program.assembly)
    for row, line in enumerate(program.lines(program.assembly)):
        if line.lstrip().startswith(_INSTRUCTIONS):
            rows.setdefault(locations[row], []).append(row)
    constants = {
        result
        for function in program.functions["ttgir"].values()
        for operation in function.body.operations()
        if operation.name == "arith.constant"
        for result in operation.results
    } if len(program.functions["ttgir"]) == 1 else None  # fmt: skip
    if constants is None:
        return  # Values are numbered anew in each function; few kernels have several.
    entry = program.entry("ttgir")
    splats = _splats(entry.body.operations()) if entry else {}
    for placed in program.operations("ttgir"):
        operation = placed.operation
        if operation.name not in _WORDS or not placed.loops or len(operation.operands) != 2:
            continue
        divisor = splats.get(operation.operands[1], operation.operands[1])
        chain = program.chain("ttgir", operation.row)
        key = (chain, operation.name)
        found = of_chain(rows, chain)
        # LLVM may still move it out of the loop or replace it: a row of the assembly has to show it.
        if divisor in constants or key in seen or (program.is_cuda and not found) or not chain:
            continue
        if not _changes(placed.loops[-1], operation):
            continue
        seen.add(key)
        word = _WORDS[operation.name]
        size = "of a tile " if "tensor<" in operation.type else ""
        sentence = (
            f"{sentence_case(program.line_of(chain))}: an integer {word} {size}by a number that is not a constant runs "
            "in every iteration of a loop."
        )
        advice = (
            "Make the divisor a tl.constexpr, best a power of two, or carry the result from one iteration to the next."
        )
        evidence = (
            *program.source(chain, f"the {word}"),
            program.row("ttgir", operation.row),
            *program.rows(program.assembly, found),
        )
        yield Verdict(RULE, "note", sentence, advice, evidence)


def _splats(operations: Iterator[Operation]) -> dict[int, int]:
    """By tile of one number all over, that number."""
    return {
        operation.results[0]: operation.operands[0]
        for operation in operations
        if operation.name == "tt.splat" and operation.results and operation.operands
    }


def _changes(loop: Operation, operation: Operation) -> bool:
    """Whether an operand is made in the loop."""
    inside = set(loop.regions[0].blocks[0].arguments)
    for region in loop.regions:
        for other in region.operations():
            inside.update(other.results)
    return bool(inside.intersection(operation.operands))
