"""One module a command, each with ``run(arguments) -> exit code``; here what they share."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irscope.model import Failure, InvalidTarget, Target
from irscope.request import EXIT_CODES, IrscopeError, Request, usage_error

if TYPE_CHECKING:
    from irscope.request import Event

OPTIONS = ("num_warps", "num_stages", "num_ctas", "maxnreg")

#: Exit code of a command that the user interrupted, as shells have it (128 + SIGINT).
INTERRUPTED = 130


def run(module: str, arguments: argparse.Namespace) -> int:
    """Run a command; every expected error becomes one line and its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # Kernels and paths are Unicode; a Windows console's own code page may not be.
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        code = importlib.import_module(f"irscope.commands.{module}").run(arguments)
        sys.stdout.flush()
        return int(code)
    except IrscopeError as error:
        tell_failure(error.failure, getattr(arguments, "format", "text"))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, `head` say, has seen enough
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def tell_failure(failure: Failure, format: str, **more: Any) -> None:
    """A failure as JSON on stdout, or as lines on stderr with the place first."""
    if format == "json":
        shown = {name: asdict(failure)[name] for name in ("kind", "message", "file", "line", "column", "hint")}
        extra = {name: value for name, value in asdict(failure).items() if name not in shown and value is not None}
        print(json.dumps({"error": {**shown, **extra}, **more}, indent=2))
        return
    print(f"irscope: {failure}", file=sys.stderr)
    if failure.hint:
        print(f"  hint: {failure.hint}", file=sys.stderr)


def exit_code(failure: Failure) -> int:
    return EXIT_CODES.get(failure.kind, 1)


def request_from(arguments: argparse.Namespace) -> Request:
    """The request that the shared options make.

    Raises:
        IrscopeError: one of them cannot be read (exit code 2).
    """
    path, kernel = split_path(arguments.path)
    options = {name: str(value) for name in OPTIONS if (value := getattr(arguments, name)) is not None}
    try:
        target = Target.parse(arguments.target) if arguments.target else None
    except InvalidTarget as error:
        raise usage_error(f"--target: {error}") from error
    return Request(
        path=path,
        kernel=kernel,
        target=target,
        signature=arguments.signature,
        arguments=pairs("--arg", arguments.arg),
        constants=pairs("--const", arguments.const),
        configuration=arguments.config,
        options={**options, **pairs("--option", arguments.option)},
        python=Path(arguments.python) if arguments.python else None,
        timeout=arguments.timeout,
        fresh=arguments.fresh,
    )


def split_path(text: str) -> tuple[Path, str | None]:
    path, separator, kernel = text.rpartition("::")
    return (Path(path), kernel or None) if separator else (Path(text), None)


def pairs(option: str, entries: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` entries by name."""
    found = {}
    for entry in entries:
        name, separator, value = entry.partition("=")
        if not separator or not name.strip():
            raise usage_error(f"{option} {entry}: write NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


class Progress:
    """What is going on, on one line of stderr, where that is a terminal."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()

    def __call__(self, event: Event) -> None:
        from irscope.request import StageStarted, WorkerStarted

        if isinstance(event, WorkerStarted):
            self.say("loading Triton")
        elif isinstance(event, StageStarted):
            self.say(event.name)

    def say(self, what: str) -> None:
        if self.shown:
            print(f"\r\033[2Kirscope: {what} ...", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        if self.shown:
            print("\r\033[2K", end="", file=sys.stderr, flush=True)
