"""The compilation as the panes need it: texts, indices, and what the row under the cursor belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.content import Content

from irscope.correlate import Correlation, Rows
from irscope.edges import Edges, Span
from irscope.ir import StageIndex, index
from irscope.lineage import Lineage, Lineages
from irscope.tui.figures import Section, sections
from irscope.tui.source_names import base_name, source_path
from irscope.tui.stages import describe

#: Characters of a call that are shown with its arguments.
_CALL_WIDTH = 40

if TYPE_CHECKING:
    from irscope.model import Compilation


@dataclass(slots=True)
class Links:
    """The stages of one compilation, indexed and joined."""

    correlation: Correlation = field(default_factory=lambda: Correlation({}))
    indices: Mapping[str, StageIndex] = field(default_factory=dict)
    #: There are none until the exact edges are known.
    lineages: Lineages | None = None
    #: Why there are no exact edges, or why some are missing.
    reason: str | None = None

    def join(self, edges: Edges | None, lineages: Lineages | None) -> None:
        """Use exact edges from now on; ``edges`` that are empty say why there are none."""
        self.reason = edges.reason if edges is not None else None
        if edges and lineages is not None:
            self.correlation.edges = edges
            self.lineages = lineages

    def related(self, view: str, row: int | None) -> Mapping[str, Rows]:
        """What came from the same place, ``exact`` by edges that are exact throughout, where there are such."""
        if row is None:
            return {}
        found = self.correlation.related(view, row)
        edges = self.correlation.edges
        if not edges:
            return found
        if view not in edges.stages:
            found = self._from_source_line(view, row, found)
        elif found and (up := edges.rows(view, [row], edges.stages[0])):
            # What the same operations became in the row's own stage: the cursor goes from one to the next.
            beside = edges.rows(edges.stages[0], up, view)
            found = {**found, view: Rows(sorted({*found[view].rows, *beside}), beside, by_edges=True)}
        start = view if view in edges.stages else edges.stages[0]
        return {
            name: Rows(rows.rows) if rows.by_edges and not self._is_exact(start, name) else rows
            for name, rows in found.items()
        }

    def _is_exact(self, start: str, view: str) -> bool:
        edges = self.correlation.edges
        return edges.is_exact(start, view if view in edges.stages else edges.stages[0])

    def _from_source_line(self, view: str, row: int, joined: Mapping[str, Rows]) -> Mapping[str, Rows]:
        """Exact are the rows that the expressions of a line became, those of the helpers it calls among them."""
        edges = self.correlation.edges
        place = self.correlation.location(view, row)
        if place is None:
            return joined
        reached = list(_rows_at(edges, place.file, row + 1))
        answer = dict(joined)
        for name in edges.stages:
            exact = edges.rows(edges.stages[0], reached, name)
            known = joined.get(name, Rows(())).rows
            if exact:
                answer[name] = Rows(sorted({*known, *exact}), exact, by_edges=True)
        return answer

    def lineage(self, view: str, row: int | None) -> Lineage:
        """The way of a stage's row through the compiler; an empty one where no edge tells it."""
        if row is None or self.lineages is None or view not in self.correlation.edges.stages:
            return Lineage()
        return self.lineages.chain(view, row)

    def operations_of_line(self, related: Mapping[str, Rows]) -> list[str]:
        """What operations of the first stage a source line became, in their order; none without edges."""
        edges = self.correlation.edges
        first = related.get(edges.stages[0]) if edges else None
        if self.lineages is None or first is None or not first.by_edges:
            return []
        names = (self.lineages.chain(edges.stages[0], row).operation for row in first.exact)
        return [name for name in names if name]

    def count(self, stage: str, rows: Rows) -> int:
        """How many operations or instructions of a stage belong together: the exact ones, where edges tell them."""
        return self.operations(stage, rows.exact if rows.by_edges else rows.rows)

    def by_line(self, related: Mapping[str, Rows]) -> str:
        """Which of what is lit was joined by its source line, in words; nothing where all is exact."""
        near = [name for name in self.indices if name in related and not related[name].by_edges]
        if not near:
            return ""
        if any(rows.by_edges for rows in related.values()):
            return f"{', '.join(describe(name).short for name in near)} by source line"
        return "by source line"

    def operations(self, stage: str, rows: Sequence[int]) -> int:
        """How many operations or instructions there are among the rows."""
        found = self.indices.get(stage)
        return len(rows) if found is None else sum(found.operations[row] for row in rows)

    def counts(self) -> dict[str, int]:
        """Operations or instructions, by stage."""
        return {name: found.operation_count for name, found in self.indices.items()}


