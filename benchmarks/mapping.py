"""Correlation of the matmul sample's stages beside tritonparse, as rows; `benchmarks.correlation` measures."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import correlation
from benchmarks.command_line import SAMPLE, irscope_command
from benchmarks.measure import ROOT, Row, Samples, fresh_folder, progress, seconds_of

TARGETS = ("sm_90", "sm_80")
TRITONPARSE = "tritonparse==0.6.0"
ENVIRONMENT = ROOT / ".cache" / "benchmarks" / "tritonparse"


def rows(rounds: int, tritonparse: Path | None) -> list[Row]:
    python = tritonparse or environment()
    found = []
    for target in TARGETS:
        progress(f"\ncorrelation, {target} ")
        with fresh_folder() as folder:
            command = [*irscope_command(), "dump", str(SAMPLE), "--target", target, "-o", str(folder / "out")]
            seconds_of(command, {"IRSCOPE_CACHE_DIR": folder / "store"})
            ours, theirs = measured(rounds, folder / "out", python)
        found += comparison(target, ours, theirs)
    return found


def measured(rounds: int, stages: Path, python: Path) -> list[dict[str, Any]]:
    """What irscope and tritonparse each found, and how long it took, in turns."""
    tools = {"irscope": Path(sys.executable), "tritonparse": python}
    turns: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    for _ in range(rounds):
        for tool, interpreter in tools.items():
            turns[tool].append(correlation.run(interpreter, tool, stages, 10))
            progress(".")
    return [correlation.merge(turns[tool]) for tool in tools]


def comparison(target: str, ours: dict[str, Any], theirs: dict[str, Any]) -> list[Row]:
    own_time, other_time = (
        Samples([sum(parts) for parts in zip(*tool["seconds"].values(), strict=True)]) for tool in (ours, theirs)
    )
    what = f"correlation of all stages, {target} / tritonparse"
    found = [Row(what, own_time, other_time, own_time.median / other_time.median, 0.2)]
    for stage, mapped in ours["mapped"].items():
        operations = set(ours["operations"][stage])
        own, other = (correlation.share(operations, rows) for rows in (mapped, theirs["mapped"].get(stage, ())))
        # A stage that tritonparse does not map at all is no measure.
        if operations and other:
            what = f"  share of {len(operations)} {stage} operations mapped, {target}"
            found.append(Row(what, f"{own:.1%}", f"{other:.1%}", own / other, 1.0, at_least=True))
    return found


def environment() -> Path:
    """An interpreter with tritonparse, made the first time; it needs torch to be imported, any will do."""
    python = ENVIRONMENT / "bin" / "python"
    if python.is_file():
        return python
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit(f"uv is not on PATH: give an interpreter that has {TRITONPARSE} with --tritonparse PYTHON")
    progress(f"\nan environment for {TRITONPARSE} ")
    # The release that the tests use: uv has it in its cache already.
    torch = f"torch=={version('torch').partition('+')[0]}"
    partial = ENVIRONMENT.with_name("tritonparse.partial")
    for command in (
        [uv, "venv", "--clear", "--python", sys.executable, partial],
        [uv, "pip", "install", "--python", partial / "bin" / "python", TRITONPARSE, torch],
    ):
        subprocess.run(list(map(str, command)), check=True, stdout=sys.stderr)
    partial.rename(ENVIRONMENT)
    return python
