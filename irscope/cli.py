"""The commands and their options, nothing else.

Nothing heavy is imported here: ``irscope --help`` and shell completion answer at once, and each command
is imported when it is the one that was asked for.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from irscope import __version__

SHELLS = ("bash", "zsh", "fish", "powershell")

EPILOG = """\
PATH is a .py file, a directory, an IR file (.ttir .ttgir .llir .ptx .cubin .amdgcn .hsaco), a Triton cache
entry or a bundle; a .py file is executed, the others are only read. `irscope PATH` opens the terminal UI.

exit codes: 0 done, 1 the kernel does not compile or run, 2 the command line is wrong,
3 something is missing on this machine, 4 a check's budget is exceeded
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="irscope",
        usage="irscope [PATH[::KERNEL]] [options]\n       irscope COMMAND [...]",
        description="What the Triton compiler makes of a GPU kernel: every stage, line to line, with its figures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"irscope {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)

    tui = commands.add_parser("open", help="the terminal UI (the command where none is named)")
    add_path(tui, optional=True)
    add_compile_options(tui)
    tui.add_argument("--watch", action="store_true", help="compile again whenever a source file changes")

    dump = commands.add_parser("dump", help="compile a kernel; print and write its stages and figures")
    add_path(dump)
    add_compile_options(dump)
    dump.add_argument("-o", "--output", metavar="DIR", help="write every stage to a file in DIR")
    dump.add_argument("--stage", metavar="NAME", help="print this stage alone: source, ttir, ttgir, llir, ptx, ...")
    dump.add_argument("--clean", action="store_true", help="with --stage: without locations and debug metadata")
    dump.add_argument("--text", action="store_true", help="with --format json: the stages' texts too")
    dump.add_argument(
        "--correlation", action="store_true", help="with --format json: the source locations of every line"
    )
    dump.add_argument("--bundle", metavar="FILE", help="save everything as one .irscope file, which opens anywhere")
    add_format(dump)

    listing = commands.add_parser("list", help="the kernels of a file or a directory, their parameters, configurations")
    add_path(listing)
    add_format(listing)

    doctor = commands.add_parser("doctor", help="what is there on this machine, what is missing and how to get it")
    add_python(doctor)
    add_format(doctor)

    completion = commands.add_parser("completion", help="a script that completes irscope's words in your shell")
    completion.add_argument("shell", choices=SHELLS)
    return top


def add_path(command: argparse.ArgumentParser, optional: bool = False) -> None:
    path = command.add_argument("path", metavar="PATH[::KERNEL]", nargs="?" if optional else None)
    path.completer = complete_path  # type: ignore[attr-defined]


def add_format(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def add_python(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--python", metavar="PATH", help="interpreter that has Triton and the file's imports; default: this one"
    )


def add_compile_options(command: argparse.ArgumentParser) -> None:
    what = command.add_argument_group("what to compile for")
    what.add_argument("--target", metavar="ARCH", help="sm_90, cuda:90, hip:gfx942; default: the GPU here, or sm_90")
    for name in ("--num-warps", "--num-stages", "--num-ctas", "--maxnreg"):
        what.add_argument(name, type=int, metavar="N")
    what.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="any other field of the backend's options"
    )
    what.add_argument(
        "--signature", metavar="TYPES", help='a type or a constant for each parameter: "*fp16:16, i32, 128"'
    )
    what.add_argument(
        "--arg", action="append", default=[], metavar="NAME=TYPE", help="the type of one parameter: a_ptr=*fp16:16"
    )
    what.add_argument(
        "--const", action="append", default=[], metavar="NAME=VALUE", help="the value of one constexpr: BLOCK=128"
    )
    what.add_argument("--config", type=int, metavar="N", help="which autotune configuration, from 0")
    how = command.add_argument_group("how")
    add_python(how)  # type: ignore[arg-type]
    how.add_argument("--timeout", type=float, metavar="S", help="seconds that a compilation may take")
    how.add_argument("--fresh", action="store_true", help="compile even where nothing has changed")


def complete_path(prefix: str, **_: object) -> list[str]:
    """Completions of ``PATH::KERNEL``: files, then the kernels of a file."""
    from pathlib import Path

    from irscope.discover import kernels_quietly

    file, separator, name = prefix.rpartition("::")
    if separator:
        return [f"{file}::{kernel.name}" for kernel in kernels_quietly(Path(file)) if kernel.name.startswith(name)]
    folder = Path(prefix or ".")
    folder = folder if prefix.endswith(("/", os.sep)) or not prefix else folder.parent
    if not folder.is_dir():
        return []
    found = [f"{entry}{os.sep}" if entry.is_dir() else str(entry) for entry in sorted(folder.iterdir())]
    return [entry for entry in found if entry.startswith(prefix)]


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    top = parser()
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(top)
    if not words:
        words = ["open"]
    elif words[0] not in COMMANDS and not is_help(words[0]):
        words.insert(0, "open")
    parsed = top.parse_args(words)
    from irscope.commands import run

    return run(COMMANDS[parsed.command], parsed)


#: Where each command is implemented: a module of `irscope.commands` with ``run(arguments) -> exit code``.
COMMANDS = {
    "open": "tui",
    "dump": "dump",
    "list": "listing",
    "doctor": "doctor",
    "completion": "completion",
}


def is_help(word: str) -> bool:
    return word in ("-h", "--help", "--version")


if __name__ == "__main__":
    raise SystemExit(main())
