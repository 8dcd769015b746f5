"""``irscope asm``: a kernel's machine code in depth, as text and as JSON. Lines count from 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from irscope import __version__, ir
from irscope.analysis import amd, sass
from irscope.analysis.figures import theoretical_occupancy
from irscope.analysis.flow import Block, Flow, Loop
from irscope.analysis.live import Count, LiveRegisters
from irscope.analysis.loop_lines import loop_lines
from irscope.analysis.machine import Machine
from irscope.analysis.resources import resources
from irscope.analysis.sass.mix import Mix
from irscope.correlate import Correlation
from irscope.ir.lines import Chain, split_lines
from irscope.ir.table import aligned, grouped
from irscope.model import Compilation

#: Eighths of a character, for the curve.
_BARS = " ▁▂▃▄▅▆▇█"
_CURVE_COLUMNS = 72


@dataclass(frozen=True, slots=True)
class Code:
    """What is reported on. ``live`` is ``None`` where nothing tells; ``no_live`` says why."""

    compilation: Compilation
    machine: Machine
    mix: Mix
    loop_mixes: tuple[Mix, ...]
    sass: sass.Sass | None
    amd: amd.Amd | None
    live: LiveRegisters | None
    no_live: str | None
    #: Whether the text has the basic blocks too.
    blocks: bool = False

    @property
    def flow(self) -> Flow:
        return self.machine.flow

    @property
    def text(self) -> str:
        return self.compilation.text(self.machine.stage)

    def line(self, instruction: int) -> int:
        return self.machine.rows[instruction] + 1


def document(code: Code) -> dict[str, Any]:
    """The JSON document of ``irscope asm --format json``."""
    return {
        "irscope": __version__,
        "kernel": code.compilation.kernel.name,
        "file": code.compilation.kernel.file,
        "target": asdict(code.compilation.target),
        "stage": code.machine.stage,
        "mix": _mix(code.mix),
        "loops": [
            {
                "number": loop.number,
                "parent": loop.parent,
                "depth": loop.depth,
                "lines": [code.line(loop.first), code.line(loop.last)],
                "mix": _mix(code.loop_mixes[loop.number]),
            }
            for loop in code.flow.loops
        ],
        "blocks": [_block(code, block) for block in code.flow.blocks],
        "live_registers": None if code.live is None else _live(code, code.live),
        "no_live_registers": code.no_live,
        "amd": None if code.amd is None else _amd(code, code.amd),
        "instructions": [_instruction(code, number) for number in range(len(code.machine.rows))],
    }


def _amd(code: Code, found: amd.Amd) -> dict[str, Any]:
    fits = theoretical_occupancy(code.compilation, resources(code.compilation))
    return {
        **asdict(found.figures),
        "lds_dynamic_bytes": resources(code.compilation).shared_dynamic_bytes,
        "occupancy": asdict(fits),
    }


def _block(code: Code, block: Block) -> dict[str, Any]:
    loop = code.flow.loop_of(block.first)
    return {
        "number": block.number,
        "loop": None if loop is None else loop.number,
        "lines": [code.line(block.first), code.line(block.last)],
        "instructions": block.last - block.first + 1,
        "successors": list(block.successors),
        "reached": block.number in code.flow.reached,
    }


def _mix(mix: Mix) -> dict[str, Any]:
    return {
        "instructions": mix.instructions,
        "kinds": dict(mix.kinds),
        "tensor": dict(mix.tensor),
        "accesses": [asdict(each) for each in mix.accesses],
        "spills": mix.spills,
    }


def _live(code: Code, live: LiveRegisters) -> dict[str, Any]:
    return {
        "origin": live.origin,
        "peak": live.peak,
        "peak_lines": [code.line(number) for number in live.peak_instructions],
        "values": [
            {"file": file, "line": line, "registers": count} for (file, line), count in values_at_peak(code, live)
        ],
    }


def _instruction(code: Code, number: int) -> dict[str, Any]:
    loop = code.flow.loop_of(number)
    entry: dict[str, Any] = {"line": code.line(number), "loop": None if loop is None else loop.number}
    if code.live is not None:
        entry["live"] = asdict(code.live.count(number))
    if code.sass is not None and code.sass.controls is not None:
        control = code.sass.controls[number]
        entry["control"] = {**asdict(control), "text": str(control)}
    if targets := code.flow.targets.get(number):
        entry["targets"] = [code.line(target) for target in targets if target < len(code.machine.rows)]
    return entry


def text(code: Code) -> str:
    compilation = code.compilation
    heading = f"{compilation.kernel.name}  {compilation.target.arch}   {grouped(code.mix.instructions)} instructions"
    blocks = [
        heading,
        "\n".join(_figures(code)),
        "\n".join(_mix_table(code)),
        "\n".join(_accesses(code.mix)),
        "\n".join(_loops(code)),
        "\n".join(_registers(code)),
    ]
    return "\n\n".join(block for block in blocks if block)


def _figures(code: Code) -> Iterator[str]:
    if code.amd is None:
        return
    found = code.amd.figures
    used = resources(code.compilation)
    fits = theoretical_occupancy(code.compilation, used)
    # Only where the two kinds share a file; gfx1100 has none.
    agprs = "" if found.agprs is None else f"   AGPRs {found.agprs}"
    yield f"VGPRs {_known(found.vgprs)}{agprs}   SGPRs {_known(found.sgprs)}"
    yield f"spilled VGPRs {_known(found.vgpr_spills)}, SGPRs {_known(found.sgpr_spills)}"
    yield f"LDS {_known(used.shared_dynamic_bytes)} bytes dynamic, {_known(found.lds_bytes)} static"
    yield f"waves a SIMD {_known(found.waves_per_simd)} by registers and static LDS, as LLVM reckons"
    if fits.blocks_per_sm is not None:
        waves = f"{fits.warps_per_sm} of {fits.max_warps_per_sm} waves"
        yield f"occupancy {fits.blocks_per_sm} blocks a multiprocessor, {waves}, limited by {fits.limiter}"


def _known(count: int | None) -> str:
    return "?" if count is None else grouped(count)


def _mix_table(code: Code) -> list[str]:
    """Instructions by kind: of the kernel, then of each loop."""
    loops = code.flow.loops
    rows: list[tuple[str, ...]] = [("kind", "kernel", *(f"loop {loop.number}" for loop in loops))]
    for kind, count in sorted(code.mix.kinds.items(), key=lambda entry: -entry[1]):
        rows.append((kind, grouped(count), *(_count(code.loop_mixes[loop.number].kinds.get(kind)) for loop in loops)))
    return aligned(rows, right=range(1, 2 + len(loops)))


def _count(count: int | None) -> str:
    return "" if not count else grouped(count)


def _accesses(mix: Mix) -> list[str]:
    """Memory instructions by width."""
    if not mix.accesses:
        return []
    rows = [("memory", "", "bits a lane", "instructions", "bytes a warp")]
    for each in mix.accesses:
        bits = "?" if each.bits is None else str(each.bits)
        moved = "?" if each.bytes_per_warp is None else grouped(each.bytes_per_warp)
        rows.append((each.space, each.direction, bits, grouped(each.instructions), moved))
    return aligned(rows, right=(2, 3, 4))


def _loops(code: Code) -> list[str]:
    """The tree of loops, each with its statement of Python; for one of the compiler's own, the line it begins in.

    With the basic blocks, where they are wanted.
    """
    if not code.flow.loops and not code.blocks:
        return ["no loops"]
    chains = located(code.compilation, code.machine.stage)
    statements = loop_lines(code.compilation, code.flow, code.machine.rows, chains)

    def row(part: Loop | Block) -> tuple[str, ...]:
        lines = f"{code.machine.stage} {code.line(part.first)}-{code.line(part.last)}"
        if isinstance(part, Block):
            around = code.flow.loop_of(part.first)
            depth = 0 if around is None else around.depth
            count = part.last - part.first + 1
            return f"{'  ' * depth}block {part.number}", lines, _instructions(count), _goes_to(code, part)
        statement = statements[part.number]
        return (
            f"{'  ' * (part.depth - 1)}loop {part.number}",
            lines,
            _instructions(code.loop_mixes[part.number].instructions),
            f"{Path(statement[0]).name}:{statement[1]}" if statement else _place(chains[code.machine.rows[part.first]]),
        )

    return aligned([row(part) for part in code.flow.tree() if code.blocks or isinstance(part, Loop)])


def _instructions(count: int) -> str:
    return f"{grouped(count)} instruction{'s' * (count != 1)}"


def _goes_to(code: Code, block: Block) -> str:
    if block.number not in code.flow.reached:
        return "never executes"
    return f"-> {', '.join(map(str, block.successors))}" if block.successors else "ends"


def located(compilation: Compilation, stage: str) -> Sequence[Chain]:
    """By row of a stage, the locations, with each file's one path."""
    sources = [source.path for source in compilation.sources]
    indices = {stage: ir.index(stage, compilation.text(stage))}
    return Correlation(indices, sources, compilation.kernel.file).locations(stage)


