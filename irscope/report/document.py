"""``dump --format json``: one object, its names fixed by DESIGN section 9 and ``schema.json`` beside this."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from irscope import __version__, ir
from irscope.analysis.figures import Figures
from irscope.analysis.verdicts import verdicts
from irscope.correlate import Correlation
from irscope.edges import Edge, Edges
from irscope.explain.figures import source
from irscope.ir.lines import Location, split_lines
from irscope.model import Compilation
from irscope.report.verdicts import verdict_list

RESOURCES = (
    "registers", "spill_store_bytes", "spill_load_bytes", "stack_bytes", "shared_static_bytes",
    "shared_dynamic_bytes", "barriers", "code_bytes", "instructions",
)  # fmt: skip


def schema() -> dict[str, Any]:
    loaded = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def document(
    compilation: Compilation,
    figures: Figures,
    files: Mapping[str, Path] | None = None,
    text: bool = False,
    correlation: Literal["exact", "source", "none"] = "none",
) -> dict[str, Any]:
    """The document; ``files`` says where each stage was written, where it was.

    ``correlation`` "source" has the locations of every line, "exact" the compilation's edges beside them.
    """
    specialization = compilation.specialization
    used = asdict(figures.resources)
    shown: dict[str, Any] = {
        "irscope": __version__,
        "kernel": compilation.kernel.name,
        "file": compilation.kernel.file,
        "target": asdict(compilation.target),
        "triton": compilation.triton,
        "signature": dict(specialization.signature),
        "constexprs": in_json(specialization.constexprs),
        "attributes": {name: dict(entry) for name, entry in specialization.attributes.items()},
        "options": in_json(specialization.options),
        "configuration": specialization.configuration,
        "provenance": dict(specialization.provenance),
        "evidence": dict(specialization.evidence),
        "hidden": dict(specialization.hidden),
        "stages": stages(compilation, figures, files or {}, text),
        "resources": {**{name: used[name] for name in RESOURCES}, **used},
        "sources": figure_sources(compilation, figures),
        "occupancy": asdict(figures.occupancy),
        "verdicts": verdict_list(verdicts(compilation)),
        "seconds": compilation.seconds,
        "warnings": list(compilation.warnings),
    }
    if correlation != "none":
        shown["correlation"] = line_locations(compilation)
    if correlation == "exact":
        edges = compilation.edges
        shown["edges"] = described_edges(Edges(reason="nobody asked for them") if edges is None else edges)
    if compilation.failure is not None:
        shown["error"] = asdict(compilation.failure)
    return shown


def figure_sources(compilation: Compilation, figures: Figures) -> dict[str, str]:
    """By figure of ``resources`` and ``occupancy`` that is known, where it comes from."""
    known = {**asdict(figures.resources), **asdict(figures.occupancy)}
    return {name: source(name, compilation) for name, value in known.items() if value is not None}


def stages(compilation: Compilation, figures: Figures, files: Mapping[str, Path], text: bool) -> list[dict[str, Any]]:
    listed = []
    for name, stage in with_source(compilation).items():
        file = files.get(name)
        entry: dict[str, Any] = {
            "name": name,
            "file": str(file) if file else None,
            "lines": None if stage is None else line_count(stage),
            "bytes": size_of(compilation, name, stage),
            "seconds": compilation.stages[name].seconds if name in compilation.stages else None,
            "operations": figures.operations.get(name),
        }
        if text:
            entry["text"] = stage
        listed.append(entry)
    return listed


def with_source(compilation: Compilation) -> dict[str, str | None]:
    """Text by stage, the kernel's Python first; ``None`` for a binary stage."""
    source = compilation.source(compilation.kernel.file)
    first = {"source": source.text} if source else {}
    return {**first, **{name: stage.text for name, stage in compilation.stages.items()}}


def size_of(compilation: Compilation, name: str, text: str | None) -> int:
    return compilation.stages[name].bytes if name in compilation.stages else len((text or "").encode())


def line_count(text: str) -> int:
    return len(split_lines(text))


def in_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with infinities and NaN as text: JSON has no such numbers."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def line_locations(compilation: Compilation) -> dict[str, list[dict[str, Any]]]:
    """By stage, the lines that have a source location: the innermost first, then where it was inlined."""
    texts = {name: stage.text for name, stage in compilation.stages.items() if stage.text is not None}
    indices = {name: ir.index(name, text) for name, text in texts.items()}
    sources = [source.path for source in compilation.sources]
    correlation = Correlation(indices, sources, compilation.kernel.file)
    return {
        name: [
            {"line": row, "locations": [place(location) for location in chain]}
            for row, chain in enumerate(correlation.locations(name), 1)
            if chain
        ]
        for name in indices
    }


def place(location: Location) -> dict[str, Any]:
    return {"file": location.file, "line": location.line, "column": location.column or None}


def described_edges(edges: Edges) -> dict[str, Any]:
    """Edges with lines that count from 1; an expression ends before its ``end_column``."""
    return {
        "reason": edges.reason,
        "seconds": edges.seconds,
        "expressions": {
            "stage": edges.stages[0] if edges else None,
            "lines": [
                {"line": row + 1, "spans": [asdict(span) for span in spans]} for row, spans in edges.spans.items()
            ],
        },
        "between": [described_edge(edge) for edge in edges.edges],
    }


def described_edge(edge: Edge) -> dict[str, Any]:
    return {
        "upper": edge.upper,
        "lower": edge.lower,
        "exact": edge.exact,
        "reason": edge.reason,
        "lines": [
            {"line": row + 1, "from": [upper + 1 for upper in uppers], "by_use": row in edge.by_use}
            for row, uppers in edge.uppers.items()
        ],
    }
