"""A compilation in a screenful of text: ``irscope dump`` with no other option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from irscope.analysis.figures import Figures
from irscope.analysis.verdicts import verdicts
from irscope.ir.table import aligned, grouped
from irscope.model import Compilation
from irscope.report.document import line_count, size_of, with_source
from irscope.report.verdicts import verdict_lines


def summary(compilation: Compilation, figures: Figures, files: Mapping[str, Path]) -> str:
    blocks = [heading(compilation), specialization(compilation)]
    if compilation.stages or compilation.failure is None:
        blocks += [
            stage_table(compilation, figures, files),
            figure_lines(figures),
            verdict_lines(verdicts(compilation)),
        ]
    return "\n\n".join(block for block in blocks if block)


def heading(compilation: Compilation) -> str:
    options = compilation.specialization.options
    parts = [f"{compilation.kernel.name}  {compilation.kernel.file}".strip(), compilation.target.arch]
    for name, label in (("num_warps", "warps"), ("num_stages", "stages"), ("num_ctas", "ctas"), ("maxnreg", "maxnreg")):
        value = options.get(name)
        if value is not None and (name, value) != ("num_ctas", 1):
            parts.append(f"{label} {value}")
    if compilation.triton:
        parts.append(f"triton {compilation.triton}")
    return "   ".join(parts)


def specialization(compilation: Compilation) -> str:
    """Every parameter with its type or value and where that came from."""
    found = compilation.specialization
    rows = []
    for name, type_ in found.signature.items():
        value = f"= {found.constexprs.get(name)}" if type_ == "constexpr" else type_
        divisor = found.attributes.get(name, {}).get("tt.divisibility")
        where = found.provenance.get(name, "")
        if evidence := found.evidence.get(name):
            where = evidence if evidence.startswith(f"{where}, ") else f"{where}: {evidence}"
        if hidden := found.hidden.get(name):
            where = f"{where}; {hidden}"
        if where == "configuration" and found.configuration is not None:
            count = len(compilation.kernel.configurations)
            where = f"configuration {found.configuration} of {count}" if count else where
        rows.append((name, value + (f":{divisor}" if divisor else ""), where))
    return table(rows)


def stage_table(compilation: Compilation, figures: Figures, files: Mapping[str, Path]) -> str:
    rows = [("stage", "lines", "operations", "bytes", "ms", "file" if files else "")]
    for name, text in with_source(compilation).items():
        stage = compilation.stages.get(name)
        rows.append(
            (
                name,
                "" if text is None else number(line_count(text)),
                number(figures.operations.get(name)),
                number(size_of(compilation, name, text)),
                "" if stage is None or stage.seconds is None else f"{stage.seconds * 1000:.0f}",
                str(files.get(name, "")),
            )
        )
    for name in compilation.pipeline:
        if name not in compilation.stages:
            rows.append((name, "", "", "not reached", "", ""))
    return table(rows, right=(1, 2, 3, 4))


def figure_lines(figures: Figures) -> str:
    used, fits = figures.resources, figures.occupancy
    rows: list[tuple[str, ...]] = [("registers", number(used.registers), "a thread")]
    if used.sgprs is not None:
        # Architectures without matrix registers of their own have no accumulation registers.
        besides = "" if used.agprs is None else f"and {number(used.agprs)} accumulation registers"
        rows.append(("scalar registers", number(used.sgprs), besides))
    rows += [
        ("spills", number(used.spill_store_bytes), f"bytes stored, {number(used.spill_load_bytes)} loaded"),
        ("stack", number(used.stack_bytes), "bytes a thread"),
        ("shared memory", number(used.shared_dynamic_bytes),
         f"bytes dynamic, {number(used.shared_static_bytes)} static"),
        ("barriers", number(used.barriers), ""),
        ("code", number(used.code_bytes), f"bytes, {number(used.instructions)} instructions"),
        ("occupancy", number(fits.blocks_per_sm), occupancy_words(figures)),
    ]  # fmt: skip
    return table(rows, right=(1,))


def occupancy_words(figures: Figures) -> str:
    fits = figures.occupancy
    if fits.max_warps_per_sm is None:
        return "unknown for this target"
    if fits.blocks_per_sm is None:
        return "unknown without registers, shared memory and warps of a block"
    warps = f"{fits.warps_per_sm} of {fits.max_warps_per_sm} warps"
    return f"blocks a multiprocessor, {warps}, limited by {fits.limiter}"


def number(value: int | None) -> str:
    return "?" if value is None else grouped(value)


def table(rows: Sequence[tuple[str, ...]], right: tuple[int, ...] = ()) -> str:
    """Rows with their columns aligned; the columns in ``right`` to the right."""
    return "\n".join(aligned(rows, right))
