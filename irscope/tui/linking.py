"""The compilation as the panes need it: texts, indices, and what the row under the cursor belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath, PureWindowsPath

from textual.content import Content

from irscope.correlate import Correlation, Rows
from irscope.ir import StageIndex, index
from irscope.model import Compilation
from irscope.tui.figures import Section, sections
from irscope.tui.stages import SOURCE, describe


@dataclass(slots=True)
class Links:
    """The stages of one compilation, indexed and joined."""

    correlation: Correlation = field(default_factory=lambda: Correlation({}))
    indices: Mapping[str, StageIndex] = field(default_factory=dict)

    def related(self, view: str, row: int | None) -> Mapping[str, Rows]:
        return {} if row is None else self.correlation.related(view, row)

    def operations(self, stage: str, rows: Sequence[int]) -> int:
        """How many operations or instructions there are among the rows."""
        found = self.indices.get(stage)
        return len(rows) if found is None else sum(found.operations[row] for row in rows)

    def counts(self) -> dict[str, int]:
        """Operations or instructions, by stage."""
        return {name: found.operation_count for name, found in self.indices.items()}


def source_path(compilation: Compilation) -> str | None:
    """The path of the source that the source pane shows first."""
    paths = [source.path for source in compilation.sources]
    return compilation.kernel.file if compilation.kernel.file in paths else next(iter(paths), None)


def source_texts(compilation: Compilation) -> Iterator[tuple[str, str, str]]:
    """Key of the view, short name and text of every source file, the kernel's own first."""
    first = source_path(compilation)
    ordered = sorted(compilation.sources, key=lambda source: source.path != first)
    for source in ordered:
        yield (SOURCE if source.path == first else source.path, base_name(source.path), source.text)


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
    """What the cursor is on: the place, its calls, the line itself, and how much it became in each stage.

    Args:
        line: the text of the source line where there is one, else of the row itself.
    """
    if row is None:
        return []
    chain = links.correlation.chain(view, row)
    place = Content.styled("no source location", "$text-muted")
    if chain:
        where = " in ".join(f"{base_name(frame.file)}:{frame.line}" for frame in chain[:3])
        column = f":{chain[0].column}" if chain[0].column and len(chain) == 1 else ""
        place = Content.styled(where + column, "bold")
    shown = [place, Content(line.strip())]
    for name in links.indices:
        rows = related.get(name)
        if rows:
            count = links.operations(name, rows.rows)
            shown.append(Content.assemble((f"{count} ", "bold"), describe(name).title))
    return shown


def base_name(path: str) -> str:
    """The last part of a path of either kind of system: a bundle may come from the other one."""
    return PureWindowsPath(path).name if "\\" in path else PurePath(path).name
