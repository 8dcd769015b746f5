"""Functions of full precision or full range, which are calls of many instructions, and arrays in local memory."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from irscope.analysis.verdicts.model import Verdict
from irscope.analysis.verdicts.program import Program, count, joined, sentence_case
from irscope.ir.lines import Chain

RULE_PRECISE, RULE_LOCAL = "precise math", "local memory"

_PRECISE = re.compile(r"^\s*(?:@!?%p\d+\s+)?((?:div|sqrt|rcp)\.r[nzmp](?:\.ftz)?\.f(?:32|64))\s")
_ARRAY = re.compile(r"^\s*\.local\s+(?:\.align\s+\d+\s+)?\.b8\s+\S*\[(\d+)\]")
_LOCAL_ACCESS = re.compile(r"\b(?:ld|st)\.local\b")
_TRIGONOMETRIC = "__internal_trig_reduction"


def precise_math(program: Program) -> Iterator[Verdict]:
    """Division and roots that are rounded exactly: ptxas makes some ten instructions of one, and a slow path."""
    found: defaultdict[Chain, list[tuple[int, str]]] = defaultdict(list)
    locations = program.locations("ptx")
    for row, line in enumerate(program.lines("ptx")):
        match = _PRECISE.match(line)
        if match:
            found[locations[row]].append((row, match[1]))
    for chain, uses in found.items():
        names = joined(list(dict.fromkeys(name for _, name in uses)))
        where = sentence_case(program.line_of(chain))
        sentence = (
            f"{where}: {names} rounds exactly, which takes many instructions: {count(len(uses), 'time')} a thread."
        )
        advice = "Without the need for the last bit: x / y and tl.sqrt, which Triton makes the approximate ones of."
        evidence = (*program.source(chain, names), *program.rows("ptx", [row for row, _ in uses]))
        yield Verdict(RULE_PRECISE, "note", sentence, advice if "f32" in names else None, evidence)


def local_arrays(program: Program) -> Iterator[Verdict]:
    """Memory of a thread's own that the PTX asks for: it lies in the GPU's memory, behind the caches."""
    lines = program.lines("ptx")
    arrays = [(row, int(match[1])) for row, line in enumerate(lines) if (match := _ARRAY.match(line))]
    if not arrays:
        return
    locations = program.locations("ptx")
    used = [row for row, line in enumerate(lines) if _LOCAL_ACCESS.search(line)]
    chains = list(dict.fromkeys(locations[row] for row in used if locations[row]))
    size = sum(bytes_ for _, bytes_ in arrays)
    names = list(dict.fromkeys(program.line_of(chain) for chain in chains))
    where = f"{sentence_case(joined(names))}: " if names else ""
    trigonometric = any(_TRIGONOMETRIC in line for line in lines)
    why = ", for the sine or cosine of numbers so large that a table of pi is needed" if trigonometric else ""
    sentence = f"{where}an array of {size} bytes a thread is in local memory{why}."
    evidence = (
        *(place for chain in chains[:1] for place in program.source(chain, "local memory")),
        *program.rows("ptx", [row for row, _ in arrays]),
        *program.rows("ptx", used),
    )
    advice = (
        "It is reached for large arguments alone; sin.approx by tl.inline_asm_elementwise has no such path."
        if trigonometric
        else None
    )
    yield Verdict(RULE_LOCAL, "note", sentence_case(sentence), advice, evidence)
