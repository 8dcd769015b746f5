"""``irscope asm``: a kernel's machine code in depth, as text and as JSON. Lines count from 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from irscope import ir
from irscope.analysis import amd, sass
from irscope.analysis.figures import theoretical_occupancy
from irscope.analysis.flow import Block, Flow, Loop
from irscope.analysis.live import Count, LiveRegisters
from irscope.analysis.loop_lines import loop_lines
from irscope.analysis.machine import Machine
from irscope.analysis.resources import resources
from irscope.analysis.sass.mix import Mix
from irscope.correlate import Correlation
from irscope.ir.lines import Chain, Location, split_lines
from irscope.ir.table import aligned, grouped
from irscope.model import Compilation
from irscope.report.places import own_frame, place

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
            f"{Path(statement[0]).name}:{statement[1]}"
            if statement
            else place(chains[code.machine.rows[part.first]][-1:], code.compilation.kernel.file),
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
    where = f" in {code.machine.stage} {code.line(at[0])}" if at else ""
    counts = [live.count(number).uniform for number in range(len(live.live))] if code.amd is not None else []
    what, scalar = (
        ("VGPRs", f"; SGPRs: at most {max(counts, default=0)}") if code.amd is not None else ("registers", "")
    )
    yield f"live {what}: at most {live.peak}{where}{own}{scalar}"
    yield curve(live.general)
    found = values_at_peak(code, live)
    if not found:
        return
    sources = {source.path: split_lines(source.text) for source in code.compilation.sources}
    rows = []
    for chain, count in found:
        lines = sources.get(chain[0].file, []) if chain else []
        words = lines[chain[0].line - 1].strip() if chain and chain[0].line <= len(lines) else ""
        rows.append((f"  {count}", place(chain, code.compilation.kernel.file) or "no line", words[:80]))
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


def values_at_peak(code: Code, live: LiveRegisters) -> list[tuple[Chain, int]]:
    """How many registers hold values that a Python line computed, where most are live; most first.

    The line is the innermost of the kernel's file, by the call that it is inlined in. A register that several lines
    may have written counts for the last of them.
    """
    if not live.peak_instructions:
        return []
    chains = located(code.compilation, code.machine.stage)
    file = code.compilation.kernel.file
    held: Counter[Chain] = Counter()
    for writers in live.values(code.flow, live.peak_instructions[0]).values():
        chain = chains[code.machine.rows[writers[-1]]] if writers else ()
        own = own_frame(chain, file)
        frames = () if own is None else (own, chain[-1])
        held[tuple([Location(frame.file, frame.line) for frame in frames])] += 1
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
