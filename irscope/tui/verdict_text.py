"""What the verdict panel says, as styled text with the places it leads to. No widgets here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from irscope.explain.figures import shared_memory_source, verdict_source
from irscope.model import Occupancy
from irscope.tui.source_names import base_name
from irscope.tui.stages import SOURCE, describe

if TYPE_CHECKING:
    # The rules take a while to load, which the first picture does not wait for.
    from irscope.analysis.shared import Buffer, SharedMemory
    from irscope.analysis.verdicts.model import Evidence, Tone, Verdict

#: Shape besides colour, as not everybody sees the colours; what matters most first.
GLYPHS: dict[Tone, tuple[str, str]] = {
    "bad": ("✗ ", "$text-error"),
    "unknown": ("? ", "$text-warning"),
    "note": ("! ", "$text-warning"),
    "good": ("✓ ", "$text-success"),
}
_COUNTED: dict[Tone, str] = {"bad": "to improve", "unknown": "uncertain", "note": "to know", "good": "good"}
#: Cells of the bar that shows where in shared memory a buffer lies.
BAR = 32


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that the panel tells of one compilation, as far as it is known."""

    verdicts: Sequence[Verdict] = ()
    occupancy: Occupancy | None = None
    #: One sentence each: what would raise the occupancy.
    changes: Sequence[str] = ()
    shared: SharedMemory | None = None
    #: Why something could not be told.
    problems: Sequence[str] = ()
    #: There is more to come.
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A line, or a few, of the panel, and where it leads; without places it is a title."""

    text: Content
    places: tuple[Evidence, ...] = ()
    #: Where it comes from.
    about: str = ""


def entries(diagnosis: Diagnosis) -> list[Entry]:
    return [*_verdicts(diagnosis), *_occupancy(diagnosis), *_shared(diagnosis.shared), *_problems(diagnosis)]


def counted(verdicts: Sequence[Verdict]) -> str:
    """How many of each tone, in words."""
    counts = {tone: sum(verdict.tone == tone for verdict in verdicts) for tone in GLYPHS}
    return ", ".join(f"{count} {_COUNTED[tone]}" for tone, count in counts.items() if count)


def place_words(place: Evidence) -> str:
    """Where a place is: "SASS 129", "activations.py 14"."""
    known = describe(place.stage).title
    return f"{known if place.stage == SOURCE or known != place.stage else base_name(place.stage)} {place.row + 1}"


def _verdicts(diagnosis: Diagnosis) -> Iterator[Entry]:
    order = list(GLYPHS)
    for verdict in sorted(diagnosis.verdicts, key=lambda verdict: order.index(verdict.tone)):
        parts: list[Content | str | tuple[str, str]] = [GLYPHS[verdict.tone], verdict.sentence]
        if verdict.advice:
            parts += ["\n  ", ("try: ", "bold"), verdict.advice]
        yield Entry(Content.assemble(*parts), verdict.evidence, f"{verdict.rule}: from {verdict_source(verdict.rule)}")


def _occupancy(diagnosis: Diagnosis) -> Iterator[Entry]:
    found = diagnosis.occupancy
    if found is None or found.blocks_per_sm is None:
        return
    yield Entry(_title("occupancy"))
    limiter = f", limited by {found.limiter}" if found.limiter else ""
    blocks = f"{found.blocks_per_sm} block{'s' if found.blocks_per_sm != 1 else ''}"
    warps = f", {found.warps_per_sm} of {found.max_warps_per_sm} warps" if found.warps_per_sm is not None else ""
    lines = [f"  {blocks} a multiprocessor{warps}{limiter}", *(f"  {change}" for change in diagnosis.changes)]
    yield Entry(Content("\n".join(lines)), about=f"occupancy: from {verdict_source('occupancy')}")


def _shared(memory: SharedMemory | None) -> Iterator[Entry]:
    from irscope.analysis.verdicts.model import Evidence

    if memory is None or not (memory.buffers or memory.incomplete):
        return
    total = memory.total if memory.total is not None else memory.metadata_total
    size = f": {grouped(total)} bytes a block" if total is not None else ""
    yield Entry(_title(f"shared memory{size}"))
    if memory.incomplete:
        yield Entry(Content.assemble(GLYPHS["unknown"], f"not the whole map: {memory.incomplete}"))
    rows = [_cells(memory, buffer, number) for number, buffer in enumerate(memory.buffers)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))] if rows else []
    widths = [max(width, len(head)) for width, head in zip(widths, _HEAD, strict=True)] if rows else []
    if rows:
        yield Entry(Content.styled(f"  {_aligned(_HEAD, widths)}", "$text-muted"))
    for buffer, row in zip(memory.buffers, rows, strict=True):
        line = Content.assemble(
            "  ", _aligned(row, widths), "  ", (_bar(buffer, total), "$accent"), _sharing(memory, buffer)
        )
        place = Evidence("ttgir", buffer.row, buffer.operation)
        source = tuple(Evidence(frame.file, frame.line - 1, buffer.operation) for frame in buffer.source[:1])
        yield Entry(line, (place, *source), f"shared memory: from {shared_memory_source()}")


_HEAD = ("", "offset", "bytes", "for", "line", "in use (TTGIR)")
_RIGHT = (0, 1, 2, 4)


def _cells(memory: SharedMemory, buffer: Buffer, number: int) -> tuple[str, ...]:
    operation = buffer.operation.rpartition(".")[2]
    live = ", ".join(f"{span.first + 1}-{span.last + 1}" for span in buffer.live)
    return (
        str(number + 1),
        grouped(buffer.offset) if buffer.offset is not None else "?",
        grouped(buffer.bytes) if buffer.bytes is not None else "?",
        f"{buffer.name} ({operation})" if buffer.name else operation,
        str(buffer.source[0].line) if buffer.source else "",
        live,
    )


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        cell.rjust(width) if at in _RIGHT else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def _bar(buffer: Buffer, total: int | None) -> str:
    """Where in the block's shared memory it lies: one cell for each part of it, at least one filled."""
    if not total or buffer.offset is None or buffer.end is None:
        return " " * BAR
    first = min(BAR - 1, buffer.offset * BAR // total)
    last = max(first + 1, -(-buffer.end * BAR // total))
    return "·" * first + "█" * (last - first) + "·" * (BAR - last)


def _sharing(memory: SharedMemory, buffer: Buffer) -> tuple[str, str]:
    numbers = [str(memory.buffers.index(other) + 1) for other in memory.sharing(buffer)]
    return (f"  shares with {', '.join(numbers)}" if numbers else "", "$text-muted")


def _problems(diagnosis: Diagnosis) -> Iterator[Entry]:
    for problem in diagnosis.problems:
        yield Entry(Content.assemble(GLYPHS["unknown"], problem))


def _title(words: str) -> Content:
    return Content.styled(words, "bold $primary")


def grouped(number: int) -> str:
    """Digits in groups of three."""
    return f"{number:,}".replace(",", " ")
