"""Exact edges between the stages of one compilation: which rows of the stage before each row came from.

Stored are only the edges between neighbouring stages; further ones are composed when they are asked for. Rows
count from 0, as in `irscope.ir`; the lines and columns of a `Span` count from 1, as editors do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Span:
    """An expression or a statement of a source file; ``end_column`` is the one after its last character.

    An empty one (its end is its start) is a place of which no more is known.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def is_empty(self) -> bool:
        return (self.line, self.column) == (self.end_line, self.end_column)


@dataclass(frozen=True)
class Edge:
    """Where each row of ``lower`` came from in ``upper``, the stage before it.

    ``exact`` is False where the compile that told it did not make the very same code; ``reason`` says how.
    """

    upper: str
    lower: str
    exact: bool
    reason: str | None
    #: By row of ``lower``, rows of ``upper``, ascending. Rows that are not there came from none that is known.
    uppers: Mapping[int, tuple[int, ...]]
    #: Rows of ``lower`` that no location leads up from: the compiler moved or split them. Their ``uppers`` are those
    #: of the instructions that use their values.
    by_use: frozenset[int] = frozenset()

    @cached_property
    def lowers(self) -> Mapping[int, tuple[int, ...]]:
        """The same edge downward: by row of ``upper``, rows of ``lower``, ascending."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for lower in sorted(self.uppers):
            for upper in self.uppers[lower]:
                found[upper].append(lower)
        return {upper: tuple(rows) for upper, rows in found.items()}


#: The frames of one row: the expression itself first, then the calls that inlined it, outward.
Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Edges:
    """All edges of one compilation, and the Python expressions of its first stage."""

    #: In the order of compilation, each beginning where the one before ends.
    edges: tuple[Edge, ...] = ()
    #: By row of the first stage.
    spans: Mapping[int, Spans] = field(default_factory=dict)
    #: Why there are none, or why some are missing.
    reason: str | None = None
    #: What they cost: seconds from the request to the last edge.
    seconds: float | None = None

    def __bool__(self) -> bool:
        return bool(self.edges)

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """The stages that edges join, first to last."""
        return (*(edge.upper for edge in self.edges[:1]), *(edge.lower for edge in self.edges))

    def between(self, one: str, other: str) -> Sequence[Edge]:
        """The edges on the way from one stage to the other, top down; none where one of them has none."""
        if one not in self.stages or other not in self.stages:
            return ()
        start, end = sorted((self.stages.index(one), self.stages.index(other)))
        return self.edges[start:end]

    def is_exact(self, one: str, other: str) -> bool:
        """Whether every edge between two stages is exact."""
        return one == other or (bool(way := self.between(one, other)) and all(edge.exact for edge in way))

    def rows(self, start: str, rows: Iterable[int], end: str) -> Sequence[int]:
        """The rows of the stage ``end`` that rows of ``start`` came from, or became; ascending."""
        found = set(rows)
        if start == end:
            return sorted(found)
        way = self.between(start, end)
        if not way:
            return ()
        if self.stages.index(start) < self.stages.index(end):
            steps: Iterable[Mapping[int, tuple[int, ...]]] = (edge.lowers for edge in way)
        else:
            steps = (edge.uppers for edge in reversed(way))
        for step in steps:
            found = {other for row in found for other in step.get(row, ())}
        return sorted(found)

    def expressions(self, stage: str, row: int) -> Sequence[Spans]:
        """The Python expressions, with their calls, that a row of a stage came from."""
        if not self.stages:
            return ()
        found = (self.spans.get(upper, ()) for upper in self.rows(stage, [row], self.stages[0]))
        return tuple(dict.fromkeys(spans for spans in found if spans))


def to_json(edges: Edges) -> dict[str, Any]:
    """What `from_json` reads, as JSON has it."""
    spans = list(dict.fromkeys(span for chain in edges.spans.values() for span in chain))
    files = list(dict.fromkeys(span.file for span in spans))
    number_of = {span: number for number, span in enumerate(spans)}
    file_of = {file: number for number, file in enumerate(files)}
    return {
        "format": FORMAT,
        "reason": edges.reason,
        "seconds": edges.seconds,
        "files": files,
        "spans": [[file_of[s.file], s.line, s.column, s.end_line, s.end_column] for s in spans],
        "expressions": [[row, *(number_of[span] for span in chain)] for row, chain in edges.spans.items()],
        "edges": [
            {
                "upper": edge.upper,
                "lower": edge.lower,
                "exact": edge.exact,
                "reason": edge.reason,
                "rows": [[lower, *uppers] for lower, uppers in edge.uppers.items()],
                "by_use": sorted(edge.by_use),
            }
            for edge in edges.edges
        ],
    }


def from_json(fields: Mapping[str, Any]) -> Edges:
    """Raises KeyError, TypeError, ValueError or IndexError where it is not what `to_json` makes."""
    if fields["format"] != FORMAT:
        raise ValueError(f"edges of format {fields['format']!r}, not {FORMAT}")
    spans = [Span(fields["files"][file], *places) for file, *places in fields["spans"]]
    return Edges(
        edges=tuple(
            Edge(
                entry["upper"],
                entry["lower"],
                bool(entry["exact"]),
                entry["reason"],
                {lower: tuple(uppers) for lower, *uppers in entry["rows"]},
                frozenset(entry["by_use"]),
            )
            for entry in fields["edges"]
        ),
        spans={row: tuple(spans[number] for number in numbers) for row, *numbers in fields["expressions"]},
        reason=fields["reason"],
        seconds=fields["seconds"],
    )