def _place(chain: Chain) -> str:
    return f"{Path(chain[-1].file).name}:{chain[-1].line}" if chain else ""


def _registers(code: Code) -> Iterator[str]:
    """The curve of live registers along the code, the peak, and the Python lines whose values are live there."""
    live = code.live
    if live is None:
        yield code.no_live or ""
        return
    at = live.peak_instructions
    own = "" if live.origin == "nvdisasm" else ", by irscope's own data-flow"
    if own and code.sass is not None:
        own += ": nvdisasm refuses this cubin"
    place = f" in {code.machine.stage} {code.line(at[0])}" if at else ""
    counts = [live.count(number).uniform for number in range(len(live.live))] if code.amd is not None else []
    what, scalar = (
        ("VGPRs", f"; SGPRs: at most {max(counts, default=0)}") if code.amd is not None else ("registers", "")
    )
    yield f"live {what}: at most {live.peak}{place}{own}{scalar}"
    yield curve(live.general)
    found = values_at_peak(code, live)
    if not found:
        return
    sources = {source.path: split_lines(source.text) for source in code.compilation.sources}
    rows = []
    for (file, line), count in found:
        lines = sources.get(file or "", [])
        words = lines[line - 1].strip() if line and line <= len(lines) else ""
        name = f"{Path(file).name}:{line}" if file else "no line"
        rows.append((f"  {count}", name, words[:80]))
    yield "held there by:"
    yield from aligned(rows, right=(0,))


