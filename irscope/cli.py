"""The commands and their options, nothing else.

Nothing heavy is imported here: ``irscope --help`` and shell completion answer at once, and each command
is imported when it is the one that was asked for.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence

from irscope import __version__

#: As type checkers know it; importing ``typing`` would be a tenth of what ``--help`` takes.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

#: Exit code of a command that the user interrupted, as shells have it (128 + SIGINT).
INTERRUPTED = 130

SHELLS = ("bash", "zsh", "fish", "powershell")

EPILOG = """\
PATH is a .py file, a directory, an IR file (.ttir .ttgir .llir .ptx .cubin .amdgcn .hsaco), a Triton cache
entry or a bundle; a .py file is executed, the others are only read. `irscope PATH` opens the terminal UI.

exit codes: 0 done, 1 the kernel does not compile or run, 2 the command line is wrong,
3 something is missing on this machine, 4 a check's budget is exceeded
"""


class CommandLineError(Exception):
    """The words do not fit the options; ``command`` is what was called: "irscope dump"."""

    def __init__(self, message: str, command: str) -> None:
        super().__init__(message)
        self.command = command


class Parser(argparse.ArgumentParser):
    """Raises what argparse would print: a failure is told in one way everywhere, as a line or as JSON."""

    def error(self, message: str) -> NoReturn:
        raise CommandLineError(message, self.prog)


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """What reads the command line.

    Args:
        only: the command that is there, where that is known: the others are left out. Help has all of them.
    """
    top = Parser(
        prog="irscope",
        usage="irscope [PATH[::KERNEL]] [options]\n       irscope COMMAND [...]",
        description="What the Triton compiler makes of a GPU kernel: every stage, line to line, with its figures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"irscope {__version__}")
    commands = top.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True, prog="irscope", parser_class=Parser
    )

    for name, (_, what, add_options) in COMMANDS.items():
        if only in (None, name):
            add_options(commands.add_parser(name, help=what))
    return top


def open_options(command: argparse.ArgumentParser) -> None:
    add_path(command, optional=True)
    add_compile_options(command)
    command.add_argument("--watch", action="store_true", help="compile again whenever a source file changes")


def dump_options(command: argparse.ArgumentParser) -> None:
    add_path(command)
    add_compile_options(command)
    command.add_argument("-o", "--output", type=filled, metavar="DIR", help="write every stage to a file in DIR")
    command.add_argument("--stage", metavar="NAME", help="print this stage alone: source, ttir, ttgir, llir, ptx, ...")
    command.add_argument(
        "--jobs", type=whole, metavar="N", help="of a directory: how many workers at once; default: one a core"
    )
    command.add_argument("--clean", action="store_true", help="with --stage: without locations and debug metadata")
    command.add_argument("--text", action="store_true", help="with --format json: the stages' texts too")
    command.add_argument(
        "--correlation", nargs="?", const="exact", default="none", choices=("exact", "source", "none"),
        help="with --format json: where every line came from; source: its source locations; exact (or nothing more): "
        "its lines in the stage before too, which takes a second compile, and which --bundle keeps",
    )  # fmt: skip
    command.add_argument(
        "--bundle", type=filled, metavar="FILE",
        help="save everything as one file, FILE.irscope, which opens anywhere; without that ending, as a directory",
    )  # fmt: skip
    add_format(command)


def compiled_options(command: argparse.ArgumentParser) -> None:
    """Of a command that tells of one compilation."""
    add_path(command)
    add_compile_options(command)
    add_format(command)


def cost_options(command: argparse.ArgumentParser) -> None:
    compiled_options(command)
    add_cost_options(command)


def asm_options(command: argparse.ArgumentParser) -> None:
    compiled_options(command)
    command.add_argument(
        "--listing", action="store_true", help="every instruction with live registers and control code"
    )
    command.add_argument(
        "--blocks", action="store_true", help="the basic blocks in the tree of loops, with what follows each"
    )


def launch_options(command: argparse.ArgumentParser) -> None:
    compiled_options(command)
    add_launch_options(command)


def spec_options(command: argparse.ArgumentParser) -> None:
    add_path(command)
    add_compile_options(command)
    command.add_argument("--save", action="store_true", help="write it to FILE.irscope.toml beside the kernel's file")
    command.add_argument(
        "--format", choices=("text", "json", "toml"), default="text", help="default: text; toml: what --save writes"
    )


def listing_options(command: argparse.ArgumentParser) -> None:
    add_path(command)
    add_format(command)


def capture_options(command: argparse.ArgumentParser) -> None:
    add_path(command, optional=True)
    command.add_argument(
        "words", nargs="*", metavar="ARGS",
        help="run the file as a script with these, and no tests or benchmarks of it: irscope capture -- SCRIPT ARGS; "
        "-- python SCRIPT ARGS, -- python -m MODULE and -- pytest FILE mean what they say",
    )  # fmt: skip
    command.add_argument("--entry", type=filled, metavar="NAME", help="a function of the file to run, and nothing else")
    command.add_argument(
        "--target", type=filled, metavar="ARCH", help="the GPU that stands in; with it nothing is launched for real"
    )
    command.add_argument("--no-gpu", action="store_true", help="launch nothing, even where there is a GPU")
    command.add_argument("--timeout", type=seconds, metavar="S", help="seconds that the code may take (default: 20)")
    add_python(command)
    add_format(command)


def doctor_options(command: argparse.ArgumentParser) -> None:
    add_python(command)
    add_format(command)


def completion_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("shell", choices=SHELLS)


def add_path(command: argparse.ArgumentParser, optional: bool = False) -> None:
    command.add_argument("path", type=filled, metavar="PATH[::KERNEL]", nargs="?" if optional else None)


def add_format(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def add_python(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--python", type=filled, metavar="PATH",
        help="interpreter that has Triton and the file's imports; default: this one",
    )  # fmt: skip


def add_compile_options(command: argparse.ArgumentParser) -> None:
    what = command.add_argument_group("what to compile for")
    what.add_argument(
        "--target", type=filled, metavar="ARCH", help="sm_90, cuda:90, hip:gfx942; default: the GPU here, or sm_90"
    )
    for name in ("--num-warps", "--num-stages", "--num-ctas", "--maxnreg"):
        what.add_argument(name, type=int, metavar="N")
    what.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="any other field of the backend's options"
    )
    what.add_argument(
        "--signature", type=filled, metavar="TYPES",
        help='a type or a constant for each parameter: "*fp16:16, i32, 128"',
    )  # fmt: skip
    what.add_argument(
        "--arg", action="append", default=[], metavar="NAME=TYPE", help="the type of one parameter: a_ptr=*fp16:16"
    )
    what.add_argument(
        "--const", action="append", default=[], metavar="NAME=VALUE", help="the value of one constexpr: BLOCK=128"
    )
    what.add_argument("--config", type=int, metavar="N", help="which autotune configuration, from 0")
    how = command.add_argument_group("how")
    add_python(how)  # type: ignore[arg-type]
    how.add_argument("--timeout", type=seconds, metavar="S", help="seconds that a compilation may take")
    captured = how.add_mutually_exclusive_group()
    captured.add_argument("--capture", action="store_true", help="run the file's own launch code to see what it gives")
    captured.add_argument("--no-capture", action="store_true", help="leave the file's own launches aside")
    how.add_argument(
        "--specialization", type=index, default=0, metavar="N", help="which of the captured ones, from 0 (see capture)"
    )
    how.add_argument("--no-saved", action="store_true", help="leave FILE.irscope.toml beside the kernel aside")
    how.add_argument("--fresh", action="store_true", help="compile even where nothing has changed")


def add_cost_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--stage", type=filled, default="source", metavar="NAME",
        help="the lines of which stage: source (the default), ttir, ttgir, any other that has text",
    )  # fmt: skip
    command.add_argument(
        "--sort", type=filled, default="instructions", metavar="KEY",
        help="highest first: instructions (the default), loops, tensor, bytes, global, shared, registers, spills, "
        "convert-layout; or line",
    )  # fmt: skip
    command.add_argument("--top", type=int, metavar="N", help="the first N lines alone")
    command.add_argument(
        "--correlation", choices=("exact", "source"), default="exact",
        help="exact (the default) follows the compiler op by op, which takes a second compile; source: by source line",
    )  # fmt: skip


def filled(text: str) -> str:
    """Some text: an empty one is most often a variable of a script that is not set."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def add_launch_options(command: argparse.ArgumentParser) -> None:
    """Beside the options of a compile, whose ``--arg`` takes contents here too."""
    what = command.add_argument_group(
        "what to launch",
        "By default the file's own launch of the kernel, where it makes one, else made tensors. --arg takes contents "
        "too: x_ptr=randn:1024x1024:fp16, n=4096, w_ptr=weights.npy (randn, rand, zeros, ones, arange, full:V, empty).",
    )
    what.add_argument("--list", action="store_true", help="run the file's own code to its end and list its launches")
    what.add_argument("--launch", dest="number", type=index, metavar="N", help="which of them, from 0")
    what.add_argument("--entry", type=filled, metavar="NAME", help="a function of the file to run, not its main block")
    what.add_argument("--inputs", action="store_true", help="made tensors, even where the file launches the kernel")
    what.add_argument("--grid", type=filled, metavar="EXPR", help="'cdiv(n, BLOCK), 4': the programs of made launches")
    what.add_argument("--seed", type=int, default=0, metavar="N", help="of random tensors; default: 0")
    what.add_argument("--device", type=index, default=0, metavar="N", help="which GPU, from 0")
    what.add_argument("--autotune", action="store_true", help="let the autotuner choose the configuration")
    told = command.add_argument_group("what to tell")
    told.add_argument(
        "--check", nargs="?", const="interpreter", choices=("interpreter", "file"),
        help="compare with Triton's interpreter on the CPU, or with the file's own reference",
    )  # fmt: skip
    told.add_argument(
        "--check-seconds", type=seconds, default=60.0, metavar="S",
        help="the interpreter's time; what it has done by then is compared (default: 60)",
    )  # fmt: skip
    told.add_argument("--interpret", action="store_true", help="run in Triton's interpreter alone: needs no GPU")
    told.add_argument("--bytes", type=whole, metavar="N", help="bytes that one launch moves, for the bandwidth")
    told.add_argument("--flops", type=positive, metavar="N", help="operations of one launch, for TFLOP/s")
    told.add_argument("--save", type=filled, metavar="DIR", help="write what the kernel wrote to DIR")


