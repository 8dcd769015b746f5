"""What is good and what is bad about a compiled kernel, in plain sentences, each with the rows that show it.

From the stages alone: no GPU, no Triton. A rule is a function in a module of its own, and `RULES` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from irscope.analysis.verdicts.atomics import atomics
from irscope.analysis.verdicts.bank_conflicts import bank_conflicts
from irscope.analysis.verdicts.conversions import conversions
from irscope.analysis.verdicts.divisions import divisions
from irscope.analysis.verdicts.limits import limits
from irscope.analysis.verdicts.model import Evidence, Tone, Verdict
from irscope.analysis.verdicts.pipelining import pipelining
from irscope.analysis.verdicts.precision import doubles, long_indices, widened_operands
from irscope.analysis.verdicts.program import Program
from irscope.analysis.verdicts.slow_math import local_arrays, precise_math
from irscope.analysis.verdicts.spills import spills
from irscope.analysis.verdicts.tensor_cores import tensor_cores
from irscope.analysis.verdicts.vectorization import vectorization
from irscope.model import Compilation

__all__ = ["RULES", "SLOWER_RULES", "Evidence", "Program", "Tone", "Verdict", "verdicts"]

#: In the order in which their verdicts are told.
RULES: tuple[Callable[[Program], Iterable[Verdict]], ...] = (
    limits,
    spills,
    tensor_cores,
    pipelining,
    vectorization,
    conversions,
    widened_operands,
    doubles,
    long_indices,
    divisions,
    atomics,
    precise_math,
    local_arrays,
)


#: Those that take longer than a reader would wait for at every compile: tenths of a second, a second for long PTX.
SLOWER_RULES: tuple[Callable[[Program], Iterable[Verdict]], ...] = (bank_conflicts,)


def verdicts(compilation: Compilation, slower: bool = False) -> list[Verdict]:
    """All that can be said; nothing of stages that were not reached. ``slower``: by `SLOWER_RULES` too."""
    program = Program(compilation)
    rules = RULES + SLOWER_RULES if slower else RULES
    return [verdict for rule in rules for verdict in rule(program) if verdict.evidence]
