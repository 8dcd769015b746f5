"""What the shell completes: a kernel's path with its name, a stage, a target. argcomplete knows the options."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import argcomplete

from irscope.discover import kernels_quietly

STAGES = ("source", "ttir", "ttgir", "llir", "ptx", "sass", "cubin", "amdgcn", "hsaco")
TARGETS = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120", "gfx90a", "gfx942", "gfx950", "gfx1100")
TOP_OPTIONS = ("-h", "--help", "--version")


def complete(parser: argparse.ArgumentParser, commands: Iterable[str]) -> None:
    """Answer the shell that asks, and end; return where none does."""
    name_the_command(commands)
    for action in actions(parser):
        if (completer := COMPLETERS.get(action.dest)) is not None:
            action.completer = completer  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser)


def name_the_command(commands: Iterable[str]) -> None:
    """``irscope PATH`` is ``irscope open PATH``: put the word into the line that is completed."""
    program, _, rest = os.environ.get("COMP_LINE", "").partition(" ")
    first, is_whole, _ = rest.lstrip().partition(" ")
    known = [*commands, *TOP_OPTIONS]
    if not first or first in known or (not is_whole and any(word.startswith(first) for word in known)):
        return
    os.environ["COMP_LINE"] = f"{program} open {rest}"
    os.environ["COMP_POINT"] = str(int(os.environ["COMP_POINT"]) + len("open "))


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from actions(command)


def paths(prefix: str, **_: object) -> list[str]:
    """Completions of ``PATH::KERNEL``: files, then the kernels of a file."""
    file, separator, name = prefix.rpartition("::")
    if separator:
        return [f"{file}::{kernel.name}" for kernel in kernels_quietly(Path(file)) if kernel.name.startswith(name)]
    begun = prefix.replace("\\", "/").rpartition("/")[2] if os.sep == "\\" else prefix.rpartition("/")[2]
    folder = prefix[: len(prefix) - len(begun)]
    try:
        entries = sorted(Path(folder or ".").expanduser().iterdir())
    except OSError:
        return []
    shown = [entry for entry in entries if entry.name.startswith(begun) and (begun or entry.name[0] != ".")]
    return [f"{folder}{entry.name}{os.sep if entry.is_dir() else ''}" for entry in shown]


def stages(**_: object) -> tuple[str, ...]:
    return STAGES


def targets(**_: object) -> tuple[str, ...]:
    return TARGETS


#: By the name of an argument.
COMPLETERS: dict[str, Callable[..., Iterable[str]]] = {"path": paths, "stage": stages, "target": targets}
