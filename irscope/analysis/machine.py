"""The machine code of a kernel in the terms that NVIDIA's and AMD's share: what reports by line are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from irscope.analysis import amd, sass
from irscope.analysis.flow import Flow
from irscope.analysis.sass.mix import Mix
from irscope.model import Compilation


@dataclass(frozen=True)
class Machine:
    """Instructions are numbered from 0 in the order of the text; functions that are called are behind the kernel."""

    #: "sass" or "amdgcn".
    stage: str
    #: By instruction, its row in the stage's text, from 0.
    rows: tuple[int, ...]
    flow: Flow
    #: The mix of some instructions, by number.
    part: Callable[[Iterable[int]], Mix]
    #: By number of an instruction that spills or fills, the bytes of one lane; ``None``: nothing tells which those are.
    spills: Mapping[int, int] | None

    @cached_property
    def depths(self) -> Sequence[int]:
        """By instruction, how many loops are around it."""
        by_block = [0] * len(self.flow.blocks)
        for loop in self.flow.loops:
            for block in loop.blocks:
                by_block[block] = max(by_block[block], loop.depth)
        return [by_block[block] for block in self.flow.block_of]

    def executes(self, instruction: int) -> bool:
        """Whether any path leads to an instruction; to the padding behind the code none does."""
        return self.flow.block_of[instruction] in self.flow.reached


def machine(compilation: Compilation) -> Machine | None:
    """The kernel in the last text stage, with what it calls; ``None`` where there is no machine code.

    Raises:
        ValueError: the cubin is damaged.
    """
    found = sass.read(compilation)
    if found is not None:
        return _nvidia(found)
    other = amd.read(compilation)
    return _amd(other) if other is not None else None


def _nvidia(code: sass.Sass) -> Machine:
    instructions = code.function.instructions
    sizes = None
    if code.spills is not None:
        accesses = {number: sass.access(instructions[number]) for number in sorted(code.spills)}
        sizes = {number: (each and each.bytes_per_thread) or 0 for number, each in accesses.items()}
    return Machine("sass", tuple([each.row for each in instructions]), code.flow, code.part, sizes)


def _amd(code: amd.Amd) -> Machine:
    sizes: dict[int, int] | None = None
    if code.mix.spills is not None:
        accesses = {number: amd.access(each, code.figures.wave) for number, each in enumerate(code.instructions)}
        local = {number: each for number, each in accesses.items() if each is not None and each.space == "local"}
        sizes = {number: (each.bits or 0) // 8 for number, each in local.items()} if code.mix.spills else {}
    return Machine("amdgcn", tuple([each.row for each in code.instructions]), code.flow, code.part, sizes)