def seconds(text: str) -> float:
    return positive(text, "a number of seconds")


def positive(text: str, what: str = "a number above 0") -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"'{text}' is not {what}")
    return value


def whole(text: str, least: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:20]) >= least):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} on")
    return int(text[:20])


def index(text: str) -> int:
    return whole(text, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        words = ["open"]
    elif words[0] not in COMMANDS and not is_help(words[0]):
        words.insert(0, "open")
    try:
        if "_ARGCOMPLETE" in os.environ:
            from irscope.completing import complete

            complete(parser(), COMMANDS)
        top = parser(None if is_help(words[0]) else words[0])
        try:
            parsed = read(top, words)
        except CommandLineError as error:
            from irscope.commands import tell_wrong_words

            return tell_wrong_words(error.command, str(error), words, tuple(COMMANDS))
        from irscope.commands import run

        return run(COMMANDS[parsed.command][0], parsed)
    except KeyboardInterrupt:
        return INTERRUPTED


def read(top: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """The options that words set. All that ``capture`` has after two dashes is its ``command_line``, unread."""
    at = words.index("--") if words[0] == "capture" and "--" in words else len(words)
    parsed = top.parse_args(words[:at])
    parsed.command_line = words[at + 1 :] if at < len(words) else None
    return parsed


#: By command: the module of `irscope.commands` with its ``run(arguments) -> exit code``, its line of help, its options.
COMMANDS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "open": ("tui", "the terminal UI (the command where none is named)", open_options),
    "dump": ("dump", "compile a kernel, or all of a directory; print and write stages and figures", dump_options),
    "stats": (
        "stats",
        "a kernel's figures with where they come from, what would raise occupancy, verdicts",
        compiled_options,
    ),
    "cost": (
        "cost",
        "what each line costs: machine instructions by kind, bytes moved, live registers, spills",
        cost_options,
    ),
    "asm": ("asm", "the machine code in depth: instruction mix, loops, live registers", asm_options),
    "shared": (
        "shared",
        "shared memory: every buffer with its place and owner; bank conflicts",
        compiled_options,
    ),
    "launch": ("launch", "run a kernel on the GPU: its time, what it wrote, the driver's figures", launch_options),
    "spec": (
        "spec",
        "what a kernel is compiled for, where each value comes from; save it beside the file",
        spec_options,
    ),
    "capture": ("capture", "run a file's launch code, GPU or not, and list its launches", capture_options),
    "list": ("listing", "the kernels of a file or a directory, their parameters, configurations", listing_options),
    "doctor": ("doctor", "what is there on this machine, what is missing and how to get it", doctor_options),
    "completion": ("completion", "a script that completes irscope's words in your shell", completion_options),
}


def is_help(word: str) -> bool:
    return word in ("-h", "--help", "--version")


if __name__ == "__main__":
    raise SystemExit(main())
