"""The way of one place through the compiler: ``a + offs``, then ``tt.addptr``, then 3 ops, then 12 instructions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from irscope.edges import Edges, Span, Spans
from irscope.ir import StageIndex
from irscope.ir.lines import split_lines

_OPERATION = re.compile(r'\s*(?:%[^=]*= )?"?([a-z_]\w*(?:\.\w+)*)')


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a row, or an expression, came from and became."""

    #: The expression, on one line; ``None`` where the source is not there or no expression is known.
    expression: str | None = None
    span: Span | None = None
    #: The operation of the first stage (``tt.addptr``); of several the last, which gives the expression its value.
    operation: str | None = None
    #: How many operations of the first stage it is.
    operations: int = 0
    #: By later stage, how many operations these became, in the order of compilation.
    became: Mapping[str, int] = field(default_factory=dict)
    #: The calls that inlined it, innermost first; a kernel's own code has none.
    calls: Sequence[Span] = ()
    #: Whether every edge on the way is exact.
    exact: bool = True

    def __bool__(self) -> bool:
        return self.operation is not None


class Lineages:
    """Looks lineages up in the edges of one compilation."""

    def __init__(self, edges: Edges, stages: Mapping[str, StageIndex], sources: Mapping[str, str]) -> None:
        """``stages`` are the indices of all that ``edges`` join, ``sources`` the Python texts by path."""
        self._edges = edges
        self._stages = stages
        self._sources = {path: split_lines(text) for path, text in sources.items()}

    def chain(self, stage: str, row: int) -> Lineage:
        """That of a row of a stage; an empty one where no edge leads from it to the first stage."""
        first = self._edges.stages[:1]
        return self._of(self._edges.rows(stage, [row], first[0])) if first else Lineage()

    def at(self, path: str, row: int, column: int) -> Lineage:
        """That of the smallest expression at a place of a source file; row from 0, column from 1."""
        rows_of: dict[Span, list[int]] = {}
        for first_row, spans in self._edges.spans.items():
            if spans[0].file == path and covers(spans[0], row + 1, column):
                rows_of.setdefault(spans[0], []).append(first_row)
        if not rows_of:
            return Lineage()
        smallest = min(rows_of, key=lambda span: (span.end_line - span.line, span.end_column - span.column))
        return self._of(rows_of[smallest])

    def _of(self, rows: Sequence[int]) -> Lineage:
        edges = self._edges
        first = edges.stages[0]
        operations = self._stages[first].operations
        rows = [row for row in rows if row < len(operations) and operations[row]]
        if not rows:
            return Lineage()
        last = max(rows)
        spans: Spans = edges.spans.get(last, ())
        name = _OPERATION.match(self._stages[first].lines[last])
        return Lineage(
            expression=self.text(spans[0]) if spans else None,
            span=spans[0] if spans else None,
            operation=name[1] if name else None,
            operations=len(rows),
            became={stage: self._count(stage, edges.rows(first, rows, stage)) for stage in edges.stages[1:]},
            calls=spans[1:],
            exact=edges.is_exact(first, edges.stages[-1]),
        )

    def _count(self, stage: str, rows: Iterable[int]) -> int:
        operations = self._stages[stage].operations
        return sum(operations[row] for row in rows)

    def text(self, span: Span) -> str | None:
        """The characters of a span, its rows joined by single spaces."""
        rows = self._sources.get(span.file, [])[span.line - 1 : span.end_line]
        if span.is_empty or len(rows) < span.end_line - span.line + 1:
            return None
        rows[-1] = rows[-1][: span.end_column - 1]
        rows[0] = rows[0][span.column - 1 :]
        return " ".join(row.strip() for row in rows)


def covers(span: Span, line: int, column: int) -> bool:
    """Whether a place (line and column from 1) is within a span."""
    return (span.line, span.column) <= (line, column) < (span.end_line, span.end_column)
