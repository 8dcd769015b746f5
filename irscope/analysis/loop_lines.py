"""The Python loop that each loop of the machine code is: its ``for`` or ``while`` statement.

The first instruction of a loop does not tell: code is hoisted and moved across the header. The jump back has the
location of the statement itself, mostly; else the statement is the outermost one, not of a loop around it, that most
instructions of the loop are in.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from irscope.analysis.flow import Flow, Loop
from irscope.ir.lines import Chain, Location
from irscope.model import Compilation

#: A path, and a line that counts from 1.
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Statement:
    """A loop of Python; lines count from 1, both included."""

    first: int
    last: int


def loop_lines(
    compilation: Compilation, flow: Flow, rows: Sequence[int], chains: Sequence[Chain]
) -> Sequence[Place | None]:
    """By number of a loop, its statement; ``None`` for one that no Python says (the compiler made it).

    ``rows`` are those of the instructions in the text, ``chains`` the locations of each row.
    """
    statements = {source.path: _statements(source.text) for source in compilation.sources}
    found: list[Place | None] = []
    for loop in flow.loops:
        around = {found[outer.number] for outer in _around(flow, loop)}
        said = _closing(flow, loop, rows, chains, statements)
        found.append(said or _most(flow, loop, rows, chains, statements, around))
    return found


def _around(flow: Flow, loop: Loop) -> Iterator[Loop]:
    while loop.parent is not None:
        loop = flow.loops[loop.parent]
        yield loop


def _statements(text: str) -> tuple[Statement, ...]:
    """Loops that can be left in the code, outermost first; ``tl.static_range`` has none."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # of another Python than this
        return ()
    return tuple(
        Statement(node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, (ast.For, ast.While)) and not (isinstance(node, ast.For) and _is_unrolled(node.iter))
    )


def _is_unrolled(iterated: ast.expr) -> bool:
    return isinstance(iterated, ast.Call) and ast.unparse(iterated.func).rpartition(".")[2] == "static_range"


def _closing(
    flow: Flow, loop: Loop, rows: Sequence[int], chains: Sequence[Chain], statements: Mapping[str, Sequence[Statement]]
) -> Place | None:
    """What the jumps back to the header say."""
    for number in flow.blocks[loop.header].predecessors:
        if number in loop.blocks:
            for frame in chains[rows[flow.blocks[number].last]]:
                if any(frame.line == each.first for each in statements.get(frame.file, ())):
                    return frame.file, frame.line
    return None


def _most(
    flow: Flow,
    loop: Loop,
    rows: Sequence[int],
    chains: Sequence[Chain],
    statements: Mapping[str, Sequence[Statement]],
    around: Collection[Place | None],
) -> Place | None:
    """The statement that most instructions are in, not one of ``around``.

    A loop all of one line is the compiler's own: AMD's over the different addresses that the threads of a wave have.
    """
    votes: Counter[Place] = Counter()
    located = 0
    lines: set[Location] = set()
    for instruction in flow.instructions_of(loop):
        chain = chains[rows[instruction]]
        located += bool(chain)
        lines.update(chain[:1])
        votes.update(
            {
                (frame.file, each.first)
                for frame in chain
                for each in statements.get(frame.file, ())
                if each.first <= frame.line <= each.last
            }
        )
    likely = [place for place, count in votes.items() if 2 * count > located and place not in around]
    if len({(frame.file, frame.line) for frame in lines}) < 2:
        return None
    return max(likely, key=lambda place: votes[place], default=None)
