"""``irscope dump DIR``: compile every kernel of a tree, several workers side by side."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from irscope import devices, interpreter, ir_files, tree
from irscope.cli import INTERRUPTED
from irscope.commands.dump import write_stages
from irscope.model import Kernel
from irscope.report import tree as report
from irscope.request import Request, missing, usage_error

#: Where standard error is no terminal: seconds between two lines of progress.
SIGN_OF_LIFE = 30.0

#: Options that are about the parameters, or the answer, of one kernel.
OF_ONE_KERNEL = ("signature", "arg", "const", "config", "stage", "clean", "text", "bundle")


class TreeProgress:
    """How far it is, on one line of a terminal's standard error; elsewhere a line now and then."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._failed = 0
        self._current = ""
        self._on_terminal = sys.stderr.isatty()
        self._told = time.monotonic()

    def started(self, kernel: Kernel) -> None:
        self._current = f"{kernel.file}::{kernel.name}" if kernel.name else kernel.file

    def ended(self, outcome: tree.Outcome) -> None:
        self._done += 1
        self._failed += outcome.failed

    def show(self) -> None:
        words = f"irscope: {self._done} of {self._total}, {self._failed or 'none'} failed"
        if self._on_terminal:
            # Cut, as a line that wraps could not be taken back.
            print(f"\r\033[2K{f'{words}: {self._current}'[:78]}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._told >= SIGN_OF_LIFE:
            self._told = time.monotonic()
            print(f"{words}: {self._current}", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._on_terminal:
            print("\r\033[2K", end="", file=sys.stderr, flush=True)


def hint_below(path: Path) -> str:
    entries = [entry for entry in sorted(path.iterdir()) if ir_files.is_cache_entry(entry)]
    if entries:
        return f"it has {len(entries)} entries of Triton's cache: name one of them, {entries[0]} say"
    return f"`irscope list {path}` shows what there is"


def run(arguments: argparse.Namespace, request: Request) -> int:
    reject_options_of_one_kernel(arguments)
    path, json_wanted = request.path, arguments.format == "json"
    found = interpreter.identify(request.python)
    jobs = tree.jobs_of(path, request.kernel)
    if not jobs:
        what = f"kernel '{request.kernel}'" if request.kernel else "kernel"
        raise usage_error(f"{path}: there is no {what} below it", hint=hint_below(path))
    if found.triton is None:
        package = "triton-windows" if sys.platform == "win32" else "triton"
        raise missing(f"{found.python} has no Triton", hint=interpreter.install_command(found.python, package))
    target = request.target or devices.default_target()
    folder = Path(arguments.output) if arguments.output else None
    outcomes: list[tree.Outcome] = []
    files: dict[tuple[str, str], Mapping[str, Path]] = {}
    progress, start = TreeProgress(len(jobs)), time.monotonic()
    running = tree.compile_all(jobs, request, arguments.jobs, progress.started)
    interrupted = False
    progress.show()
    try:
        for outcome in running:
            if folder is not None and outcome.compilation is not None:
                files[outcome.file, outcome.kernel] = write_stages(
                    outcome.compilation, folder_of(outcome, path, folder)
                )
            outcomes.append(outcome.light())
            progress.ended(outcome)
            if outcome.failed and not json_wanted:
                progress.clear()
                print(report.failure_line(outcome), flush=True)
            progress.show()
    except KeyboardInterrupt:
        interrupted = True
    finally:
        running.close()
        progress.clear()
    seconds = time.monotonic() - start
    if json_wanted:
        print(json.dumps(report.document(path, target, found.triton, outcomes, len(jobs), seconds, files), indent=2))
    else:
        print(report.summary(outcomes, len(jobs), seconds))
        if folder is not None:
            print(f"the stages are in {folder}")
    if interrupted:
        return INTERRUPTED
    return int(any(outcome.failed for outcome in outcomes))


def reject_options_of_one_kernel(arguments: argparse.Namespace) -> None:
    idle = [name for name in OF_ONE_KERNEL if getattr(arguments, name) not in (None, [], False)]
    idle += ["correlation"] if arguments.correlation != "none" else []
    if idle:
        options = ", ".join(f"--{name}" for name in idle)
        raise usage_error(f"{options}: of one kernel, and {arguments.path} is a directory", hint="name FILE::KERNEL")


def folder_of(outcome: tree.Outcome, root: Path, folder: Path) -> Path:
    """Where the stages of a kernel go: the path of its file, then its name."""
    file = Path(outcome.file)
    relative = file.relative_to(root) if file.is_relative_to(root) else Path(file.name)
    return folder / relative.with_suffix("") / outcome.kernel
