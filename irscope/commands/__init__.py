"""One module a command, each with ``run(arguments) -> exit code``; here what they share."""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irscope.cli import INTERRUPTED
from irscope.request import EXIT_CODES, IrscopeError, Request, missing, usage_error
from irscope.target import InvalidTarget, Target

if TYPE_CHECKING:
    from irscope.events import Event
    from irscope.model import Compilation, Failure

OPTIONS = ("num_warps", "num_stages", "num_ctas", "maxnreg")


def run(module: str, arguments: argparse.Namespace) -> int:
    """Run a command; every expected error becomes one line and its exit code."""
    prepare_streams()
    if module != "tui":  # which has a terminal to put in order first
        end_tidily()
    try:
        try:
            code = importlib.import_module(f"irscope.commands.{module}").run(arguments)
        except IrscopeError as error:
            tell_failure(error.failure, getattr(arguments, "format", "text"))
            code = error.exit_code
        sys.stdout.flush()
        return int(code)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second one must not disturb putting things away
        return INTERRUPTED
    except OSError as error:
        # Python flushes again at its end, and would complain again.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError) or (sys.platform == "win32" and error.errno == errno.EINVAL):
            return 0  # the reader of our output, `head` say, has seen enough
        place = f"{error.filename}: " if error.filename else ""
        if isinstance(error, PermissionError) and place:
            tell_failure(usage_error(f"cannot read {place}{error.strerror}").failure, "text")
            return EXIT_CODES["usage"]
        tell_failure(missing(f"{place}{error.strerror or error}").failure, "text")
        return EXIT_CODES["missing"]


def end_tidily() -> None:
    """A worker and its folder must not outlive a job that its scheduler ends, or whose terminal is closed."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` lets it be ignored
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def prepare_streams() -> None:
    # A stream that the caller has closed is None, and its descriptor would go to the next file that is opened.
    nowhere = Path(os.devnull)
    sys.stdin = sys.stdin or nowhere.open(encoding="utf-8")
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        # Kernels and paths are Unicode; a Windows console's own code page may not be.
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]


def tell_wrong_words(command: str, message: str, words: Sequence[str], commands: Sequence[str]) -> int:
    """The failure of a command line that does not parse. A first word that is no path may be meant as a command."""
    prepare_streams()
    hint = f"`{command} --help` shows what there is"
    mistyped = words[1] if words[0] == "open" and len(words) > 1 else ""
    if not Path(mistyped).exists() and (near := did_you_mean(mistyped, commands)):
        message, hint = f"{mistyped}: there is no such command or file", near
    asked = " ".join(words).replace("=", " ")
    tell_failure(usage_error(message, hint).failure, "json" if "--format json" in asked else "text")
    return EXIT_CODES["usage"]


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """ "did you mean 'matmul_kernel'?" where one of ``names`` is near."""
    import difflib  # on this way only

    near = difflib.get_close_matches(name, list(names), 1)
    return f"did you mean '{near[0]}'?" if near else None


def tell_failure(failure: Failure, format: str, **more: Any) -> None:
    """A failure as JSON on stdout, or as lines on stderr with the place first."""
    if format == "json":
        shown = {name: asdict(failure)[name] for name in ("kind", "message", "file", "line", "column", "hint")}
        extra = {name: value for name, value in asdict(failure).items() if name not in shown and value is not None}
        print(json.dumps({"error": {**shown, **extra}, **more}, indent=2))
        return
    with contextlib.suppress(OSError):  # nobody reads: the exit code says it too
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
    reject_idle_options(path, arguments)
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
        options=merged_options(options, pairs("--option", arguments.option)),
        python=Path(arguments.python) if arguments.python else None,
        timeout=arguments.timeout,
        saved=not arguments.no_saved,
        capture="always" if arguments.capture else "never" if arguments.no_capture else "auto",
        captured=arguments.specialization,
        fresh=arguments.fresh,
    )


def reject_idle_options(path: Path, arguments: argparse.Namespace) -> None:
    """What the compiler has made already is only read: options of a compilation would say nothing."""
    if path.suffix == ".py":
        return
    from irscope import bundle, ir_files

    if path.suffix not in ir_files.SUFFIXES and not bundle.is_bundle(path):
        return
    idle = [*OPTIONS, "option", "signature", "arg", "const", "config"]
    idle = [name for name in idle if getattr(arguments, name) not in (None, [])]
    idle += ["target"] if arguments.target and bundle.is_bundle(path) else []
    if idle:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in idle)
        raise usage_error(f"{path} is compiled already; {options} cannot change it")


def merged_options(flags: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    for name in flags.keys() & others.keys():
        raise usage_error(f"--option {name}={others[name]}: --{name.replace('_', '-')} gives it too")
    return {**flags, **others}


def split_path(text: str) -> tuple[Path, str | None]:
    path, separator, kernel = text.rpartition("::")
    if not separator or Path(text).exists():  # a name may have two colons in it
        return Path(text), None
    return Path(path), kernel or None


def pairs(option: str, entries: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` entries by name."""
    found = {}
    for entry in entries:
        name, separator, value = entry.partition("=")
        if not separator or not name.strip():
            raise usage_error(f"{option} {entry}: write NAME=VALUE")
        if name.strip() in found:
            raise usage_error(f"{option} {name.strip()} is given twice")
        found[name.strip()] = value.strip()
    return found


def compiled(request: Request, progress: Progress) -> Compilation:
    """The compilation of a request, for a command that has nothing to tell of one that failed.

    Raises:
        IrscopeError: it did not compile, or as `irscope.session.open`.
    """
    from irscope import session

    found = session.open(request, progress)
    if found.failure is not None:
        raise IrscopeError(found.failure)
    return found


class Progress:
    """What is going on, on one line of stderr, where that is a terminal."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()

    def __call__(self, event: Event) -> None:
        from irscope.events import CaptureStarted, StageStarted, WorkerStarted

        if isinstance(event, WorkerStarted):
            self.say("loading Triton")
        elif isinstance(event, CaptureStarted):
            self.say("running the file's launch code")
        elif isinstance(event, StageStarted):
            self.say(event.name)

    def say(self, what: str) -> None:
        if self.shown:
            print(f"\r\033[2Kirscope: {what} ...", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        if self.shown:
            print("\r\033[2K", end="", file=sys.stderr, flush=True)
