"""A launch as the command line that makes it again, ready to paste."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator

from irscope.launch.model import LaunchRequest

#: Options of the compiler that have a flag of their own.
FLAGS = ("num_warps", "num_stages", "num_ctas", "maxnreg")


def again(request: LaunchRequest) -> str:
    """``irscope launch FILE::KERNEL ...`` for the same launch, quoted for this system's shell; checks nothing."""
    words = ["irscope", "launch", *launch_words(request)]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def launch_words(request: LaunchRequest) -> Iterator[str]:
    compiled = request.compile
    path = str(compiled.path.absolute())
    yield f"{path}::{compiled.kernel}" if compiled.kernel else path
    for name, value in (
        ("signature", compiled.signature),
        ("config", compiled.configuration),
        ("python", compiled.python),
        ("entry", request.entry),
        ("launch", request.number or None),
        ("grid", request.grid),
        ("seed", request.seed or None),
        ("device", request.device or None),
    ):
        if value is not None:
            yield from (f"--{name}", str(value))
    for flag, values in (
        ("--arg", compiled.arguments),
        ("--arg", request.inputs),
        ("--const", compiled.constants),
        ("--option", {name: value for name, value in compiled.options.items() if name not in FLAGS}),
    ):
        for name, value in values.items():
            yield from (flag, f"{name}={value}")
    for name in FLAGS:
        if name in compiled.options:
            yield from (f"--{name.replace('_', '-')}", compiled.options[name])
    if request.source == "inputs":
        yield "--inputs"
    if request.autotune:
        yield "--autotune"
