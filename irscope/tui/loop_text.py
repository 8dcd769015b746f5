"""What the list of loops says: the tree of loops and basic blocks, the curve of live registers above it. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from irscope.analysis.flow import Block, Loop
from irscope.analysis.loop_lines import loop_lines
from irscope.analysis.machine import Machine
from irscope.analysis.sass import LiveRegisters
from irscope.ir.lines import split_lines
from irscope.model import Compilation
from irscope.report.asm import curve, located
from irscope.tui.source_names import base_name

#: Kinds of instructions that are named, the most frequent first.
_KINDS = 3
_INDENT = "   "


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
class BlockRow:
    """One basic block, in as many loops as its depth."""

    number: int
    depth: int
    #: Rows of its first and last instruction.
    head: int
    end: int
    instructions: int
    #: Rows where what can follow it begins.
    next: tuple[int, ...]
    reached: bool


@dataclass(frozen=True, slots=True)
class LoopTree:
    #: "sass" or "amdgcn".
    stage: str
    #: In the order of the code; each loop is followed by what is inside it.
    parts: tuple[LoopRow | BlockRow, ...]
    #: By instruction, live general registers; ``None`` where nobody knows them, and why.
    live: tuple[int, ...] | None
    reason: str
    #: Instructions in all.
    count: int

    @property
    def loops(self) -> tuple[LoopRow, ...]:
        return tuple(part for part in self.parts if isinstance(part, LoopRow))


def loop_tree(compilation: Compilation, code: Machine, live: LiveRegisters | None, reason: str | None) -> LoopTree:
    """The loops of the machine code with their statements, in the order of a tree."""
    flow = code.flow
    statements = loop_lines(compilation, flow, code.rows, located(compilation, code.stage))
    texts = {source.path: split_lines(source.text) for source in compilation.sources}

    def block_row(block: Block) -> BlockRow:
        around = flow.loop_of(block.first)
        return BlockRow(
            block.number,
            0 if around is None else around.depth,
            code.rows[block.first],
            code.rows[block.last],
            block.last - block.first + 1,
            tuple(code.rows[flow.blocks[after].first] for after in block.successors),
            block.number in flow.reached,
        )

    def loop_row(loop: Loop) -> LoopRow:
        place = statements[loop.number]
        mix = code.part(flow.instructions_of(loop))
        kinds = sorted(mix.kinds.items(), key=lambda kind: -kind[1])[:_KINDS]
        back = [before for before in flow.blocks[loop.header].predecessors if before in loop.blocks]
        return LoopRow(
            loop.number,
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

    parts = [loop_row(part) if isinstance(part, Loop) else block_row(part) for part in flow.tree()]
    counts = None if live is None else live.general
    return LoopTree(code.stage, tuple(parts), counts, reason or "", len(code.rows))


def tree_lines(tree: LoopTree, parts: Sequence[LoopRow | BlockRow]) -> list[str]:
    """Of some parts of the tree: two lines for a loop, its code and its statement, and one for a block."""
    digits = len(str(max((row.end for row in tree.parts), default=0) + 1))

    def lines_of(row: LoopRow | BlockRow) -> str:
        count = f"{row.instructions} instruction{'s' * (row.instructions != 1)}"
        return f"lines {row.head + 1:>{digits}} to {row.end + 1:>{digits}}  {count}"

    def words(row: LoopRow | BlockRow) -> str:
        if isinstance(row, BlockRow):
            return f"{_INDENT * row.depth}block {row.number}  {lines_of(row)}{_goes_on(row)}"
        indent = _INDENT * (row.depth - 1)
        return f"{indent}loop {row.number}  {lines_of(row)}: {row.mix}\n{indent}  {row.place}  {row.statement}".rstrip()

    return [words(row) for row in parts]


def _goes_on(row: BlockRow) -> str:
    if not row.reached:
        return ", never executed"
    return f", then line {' or '.join(str(at + 1) for at in row.next)}" if row.next else ", ends"


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
