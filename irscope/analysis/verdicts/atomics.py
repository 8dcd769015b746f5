"""Atomic operations that run often, or that all programs aim at one address."""

from __future__ import annotations

from collections.abc import Iterator

from irscope.analysis.alignment import Alignment
from irscope.analysis.axes import READS
from irscope.analysis.verdicts.model import Evidence, Verdict
from irscope.analysis.verdicts.program import Placed, Program, sentence_case
from irscope.ir import ssa

RULE = "atomics"

_ATOMICS = ("tt.atomic_rmw", "tt.atomic_cas")
#: An address that follows from none of these is the same in every program.
_DIFFER = READS | {"tt.get_program_id"}


def atomics(program: Program) -> Iterator[Verdict]:
    entry = program.entry("ttir")
    for placed in program.operations("ttir"):
        operation = placed.operation
        if operation.name not in _ATOMICS or not operation.operands:
            continue
        chain = program.chain("ttir", operation.row)
        where = sentence_case(program.line_of(chain))
        evidence = (*program.source(chain, "the atomic operation"), program.row("ttir", operation.row))
        if entry is not None and program.is_in_entry(operation) and _same_everywhere(entry, placed):
            several = "tensor<" in operation.type.partition("->")[0]
            target = "the same addresses" if several else "one and the same address"
            sentence = f"{where}: every program changes {target} atomically, one after the other."
            advice = (
                "Let each program write its own result and sum these in a second kernel, or combine more before it."
            )
            yield Verdict(RULE, "note", sentence, advice, evidence)
        elif placed.loops:
            loop = placed.loops[-1]
            shown: tuple[Evidence, ...] = (*evidence, program.row("ttir", loop.row))
            sentence = f"{where}: an atomic operation runs in every iteration of a loop."
            advice = "Where the address stays the same, sum in registers and add once after the loop."
            yield Verdict(RULE, "note", sentence, advice, shown)


def _same_everywhere(entry: ssa.Function, placed: Placed) -> bool:
    """Whether the address follows from arguments and constants alone."""
    address = placed.operation.operands[0]
    behind = Alignment(entry, [address]).operations(address)
    return (
        not any(operation.name in _DIFFER or operation.name.endswith("call") for operation in behind)
        and not placed.loops
    )
