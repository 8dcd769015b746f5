"""``dump --format json``: one object, its names fixed by DESIGN section 9 and ``schema.json`` beside this."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from irscope import __version__, ir
from irscope.analysis.figures import Figures
from irscope.model import Compilation

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
    correlation: bool = False,
) -> dict[str, Any]:
    """The document; ``files`` says where each stage was written, where it was."""
    specialization = compilation.specialization
    used = asdict(figures.resources)
    shown: dict[str, Any] = {
        "irscope": __version__,
        "kernel": compilation.kernel.name,
        "file": compilation.kernel.file,
        "target": asdict(compilation.target),
        "triton": compilation.triton,
        "signature": dict(specialization.signature),
        "constexprs": dict(specialization.constexprs),
        "attributes": {name: dict(entry) for name, entry in specialization.attributes.items()},
        "options": dict(specialization.options),
        "configuration": specialization.configuration,
        "provenance": dict(specialization.provenance),
        "evidence": dict(specialization.evidence),
        "stages": stages(compilation, figures, files or {}, text),
        "resources": {**{name: used[name] for name in RESOURCES}, **used},
        "occupancy": asdict(figures.occupancy),
        "seconds": compilation.seconds,
        "warnings": list(compilation.warnings),
    }
    if correlation:
        shown["correlation"] = {
            name: line_locations(name, stage.text)
            for name, stage in compilation.stages.items()
            if stage.text is not None
        }
    if compilation.failure is not None:
        shown["error"] = asdict(compilation.failure)
    return shown


def stages(compilation: Compilation, figures: Figures, files: Mapping[str, Path], text: bool) -> list[dict[str, Any]]:
    listed = []
    for name, stage in with_source(compilation).items():
        file = files.get(name)
        entry: dict[str, Any] = {
            "name": name,
            "file": str(file) if file else None,
            "lines": None if stage is None else stage.count("\n") + (not stage.endswith("\n")),
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


def line_locations(stage: str, text: str) -> list[dict[str, Any]]:
    """The lines that have a source location: the innermost first, then where it was inlined."""
    index = ir.index(stage, text)
    return [
        {"line": row + 1, "locations": [asdict(location) for location in chain]}
        for row, chain in enumerate(index.chains)
        if chain
    ]
