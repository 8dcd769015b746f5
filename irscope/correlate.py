"""Lines to lines: which rows of every view came from the same place in the source.

A *view* is a compile stage or a source file. Rows count from 0, as in `irscope.ir`. Files are named by their
paths; the kernel's own file is known as ``"source"`` too. Everything is indexed when it is first asked for,
once; after that a query is a few look-ups, whatever the length of the texts.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from irscope.edges import Edges
from irscope.ir.calls import complete_calls, distinct_chains, has_calls
from irscope.ir.files import SourceFiles
from irscope.ir.lines import UNMAPPED, Chain, Location, StageIndex

SOURCE = "source"

#: A frame as all stages agree on it: number of the file, line.
Frame: TypeAlias = tuple[int, int]
Frames: TypeAlias = tuple[Frame, ...]

_NO_ROWS: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one view, ascending, from the same lines; ``exact`` are those of the very operation or expression.

    ``by_edges`` says how ``exact`` was told: by the compiler's own edges, or by sharing the column as well.
    """

    rows: Sequence[int]
    exact: Sequence[int] = _NO_ROWS
    by_edges: bool = False

    def __len__(self) -> int:
        return len(self.rows)


class Correlation:
    """The stages of one compilation, joined on source locations, and by exact edges where there are any."""

    def __init__(
        self,
        stages: Mapping[str, StageIndex],
        sources: Iterable[str] = (),
        kernel_file: str | None = None,
        edges: Edges | None = None,
    ) -> None:
        """Join ``stages``, by name in the order of compilation.

        ``sources`` are paths of files to know besides those that locations name (a mapping of texts by path
        will do); ``kernel_file`` is the path of the file that the view ``"source"`` stands for.
        """
        #: May be set once they are there: they come after the stages.
        self.edges = edges or Edges()
        self._given = dict(stages)
        self._sources = list(sources)
        self._kernel_file = kernel_file
        self._completed: dict[str, StageIndex] | None = None
        self._files: SourceFiles | None = None
        self._tables: dict[str, _Table] = {}
        #: By what was asked for, frames or a frame, with columns. The cursor comes back to the same lines.
        self._answers: dict[tuple[Frames | Frame, tuple[int, ...] | int], dict[str, Rows]] = {}

    def files(self) -> list[str]:
        """Every file that a location or ``sources`` names, the kernel's first; one path for each file."""
        files = self._known_files()
        first = files.number(self._kernel_file) if self._kernel_file else None
        numbers = sorted(files.numbers(), key=lambda number: (number != first, number))
        return [files.path(number) for number in numbers]

    def location(self, view: str, row: int) -> Location | None:
        """Where a row was written, innermost frame; for a source file the line itself."""
        chain = self.chain(view, row)
        return chain[0] if chain else None

    def chain(self, view: str, row: int) -> Chain:
        """All frames of a row, innermost first, with each file's one path."""
        files = self._known_files()
        if view in self._stages:
            chains = self._stages[view].chains
            return files.canonical(chains[row]) if 0 <= row < len(chains) else UNMAPPED
        number = self._source_number(view)
        return UNMAPPED if number is None else (Location(files.path(number), row + 1),)

    def locations(self, stage: str) -> list[Chain]:
        """The frames of every row of a stage, for reports. Raises KeyError where there is no such stage."""
        canonical = self._known_files().canonical
        known: dict[int, Chain] = {}
        result = []
        for chain in self._stages[stage].chains:
            found = known.get(id(chain))
            if found is None:
                found = known[id(chain)] = canonical(chain)
            result.append(found)
        return result

    def related(self, view: str, row: int, column: int = 0) -> Mapping[str, Rows]:
        """What came from the same place as a row, in every view that has any of it.

        From a stage: rows with the same frames by file and line; in a stage that has none, those written at
        the same line, however they were called; in source files, the line of every frame, ``exact`` for the
        innermost. From a source line: rows with a frame there at any depth, ``exact`` for those at ``column``
        (as the stages count it, 0 is none); in source files, the lines that called it and those it calls.
        A row without a location relates to nothing. Source views go by path, the kernel's by ``"source"``.

        With edges, ``exact`` are the rows that the edges lead to; from a source line, those that they lead to from
        the expressions at ``column``.
        """
        if view in self._stages:
            joined = self._from_stage(view, row)
            return self._followed(joined, view, [row], keep=True)
        number = self._source_number(view)
        if number is None or row < 0:
            return {}
        joined = self._from_source((number, row + 1), column)
        first = self.edges.stages[0] if self.edges else ""
        return self._followed(joined, first, joined[first].exact, keep=False) if first in joined else joined

    def _followed(self, joined: Mapping[str, Rows], stage: str, rows: Sequence[int], keep: bool) -> Mapping[str, Rows]:
        """``joined`` with the rows that edges lead to from some of a stage, and the lines of their expressions.

        Where they lead nowhere, a compiler's own code say, it stays as it is; with ``keep``, in other stages alone.
        """
        edges = self.edges
        if stage not in edges.stages or not rows:
            return joined
        reached = {name: edges.rows(stage, rows, name) for name in edges.stages}
        if not any(found for name, found in reached.items() if name != stage):
            return joined
        answer = dict(joined)
        for name, found in reached.items():
            if found or name in answer:
                known = answer.get(name, Rows(_NO_ROWS)).rows
                answer[name] = Rows(sorted({*known, *found}), found, by_edges=True)
        if keep:
            self._add_expressions(answer, reached[edges.stages[0]])
        return answer

    def _add_expressions(self, answer: dict[str, Rows], rows: Sequence[int]) -> None:
        """The lines of the expressions of rows of the first stage, and those of their calls."""
        files = self._known_files()
        lines: defaultdict[str, set[int]] = defaultdict(set)
        innermost: defaultdict[str, set[int]] = defaultdict(set)
        for row in rows:
            for place, span in enumerate(self.edges.spans.get(row, ())):
                number = files.number(span.file)
                if number is not None:
                    view = self._view_of(number)
                    lines[view].add(span.line - 1)
                    if not place:
                        innermost[view].add(span.line - 1)
        for view, found in lines.items():
            known = answer.get(view, Rows(_NO_ROWS)).rows
            answer[view] = Rows(sorted({*known, *found}), sorted(innermost[view]), by_edges=True)

    def _from_stage(self, view: str, row: int) -> Mapping[str, Rows]:
        index = self._stages[view]
        chain = index.chains[row] if 0 <= row < len(index.chains) else UNMAPPED
        if not chain:
            return {}
        frames = self._known_files().frames(chain)
        columns = _columns(chain)
        key = (frames, columns)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = {}
            for name in self._stages:
                table = self._table(name)
                origins = table.with_frames.get(frames) or table.written_at.get(frames[0])
                if origins:
                    same = [origin for origin in origins if columns[0] and origin.is_at(frames, columns)]
                    answer[name] = Rows(_rows(origins), _rows(same))
            self._add_sources(answer, frames, frames[0])
        return answer

    def _from_source(self, frame: Frame, column: int) -> Mapping[str, Rows]:
        key = (frame, column)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = {}
            lines = {frame}
            for name in self._stages:
                origins = self._table(name).at_line.get(frame)
                if origins:
                    same = [origin for origin in origins if column and origin.passes(frame, column)]
                    answer[name] = Rows(_rows(origins), _rows(same))
                    lines.update(*[origin.frames for origin in origins])
            if answer:
                self._add_sources(answer, lines, frame)
        return answer

    def _add_sources(self, answer: dict[str, Rows], frames: Iterable[Frame], exact: Frame) -> None:
        rows: defaultdict[int, set[int]] = defaultdict(set)
        for number, line in frames:
            rows[number].add(line - 1)
        for number, found in rows.items():
            same = [exact[1] - 1] if number == exact[0] else _NO_ROWS
            answer[self._view_of(number)] = Rows(sorted(found), same)

    def _view_of(self, number: int) -> str:
        files = self._known_files()
        kernel = files.number(self._kernel_file) if self._kernel_file else None
        return SOURCE if number == kernel else files.path(number)

    def _source_number(self, view: str) -> int | None:
        path = self._kernel_file if view == SOURCE else view
        return self._known_files().number(path) if path else None

    @property
    def _stages(self) -> dict[str, StageIndex]:
        """The stages, those without call sites completed from the last one before that has them."""
        if self._completed is None:
            completed: dict[str, StageIndex] = {}
            before: StageIndex | None = None
            for name, index in self._given.items():
                if has_calls(index):
                    before = index
                elif before is not None:
                    index = complete_calls(index, before)
                completed[name] = index
            self._completed = completed
        return self._completed

    def _known_files(self) -> SourceFiles:
        if self._files is None:
            names = [self._kernel_file] if self._kernel_file else []
            names += self._sources
            for index in self._stages.values():
                names += {frame.file: None for chain in distinct_chains(index) for frame in chain}
            self._files = SourceFiles(dict.fromkeys(names))
        return self._files

    def _table(self, stage: str) -> _Table:
        table = self._tables.get(stage)
        if table is None:
            table = self._tables[stage] = _Table(self._stages[stage], self._known_files())
        return table


