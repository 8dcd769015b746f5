"""A launch on the GPU that is here: irscope's median beside do_bench's, and how soon the first figure is there."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measure import ROOT, Row, Samples, environment_with, fresh_folder, paired_ratio, progress

KERNELS = {
    "vector_add": "sample_kernels/vector_add.py::vector_add_kernel",
    "matmul": "sample_kernels/matmul.py::matmul_kernel",
}


#: Measurements in one process that a median is of.
COUNT = "5"


@dataclass(frozen=True, slots=True)
class Median:
    microseconds: float

    def __str__(self) -> str:
        return f"{self.microseconds:.1f} µs"


def rows(rounds: int) -> list[Row]:
    found = []
    for name, kernel in KERNELS.items():
        progress(f"\nlaunch of {name} ")
        ours = [sys.executable, "-m", "benchmarks.first_figure", kernel]
        bare = [sys.executable, "benchmarks/bare_launch.py", name]
        seconds: tuple[list[float], list[float]] = ([], [])
        medians: tuple[list[float], list[float]] = ([], [])
        with fresh_folder() as store, fresh_folder() as cache:
            # Ceilings and compiled kernels are there after the first run, which is not counted, on both sides.
            # A single median depends on how hot the GPU is: do_bench's own differ by a tenth for the matmul.
            for turn in range(rounds + 1):
                for side, command in enumerate((ours, bare)):
                    _, taken = first_line(command, str(store), str(cache))
                    if turn:
                        seconds[side].append(taken)
                        medians[side].append(float(first_line([*command, COUNT], str(store), str(cache))[0]))
                    progress(".")
        mine, theirs = (statistics.median(side) for side in medians)
        # Either way round: the limit is on how far they are apart.
        apart = max(mine, theirs) / min(mine, theirs)
        found += [
            Row(f"{name}: median, and do_bench's, larger / smaller", Median(mine), Median(theirs), apart, 1.02),
            first_figure(name, Samples(seconds[0]), Samples(seconds[1])),
        ]
    return found


def first_figure(name: str, mine: Samples, theirs: Samples) -> Row:
    return Row(f"{name}: start to first figure / bare script", mine, theirs, paired_ratio(mine, theirs), 1.5)


def first_line(command: Sequence[str], store: str, cache: str) -> tuple[str, float]:
    """The first line that a process prints, and the seconds until then; it is let run to its end."""
    environment = environment_with({"IRSCOPE_CACHE_DIR": store, "TRITON_CACHE_DIR": cache})
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        taken = time.perf_counter() - start
        process.stdout.read()
    if process.returncode != 0 or not line:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return line, taken
