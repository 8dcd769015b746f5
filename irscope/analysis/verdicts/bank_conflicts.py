"""Bank conflicts of shared memory, by line, with the layout that causes them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from irscope.analysis import banks
from irscope.analysis.verdicts import layouts
from irscope.analysis.verdicts.model import Evidence, Verdict
from irscope.analysis.verdicts.program import Program, count, joined, sentence_case
from irscope.ir.lines import Chain
from irscope.ir.ssa import Operation

RULE = "bank conflicts"

_SHARED = re.compile(r"memdesc<[^,>]*, (#[\w$.-]+)")
#: Permutations among lanes use LDS's wires, not its memory.
_LDS = re.compile(r"\s+ds_(?!b?permute|swizzle|nop)\w+\s")
#: What reads and writes shared memory with plain instructions.
_OWNERS = frozenset(
    ("ttg.local_store", "ttg.local_load", "ttg.local_alloc", "ttg.convert_layout", "tt.reduce", "tt.scan", "tt.gather",
     "tt.histogram", "tt.atomic_rmw", "tt.atomic_cas")
)  # fmt: skip


def bank_conflicts(program: Program) -> Iterator[Verdict]:
    index = program.indices.get("ptx")
    if index is None:
        yield from _of_amd(program)
        return
    found = banks.accesses(index)
    known = [access for access in found if access.ways is not None]
    unknown = [access for access in found if access.ways is None]
    locations = program.locations("ptx")
    conflicting: defaultdict[Chain, list[banks.Access]] = defaultdict(list)
    for access in known:
        if access.ways is not None and access.ways > 1:
            conflicting[locations[access.row]].append(access)
    for chain, accesses in conflicting.items():
        yield _verdict(program, chain, accesses)
    if known and not conflicting:
        what = (
            "1 plain access of shared memory is"
            if len(known) == 1
            else f"{len(known)} plain accesses of shared memory are"
        )
        rows = program.rows("ptx", [access.row for access in known])
        yield Verdict(RULE, "good", f"No bank conflicts: {what} free of them.", None, rows)
    if unknown:
        (reason, _), *_ = Counter(access.reason for access in unknown).most_common()
        sentence = (
            f"Of {len(found)} plain accesses of shared memory {len(unknown)} could not be looked at for bank "
            f"conflicts: {reason}."
        )
        yield Verdict(RULE, "unknown", sentence, None, program.rows("ptx", [access.row for access in unknown]))
    if others := banks.own_traffic(index):
        kinds = Counter((other.name, other.reason) for other in others)
        listed = "; ".join(f"{number} {name} ({reason})" for (name, reason), number in kinds.items())
        sentence = f"Not looked at for bank conflicts: {listed}."
        yield Verdict(RULE, "unknown", sentence, None, program.rows("ptx", [other.row for other in others]))


def _of_amd(program: Program) -> Iterator[Verdict]:
    index = program.indices.get("amdgcn")
    rows = [row for row, line in enumerate(index.lines) if _LDS.match(line)] if index is not None else []
    if rows:
        sentence = (
            f"Not looked at for bank conflicts: {len(rows)} LDS instructions, whose addresses irscope does not follow "
            "through AMD's code."
        )
        yield Verdict(RULE, "unknown", sentence, None, program.rows("amdgcn", rows))


def _verdict(program: Program, chain: Chain, accesses: list[banks.Access]) -> Verdict:
    ways = max(access.ways or 1 for access in accesses)
    turns = sum(access.wavefronts or 0 for access in accesses)
    ideal = sum(access.ideal or 0 for access in accesses)
    names = joined(list(dict.fromkeys(access.instruction for access in accesses)))
    owners = [placed.operation for placed in program.at("ttgir", chain, _OWNERS.__contains__)]
    writes = {access.write for access in accesses}
    owners = [owner for owner in owners if _writes(owner) is None or _writes(owner) in writes]
    shown: tuple[Evidence, ...] = program.rows("ttgir", [owner.row for owner in owners])
    causes = list(dict.fromkeys(_cause(program, owner) for owner in owners))
    cause = f"; by the layouts of {joined(causes)}" if causes else ""
    where = sentence_case(program.line_of(chain)) if chain else "At no known line"
    sentence = (
        f"{where}: bank conflicts, {ways} ways at most, in {count(len(accesses), 'instruction')} ({names}): "
        f"{turns} turns of a warp instead of {ideal}{cause}."
    )
    evidence = (*program.source(chain, "shared memory"), *shown, *program.rows("ptx", [a.row for a in accesses]))
    return Verdict(RULE, "bad", sentence, None, evidence)


def _writes(operation: Operation) -> bool | None:
    """Whether it writes shared memory; ``None`` where it writes and reads."""
    if operation.name == "ttg.local_load":
        return False
    return True if operation.name in ("ttg.local_store", "ttg.local_alloc") else None


def _cause(program: Program, operation: Operation) -> str:
    """``ttg.local_alloc (#blocked, #shared)``: the layouts on both sides."""
    before, _, after = operation.type.partition(" -> ")
    sides = [layouts.tensor_layout(before), layouts.tensor_layout(after)]
    sides += [found[1] for found in [_SHARED.search(operation.type)] if found]
    names = [layouts.short(side, program.layouts) for side in sides if side]
    return f"{operation.name} ({', '.join(dict.fromkeys(names))})"
