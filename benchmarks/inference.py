"""Kernels of other people's packages, with nothing filled in: how many become a cubin, and why the others do not.

The packages are fetched once into ``.cache/kernels`` (nothing of them is in the repository), and of each an even
sample of its kernels is compiled for sm_90: where they lie in their package's tree, and as a file alone in an empty
folder. API that this Triton no longer has, or that the target lacks, is counted apart.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import ROOT, Row, progress
from irscope import session, tree
from irscope.model import Kernel
from irscope.request import IrscopeError, Request
from irscope.target import Target
from irscope.tree import Job, Outcome

SETS = json.loads((ROOT / "benchmarks" / "kernel_sets.json").read_text(encoding="utf-8"))
FETCHED = ROOT / ".cache" / "kernels"
LIMITS = {"tree": 0.92, "alone": 0.88}
#: What loading a file and inference may take of the median kernel, which is compiled in several times as much.
SECONDS = 0.15

#: Kinds of failure that are not about what irscope guessed.
NOT_OURS = ("api", "target")
#: Kinds that must not be seen on any file.
NEVER = ("internal", "worker")


def fetched(package: str, version: str) -> Path:
    """The folder of a package's files, fetched if it is not there."""
    folder = FETCHED / f"{package}-{version}"
    if not folder.is_dir():
        progress(f"\nfetching {package} {version} ")
        FETCHED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FETCHED) as made:
            subprocess.run(
                ["uv", "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", made,
                 f"{package}=={version}"],
                check=True,
            )  # fmt: skip
            shutil.move(made, folder)
            Path(made).mkdir()
    return folder


def sample(folder: Path, most: int) -> list[Kernel]:
    """Kernels from all over the package, the same ones each time."""
    kernels = [job.kernel for job in tree.jobs_of(folder) if job.failure is None]
    step = max(1, len(kernels) / most)
    return [kernels[int(number * step)] for number in range(min(most, len(kernels)))]


def compiled(kernels: Sequence[Kernel], store: Path, workers: int | None) -> list[Outcome]:
    os.environ["IRSCOPE_CACHE_DIR"] = str(store)
    request = Request(Path(), target=Target.parse("sm_90"), timeout=60.0)
    found = []
    for outcome in tree.compile_all([Job(kernel) for kernel in kernels], request, workers):
        found.append(outcome.light())
        progress("." if not outcome.failed else "x")
    return found


def seconds_before_compiling(kernels: Sequence[Kernel], store: Path) -> list[float]:
    """From a request to what each kernel would be compiled for, in a worker that has loaded Triton."""
    os.environ["IRSCOPE_CACHE_DIR"] = str(store)
    found = []
    for kernel in [*kernels[:1], *kernels]:
        request = Request(
            Path(kernel.file), kernel.name, Target.parse("sm_90"), capture="never", saved=False, fresh=True
        )
        start = time.perf_counter()
        try:
            failed = session.specialize(request).failure
        except IrscopeError:
            continue
        if failed is None:
            found.append(time.perf_counter() - start)
    return found[1:]


def alone(kernels: Iterable[Kernel], folder: Path) -> list[Kernel]:
    """The same kernels, the file of each copied to a folder of its own."""
    copies = []
    for number, kernel in enumerate(kernels):
        place = folder / str(number) / Path(kernel.file).name
        place.parent.mkdir(parents=True)
        shutil.copy(kernel.file, place)
        copies.append(replace(kernel, file=str(place)))
    return copies


def share(outcomes: Sequence[Outcome]) -> float:
    counted = [outcome for outcome in outcomes if outcome.kind not in NOT_OURS]
    return sum(not outcome.failed for outcome in counted) / len(counted) if counted else 0.0


def rows(which: str, most: int | None = None, log: Path | None = None, only: Sequence[str] | None = None) -> list[Row]:
    """One row a package and way of lying there, and one for all.

    Args:
        which: "seen" or "held_out".
        most: kernels of each package; the set's own number where it is left out.
        log: where to write every outcome as a line of JSON.
        only: names of the set's packages; all of them where it is left out.
    """
    found: list[Row] = []
    total: dict[str, list[Outcome]] = {"tree": [], "alone": []}
    before: list[float] = []
    for package, version in SETS[which].items():
        if only and package not in only:
            continue
        kernels = sample(fetched(package, version), most or SETS["per_package"])
        progress(f"\n{package}, {len(kernels)} kernels ")
        with tempfile.TemporaryDirectory(prefix="irscope-benchmark-", ignore_cleanup_errors=True) as name:
            made = Path(name)
            before += seconds_before_compiling(kernels, made / "unused")
            for way in ("tree", "alone"):
                there = kernels if way == "tree" else alone(kernels, made / "files")
                outcomes = compiled(there, made / way, None)
                total[way] += outcomes
                found.append(row(f"{package}, {way}", outcomes))
                if log is not None:
                    write(log, package, way, outcomes)
    found += [row(f"{which}, {way}", outcomes, LIMITS[way]) for way, outcomes in total.items()]
    compiles = statistics.median(outcome.seconds for outcome in total["tree"])
    median = statistics.median(before)
    return [*found, Row("seconds of loading and inference", f"{median:.3f} s", f"{compiles:.2f} s", median, SECONDS)]


def row(what: str, outcomes: Sequence[Outcome], limit: float | None = None) -> Row:
    kinds = Counter(outcome.kind for outcome in outcomes if outcome.failed)
    seconds = [outcome.seconds for outcome in outcomes]
    words = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "all"
    median = f"{statistics.median(seconds):.2f} s" if seconds else "-"
    return Row(f"{what} ({words})", len(outcomes), median, share(outcomes), limit, at_least=True)


def write(log: Path, package: str, way: str, outcomes: Iterable[Outcome]) -> None:
    with log.open("a", encoding="utf-8") as file:
        for outcome in outcomes:
            line = {
                "package": package,
                "way": way,
                "kernel": outcome.kernel,
                "file": Path(outcome.file).name,
                "line": outcome.line,
                "kind": outcome.kind,
                "message": outcome.message,
                "stage": outcome.failure.stage if outcome.failure is not None else None,
                "seconds": round(outcome.seconds, 3),
                "provenance": dict(outcome.provenance),
            }
            file.write(json.dumps(line) + "\n")
