"""The instruction mix of a kernel, a loop or a line: how many instructions of which kind, and the bytes they move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from irscope.analysis.flow import Flow, Loop
from irscope.analysis.sass.instructions import Function
from irscope.analysis.sass.kinds import OTHER, Access, Direction, Space, access, all_kinds, kind


@dataclass(frozen=True, slots=True)
class Accesses:
    """Memory instructions of one sort."""

    space: Space
    direction: Direction
    #: Of each lane; ``None`` where the instruction does not say (TMA).
    bits: int | None
    instructions: int
    #: Bytes that a warp moves when each of them executes once, all lanes active; ``None`` as ``bits``.
    bytes_per_warp: int | None


@dataclass(frozen=True, slots=True)
class Mix:
    """Instructions as they stand in the code: how often a loop runs is not known."""

    instructions: int
    #: By kind, in the order of the data file; kinds that do not occur are not there.
    kinds: Mapping[str, int]
    #: Most bytes first, those of unknown size at the end.
    accesses: tuple[Accesses, ...]
    #: By opcode with modifiers, ``HMMA.16816.F32``: the tensor core instructions.
    tensor: Mapping[str, int]
    #: By opcode without modifiers, what the data file does not know.
    other: Mapping[str, int]
    #: Instructions that only exist because registers ran out; ``None``: nothing tells.
    spills: int | None

    def bytes_per_warp(self, space: Space, direction: Direction | None = None) -> int | None:
        """Bytes a warp moves in one space when each instruction executes once; ``None`` where one does not say."""
        chosen = [each for each in self.accesses if each.space == space and direction in (None, each.direction)]
        sizes = [each.bytes_per_warp for each in chosen]
        return None if None in sizes else sum(size or 0 for size in sizes)


def mix_of(
    function: Function, numbers: Iterable[int] | None = None, spilling: frozenset[int] | None = frozenset()
) -> Mix:
    """The mix of some instructions of a function, by number; of all where ``numbers`` is not given.

    ``spilling``: numbers of the spill code, see `irscope.analysis.sass.spills.spill_code`.
    """
    chosen = range(len(function.instructions)) if numbers is None else sorted(set(numbers))
    of = [function.instructions[number] for number in chosen]
    spills = None if spilling is None else len(spilling.intersection(chosen))
    return tally([(kind(each), each.opcode, each.name, access(each)) for each in of], spills)


def tally(instructions: Iterable[tuple[str, str, str, Access | None]], spills: int | None) -> Mix:
    """A mix of instructions, each with its kind, its opcode with and without modifiers, and what it moves."""
    count = 0
    by_kind: Counter[str] = Counter()
    moved: Counter[tuple[Space, Direction, int | None]] = Counter()
    sizes: dict[tuple[Space, Direction, int | None], int | None] = {}
    tensor: Counter[str] = Counter()
    other: Counter[str] = Counter()
    for of_kind, opcode, name, found in instructions:
        count += 1
        by_kind[of_kind] += 1
        if of_kind == "tensor core":
            tensor[opcode] += 1
        elif of_kind == OTHER:
            other[name] += 1
        elif found:
            key = (found.space, found.direction, found.bits)
            moved[key] += 1
            before = sizes.get(key, 0)
            sizes[key] = None if before is None or found.bytes_per_warp is None else before + found.bytes_per_warp
    accesses = [Accesses(*key, number, sizes[key]) for key, number in moved.items()]
    accesses.sort(key=lambda each: -(each.bytes_per_warp if each.bytes_per_warp is not None else -1))
    return Mix(
        count,
        {name: by_kind[name] for name in all_kinds() if by_kind[name]},
        tuple(accesses),
        dict(tensor.most_common()),
        dict(other.most_common()),
        spills,
    )


def mix_of_loop(
    function: Function, edges: Flow, loop: Loop, spilling: frozenset[int] | None = frozenset(), inner: bool = True
) -> Mix:
    """The mix of one loop, with the loops inside it or (``inner`` false) without."""
    numbers = set(edges.instructions_of(loop))
    if not inner:
        for child in loop.children:
            numbers.difference_update(edges.instructions_of(edges.loops[child]))
    return mix_of(function, numbers, spilling)
