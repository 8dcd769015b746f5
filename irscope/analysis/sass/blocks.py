"""Basic blocks of SASS, what follows what, and the loops they make, as a tree.

Edges are those of the code as written: a jump, what is behind a conditional one, the targets that nvdisasm found
for an indirect one. A call of a function goes on behind itself (`Flow.calls`); one of a label inside the function,
which ptxas writes for some loop exits, is a jump. ``EXIT`` and ``RET`` end. The reconvergence instructions (``BSSY``,
``BSYNC``, ``WARPSYNC``) order lanes and jump nowhere. The tests compare with ``nvdisasm -bbcfg``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from irscope.analysis.graph import dominators, natural_loops, reachable
from irscope.analysis.sass.instructions import Function, Instruction

_JUMPS = frozenset(("BRA", "JMP"))
_INDIRECT = frozenset(("BRX", "BRXU", "JMX", "JMXU"))
_ENDS = frozenset(("EXIT", "RET", "KILL"))
_CALL = "CALL"
#: How labels inside a function begin; functions have names of their own.
_LOCAL = ".L"


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
    #: Indirect jumps whose targets nvdisasm does not name: edges are missing.
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


def flow(function: Function) -> Flow:
    """Blocks, edges and loops of one function."""
    instructions, labels = function.instructions, function.labels
    targets = {
        number: found
        for number, instruction in enumerate(instructions)
        if (found := tuple(labels[label] for label in instruction.targets if label in labels))
        and (_jumps(instruction) or instruction.name == _CALL)
    }
    calls = tuple(number for number, instruction in enumerate(instructions) if _calls(instruction))
    unknown = tuple(
        number
        for number, instruction in enumerate(instructions)
        if number not in targets and _jumps(instruction) and instruction.name not in _ENDS
    )
    starts = sorted(_starts(function, targets, every_label=bool(unknown)))
    block_of = _numbered(starts, len(instructions))
    ends = [*(start - 1 for start in starts[1:]), len(instructions) - 1]
    successors = [
        tuple(sorted({block_of[to] for to in _next(instructions, last, targets) if to < len(instructions)}))
        for last in ends
    ]
    predecessors: list[list[int]] = [[] for _ in starts]
    for number, following in enumerate(successors):
        for to in following:
            predecessors[to].append(number)
    blocks = tuple(
        Block(number, start, end, successors[number], tuple(predecessors[number]))
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    )
    entries = _entries(function, block_of, targets, calls)
    reached = reachable(successors, entries)
    loops = natural_loops(successors, dominators(successors, entries), reached)
    return Flow(blocks, _tree(loops, blocks), tuple(block_of), frozenset(reached), targets, calls, unknown)


def _jumps(instruction: Instruction) -> bool:
    if instruction.name == _CALL:
        return not _calls(instruction)
    return instruction.name in _JUMPS or instruction.name in _INDIRECT


def _calls(instruction: Instruction) -> bool:
    """Whether it calls a function: a symbol of its own, or an address in a register."""
    return instruction.name == _CALL and not any(label.startswith(_LOCAL) for label in instruction.targets)


def _conditional(instruction: Instruction) -> bool:
    """Whether execution can go on behind a jump or an end: a predicate before it, or one among its operands."""
    if instruction.predicate is not None:
        return instruction.predicate != "PT"
    return len(instruction.operands) > 1 and instruction.name not in ("RET", *_INDIRECT)


def _starts(function: Function, targets: dict[int, tuple[int, ...]], every_label: bool) -> set[int]:
    """Before which instructions a block begins: where a jump goes, behind one, where lanes come together again."""
    instructions, labels = function.instructions, function.labels
    starts = {0, *(to for found in targets.values() for to in found)}
    for number, instruction in enumerate(instructions):
        if _jumps(instruction) or instruction.name in _ENDS or instruction.name == _CALL:
            starts.add(number + 1)
        elif instruction.name == "BSSY":
            starts.update(labels[label] for label in instruction.targets if label in labels)
    if every_label:
        starts.update(labels.values())
    return {start for start in starts if start < len(instructions)}


def _numbered(starts: Sequence[int], count: int) -> list[int]:
    """By instruction, its block."""
    numbers: list[int] = []
    for block, (start, end) in enumerate(zip(starts, [*starts[1:], count], strict=True)):
        numbers += [block] * (end - start)
    return numbers


def _next(instructions: Sequence[Instruction], last: int, targets: dict[int, tuple[int, ...]]) -> Iterator[int]:
    instruction = instructions[last]
    ends = instruction.name in _ENDS
    if _jumps(instruction) and instruction.predicate != "!PT":
        yield from targets.get(last, ())
    if not (ends or _jumps(instruction)) or _conditional(instruction):
        yield last + 1


def _entries(
    function: Function, block_of: Sequence[int], targets: dict[int, tuple[int, ...]], calls: Sequence[int]
) -> list[int]:
    """The first block, and those that calls go to."""
    called = {block_of[to] for number in calls for to in targets.get(number, ()) if to < len(block_of)}
    return sorted({0, *called})


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
