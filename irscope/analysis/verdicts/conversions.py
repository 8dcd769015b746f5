"""The layout conversions that are left in the TTGIR: what each moves, how, and whether in a loop."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from irscope.analysis.axes import shape_of
from irscope.analysis.verdicts import layouts
from irscope.analysis.verdicts.model import Verdict
from irscope.analysis.verdicts.program import Placed, Program, of_chain, sentence_case
from irscope.ir.lines import Chain
from irscope.ir.table import grouped

RULE = "layout conversions"

_ELEMENT = re.compile(r"tensor<(?:\d+x)+([a-z]+(\d+)\w*)")
_POINTER_BITS = 64
_SHUFFLE = re.compile(r"\b(?:shfl\.sync|ds_bpermute|ds_permute|ds_swizzle|v_permlane|v_mov_b32_dpp|movmatrix)")
_SHARED = re.compile(r"\b(?:st\.shared|ld\.shared|stmatrix|ldmatrix|ds_(?:write|read|store|load)[\w]*)")
#: What also moves values between threads, from the same line of Python.
_OTHERS = frozenset(
    (
        "tt.reduce",
        "tt.scan",
        "tt.gather",
        "tt.histogram",
        "tt.atomic_rmw",
        "tt.atomic_cas",
        "ttg.async_copy_global_to_local",
        "ttg.local_alloc",
        "ttg.local_store",
        "ttg.local_load",
        "ttg.local_gather",
        "tt.sort",
        "tt.descriptor_store",
    )
)


def conversions(program: Program) -> Iterator[Verdict]:
    rows: dict[Chain, list[int]] = {}
    locations = program.locations(program.assembly)
    for row, line in enumerate(program.lines(program.assembly)):
        if _SHUFFLE.search(line) or _SHARED.search(line):
            rows.setdefault(locations[row], []).append(row)
    for placed in program.operations("ttgir"):
        if placed.operation.name == "ttg.convert_layout":
            chain = program.chain("ttgir", placed.operation.row)
            yield _verdict(program, placed, chain, of_chain(rows, chain) if chain else [])


def _verdict(program: Program, placed: Placed, chain: Chain, rows: list[int]) -> Verdict:
    operation = placed.operation
    before, _, after = operation.type.partition(" -> ")
    aliases = program.layouts
    source, target = (layouts.tensor_layout(type_) or "?" for type_ in (before, after))
    element = _ELEMENT.search(after)
    # In registers a truth value takes a byte; what has no width of its own is a pointer.
    size = math.prod(shape_of(after)) * max(int(element[2]) if element else _POINTER_BITS, 8) // 8
    tile = f"{'x'.join(map(str, shape_of(after)))} {element[1] if element else 'pointers'}"
    what = f"{tile} from {layouts.short(source, aliases)} to {layouts.short(target, aliases)}"
    often = ", in every iteration of a loop" if placed.loops else ""
    where = f"{sentence_case(program.line_of(chain))}: a layout conversion" if chain else "A layout conversion"
    start = f"{where} of {what} ({grouped(size)} bytes a block)"
    evidence = (*program.source(chain, "what needs another layout"), program.row("ttgir", operation.row))
    if placed.loops and program.is_gone(placed.loops[-1]):
        sentence = f"{start} leaves no instruction: LLVM kept nothing of the loop around it."
        return Verdict(RULE, "note", sentence, None, evidence)
    shared_by = [
        other
        for other in program.at("ttgir", chain, lambda name: name in _OTHERS or name == "ttg.convert_layout")
        # An allocation with no value to put into it is no access.
        if other.operation is not operation and (other.operation.name != "ttg.local_alloc" or other.operation.operands)
    ]
    own = _own_rows(program, operation.row, rows)
    if own is not None:
        # The rows are this conversion's own, whatever else its line does.
        rows, shared_by = own, []
    elif not chain or not program.is_in_assembly(chain):
        assembly = program.assembly.replace("amdgcn", "assembly").replace("ptx", "PTX")
        why = "as it has no location" if not chain else f"as no row of {assembly} comes from its line"
        if not program.lines(program.assembly):
            why = f"as there is no {assembly} of it"
        sentence = f"{start}{often}: whether it goes through shared memory is not known, {why}."
        return Verdict(RULE, "unknown", sentence, None, evidence)
    if not rows:
        return Verdict(RULE, "good", f"{start}{often} stays within each thread's registers.", None, evidence)
    lines = program.lines(program.assembly)
    by_shared = [row for row in rows if _SHARED.search(lines[row])]
    evidence += program.rows(program.assembly, by_shared or rows)
    if shared_by:
        names = sorted({other.operation.name for other in shared_by})
        sentence = (
            f"{start}{often}: how it goes is not certain, as {' and '.join(names)} of the same line "
            "exchange values between threads too."
        )
        return Verdict(RULE, "unknown", sentence, None, evidence)
    means = "goes through shared memory" if by_shared else "goes by shuffles between the threads of a warp"
    tone = "bad" if placed.loops and by_shared else "note"
    return Verdict(RULE, "bad" if tone == "bad" else "note", f"{start} {means}{often}.", None, evidence)


def _own_rows(program: Program, row: int, of_line: list[int]) -> list[int] | None:
    """The assembly's rows that exchange values and came from one row of the TTGIR, over exact edges.

    ``None`` where there are no such edges, where one of these rows came from other rows of the TTGIR too, or where one
    of those that come from its line came from no known row.
    """
    edges = program.compilation.edges
    if edges is None or not edges.is_exact("ttgir", program.assembly):
        return None
    lines = program.lines(program.assembly)
    became = edges.rows("ttgir", [row], program.assembly)
    if became and max(became) >= len(lines):  # edges of another text: this one was cut short
        return None
    exchanging = [each for each in became if _SHUFFLE.search(lines[each]) or _SHARED.search(lines[each])]
    if any(edges.rows(program.assembly, [each], "ttgir") != [row] for each in exchanging):
        return None
    if any(not edges.rows(program.assembly, [each], "ttgir") for each in of_line):
        return None
    return exchanging
