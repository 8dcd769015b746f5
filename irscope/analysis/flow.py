"""Basic blocks, the edges between them, and loops as a tree, of any instruction stream. Numbers count from 0."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from irscope.analysis.graph import dominators, natural_loops, reachable


@dataclass(frozen=True, slots=True)
class Block:
    """Instructions that execute one after the other: numbers ``first`` to ``last``, both included."""

    number: int
    first: int
    last: int
    successors: tuple[int, ...]
    predecessors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A natural loop. Loops are numbered in the order of their headers in the code."""

    number: int
    #: The block that every iteration begins with.
    header: int
    #: Every block of it, those of inner loops too.
    blocks: frozenset[int]
    #: Number of the loop around it.
    parent: int | None
    children: tuple[int, ...]
    #: 1 for an outermost loop.
    depth: int
    #: Lowest and highest instruction number in it; not everything between need be in it.
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Flow:
    blocks: tuple[Block, ...]
    loops: tuple[Loop, ...]
    #: By instruction, the number of its block.
    block_of: tuple[int, ...]
    #: Blocks that can execute: padding behind the last ``EXIT`` cannot.
    reached: frozenset[int]
    #: By number of a jump or call, the numbers of the instructions it goes to; one past the last for an end label.
    targets: dict[int, tuple[int, ...]]
    #: Calls of functions; without ``targets`` where the function is elsewhere.
    calls: tuple[int, ...]
    #: Indirect jumps whose targets nothing names: edges are missing.
    unknown: tuple[int, ...]

    def loop_of(self, instruction: int) -> Loop | None:
        """The innermost loop that an instruction is in."""
        block = self.block_of[instruction]
        inside = [loop for loop in self.loops if block in loop.blocks]
        return max(inside, key=lambda loop: loop.depth) if inside else None

    def instructions_of(self, loop: Loop) -> Iterator[int]:
        """Numbers of the instructions of a loop, inner loops included."""
        for number in sorted(loop.blocks):
            yield from range(self.blocks[number].first, self.blocks[number].last + 1)

    def tree(self) -> Iterator[Loop | Block]:
        """Loops and blocks in the order of the code; each loop is followed by what is in it."""
        inside: dict[int | None, list[Loop | Block]] = defaultdict(list)
        for loop in self.loops:
            inside[loop.parent].append(loop)
        for block in self.blocks:
            around = self.loop_of(block.first)
            inside[None if around is None else around.number].append(block)

        def below(number: int | None) -> Iterator[Loop | Block]:
            for part in sorted(inside[number], key=lambda part: part.first):
                yield part
                if isinstance(part, Loop):
                    yield from below(part.number)

        return below(None)


def build(
    count: int,
    starts: Iterable[int],
    following: Callable[[int], Iterable[int]],
    targets: Mapping[int, tuple[int, ...]],
    calls: tuple[int, ...] = (),
    unknown: tuple[int, ...] = (),
) -> Flow:
    """Blocks, edges and loops of ``count`` instructions.

    Args:
        starts: Numbers of the instructions that a block begins with; 0 is one.
        following: By the last instruction of a block, the instructions that may follow; those past the end are none.
        targets: By number of a jump or call, where it goes.
        calls: Those of them that call: what they call is an entry beside the first block.
        unknown: Jumps whose targets nobody knows.
    """
    begins = sorted({0, *(start for start in starts if start < count)}) if count else []
    block_of = _numbered(begins, count)
    ends = [*(start - 1 for start in begins[1:]), count - 1]
    successors = [tuple(sorted({block_of[to] for to in following(last) if to < count})) for last in ends if count]
    predecessors: list[list[int]] = [[] for _ in begins]
    for number, found in enumerate(successors):
        for to in found:
            predecessors[to].append(number)
    blocks = tuple(
        Block(number, start, end, successors[number], tuple(predecessors[number]))
        for number, (start, end) in enumerate(zip(begins, ends, strict=False))
    )
    called = {block_of[to] for number in calls for to in targets.get(number, ()) if to < count}
    entries = sorted({0, *called}) if count else []
    reached = reachable(successors, entries)
    loops = natural_loops(successors, dominators(successors, entries), reached)
    return Flow(blocks, _tree(loops, blocks), tuple(block_of), frozenset(reached), dict(targets), calls, unknown)


def _numbered(starts: Sequence[int], count: int) -> list[int]:
    """By instruction, its block."""
    numbers: list[int] = []
    for block, (start, end) in enumerate(zip(starts, [*starts[1:], count], strict=True)):
        numbers += [block] * (end - start)
    return numbers


def _tree(found: dict[int, frozenset[int]], blocks: Sequence[Block]) -> tuple[Loop, ...]:
    headers = sorted(found)
    parents: dict[int, int | None] = {}
    for number, header in enumerate(headers):
        around = [other for other, at in enumerate(headers) if other != number and header in found[at]]
        parents[number] = min(around, key=lambda other: len(found[headers[other]]), default=None)

    def depth(number: int) -> int:
        parent = parents[number]
        return 1 if parent is None else 1 + depth(parent)

    return tuple(
        Loop(
            number,
            header,
            found[header],
            parents[number],
            tuple(child for child, parent in parents.items() if parent == number),
            depth(number),
            min(blocks[block].first for block in found[header]),
            max(blocks[block].last for block in found[header]),
        )
        for number, header in enumerate(headers)
    )