def link(compilation: Compilation) -> Links:
    """Index every text stage and join them; takes a moment for long ones."""
    indices = {
        stage.name: index(stage.name, stage.text) for stage in compilation.stages.values() if stage.text is not None
    }
    sources = {source.path: source.text for source in compilation.sources}
    correlation = Correlation(indices, sources, source_path(compilation))
    return Links(correlation, indices)


def figures_of(compilation: Compilation, links: Links) -> list[Section]:
    """The figures of a compilation, from its own files."""
    from irscope.analysis.figures import theoretical_occupancy
    from irscope.analysis.resources import resources

    used = resources(compilation)
    return sections(compilation, used, theoretical_occupancy(compilation, used), links.counts())


def crumbs(links: Links, view: str, row: int | None, related: Mapping[str, Rows], line: str) -> list[Content]:
    """What the cursor is on: the place, its calls, the expression or line, its operation, and what it became.

    Args:
        line: the text of the source line where there is one, else of the row itself.
    """
    if row is None:
        return []
    lineage = links.lineage(view, row)
    shown = [_place(links, view, row, lineage), _words(links, lineage, line)]
    if lineage.operation is not None:
        others = f" and {lineage.operations - 1} more" if lineage.operations > 1 else ""
        shown.append(Content.assemble((lineage.operation, "$accent"), others))
    elif names := links.operations_of_line(related):
        # The last one gives the line its value.
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        shown.append(Content.assemble((names[-1], "$accent"), others))
    for name in links.indices:
        rows = related.get(name)
        if rows and (count := links.count(name, rows)):
            shown.append(Content.assemble((f"{count} ", "bold"), describe(name).title))
    return shown


def _place(links: Links, view: str, row: int, lineage: Lineage) -> Content:
    """File and line, and those of the calls around it."""
    if lineage.span is not None:
        frames = [(span.file, span.line, span.column) for span in (lineage.span, *lineage.calls)]
    else:
        frames = [(frame.file, frame.line, frame.column) for frame in links.correlation.chain(view, row)]
    if not frames:
        return Content.styled("no source location", "$text-muted")
    where = " in ".join(f"{base_name(file)}:{line}" for file, line, _ in frames[:3])
    column = f":{frames[0][2]}" if frames[0][2] and len(frames) == 1 else ""
    return Content.styled(where + column, "bold")


def _words(links: Links, lineage: Lineage, line: str) -> Content:
    """The expression, and the call that brought it here; without edges the line that it is on."""
    if lineage.expression is None or links.lineages is None:
        return Content(line.strip())
    call = links.lineages.text(lineage.calls[0]) if lineage.calls else None
    return Content.assemble(lineage.expression, (f" in {_shortened(call)}", "$text-muted") if call else "")


def _shortened(call: str) -> str:
    """``attend(…)`` where its arguments would take the line from what it became."""
    name, bracket, _ = call.partition("(")
    return call if len(call) <= _CALL_WIDTH or not bracket else f"{name}(…)"


def _rows_at(edges: Edges, file: str, line: int) -> Iterator[int]:
    """Rows of the first stage with an expression, or a call that inlined it, at a line of a file."""
    for row, spans in edges.spans.items():
        if any(span.line == line and span.file == file for span in spans):
            yield row


def parts(span: Span, lines: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Row, first character and end of what a span covers in each row of its file, indentation left out."""
    for row in range(span.line - 1, min(span.end_line, len(lines))):
        indent = len(lines[row]) - len(lines[row].lstrip())
        start = span.column - 1 if row == span.line - 1 else indent
        end = span.end_column - 1 if row == span.end_line - 1 else len(lines[row].rstrip())
        if start < end:
            yield row, start, end
