"""From every instruction to the rows of a stage, or the lines of Python, that it came from.

Over exact edges where the compilation has them; else, and for the instructions that they do not reach, by source
location.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Literal, TypeAlias, TypeVar

from irscope import ir
from irscope.analysis.machine import Machine
from irscope.correlate import Correlation
from irscope.edges import Edges
from irscope.ir import StageIndex
from irscope.ir.files import SourceFiles
from irscope.ir.lines import UNMAPPED, Chain
from irscope.ir.sass import ptx_rows
from irscope.model import Compilation

#: ``approximate``: over edges of a second compile that did not make the very same code. ``source``: what has the same
#: source location is taken to belong together.
Join = Literal["exact", "approximate", "source"]
#: A path, and a line that counts from 1.
Place: TypeAlias = tuple[str, int]
#: Of a row, from 0, or of a line of Python.
Key = TypeVar("Key", int, Place)


@dataclass(frozen=True, slots=True)
class Origin(Generic[Key]):
    """Of one instruction."""

    #: Everything it came from; of Python the lines that called it too.
    all: tuple[Key, ...] = ()
    #: The one it came from, where that is one alone: of Python the line where it is written.
    own: Key | None = None


@dataclass(frozen=True, slots=True)
class Origins(Generic[Key]):
    """By instruction."""

    join: Join
    #: Why it is not exact.
    reason: str | None
    of: Sequence[Origin[Key]]
    #: How many instructions have theirs by source location.
    located: int = 0


class Joining:
    """Looks for origins in the texts of one compilation; each text is read when it is first needed."""

    def __init__(self, compilation: Compilation, code: Machine) -> None:
        self._compilation = compilation
        self._code = code
        edges = compilation.edges
        self._edges = edges if edges is not None else Edges(reason="nobody has asked for exact edges")
        self._indices: dict[str, StageIndex] = {}

    def index(self, stage: str) -> StageIndex:
        if stage not in self._indices:
            self._indices[stage] = ir.index(stage, self._compilation.text(stage))
        return self._indices[stage]

    def rows(self, stage: str) -> Origins[int]:
        """Rows of a stage, from 0."""
        if stage == self._code.stage:
            return Origins("exact", None, [Origin((row,), row) for row in self._code.rows])
        exact = None
        if self._edges.between(stage, self._code.stage):
            exact = [_single(rows) for rows in self._rows_by_edges(stage)]
        return self._completed(stage, exact, lambda: self._rows_by_location(stage))

    def lines(self) -> Origins[Place]:
        """Lines of Python."""
        first = next(iter(self._edges.stages), "")
        exact = self._lines_by_edges(first) if self._edges.between(first, self._code.stage) else None
        return self._completed(first, exact, self._lines_by_location)

    def _completed(
        self, stage: str, exact: list[Origin[Key]] | None, located: Callable[[], list[Origin[Key]]]
    ) -> Origins[Key]:
        if exact is None:
            found = located()
            return Origins("source", self._no_edges(stage), found, sum(bool(origin.all) for origin in found))
        join, reason = self._quality(stage)
        missing = [number for number, origin in enumerate(exact) if not origin.all and self._code.executes(number)]
        if not missing:
            return Origins(join, reason, exact)
        found = located()
        for number in missing:
            exact[number] = found[number]
        return Origins(join, reason, exact, sum(bool(found[number].all) for number in missing))

    # Over exact edges.

    def _quality(self, stage: str) -> tuple[Join, str | None]:
        inexact = [edge for edge in self._edges.between(stage, self._code.stage) if not edge.exact]
        return ("approximate", inexact[0].reason) if inexact else ("exact", None)

    def _rows_by_edges(self, stage: str) -> list[tuple[int, ...]]:
        reached: list[tuple[int, ...]] = [(row,) for row in self._code.rows]
        for edge in reversed(self._edges.between(stage, self._code.stage)):
            known: dict[tuple[int, ...], tuple[int, ...]] = {}
            for rows in set(reached):
                found = {upper for row in rows for upper in edge.uppers.get(row, ())}
                known[rows] = tuple(sorted(found))
            reached = [known[rows] for rows in reached]
        return reached

    def _lines_by_edges(self, first: str) -> list[Origin[Place]]:
        spans = self._edges.spans
        names = {span.file: None for chain in spans.values() for span in chain}
        files = SourceFiles([self._compilation.kernel.file, *self._source_paths, *names])
        paths = {name: files.path(number) for name in names if (number := files.number(name)) is not None}
        places = {
            row: tuple([(paths[span.file], span.line) for span in chain]) for row, chain in spans.items() if chain
        }
        known: dict[tuple[int, ...], Origin[Place]] = {}
        reached = self._rows_by_edges(first)
        for rows in set(reached):
            known[rows] = _innermost([places[row] for row in rows if row in places])
        return [known[rows] for rows in reached]

    # By source location.

    def _no_edges(self, stage: str) -> str:
        if self._edges:
            return f"there are no exact edges between {stage} and {self._code.stage}"
        return self._edges.reason or "there are no exact edges"

    @property
    def _source_paths(self) -> list[str]:
        return [source.path for source in self._compilation.sources]

    @cached_property
    def _correlation(self) -> Correlation:
        texts = [name for name, stage in self._compilation.stages.items() if stage.text is not None]
        return Correlation(
            {name: self.index(name) for name in texts}, self._source_paths, self._compilation.kernel.file
        )

    @cached_property
    def _located_at(self) -> Sequence[tuple[str, int]]:
        """By instruction, the stage and row that say where it is from.

        The PTX knows better than the cubin's line table: it has columns, and the further rows of inline assembly at
        their own line. Which row of it an instruction is from, nvdisasm tells for any cubin that has its PTX.
        """
        stage = self._code.stage
        above: Mapping[int, int] = {}
        if stage == "sass" and self._compilation.text("ptx"):
            above = ptx_rows(self.index(stage), self.index("ptx"))
        return [("ptx", above[row]) if row in above else (stage, row) for row in self._code.rows]

    def _chain(self, number: int) -> Chain:
        if not self._code.executes(number):
            return UNMAPPED  # padding, which a line table gives to the line before it
        return self._correlation.chain(*self._located_at[number])

    def _rows_by_location(self, stage: str) -> list[Origin[int]]:
        index = self.index(stage)
        found = []
        known: dict[tuple[str, Chain], Origin[int]] = {}
        for number, (view, row) in enumerate(self._located_at):
            chain = self._chain(number)
            if not chain:
                found.append(_single(()))
                continue
            if (view, chain) not in known:
                related = self._correlation.related(view, row).get(stage)
                rows = [] if related is None else [at for at in related.exact or related.rows if _is_code(index, at)]
                known[view, chain] = _single(tuple(rows))
            found.append(known[view, chain])
        return found

    def _lines_by_location(self) -> list[Origin[Place]]:
        known: dict[Chain, Origin[Place]] = {}
        found = []
        for number in range(len(self._code.rows)):
            chain = self._chain(number)
            if chain not in known:
                known[chain] = _innermost([tuple([(frame.file, frame.line) for frame in chain])])
            found.append(known[chain])
        return found


def _is_code(index: StageIndex, row: int) -> bool:
    """Whether an operation begins there; a module's location is that of the function in it."""
    return bool(index.operations[row]) and not index.lines[row].startswith("module")


def _single(rows: tuple[int, ...]) -> Origin[int]:
    return Origin(rows, rows[0] if len(rows) == 1 else None)


def _innermost(chains: Sequence[tuple[Place, ...]]) -> Origin[Place]:
    """Of frames, innermost first."""
    written = {chain[0] for chain in chains if chain}
    everything = dict.fromkeys(place for chain in chains for place in chain)
    return Origin(tuple(everything), next(iter(written)) if len(written) == 1 else None)
