"""``irscope stats``: the figures and the verdicts of a kernel, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from irscope import __version__
from irscope.analysis.cost import known_live_registers
from irscope.analysis.figures import Figures, figures, occupancy_changes
from irscope.analysis.occupancy import Change
from irscope.analysis.sass import LiveRegisters
from irscope.analysis.verdicts import Verdict, verdicts
from irscope.explain.figures import source, verdict_source
from irscope.ir.table import aligned
from irscope.model import Compilation
from irscope.report.document import RESOURCES, figure_sources, in_json
from irscope.report.summary import figure_lines, heading
from irscope.report.verdicts import verdict_lines, verdict_list


@dataclass(frozen=True, slots=True)
class Stats:
    compilation: Compilation
    figures: Figures
    #: What would raise the occupancy, nearest first.
    changes: tuple[Change, ...]
    live: LiveRegisters | None
    no_live: str | None
    verdicts: list[Verdict]


def stats(compilation: Compilation) -> Stats:
    """All of them; takes up to a second for live registers and bank conflicts."""
    found = figures(compilation)
    try:
        live, no_live = known_live_registers(compilation)
    except ValueError as error:  # a damaged cubin: the figures are unknown too
        live, no_live = None, str(error)
    changes = occupancy_changes(compilation, found.resources)
    return Stats(compilation, found, changes, live, no_live, verdicts(compilation, slower=True))


def text(found: Stats) -> str:
    blocks = [
        heading(found.compilation),
        figure_lines(found.figures),
        "\n".join(_changes(found)),
        _live(found),
        verdict_lines(found.verdicts),
        "\n".join(_from(found)),
    ]
    return "\n\n".join(block for block in blocks if block)


def _changes(found: Stats) -> Iterator[str]:
    if found.changes:
        yield "what would raise occupancy:"
        yield from (f"  {change}" for change in found.changes)


def _live(found: Stats) -> str:
    if found.live is None:
        reason = (found.no_live or "").removeprefix("no live registers: ")
        return f"live registers: unknown; {reason}" if reason else ""
    return f"live registers: at most {found.live.peak} of a thread"


def _from(found: Stats) -> Iterator[str]:
    """Each source with the figures that come from it."""
    by_source: dict[str, list[str]] = {}
    for name, words in _sources(found).items():
        if name in _SHOWN:
            by_source.setdefault(words, []).append(_SHOWN[name])
    if by_source:
        yield "where the figures come from:"
    yield from aligned([(f"  {', '.join(names)}", words) for words, names in by_source.items()])


def _sources(found: Stats) -> dict[str, str]:
    known = figure_sources(found.compilation, found.figures)
    if found.live is not None:
        known["live_registers"] = source("live_registers", found.compilation, found.live.origin)
    return known


#: Figures as the text names them.
_SHOWN = {
    "registers": "registers",
    "sgprs": "scalar registers",
    "agprs": "accumulation registers",
    "spill_store_bytes": "spills",
    "stack_bytes": "stack",
    "shared_dynamic_bytes": "shared memory, dynamic",
    "shared_static_bytes": "shared memory, static",
    "barriers": "barriers",
    "code_bytes": "code",
    "instructions": "instructions",
    "blocks_per_sm": "occupancy",
    "live_registers": "live registers",
}


def schema() -> dict[str, Any]:
    loaded = json.loads(Path(__file__).with_name("stats_schema.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def document(found: Stats) -> dict[str, Any]:
    compilation = found.compilation
    used = asdict(found.figures.resources)
    listed = zip(verdict_list(found.verdicts), found.verdicts, strict=True)
    return {
        "irscope": __version__,
        "kernel": compilation.kernel.name,
        "file": compilation.kernel.file,
        "target": asdict(compilation.target),
        "triton": compilation.triton,
        "options": in_json(compilation.specialization.options),
        "configuration": compilation.specialization.configuration,
        "resources": {**{name: used[name] for name in RESOURCES}, **used},
        "occupancy": asdict(found.figures.occupancy),
        "changes": [_change(change) for change in found.changes],
        "live_registers": {
            "peak": None if found.live is None else found.live.peak,
            "from": None if found.live is None else found.live.origin,
            "reason": found.no_live,
        },
        "sources": _sources(found),
        "verdicts": [{**entry, "from": verdict_source(verdict.rule)} for entry, verdict in listed],
        "warnings": list(compilation.warnings),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "sentence": str(change),
        "fewer_registers": change.fewer_registers,
        "less_shared_bytes": change.less_shared_bytes,
        "num_warps": None if change.num_warps_before is None else change.num_warps,
        "occupancy": asdict(change.after),
    }
