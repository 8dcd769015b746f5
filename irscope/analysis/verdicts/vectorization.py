"""How wide the accesses to global memory are that each load and store became, and what keeps them narrow.

The width is what the assembly says; the reason is told by `irscope.analysis.verdicts.narrow`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from irscope.analysis.alignment import Alignment
from irscope.analysis.axes import shape_of
from irscope.analysis.verdicts import accesses
from irscope.analysis.verdicts.accesses import Access
from irscope.analysis.verdicts.model import Verdict
from irscope.analysis.verdicts.narrow import BECOMES, FULL_BITS, why_narrow
from irscope.analysis.verdicts.program import Placed, Program, joined, of_chain, sentence_case
from irscope.analysis.verdicts.specialized import specializations
from irscope.ir import ssa
from irscope.ir.lines import Chain
from irscope.ir.ssa import Function

RULE = "vectorization"
_WORDS = {"tt.load": "load", "tt.store": "store", "tt.descriptor_load": "load", "tt.descriptor_store": "store"}
_LOADS = ("tt.load", "tt.descriptor_load")


def vectorization(program: Program) -> Iterator[Verdict]:
    lines = program.lines(program.assembly)
    if not lines:
        return
    read = accesses.of_amdgcn if program.assembly == "amdgcn" else accesses.of_ptx
    by_chain: dict[Chain, list[Access]] = {}
    locations = program.locations(program.assembly)
    for access in read(lines):
        by_chain.setdefault(locations[access.row], []).append(access)
    entry = program.entry(program.first)
    seen: set[Chain] = set()
    for placed in program.operations(program.first):
        operation = placed.operation
        chain = program.chain(program.first, operation.row)
        if operation.name not in _WORDS or chain in seen or not chain or not operation.operands:
            continue
        seen.add(chain)
        if operation.name in ("tt.load", "tt.store") and math.prod(shape_of(operation.type)) == 1:
            continue  # One value: there is nothing to put together.
        found = of_chain(by_chain, chain)
        if not found and operation.name in _LOADS:
            found = by_chain.get(program.chain_of_transpose(operation), [])
        if found:
            yield _verdict(program, entry, placed, chain, found)
        elif operation.name in _LOADS and specializations(program):
            yield _of_other_warps(program, entry, placed, chain)


def _of_other_warps(program: Program, entry: Function | None, placed: Placed, chain: Chain) -> Verdict:
    """On Hopper Triton gives the copies of other warps no line of their own."""
    sentence = (
        f"{sentence_case(program.line_of(chain))}: what the load{_of(program, entry, placed)} became is not known: "
        "the kernel is warp-specialized, and no access to global memory names this line."
    )
    evidence = (
        *program.source(chain, "the load"),
        program.row(program.first, placed.operation.row),
        program.row("ttgir", specializations(program)[0].operation.row),
    )
    return Verdict(RULE, "unknown", sentence, None, evidence)


def _verdict(
    program: Program, entry: Function | None, placed: Placed, chain: Chain, found: Sequence[Access]
) -> Verdict:
    operation = placed.operation
    word = _WORDS[operation.name]
    evidence = (
        *program.source(chain, f"the {word}"),
        program.row(program.first, operation.row),
        *program.rows(program.assembly, [access.row for access in found]),
    )
    where = f"{sentence_case(program.line_of(chain))}: the {word}{_of(program, entry, placed)}"
    if all(access.way == "tile" for access in found):
        return Verdict(RULE, "good", f"{where} goes by TMA, a whole tile at a time.", None, evidence)
    widths = sorted({access.bits for access in found if access.bits is not None})
    names = joined([_count_of(found, name) for name in dict.fromkeys(access.name for access in found)])
    if widths[0] >= FULL_BITS:
        return Verdict(RULE, "good", f"{where} goes {widths[0]} bits at a time ({names}).", None, evidence)
    copied = all(access.way == "copy" for access in found)
    reason = why_narrow(program, entry, placed, chain, widths[0], copied)
    between = f"{widths[0]}" if len(widths) == 1 else f"{widths[0]} to {widths[-1]}"
    sentence = f"{where} goes {between} bits at a time ({names}): {reason.because}."
    shown = [*evidence]
    for other in program.at("ttgir", chain, lambda name: any(part in name for part in BECOMES))[:1]:
        if other.operation is not operation:
            shown.insert(2, program.row("ttgir", other.operation.row))
    return Verdict(RULE, reason.tone, sentence, reason.advice, tuple(shown))


def _count_of(found: Sequence[Access], name: str) -> str:
    return f"{sum(access.name == name for access in found)} x {name}"


def _of(program: Program, entry: Function | None, placed: Placed) -> str:
    """`` of a_ptr``: the parameter that the address begins with, where there is one."""
    if entry is None or not program.is_in_entry(placed.operation):
        return ""
    names = ssa.parameter_names(entry, program.compilation.specialization.signature)
    address = placed.operation.operands[0]
    bases = Alignment(entry, [address]).bases(address)
    return f" of {names[bases[0]]}" if len(bases) == 1 else ""
