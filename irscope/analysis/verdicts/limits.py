"""What allows no more blocks on a multiprocessor, and the nearest change that would."""

from __future__ import annotations

from collections.abc import Iterator

from irscope.analysis.occupancy import Change, fewer_resources
from irscope.analysis.verdicts.model import Evidence, Verdict
from irscope.analysis.verdicts.program import Program, count, joined
from irscope.ir.ssa import Operation
from irscope.ir.table import grouped

RULE = "occupancy"
#: Below this share of the warps the sentence is more than good to know.
_ENOUGH = 0.5


def limits(program: Program) -> Iterator[Verdict]:
    fits, used = program.occupancy, program.resources
    blocks, warps, most = fits.blocks_per_sm, fits.warps_per_sm, fits.max_warps_per_sm
    if blocks is None or warps is None or most is None or fits.limiter is None or used.registers is None:
        return
    shared = (used.shared_dynamic_bytes or 0) + (used.shared_static_bytes or 0)
    what = {
        "registers": f"{count(used.registers, 'register')} a thread",
        "shared memory": f"{grouped(shared)} bytes of shared memory a block",
        "warps": "the warps of a block",
        "blocks": "the number of blocks that a multiprocessor takes",
        "barriers": f"{count(used.barriers or 0, 'barrier')} a block",
    }.get(fits.limiter, fits.limiter)
    evidence = _evidence(program, fits.limiter)
    if blocks == 0:
        yield Verdict(RULE, "bad", f"Not one block fits on a multiprocessor: {what} are too many.", None, evidence)
        return
    verb = "allows" if fits.limiter == "blocks" else "allow"
    sentence = (
        f"{what[:1].upper()}{what[1:]} {verb} {count(blocks, 'block')} on a multiprocessor, {warps} of {most} warps."
    )
    warps_of_block = program.option("num_warps")
    target = program.compilation.target
    change = fewer_resources(used, target, warps_of_block if isinstance(warps_of_block, int) else None)
    yield Verdict(RULE, "good" if warps >= _ENOUGH * most else "note", sentence, _advice(change), evidence)


#: What the row of the binary begins with that tells of a limit, on CUDA or on AMD.
_ROWS = {
    "registers": ("registers", "vector registers"),
    "shared memory": ("static shared memory", "LDS"),
    "barriers": ("barriers",),
    "warps": ("threads",),
}
#: What takes shared memory.
_TAKE_SHARED = ("ttg.local_alloc", "ttg.convert_layout", "tt.reduce")


def _evidence(program: Program, limiter: str) -> tuple[Evidence, ...]:
    rows = [(row, line.strip()) for row, line in enumerate(program.binary_lines)]
    starts = _ROWS.get(limiter, ())
    told = [Evidence(program.binary, row, line) for row, line in rows if starts and line.startswith(starts)]
    title = [Evidence(program.binary, row, line) for row, line in rows if line.startswith("Kernel ")]
    found = (told or title)[:1]
    if limiter == "shared memory":
        taking = [placed.operation for placed in program.operations("ttgir") if placed.operation.name in _TAKE_SHARED]
        found += program.rows("ttgir", [operation.row for operation in sorted(taking, key=_preference)])
    return tuple(found)


def _preference(operation: Operation) -> int:
    return _TAKE_SHARED.index(operation.name)


def _advice(change: Change | None) -> str | None:
    if change is None:
        return None
    parts = []
    if change.fewer_registers:
        parts.append(f"at most {change.resources.registers} registers ({change.fewer_registers} fewer)")
    if change.less_shared_bytes:
        left = (change.resources.shared_dynamic_bytes or 0) + (change.resources.shared_static_bytes or 0)
        parts.append(f"at most {grouped(left)} bytes of shared memory ({grouped(change.less_shared_bytes)} fewer)")
    return f"{joined(parts)[:1].upper()}{joined(parts)[1:]}: {count(change.after.blocks_per_sm or 0, 'block')}."
