"""Processes timed in turns, and the rows of the table.

This machine is never quiet enough for two separate measurements to be compared. So whatever is compared runs in
turns (A B A B ...), and a ratio is the median of the ratios of the pairs: what slows the machine down for a
while slows both sides of a pair.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Samples:
    """Repeated measurements of one thing, in seconds."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p95(self) -> float | None:
        """The 95th percentile; ``None`` where there are too few samples to speak of one."""
        return statistics.quantiles(self.values, n=20)[-1] if len(self.values) >= 20 else None

    def __str__(self) -> str:
        unit, scale, digits = ("s", 1.0, 2) if self.median >= 1 else ("ms", 1e3, 1)
        highest = self.p95 if self.p95 is not None else max(self.values)
        return f"{self.median * scale:.{digits}f} ({highest * scale:.{digits}f}) {unit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. ``limit`` is what ``ratio`` should not pass; ``None`` is for information alone."""

    what: str
    measured: object
    against: object
    ratio: float
    limit: float | None = None
    #: The ratio should not be below the limit, rather than above it.
    at_least: bool = False
    ratio_p95: float | None = None

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        ratios = [ratio for ratio in (self.ratio, self.ratio_p95) if ratio is not None]
        held = min(ratios) >= self.limit if self.at_least else max(ratios) <= self.limit
        return "ok" if held else "OVER" if not self.at_least else "UNDER"

    def cells(self) -> tuple[str, ...]:
        limit = "" if self.limit is None else f"{'>=' if self.at_least else '<='} {self.limit:g}"
        p95 = "" if self.ratio_p95 is None else f"{self.ratio_p95:.2f}"
        return (self.what, str(self.measured), str(self.against), f"{self.ratio:.2f}", p95, limit, self.verdict)


HEADINGS = ("what", "measured (p95)", "against (p95)", "ratio", "of p95", "limit", "")


def table(rows: Sequence[Row]) -> str:
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]

    def text(cells: Sequence[str]) -> str:
        shown = (cell.rjust(width) for cell, width in zip(cells[1:-1], widths[1:-1], strict=True))
        return "  ".join((cells[0].ljust(widths[0]), *shown, cells[-1])).rstrip()

    return "\n".join(text(line) for line in lines)


def in_turns(rounds: int, *works: Callable[[], float]) -> list[Samples]:
    """Seconds that each work takes, ``rounds`` times, by turns; a round before that is not counted."""
    taken: list[list[float]] = [[] for _ in works]
    for turn in range(rounds + 1):
        for work, seconds in zip(works, taken, strict=True):
            value = work()
            if turn:
                seconds.append(value)
            progress(".")
    return [Samples(seconds) for seconds in taken]


def compared(what: str, measured: Samples, against: Samples, limit: float | None = None) -> Row:
    """A row of two things that ran in turns."""
    return Row(what, measured, against, paired_ratio(measured, against), limit)


def paired_ratio(measured: Samples, against: Samples) -> float:
    return statistics.median(one / other for one, other in zip(measured.values, against.values, strict=True))


def seconds_of(command: Sequence[str | Path], variables: Mapping[str, str | Path] | None = None) -> float:
    """Wall time of a process, from its start to its end.

    Raises:
        SystemExit: it failed; with the end of what it said.
    """
    environment = environment_with(variables or {})
    start = time.perf_counter()
    done = subprocess.run(list(map(str, command)), cwd=ROOT, env=environment, capture_output=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{said}")
    return seconds


def environment_with(variables: Mapping[str, str | Path]) -> dict[str, str]:
    """This process's environment, without what would change the compiler, and with these variables.

    Bytecode is kept, as it is for users: else each run would read Triton, Textual and irscope from source.
    """
    changing = ("TRITON_", "IRSCOPE_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(changing)}
    return {**kept, **{name: str(value) for name, value in variables.items()}}


@contextmanager
def fresh_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="irscope-benchmark-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def progress(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