def _columns(chain: Chain) -> tuple[int, ...]:
    return tuple([frame.column for frame in chain])


@dataclass(slots=True)
class _Origin:
    """One place with its calls, and the rows of one stage that came from it, ascending."""

    frames: Frames
    columns: tuple[int, ...]
    rows: array[int]

    def is_at(self, frames: Frames, columns: tuple[int, ...]) -> bool:
        return self.columns == columns and self.frames == frames

    def passes(self, frame: Frame, column: int) -> bool:
        """Whether one of the frames is at this column of this line."""
        return (frame, column) in zip(self.frames, self.columns, strict=True)


def _rows(origins: Sequence[_Origin]) -> Sequence[int]:
    """The rows of several origins, ascending."""
    if len(origins) == 1:
        return origins[0].rows
    # Ascending runs one after the other, which sorting merges.
    merged = array("I")
    for origin in origins:
        merged += origin.rows
    return array("I", sorted(merged))


class _Table:
    """The origins in one stage by all that is asked for."""

    __slots__ = ("at_line", "with_frames", "written_at")

    def __init__(self, index: StageIndex, files: SourceFiles) -> None:
        self.with_frames: defaultdict[Frames, list[_Origin]] = defaultdict(list)
        self.written_at: defaultdict[Frame, list[_Origin]] = defaultdict(list)
        self.at_line: defaultdict[Frame, list[_Origin]] = defaultdict(list)
        distinct = distinct_chains(index)
        by_chain = {id(chain): array("I") for chain in distinct}
        for row, identity in enumerate(map(id, index.chains)):
            by_chain[identity].append(row)
        for chain in distinct:
            if chain:
                frames = files.frames(chain)
                origin = _Origin(frames, _columns(chain), by_chain[id(chain)])
                self.with_frames[frames].append(origin)
                self.written_at[frames[0]].append(origin)
                # A recursive chain may pass one line twice.
                for frame in set(frames) if len(frames) > 1 else frames:
                    self.at_line[frame].append(origin)
