"""Whether the loads of each loop run ahead of their use (software pipelining), how far, by what, and why not.

How far is counted: the copies into shared memory before a loop are the iterations that they are ahead; of what goes
through registers, how often the loop hands it on. (A load before the loop tells nothing: it may be there because what
uses it is pipelined, or have been merged with that of another loop.) Why not is told by the conditions of Triton's
pipeliner (``Transforms/Pipeliner/AssignLatencies.cpp``), each seen in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from irscope.analysis.alignment import Alignment
from irscope.analysis.axes import pointee_bits
from irscope.analysis.verdicts.model import Evidence, Tone, Verdict
from irscope.analysis.verdicts.program import Placed, Program, count, joined, sentence_case
from irscope.analysis.verdicts.specialized import handover, specializations
from irscope.ir.lines import Chain
from irscope.ir.ssa import Operation

RULE = "pipelining"
#: Bytes below which Triton leaves a load where it is: cp.async copies 4, 8 or 16.
_LEAST_BYTES = 4

_LOADS = ("tt.load", "tt.descriptor_load", "tt.descriptor_gather")
_THROUGH_REGISTERS = "through registers"
_COPIES = {
    "ttg.async_copy_global_to_local": "by cp.async",
    "ttng.async_tma_copy_global_to_local": "by TMA",
    "ttng.async_tma_gather": "by TMA",
    "amdg.buffer_load_to_local": "by loads past the registers",
    "amdgpu.buffer_load_to_local": "by loads past the registers",
    "tt.load": _THROUGH_REGISTERS,
    "amdg.buffer_load": _THROUGH_REGISTERS,
    "amdgpu.buffer_load": _THROUGH_REGISTERS,
}
#: What brings a loaded tile to another place without computing with it.
_MOVES = ("ttg.local_store", "amdg.in_thread_transpose", "amdgpu.in_thread_transpose", "ttg.convert_layout")
_LOOPS = ("scf.for", "scf.while")
_DOTS = ("tt.dot", "tt.dot_scaled")
_PRODUCTS = (*_DOTS, "ttng.warp_group_dot", "ttng.tc_gen5_mma", "ttng.tc_gen5_mma_scaled")
_BUFFERS = re.compile(r"memdesc<(\d+)x((?:\d+x)+)")
_STAGES = re.compile(r"tt\.num_stages = (\d+)")


@dataclass(frozen=True, slots=True)
class _Load:
    """A load of a loop, and what it became."""

    placed: Placed
    chain: Chain
    inside: tuple[Placed, ...]
    ahead: tuple[Placed, ...]
    #: Iterations that the tl.dot which takes it is ahead of the rest: tcgen05 is asynchronous, and pipelined too.
    dot_ahead: int
    way: str
    #: Whether Triton made its loop and the one around it into one (``tl.range(..., flatten=True)``).
    fused: bool

    @property
    def distance(self) -> int:
        """Iterations that the load is ahead of its use."""
        if self.way == _THROUGH_REGISTERS:
            return self.handed_on
        return max(0, len(self.ahead) // max(len(self.inside), 1) - self.dot_ahead)

    @property
    def handed_on(self) -> int:
        """Iterations that its value waits, as the compiler made them; those that Python has written do not count."""
        if not self.inside or _handed_on(self.placed):
            return 0
        return max(map(_handed_on, self.inside))

    @property
    def takes_a_tile(self) -> bool:
        return "tensor<" in self.placed.operation.type


def pipelining(program: Program) -> Iterator[Verdict]:
    if not program.lines("ttgir"):
        return
    loops: dict[int, list[Placed]] = {}
    for placed in program.operations("ttir"):
        if placed.operation.name in _LOADS and placed.operation.operands and placed.loops:
            loops.setdefault(placed.loops[-1].row, []).append(placed)
    for found in loops.values():
        loop = found[0].loops[-1]
        loads: dict[Chain, _Load] = {}
        for placed in found:
            chain = program.chain("ttir", placed.operation.row)
            if chain:
                loads.setdefault(chain, _became(program, placed, chain))
        # What is no longer in the loop was moved out of it, or into one with another loop.
        # A load of one value is judged only where it was pipelined: elsewhere it is no tile that could be.
        still = [load for load in loads.values() if load.inside and (load.distance or load.takes_a_tile)]
        if not still and specializations(program):
            # On Hopper Triton gives the copies of other warps no line of their own.
            still = [load for load in loads.values() if load.takes_a_tile and not _copies(program, load.chain)]
        if still:
            yield _verdict(program, loop, still)


def _became(program: Program, placed: Placed, chain: Chain) -> _Load:
    copies = _copies(program, chain) or _copies(program, program.chain_of_transpose(placed.operation))
    fused = _is_fused(program, placed, copies)
    inside, ahead = _inside_and_ahead(copies, placed.depth - fused)
    dot = _dot_of(placed.loops[-1], placed.operation)
    products: list[Placed] = []
    if dot is not None and (of_dot := program.chain("ttir", dot.row)):
        products = program.at("ttgir", of_dot, _PRODUCTS.__contains__)
    made, made_ahead = _inside_and_ahead(products, placed.depth - fused)
    way = _COPIES[inside[0].operation.name] if inside else ""
    if way == _COPIES["ttg.async_copy_global_to_local"] and not program.is_cuda:
        way = _COPIES["amdg.buffer_load_to_local"]
    return _Load(placed, chain, inside, ahead, len(made_ahead) // max(len(made), 1), way, fused)


def _copies(program: Program, chain: Chain) -> list[Placed]:
    return program.at("ttgir", chain, _COPIES.__contains__)


def _is_fused(program: Program, placed: Placed, copies: Sequence[Placed]) -> bool:
    if placed.depth < 2 or any(copy.depth == placed.depth for copy in copies):
        return False
    return "tt.flatten" in program.lines("ttir")[_last_row(program, placed.loops[-2])]


def _inside_and_ahead(copies: Sequence[Placed], depth: int) -> tuple[tuple[Placed, ...], tuple[Placed, ...]]:
    """Of what an operation of a loop became: what is in the loop, and what is before it."""
    # A while loop and a for loop may both enclose it: as deep as it was.
    inside = tuple([copy for copy in copies if copy.depth == depth])
    first = min((copy.loops[-1].row for copy in inside), default=-1)
    return inside, tuple([copy for copy in copies if copy.depth == depth - 1 and copy.operation.row < first])


def _handed_on(load: Placed) -> int:
    """How many times a loop hands on what it loads, from one iteration to the next, before it is computed with."""
    body = load.loops[-1].regions[0].blocks[0]
    held, seen = set(load.operation.results), set(body.arguments[:1])
    for iterations in range(len(body.arguments)):
        for operation in body.operations:
            if operation.name in _MOVES and held.intersection(operation.operands[:1]):
                held.update(operation.results or operation.operands[1:2])
        handed = zip(body.arguments[1:], body.operations[-1].operands, strict=False)
        held = {argument for argument, value in handed if value in held} - seen
        if not held:
            return iterations
        seen |= held
    return 0


def _verdict(program: Program, loop: Operation, loads: Sequence[_Load]) -> Verdict:
    chain = program.chain("ttir", loop.row)
    where = sentence_case(program.line_of(chain)) if chain else sentence_case(program.line_of(loads[0].chain))
    evidence: list[Evidence] = [*program.source(chain or loads[0].chain, "the loop"), program.row("ttir", loop.row)]
    ahead = [load for load in loads if load.distance]
    left = [load for load in loads if not load.distance]
    for load in loads:
        for copy in (*load.inside[:1], *load.ahead[:1]):
            evidence.append(program.row("ttgir", copy.operation.row))
    specialized = specializations(program)
    if specialized and not ahead:
        return _of_other_warps(program, where, loads, (*evidence, program.row("ttgir", specialized[0].operation.row)))
    if any(load.fused for load in loads):
        where += ", made one with the loop around it"
    if not ahead:
        tone, reason, advice = _why_not(program, loop, loads)
        if tone == "bad" or tone == "note":
            sentence = f"{where}: the loop is not pipelined: {reason}."
            return Verdict(RULE, "bad" if tone == "bad" else "note", sentence, advice, tuple(evidence))
        return Verdict(RULE, "unknown", f"{where}: the loop is not pipelined; {reason}.", advice, tuple(evidence))
    distances = sorted({load.distance for load in ahead})
    dot_ahead = max(load.dot_ahead for load in ahead)
    stages = max(load.distance + load.dot_ahead for load in ahead) + 1
    ways = joined(list(dict.fromkeys(load.way for load in ahead)))
    how = (
        f"{count(distances[-1], 'iteration')} ahead"
        if len(distances) == 1
        else f"up to {distances[-1]} iterations ahead"
    )
    if dot_ahead:
        how += " of the tl.dot that takes them"
    buffers = sorted({number for load in ahead if (number := _buffers(program, load)) is not None})
    noun = "buffer" if buffers == [1] else "buffers"
    into = f", into {' or '.join(map(str, buffers))} {noun} of shared memory" if buffers else ""
    of = f" ({_lines(program, ahead)})" if left else ""
    whose = f"its loads{of} run" if len(ahead) > 1 else f"its load{of} runs"
    sentence = f"{where}: the loop is pipelined, {stages} stages deep: {whose} {how}, {ways}{into}"
    if dot_ahead:
        up_to = "" if {load.dot_ahead for load in ahead} == {dot_ahead} else "up to "
        sentence += f", and the tl.dot {up_to}{count(dot_ahead, 'iteration')} ahead of the rest"
    if left:
        narrow = all(_is_narrow(program, load) for load in left)
        which = "which has" if len(left) == 1 else "which have"
        because = f", {which} fewer than {_LEAST_BYTES} bytes together" if narrow else ""
        these = f"the load{'s' * (len(left) > 1)} at {_lines(program, left)}"
        sentence = f"{sentence}; not {these}{because}"
    if program.is_gone(ahead[0].inside[0].loops[-1]):
        sentence += "; but LLVM kept nothing of the loop: what was taken out before and behind it is all that runs"
        return Verdict(RULE, "note", f"{sentence}.", None, tuple(evidence))
    return Verdict(RULE, "note" if left else "good", f"{sentence}.", None, tuple(evidence))


def _of_other_warps(program: Program, where: str, loads: Sequence[_Load], evidence: tuple[Evidence, ...]) -> Verdict:
    """The verdict where warps of their own may run the loads."""
    found = [(load, between) for load in loads if (between := handover(program, load.inside)) is not None]
    if not found:
        sentence = (
            f"{where}: the kernel is warp-specialized: other warps than those that compute may load ahead; how far is "
            "not looked at."
        )
        return Verdict(RULE, "unknown", sentence, None, evidence)
    if any(load.fused for load in loads):
        where += ", made one with the loop around it"
    handed = [load for load, _ in found]
    left = [load for load in loads if load not in handed]
    distances = sorted({between.distance for _, between in found})
    buffers = sorted({between.buffers for _, between in found})
    rows = list(dict.fromkeys(between.allocation.row for _, between in found))
    up_to = " or ".join(map(str, distances)) + (" iteration" if distances == [1] else " iterations")
    sentence = (
        f"{where}: the loop is warp-specialized: warps of their own run its "
        f"load{'s' * (len(found) > 1)}{f' ({_lines(program, handed)})' if left else ''} up to {up_to} ahead of those "
        f"that compute, {joined(list(dict.fromkeys(load.way for load in handed)))}, into "
        f"{' or '.join(map(str, buffers))} buffer{'s' * (buffers != [1])} of shared memory"
    )
    if left:
        sentence += f"; of the load{'s' * (len(left) > 1)} at {_lines(program, left)} that is not certain"
    tone: Tone = "unknown" if left else "good" if distances[0] else "note"
    return Verdict(RULE, tone, f"{sentence}.", None, (*evidence, *program.rows("ttgir", rows)))


def _lines(program: Program, loads: Sequence[_Load]) -> str:
    return joined([program.line_of(load.chain) for load in loads])


def _buffers(program: Program, load: _Load) -> int | None:
    """How many buffers the copy goes round in: the leading side of the allocation that its target is a part of."""
    function = program.entry("ttgir")
    if function is None or not load.inside:
        return None
    makers = {result: operation for operation in function.body.operations() for result in operation.results}
    for operand in load.inside[0].operation.operands:
        view = makers.get(operand)
        if view is None or view.name not in ("ttg.memdesc_index", "ttg.memdesc_subview") or not view.operands:
            continue
        allocated = makers.get(view.operands[0])
        if allocated is not None and allocated.name == "ttg.local_alloc" and "xi64" not in allocated.type:
            sides = _BUFFERS.search(allocated.type)
            if sides:
                return int(sides[1])
    return None


def _why_not(program: Program, loop: Operation, loads: Sequence[_Load]) -> tuple[str, str, str | None]:
    """Tone, reason, advice."""
    capability = program.compilation.target.capability
    asked = _STAGES.search(" ".join(program.lines("ttir")[_last_row(program, loop)].split(" loc(")[:1]))
    stages = int(asked[1]) if asked else program.option("num_stages")
    # What Triton looks at is the loop's own block, without what is in a branch.
    own = {operation.name for operation in loop.regions[0].blocks[0].operations} if loop.regions else set()
    if loop.name == "scf.while":
        return "note", "Triton pipelines for loops alone, and this is a while loop", None
    if own.intersection(_LOOPS):
        return "note", "another loop is inside of it, and only innermost loops are", None
    if isinstance(stages, int) and stages <= 1:
        return "bad", f"num_stages is {stages}", "Try num_stages=3, where shared memory allows."
    if capability is not None and capability < 80:
        return "note", f"{program.compilation.target} has no cp.async, and Triton pipelines from sm_80 on", None
    feeding = [load for load in loads if _dot_of(loop, load.placed.operation)]
    if not feeding and asked is None:
        return (
            "note",
            "none of its loads feeds a tl.dot, and Triton pipelines other loads only where they are asked for",
            "tl.range(..., num_stages=3) asks for it.",
        )
    if asked is None and not own.intersection(_DOTS):
        return "note", "its tl.dot is in a branch, and Triton pipelines for a dot that every iteration computes", None
    for load in feeding or loads:
        width = _known_bytes(program, load)
        if width is not None and width < _LEAST_BYTES:
            # Triton has this limit for AMD too, where there is no cp.async.
            limit = "cp.async copies {} at least" if program.is_cuda else "Triton pipelines loads of {} and more"
            known = f"the load at {program.line_of(load.chain)} is known to have {count(width, 'byte')} together"
            return (
                "bad",
                f"{known}, and {limit.format(_LEAST_BYTES)}",
                "What would widen it is said of the load itself.",
            )
    return (
        "unknown",
        "why is not known: num_stages asks for it, and none of the known reasons against it was found",
        None,
    )


def _last_row(program: Program, loop: Operation) -> int:
    """The row of the bracket that closes a loop: its attributes are there."""
    lines = program.lines("ttir")
    indent = len(lines[loop.row]) - len(lines[loop.row].lstrip())
    closing = " " * indent + "}"
    return next((row for row in range(loop.row + 1, len(lines)) if lines[row].startswith(closing)), loop.row)


def _dot_of(loop: Operation, load: Operation) -> Operation | None:
    """The dot of the same loop whose left or right operand a load reaches."""
    reached = set(load.results)
    for operation in loop.regions[0].operations():
        if reached.intersection(operation.operands):
            if operation.name in _DOTS:
                if reached.intersection(operation.operands[:2]):
                    return operation
            elif not operation.regions:
                reached.update(operation.results)
    return None


def _known_bytes(program: Program, load: _Load) -> int | None:
    entry = program.entry("ttir")
    operation = load.placed.operation
    if entry is None or operation.name != "tt.load" or not program.is_in_entry(operation):
        return None
    alignment = Alignment(entry, operation.operands[:2])
    axes = alignment.axes(operation.operands[0])
    bits = pointee_bits(operation.type)
    if axes is None or bits is None:
        return None
    together = axes.aligned_elements(max(bits, 8))
    if len(operation.operands) > 1:
        mask = alignment.axes(operation.operands[1])
        if mask is not None and axes.fastest < mask.rank:
            together = min(together, mask.constancy[axes.fastest])
    return together * max(bits, 8) // 8


def _is_narrow(program: Program, load: _Load) -> bool:
    width = _known_bytes(program, load)
    return program.is_cuda and width is not None and width < _LEAST_BYTES