def curve(counts: tuple[int, ...], columns: int = _CURVE_COLUMNS) -> str:
    """The highest count of each stretch of the code, as bars; at most ``columns`` characters."""
    if not counts:
        return ""
    step = -(-len(counts) // columns)
    highest = max(counts) or 1
    stretches = [max(counts[start : start + step]) for start in range(0, len(counts), step)]
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // highest)] for count in stretches)


def values_at_peak(code: Code, live: LiveRegisters) -> list[tuple[tuple[str | None, int], int]]:
    """How many registers hold values that a Python line computed, where most are live; most first.

    The line is the kernel's own, what it calls being inlined there. A register that several lines may have written
    counts for the last of them.
    """
    if not live.peak_instructions:
        return []
    chains = ir.index(code.machine.stage, code.text).chains
    held: Counter[tuple[str | None, int]] = Counter()
    for writers in live.values(code.flow, live.peak_instructions[0]).values():
        chain = chains[code.machine.rows[writers[-1]]] if writers else ()
        held[(chain[-1].file, chain[-1].line) if chain else (None, 0)] += 1
    return held.most_common()


def listing(code: Code) -> str:
    """Every instruction with live registers, loop depth and control code (``waits:read:write:yield:stall``)."""
    lines = split_lines(code.text)
    rows = []
    for number, row in enumerate(code.machine.rows):
        count = code.live.count(number) if code.live is not None else None
        control = str(code.sass.controls[number]) if code.sass is not None and code.sass.controls is not None else ""
        live = "" if count is None else " ".join(map(str, _listed(code, count)))
        rows.append((str(row + 1), "|" * code.machine.depths[number], live, control, " ".join(lines[row].split())))
    held = "live R P UR" if code.amd is None else "live V S"
    table = [("line", "loop", held, "control", "instruction"), *rows]
    # AMD's waits are instructions of their own.
    return "\n".join(aligned(table if code.amd is None else [(*row[:3], row[4]) for row in table], right=(0,)))


def _listed(code: Code, count: Count) -> tuple[int, ...]:
    return (count.general, count.predicate, count.uniform) if code.amd is None else (count.general, count.uniform)
