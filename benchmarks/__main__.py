"""``python -m benchmarks``: irscope's figures, each a ratio within this run, in one table. Linux only."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks import (
    capturing,
    command_line,
    costing,
    exact,
    inference,
    kinds,
    launching,
    mapping,
    pane_figures,
    terminal,
)
from benchmarks.measure import Row, progress, table

NOTE = """\
Times are medians with the 95th percentile (the maximum of less than 20 runs) in brackets; ratios of processes are
medians over neighbouring runs. Other load on the machine moves single runs by a third and more."""


def main() -> int:
    parts: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
        "start": lambda given: command_line.start(3 * given.rounds),
        "dump": lambda given: command_line.dump(given.rounds),
        "tui": lambda given: terminal.interface(given.rounds),
        "pane": lambda given: pane_figures.rows(8 * given.rounds),
        "correlation": lambda given: mapping.rows(given.rounds, given.tritonparse),
        "exact": lambda given: exact.rows(given.rounds),
        "cost": lambda given: costing.rows(given.rounds),
    }
    # Only where they are named: one needs a GPU, one runs fifty scripts, the last two fetch packages and run or
    # compile hundreds of kernels.
    named: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
        "launch": lambda given: launching.rows(given.rounds),
        "capture": lambda given: capturing.rows(),
        "inference": lambda given: inference.rows(
            "held_out" if given.held_out else "seen", given.most, given.log, given.package
        ),
        "kinds": lambda given: kinds.rows(given.log),
    }
    options = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog=NOTE, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"of {', '.join(parts)}, all where none is named; or {', '.join(named)}, of which the first needs a GPU",
    )
    options.add_argument("--rounds", type=int, default=9, metavar="N", help="runs of each side (default 9)")
    options.add_argument("--quick", action="store_true", help="two runs: does it all work?")
    options.add_argument(
        "--tritonparse", type=Path, metavar="PYTHON",
        help="interpreter that has tritonparse 0.6.0 and torch; default: an environment made below .cache/",
    )  # fmt: skip
    options.add_argument("--held-out", action="store_true", help="inference: the packages that decide")
    options.add_argument("--most", type=int, metavar="N", help="inference: kernels of each package")
    options.add_argument("--package", action="append", metavar="NAME", help="inference: this package alone; repeatable")
    options.add_argument("--log", type=Path, metavar="FILE", help="inference, kinds: every outcome as a line of JSON")
    given = options.parse_args()
    if unknown := set(given.parts) - set(parts) - set(named):
        options.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join([*parts, *named])}")
    if given.quick:
        given.rounds = 2
    begun = time.perf_counter()
    chosen = {name: part for name, part in {**parts, **named}.items() if name in (given.parts or parts)}
    found = [row for part in chosen.values() for row in part(given)]
    progress("\n\n")
    print(
        f"{platform.system()}, Python {platform.python_version()}, Triton {version('triton')},"
        f" Textual {version('textual')}; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f};"
        f" {given.rounds} rounds in {time.perf_counter() - begun:.0f} s; irscope is `{' '.join(program())}`"
    )
    print(NOTE + "\n")
    print(table(found))
    return 0


def program() -> list[str]:
    """How irscope was started, without the path of this machine."""
    command = command_line.irscope_command()
    return [Path(command[0]).name, *command[1:]]


if __name__ == "__main__":
    sys.exit(main())
