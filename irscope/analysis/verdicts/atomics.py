"""Atomic operations that run often, or that all programs aim at one address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from irscope.analysis.alignment import Alignment
from irscope.analysis.axes import READS
from irscope.analysis.verdicts.model import Evidence, Verdict
from irscope.analysis.verdicts.program import Placed, Program, sentence_case
from irscope.ir import ssa

RULE = "atomics"

_ATOMICS = ("tt.atomic_rmw", "tt.atomic_cas")
#: Those that combine a value with what is there; the others are locks and exchanges.
_SUMS = re.compile(r"tt\.atomic_rmw (?:fadd|add|f?max|f?min|umax|umin|and|or|xor),")
_SWAP = "compare-and-swap"
_WORDS = {"exch": "exchange"}
_KIND = re.compile(r"tt\.atomic_rmw (\w+),")
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
        sums = _SUMS.match(operation.text) is not None
        if entry is not None and program.is_in_entry(operation) and _same_everywhere(entry, placed):
            several = "tensor<" in operation.type.partition("->")[0]
            target = "the same addresses" if several else "one and the same address"
            sentence = f"{where}: every program changes {target} atomically, one after the other."
            advice = (
                "Let each program write its own result and combine these in a second kernel, or combine more before it."
            )
            yield Verdict(RULE, "note", sentence, advice if sums else None, evidence)
        elif placed.loops:
            loop = placed.loops[-1]
            shown: tuple[Evidence, ...] = (*evidence, program.row("ttir", loop.row))
            kind = _KIND.match(operation.text)
            words = _WORDS.get(kind[1], kind[1].removeprefix("f")) if kind else _SWAP
            waits = " that waits for others" if loop.name == "scf.while" and words == _SWAP else ""
            sentence = f"{where}: an atomic {words} runs in every iteration of a loop{waits}."
            advice = "Where the address stays the same, combine in registers, and once in memory after the loop."
            yield Verdict(RULE, "note", sentence, advice if sums else None, shown)


def _same_everywhere(entry: ssa.Function, placed: Placed) -> bool:
    """Whether the address, and the mask, follow from arguments and constants alone, and no branch is around it."""
    address, *others = placed.operation.operands
    if placed.loops or placed.conditional:
        return False
    wanted = [address, *others[1:]]  # Not the value that is added.
    alignment = Alignment(entry, wanted)
    behind = [operation for value in wanted for operation in alignment.operations(value)]
    return not any(operation.name in _DIFFER or operation.name.endswith("call") for operation in behind)
