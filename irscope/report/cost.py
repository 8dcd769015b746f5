"""``irscope cost``: a table of lines or rows with what they cost, as text and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

from irscope import __version__, ir
from irscope.analysis.cost import Cost, Costs, RowCost, StageCosts
from irscope.analysis.live import LiveRegisters
from irscope.correlate import SOURCE
from irscope.ir.lines import split_lines
from irscope.ir.table import aligned, grouped
from irscope.model import Compilation

#: What the table can be sorted by, highest first; "line" is the order of the text.
SORTS: Mapping[str, Callable[[Cost], int | None]] = {
    "instructions": lambda cost: cost.instructions,
    "loops": lambda cost: cost.in_loops,
    "tensor": lambda cost: cost.kinds.get("tensor core", 0),
    "bytes": lambda cost: _sum(cost.global_bytes, cost.shared_bytes),
    "global": lambda cost: cost.global_bytes,
    "shared": lambda cost: cost.shared_bytes,
    "registers": lambda cost: cost.registers,
    "spills": lambda cost: cost.spills,
    "convert-layout": lambda cost: cost.convert_layout_instructions or cost.convert_layouts,
}
LINE = "line"

_CODE_COLUMNS = 64
#: Tensor core instructions whose operands are in shared memory.
_REACHES_SHARED = re.compile(r"[A-Z]GMMA|UTC\w*MMA")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table."""

    #: ``None`` for a row of a stage.
    file: str | None
    #: From 1.
    line: int
    text: str
    row: RowCost


@dataclass(frozen=True, slots=True)
class CostTable:
    compilation: Compilation
    costs: Costs
    #: ``source`` or a stage.
    stage: str
    #: Where live registers are from, or why there are none.
    live: LiveRegisters | None
    no_live: str | None

    @property
    def of_stage(self) -> StageCosts[Any]:
        return self.costs.lines if self.stage == SOURCE else self.costs.stage(self.stage)

    def entries(self, sort: str = "instructions", top: int | None = None) -> list[Entry]:
        """Highest first, those of an unknown figure before all; the ``top`` first ones."""
        found = self._lines() if self.stage == SOURCE else self._rows()
        if sort != LINE:
            found.sort(key=lambda entry: _descending(SORTS[sort](entry.row.cost)))
        return found[:top]

    def _lines(self) -> list[Entry]:
        texts = {source.path: split_lines(source.text) for source in self.compilation.sources}
        kernel = self.compilation.kernel.file
        found = []
        for (file, line), row in self.costs.by_source.items():
            lines = texts.get(file, [])
            found.append(Entry(file, line, lines[line - 1].strip() if line <= len(lines) else "", row))
        return sorted(found, key=lambda entry: (entry.file != kernel, entry.file, entry.line))

    def _rows(self) -> list[Entry]:
        text = self.compilation.text(self.stage)
        clean = ir.clean(self.stage, text)
        raw = split_lines(text)
        return [
            Entry(None, row + 1, (clean.lines[clean.clean_row(row)] if clean.keeps(row) else raw[row]).strip(), cost)
            for row, cost in self.costs.rows(self.stage).items()
        ]


def _descending(figure: int | None) -> float:
    return float("-inf") if figure is None else -figure


def _sum(*figures: int | None) -> int | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if len(known) == len(figures) else None


# As text.


def text(table: CostTable, sort: str, top: int | None) -> str:
    entries = table.entries(sort, top)
    of_stage = table.of_stage
    kernel = table.compilation.kernel.file
    lines = [(_label(entry, kernel), entry.row.cost, _shortened(entry.text)) for entry in entries]
    if of_stage.several.instructions:
        which = "(of several rows at one source location)" if of_stage.join == "source" else "(of several rows at once)"
        lines.append(("several", of_stage.several, which))
    if of_stage.unattributed.instructions:
        lines.append(("none", of_stage.unattributed, "(not known where from)"))
    lines.append(("all", table.costs.total, ""))
    columns = [
        (name, of)
        for name, of in _COLUMNS
        if any(of(cost) not in ("", "0", *(["1"] if name == "depth" else [])) for _, cost, _ in lines)
    ]
    header = ("row" if table.stage != SOURCE else "line", *(name for name, _ in columns), "mostly", table.stage)
    rows = [header, *((label, *(of(cost) for _, of in columns), _mostly(cost), code) for label, cost, code in lines)]
    shown = aligned(rows, right=tuple(range(len(columns) + 1)))
    return "\n".join([_heading(table), "", *shown, "", *_notes(table, {name for name, _ in columns})])


def _figure(value: int | None) -> str:
    return "?" if value is None else grouped(value)


def _convert_layout(cost: Cost) -> str:
    if cost.convert_layouts is None:
        return ""
    return _figure(
        cost.convert_layouts if cost.convert_layout_instructions is None else cost.convert_layout_instructions
    )


