"""What the list of loops says: the tree of loops, and the curve of live registers above it. No widgets here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from irscope.analysis.loop_lines import loop_lines
from irscope.analysis.machine import Machine
from irscope.analysis.sass import LiveRegisters
from irscope.ir.lines import split_lines
from irscope.model import Compilation
from irscope.report.asm import curve, located
from irscope.tui.source_names import base_name

#: Kinds of instructions that are named, the most frequent first.
_KINDS = 3


@dataclass(frozen=True, slots=True)
class LoopRow:
    """One loop of the machine code."""

    number: int
    #: 1 for an outermost loop.
    depth: int
    #: Rows of the stage's text: where every iteration begins, and where the last one of those that go on ends.
    head: int
    end: int
    #: Numbers of its first and last instruction.
    first: int
    last: int
    instructions: int
    #: What it mostly has: "24 tensor core, 8 shared memory".
    mix: str
    #: Where its statement is, and its text; empty for a loop that the compiler made.
    place: str
    statement: str


@dataclass(frozen=True, slots=True)
class LoopTree:
    #: "sass" or "amdgcn".
    stage: str
    #: Each loop is followed by those inside it.
    loops: tuple[LoopRow, ...]
    #: By instruction, live general registers; ``None`` where nobody knows them, and why.
    live: tuple[int, ...] | None
    reason: str
    #: Instructions in all.
    count: int


def loop_tree(compilation: Compilation, code: Machine, live: LiveRegisters | None, reason: str | None) -> LoopTree:
    """The loops of the machine code with their statements, in the order of a tree."""
    flow = code.flow
    statements = loop_lines(compilation, flow, code.rows, located(compilation, code.stage))
    texts = {source.path: split_lines(source.text) for source in compilation.sources}

    def rows(numbers: Sequence[int]) -> Iterator[LoopRow]:
        for number in numbers:
            loop, place = flow.loops[number], statements[number]
            mix = code.part(flow.instructions_of(loop))
            kinds = sorted(mix.kinds.items(), key=lambda kind: -kind[1])[:_KINDS]
            back = [before for before in flow.blocks[loop.header].predecessors if before in loop.blocks]
            yield LoopRow(
                number,
                loop.depth,
                code.rows[flow.blocks[loop.header].first],
                code.rows[max(flow.blocks[block].last for block in back)],
                loop.first,
                loop.last,
                mix.instructions,
                ", ".join(f"{count} {kind}" for kind, count in kinds),
                f"{base_name(place[0])}:{place[1]}" if place else "",
                texts[place[0]][place[1] - 1].strip() if place else "made by the compiler",
            )
            yield from rows(loop.children)

    outermost = [loop.number for loop in flow.loops if loop.parent is None]
    counts = None if live is None else live.general
    return LoopTree(code.stage, tuple(rows(outermost)), counts, reason or "", len(code.rows))


def tree_lines(tree: LoopTree) -> list[str]:
    """Two lines for each loop: its code, and its statement."""
    digits = len(str(max((row.end for row in tree.loops), default=0) + 1))
    return [
        f"{_indent(row)}loop {row.number}  lines {row.head + 1:>{digits}} to {row.end + 1:>{digits}}  "
        f"{row.instructions} instructions: {row.mix}\n"
        f"{_indent(row)}  {row.place}  {row.statement}".rstrip()
        for row in tree.loops
    ]


def _indent(row: LoopRow) -> str:
    return "   " * (row.depth - 1)


def curve_lines(tree: LoopTree, width: int) -> list[str]:
    """Live registers along the code, where they peak, and where the loops are; ``width`` cells at most."""
    if tree.live is None or not tree.count or width < 1:
        return [tree.reason] if tree.reason else []
    step = -(-tree.count // width)
    bars = curve(tree.live, width)
    peak = max(tree.live)
    at = tree.live.index(peak) // step
    # Whichever fits with its mark below the peak.
    ways = (f"▲ {peak} live registers", f"{peak} live registers ▲", "▲")
    words = next(way for way in ways if way.index("▲") <= at <= width - len(way) + way.index("▲"))
    lines = [bars, " " * (at - words.index("▲")) + words]
    for depth in range(1, max((row.depth for row in tree.loops), default=0) + 1):
        cells = [" "] * len(bars)
        for row in tree.loops:
            if row.depth == depth:
                first, last = row.first // step, row.last // step
                cells[first : last + 1] = _bracket(f"loop {row.number}", last - first + 1)
        lines.append("".join(cells).rstrip())
    return lines


def _bracket(name: str, width: int) -> str:
    """``╰ loop 0 ─────╯`` as far as there is room."""
    if width == 1:
        return "╵"
    inside = width - 2
    words = f" {name} " if len(name) + 2 <= inside else ""
    return f"╰{words}{'─' * (inside - len(words))}╯"
