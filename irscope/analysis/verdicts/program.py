"""The stages of a compilation as the rules look at them: read once, when first asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TypeVar

from irscope import ir
from irscope.analysis.figures import theoretical_occupancy
from irscope.analysis.resources import resources
from irscope.analysis.verdicts.model import Evidence
from irscope.correlate import SOURCE, Correlation
from irscope.ir import cubin, hsaco, ssa
from irscope.ir.lines import Chain, StageIndex, split_lines
from irscope.ir.ssa import Function, Operation
from irscope.model import Compilation, Occupancy, Resources

_LAYOUT = re.compile(r"^(#[\w$.-]+) = (#ttg?\.\w+<.*>|#ttg\.\w+)")
#: Evidence of one kind that a verdict names; the rest is as the first.
MANY = 6
_TEXT_COLUMNS = 90


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation with the loops around it, outermost first."""

    operation: Operation
    loops: tuple[Operation, ...]
    #: Whether it is in a branch, which not every program may take.
    conditional: bool

    @property
    def depth(self) -> int:
        return len(self.loops)


class Program:
    """One compilation. Texts that are missing have no operations and no rows."""

    def __init__(self, compilation: Compilation) -> None:
        self.compilation = compilation
        #: The stage with what the GPU's assembler reads: "ptx" or "amdgcn".
        self.assembly = "amdgcn" if "amdgcn" in compilation.stages else "ptx"

    @property
    def first(self) -> str:
        """The stage that says what the kernel does: TTIR; TTGIR where there is none (Gluon)."""
        return "ttir" if "ttir" in self.compilation.stages else "ttgir"

    @property
    def is_cuda(self) -> bool:
        return self.compilation.target.backend == "cuda"

    def option(self, name: str) -> object:
        """An option of the backend as it was in the end: Triton's metadata first."""
        return self.compilation.metadata.get(name, self.compilation.specialization.options.get(name))

    @cached_property
    def resources(self) -> Resources:
        try:
            return resources(self.compilation)
        except ValueError:  # a damaged binary
            return Resources()

    @cached_property
    def occupancy(self) -> Occupancy:
        return theoretical_occupancy(self.compilation, self.resources)

    @cached_property
    def indices(self) -> Mapping[str, StageIndex]:
        names = ("ttir", "ttgir", self.assembly, "sass")
        return {name: ir.index(name, self.compilation.text(name)) for name in names if self.compilation.text(name)}

    @cached_property
    def _correlation(self) -> Correlation:
        sources = [source.path for source in self.compilation.sources]
        return Correlation(self.indices, sources, self.compilation.kernel.file)

    @cached_property
    def _locations(self) -> dict[str, list[Chain]]:
        return {}

    def locations(self, stage: str) -> Sequence[Chain]:
        """By row, the frames of a stage, with each file's one path."""
        if stage not in self.indices:
            return ()
        if stage not in self._locations:
            self._locations[stage] = self._correlation.locations(stage)
        return self._locations[stage]

    def lines(self, stage: str) -> list[str]:
        found = self.indices.get(stage)
        return found.lines if found else []

    def chain(self, stage: str, row: int) -> Chain:
        return self.locations(stage)[row]

    @cached_property
    def written_lines(self) -> set[tuple[str, int]]:
        """File and line of all that the assembly comes from.

        The line table of a cubin has others besides: LLVM gives the further rows of inline assembly the lines after
        its own (see `irscope.ir.ptx`), and SASS has the lines as they are written there.
        """
        found = self.indices.get(self.assembly)
        distinct = {id(chain): chain for chain in self.locations(self.assembly)} if found else {}
        return {(frame.file, frame.line) for chain in distinct.values() for frame in chain}

    @cached_property
    def _origins(self) -> set[Chain]:
        return set({id(chain): chain for chain in self.locations(self.assembly)}.values())

    def is_in_assembly(self, chain: Chain) -> bool:
        """Whether any instruction comes from there."""
        return chain in self._origins or chain[:1] in self._origins

    @cached_property
    def functions(self) -> Mapping[str, dict[str, Function]]:
        return {name: ssa.functions(self.compilation.text(name)) for name in ("ttir", "ttgir")}

    def entry(self, stage: str) -> Function | None:
        return ssa.entry(self.functions[stage])

    @cached_property
    def _in_entry(self) -> set[int]:
        return {
            id(operation)
            for name in self.functions
            if (entry := self.entry(name))
            for operation in entry.body.operations()
        }

    def is_in_entry(self, operation: Operation) -> bool:
        """Whether it is in the kernel's own function, not in one that was left as a call."""
        return id(operation) in self._in_entry

    @cached_property
    def _placed(self) -> dict[str, list[Placed]]:
        return {}

    def operations(self, stage: str) -> list[Placed]:
        """Those of all functions of an MLIR stage, in the order of its text."""
        if stage not in self._placed:
            found = self._placed[stage] = []
            for function in self.functions[stage].values():
                for number, block in enumerate(function.body.blocks):
                    found.extend(_walk(block.operations, (), number > 0))
        return self._placed[stage]

    def is_gone(self, loop: Operation) -> bool:
        """Whether exact edges tell that nothing of a loop of the TTGIR is left in the assembly."""
        edges = self.compilation.edges
        if edges is None or not edges.is_exact("ttgir", self.assembly):
            return False
        rows = [operation.row for region in loop.regions for operation in region.operations()]
        return not edges.rows("ttgir", rows, self.assembly)

    def at(self, stage: str, chain: Chain, matches: Callable[[str], bool]) -> list[Placed]:
        """The operations of a stage with a certain origin, whose names fit."""
        if not chain:
            return []
        locations = self.locations(stage)
        return [
            placed
            for placed in self.operations(stage)
            if matches(placed.operation.name) and locations[placed.operation.row] == chain
        ]

    def chain_of_transpose(self, load: Operation) -> Chain:
        """Where a load's tile is transposed and no more, the origin of that.

        Warp specialization gives the copy that the load becomes the location of its buffer, the ``tt.trans``'s.
        """
        for function in self.functions[self.first].values():
            operations = list(function.body.operations())
            if any(operation is load for operation in operations):
                users = [operation for operation in operations if set(load.results).intersection(operation.operands)]
                if [user.name for user in users] == ["tt.trans"]:
                    return self.chain(self.first, users[0].row)
        return ()

    @cached_property
    def layouts(self) -> Mapping[str, str]:
        """By alias in the TTGIR, what a layout is."""
        lines = [line for line in self.lines("ttgir") if line[:1] == "#"]
        return {str(found[1]): str(found[2]) for line in lines if (found := _LAYOUT.match(line))}

    @cached_property
    def binary(self) -> str:
        """The stage that is the binary, ``cubin`` or ``hsaco``."""
        return "cubin" if self.is_cuda else "hsaco"

    @cached_property
    def binary_lines(self) -> list[str]:
        """The rows in which the binary is shown to a reader."""
        stage = self.compilation.stages.get(self.binary)
        if stage is None or stage.data is None:
            return []
        try:
            text = cubin.describe(cubin.read(stage.data)) if self.is_cuda else hsaco.describe(hsaco.read(stage.data))
        except ValueError:
            return []
        return text.split("\n")

    # What rules say and show.

    def line_of(self, chain: Chain) -> str:
        """``line 54``, ``line 54, called from line 120``; of code in another file the line that calls it."""
        lines = [frame.line for frame in chain if frame.file == self._kernel_file]
        if not lines:
            name = PurePosixPath(chain[0].file).name if chain else ""
            return f"line {chain[0].line} of {name}" if chain else "a row with no location"
        return ", called from ".join(f"line {line}" for line in dict.fromkeys((lines[0], lines[-1])))

    @cached_property
    def _kernel_file(self) -> str:
        return next(iter(self._correlation.files()), self.compilation.kernel.file)

    @cached_property
    def _kernel_lines(self) -> int:
        source = self.compilation.source(self.compilation.kernel.file)
        return len(split_lines(source.text)) if source else 0

    def source(self, chain: Chain, text: str) -> tuple[Evidence, ...]:
        """The Python line, where there is one."""
        for frame in chain:
            if frame.file == self._kernel_file and frame.line <= self._kernel_lines:
                return (Evidence(SOURCE, frame.line - 1, text),)
        elsewhere = [frame for frame in chain if frame.file != self._kernel_file or not self._kernel_lines]
        return (Evidence(elsewhere[0].file, elsewhere[0].line - 1, text),) if elsewhere else ()

    def row(self, stage: str, row: int, text: str | None = None) -> Evidence:
        """A row of a stage; what is there, where no text is given."""
        shown = text if text is not None else self.lines(stage)[row].partition(" loc(")[0].strip()
        return Evidence(stage, row, shown if len(shown) <= _TEXT_COLUMNS else shown[: _TEXT_COLUMNS - 4] + " ...")

    def rows(self, stage: str, rows: Sequence[int]) -> tuple[Evidence, ...]:
        return tuple(self.row(stage, row) for row in rows[:MANY])


_Found = TypeVar("_Found")


def of_chain(found: Mapping[Chain, list[_Found]], chain: Chain) -> list[_Found]:
    """What was found in the assembly for an origin; where that has no call sites (Triton 3.3), for all its calls."""
    return found.get(chain) or found.get(chain[:1]) or []


def _walk(operations: Sequence[Operation], loops: tuple[Operation, ...], conditional: bool) -> Iterator[Placed]:
    for operation in operations:
        yield Placed(operation, loops, conditional)
        if operation.regions:
            inner = (*loops, operation) if operation.name in ("scf.for", "scf.while") else loops
            branch = conditional or operation.name == "scf.if"
            for region in operation.regions:
                for block in region.blocks:
                    yield from _walk(block.operations, inner, branch)


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def count(number: int, what: str) -> str:
    """``1 load``, ``3 loads``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def joined(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
