"""The Python line of a chain of frames as the reports name it: the kernel's own, with the call that brought it in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from irscope.ir.lines import Location


def own_frame(frames: Sequence[Location], kernel_file: str) -> Location | None:
    """The innermost frame in the kernel's file, of frames that begin with the innermost; else the outermost."""
    return next((frame for frame in frames if frame.file == kernel_file), frames[-1] if frames else None)


def called_from(frames: Sequence[Location], kernel_file: str) -> int | None:
    """The line of the kernel that calls the helper which `own_frame` is in; ``None`` for the kernel's own line."""
    own = own_frame(frames, kernel_file)
    return None if own is None or frames[-1].line == own.line else frames[-1].line


def place(frames: Sequence[Location], kernel_file: str) -> str:
    """``attention.py:54``, or ``attention.py:54 < 133`` for what line 133 calls."""
    own, caller = own_frame(frames, kernel_file), called_from(frames, kernel_file)
    if own is None:
        return ""
    return f"{Path(own.file).name}:{own.line}" + ("" if caller is None else f" < {caller}")