_COLUMNS: Sequence[tuple[str, Callable[[Cost], str]]] = (
    ("instr", lambda cost: grouped(cost.instructions)),
    ("%", lambda cost: f"{100 * cost.share:.1f}"),
    ("in loop", lambda cost: grouped(cost.in_loops)),
    ("depth", lambda cost: grouped(cost.loop_depth)),
    ("global B", lambda cost: _figure(cost.global_bytes)),
    ("shared B", lambda cost: _figure(cost.shared_bytes)),
    ("cvt", _convert_layout),
    ("spill B", lambda cost: _figure(cost.spill_bytes)),
    ("regs", lambda cost: "" if cost.registers is None else str(cost.registers)),
)


def _label(entry: Entry, kernel: str) -> str:
    return str(entry.line) if entry.file in (None, kernel) else f"{PurePath(entry.file or '').name}:{entry.line}"


def _mostly(cost: Cost) -> str:
    """The two most frequent kinds."""
    first = sorted(cost.kinds.items(), key=lambda kind: -kind[1])[:2]
    return ", ".join(f"{count} {name}" for name, count in first)


def _shortened(code: str) -> str:
    return code if len(code) <= _CODE_COLUMNS else f"{code[: _CODE_COLUMNS - 4]} ..."


def _heading(table: CostTable) -> str:
    of_stage = table.of_stage
    count = grouped(table.costs.total.instructions)
    kernel = table.compilation.kernel.name
    how = {
        "exact": "exact",
        "approximate": f"approximate: {of_stage.reason}",
        "source": f"by source location: {of_stage.reason}",
    }[of_stage.join]
    return f"{kernel}   {table.compilation.target.arch}   {count} instructions   {how}"


def _notes(table: CostTable, columns: set[str]) -> list[str]:
    of_stage = table.of_stage
    notes = ["instr: machine instructions as they stand in the code; how often a loop runs is not known"]
    if table.stage == SOURCE:
        notes.append("a line has what the functions that it calls have, and the lines of those are listed as well")
    if of_stage.join == "source" and of_stage.several.instructions:
        notes.append("several: rows at one source location are each shown with all of its instructions")
    if of_stage.join != "source" and of_stage.located:
        notes.append(f"by source location, where exact edges do not reach: {of_stage.located} instructions")
    if columns & {"global B", "shared B"}:
        warp = "wave" if table.costs.code.stage == "amdgcn" else "warp"
        notes.append(f"global B, shared B: bytes of one {warp} when each instruction executes once, all lanes active")
    if any(_REACHES_SHARED.match(opcode) for opcode in table.costs.total.mix.tensor):
        notes.append("what the tensor cores themselves read from shared memory is not in shared B")
    if "cvt" in columns:
        what = "operations" if table.costs.total.convert_layout_instructions is None else "instructions"
        notes.append(f"cvt: {what} of ttg.convert_layout")
    if "spill B" in columns:
        notes.append("spill B: bytes of one thread that its spill code stores and loads")
    if table.live is not None:
        notes.append(f"regs: highest number of live registers, of {table.live.peak} at the peak ({table.live.origin})")
    elif table.no_live:
        notes.append(f"no live registers: {table.no_live.removeprefix('no live registers: ')}")
    return notes


# As JSON.


def schema() -> dict[str, Any]:
    loaded = json.loads(Path(__file__).with_name("cost_schema.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def document(table: CostTable, sort: str, top: int | None) -> dict[str, Any]:
    of_stage = table.of_stage
    compilation = table.compilation
    return {
        "irscope": __version__,
        "kernel": compilation.kernel.name,
        "file": compilation.kernel.file,
        "target": asdict(compilation.target),
        "triton": compilation.triton,
        "stage": table.stage,
        "code": table.costs.code.stage,
        "correlation": {"kind": of_stage.join, "reason": of_stage.reason, "located": of_stage.located},
        "live_registers": {"from": table.live and table.live.origin, "reason": table.no_live},
        "rows": [
            {
                "file": entry.file,
                "line": entry.line,
                "text": entry.text,
                "cost": cost_in_json(entry.row.cost),
                "own": cost_in_json(entry.row.own),
            }
            for entry in table.entries(sort, top)
        ],
        "several": cost_in_json(of_stage.several),
        "unattributed": cost_in_json(of_stage.unattributed),
        "total": cost_in_json(table.costs.total),
    }


_FIGURES = (
    "instructions", "share", "in_loops", "loop_depth", "global_bytes", "shared_bytes", "registers", "spills",
    "spill_bytes", "convert_layouts", "convert_layout_instructions", "convert_layout_shared_bytes",
)  # fmt: skip


def cost_in_json(cost: Cost) -> dict[str, Any]:
    figures = {name: getattr(cost, name) for name in _FIGURES}
    return {**figures, "kinds": dict(cost.kinds), "accesses": [asdict(each) for each in cost.mix.accesses]}
