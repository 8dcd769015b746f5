"""``irscope dump`` beside a bare script that does the same, and how soon ``irscope --help`` answers."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

from benchmarks.measure import ROOT, Row, compared, environment_with, fresh_folder, in_turns, progress, seconds_of

SAMPLE = ROOT / "sample_kernels" / "matmul.py"
TARGET = "sm_90"
BARE = ROOT / "benchmarks" / "bare_compile.py"

#: Stages that must be the same, byte for byte, for the two to be compared; SASS is printed by different tools.
SAME_STAGES = ("ttir", "ttgir", "llir", "ptx", "cubin")


def irscope_command() -> list[str]:
    """The installed console script, where this environment has it; else ``python -m irscope``."""
    script = Path(sysconfig.get_path("scripts")) / "irscope"
    return [str(script)] if script.is_file() else [sys.executable, "-m", "irscope"]


def specialization(folder: Path) -> Path:
    """A file with what irscope compiles the sample for, for the bare script to do likewise."""
    command = [*irscope_command(), "dump", str(SAMPLE), "--target", TARGET, "--format", "json"]
    environment = environment_with({"IRSCOPE_CACHE_DIR": folder / "store"})
    printed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True).stdout
    file = folder / "specialization.json"
    file.write_bytes(printed)
    return file


def dump(rounds: int) -> list[Row]:
    with fresh_folder() as folder:
        wanted = specialization(folder)
        check_same(wanted, folder)
        progress("\ndump, store and cache empty ")
        empty = beside_bare_script(rounds, wanted, "dump, store empty / bare script, cache empty", 1.15)
        progress("\ndump, store and cache warm ")
        warm = beside_bare_script(rounds, wanted, "dump from the store / bare script, cache warm", 0.35, folder)
        return [*empty, *warm]


def irscope_dump(store: Path, output: Path) -> float:
    command = [*irscope_command(), "dump", str(SAMPLE), "--target", TARGET, "-o", str(output)]
    return seconds_of(command, {"IRSCOPE_CACHE_DIR": store})


def bare_dump(wanted: Path, cache: Path, output: Path, *options: str) -> float:
    return seconds_of([sys.executable, BARE, wanted, output, *options], {"TRITON_CACHE_DIR": cache})


def check_same(wanted: Path, folder: Path) -> None:
    """Both write the same stages, or the comparison means nothing."""
    irscope_dump(folder / "store", folder / "ours")
    bare_dump(wanted, folder / "cache", folder / "theirs")
    kernel = json.loads(wanted.read_bytes())["kernel"]
    for stage in SAME_STAGES:
        name = f"{kernel}.{stage}"
        if (folder / "ours" / name).read_bytes() != (folder / "theirs" / name).read_bytes():
            raise SystemExit(f"{name} of irscope and of the bare script differ: they do not compile the same")


def beside_bare_script(rounds: int, wanted: Path, what: str, limit: float, warm: Path | None = None) -> list[Row]:
    """Both in turns; ``warm`` has a store and a cache that know the kernel, without it each run's are empty."""

    def ours() -> float:
        with fresh_folder() as folder:
            return irscope_dump((warm or folder) / "store", folder / "out")

    def bare(*options: str) -> float:
        with fresh_folder() as folder:
            return bare_dump(wanted, (warm or folder) / "cache", folder / "out", *options)

    measured, with_sass, without = in_turns(rounds, ours, bare, lambda: bare("--no-sass"))
    return [
        compared(what, measured, with_sass, limit),
        compared("  for information: bare script without SASS", measured, without),
    ]


def start(rounds: int) -> list[Row]:
    progress("\nirscope --help, --version ")
    irscope = irscope_command()
    python, help_, version = in_turns(
        rounds,
        lambda: seconds_of([sys.executable, "-c", "pass"]),
        lambda: seconds_of([*irscope, "--help"]),
        lambda: seconds_of([*irscope, "--version"]),
    )
    return [
        compared("irscope --help / python -c pass", help_, python, 4.0),
        compared("irscope --version / python -c pass", version, python, 4.0),
    ]
