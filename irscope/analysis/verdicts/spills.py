"""Registers that did not fit: how much is spilled, and from which lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from irscope.analysis.verdicts.model import Evidence, Verdict
from irscope.analysis.verdicts.program import MANY, Program, joined
from irscope.ir.lines import Chain
from irscope.ir.table import grouped

RULE = "spills"
#: Registers a thread that CUDA allows.
_MOST = 255

_LOCAL = {
    "sass": re.compile(r"/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?(?:STL|LDL)\b"),
    "amdgcn": re.compile(r"\bscratch_(?:store|load)_|Folded (?:Spill|Reload)"),
}
_PTX_LOCAL = re.compile(r"^\s*\.local\b", re.MULTILINE)
#: Lines that are named.
_LINES = 3


def spills(program: Program) -> Iterator[Verdict]:
    used = program.resources
    stage = "sass" if program.is_cuda else "amdgcn"
    rows = [row for row, line in enumerate(program.lines(stage)) if _LOCAL[stage].search(line)]
    stored, loaded = used.spill_store_bytes, used.spill_load_bytes
    if stored is None or loaded is None:
        if rows:
            sentence = "Local memory is accessed; whether by spilled registers is not known, as no tool marked them."
            yield Verdict(RULE, "unknown", sentence, None, program.rows(stage, rows))
        return
    if not stored and not loaded:
        return
    own = _PTX_LOCAL.search(program.compilation.text("ptx")) is not None
    sizes = f"{grouped(stored)} bytes are stored and {grouped(loaded)} loaded by each thread"
    advice = _advice(program)
    if not rows:
        return
    if own:
        sentence = f"Registers are spilled: {sizes}; from which lines is not told, as the kernel has local arrays too."
        yield Verdict(RULE, "bad", sentence, advice, program.rows(stage, rows))
        return
    locations = program.locations(stage)
    by_line: Counter[str] = Counter()
    first: dict[str, Chain] = {}
    for row in rows:
        chain = locations[row]
        if chain and (chain[0].file, chain[0].line) in program.written_lines:
            line = program.line_of(chain)
            by_line[line] += 1
            first.setdefault(line, chain)
    most = by_line.most_common(_LINES)
    where = f", most of it for {joined([line for line, _ in most])}" if most else ""
    sources: list[Evidence] = []
    for line, number in most:
        sources += program.source(first[line], f"{number} accesses to spilled registers")
    shown = rows[: MANY - 1]
    yield Verdict(
        RULE, "bad", f"Registers are spilled: {sizes}{where}.", advice, (*sources, *program.rows(stage, shown))
    )


def _advice(program: Program) -> str:
    limit = program.option("maxnreg")
    registers = program.resources.registers
    if isinstance(limit, int) and limit < _MOST:
        return f"maxnreg={limit} is the limit: raise it, or give each thread less: more warps, or a smaller block."
    if registers is not None and registers >= _MOST - 1 and program.is_cuda:
        return (
            f"{_MOST} registers are all that a thread can have: more warps, or a smaller block, leave it less to hold."
        )
    return "More warps, or a smaller block, leave a thread less to hold."
