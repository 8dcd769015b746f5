"""What goes wrong on a GPU, or before one is reached, in one line: what it is, and what to try.

Nothing here imports torch before it is asked for: exceptions are told apart by what they say.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..protocol import Rejected
from . import driver

#: ``cuda_errors``: what CUDA's message contains, the failure's kind, what that is in words, and which of `HINTS` helps;
#: the first that fits counts. ``resources``: Triton's names in OutOfResources. ``oldest_driver``: by CUDA's major
#: version, the oldest driver that runs what is built for it. ``torch_backends``: the CUDA versions that torch's
#: wheels are built for, newest first, as uv names them.
DATA = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

#: How the errors of CUDA, of torch about CUDA and of Triton's driver begin.
_FROM_CUDA = re.compile(
    r"\s*(CUDA error|CUDA out of memory|CUDA driver|CUDA unknown error|Triton Error \[CUDA\]|Found no NVIDIA driver"
    r"|No CUDA GPUs|The NVIDIA driver on your system|Torch not compiled with CUDA|Unexpected error from cuda)",
    re.IGNORECASE,
)
_ASSERTION = re.compile(
    r"^(?P<file>[^\n]+?):(?P<line>\d+): (?P<function>[^\n]*?): block: \[(?P<block>[\d,]+)\], "
    r"thread: \[[\d,]+\] Assertion `(?P<message>.*?)` failed\.?$",
    re.MULTILINE,
)
_SIZE = r"(\d+ bytes|\d+(?:\.\d+)? [KMGT]?i?B)"
_ASKED = re.compile(rf"tried to allocate {_SIZE}", re.IGNORECASE)
_TOTAL = re.compile(rf"total capacity of {_SIZE}")
_FREE = re.compile(rf"of which {_SIZE} is free")


@dataclass(frozen=True)
class Subject:
    """What was running: for the place of a failure, and for commands that run it again."""

    file: str
    line: int | None = None
    #: The file launches the kernel itself; else irscope made the inputs.
    launches_itself: bool = True
    grid: tuple[int, ...] = ()
    #: The command that launches it again, where running the file would not.
    again: str | None = None


@contextmanager
def told(wire: Any, subject: Subject | None = None) -> Iterator[None]:
    """Errors of CUDA, torch and Triton within become a `Rejected` that says them in words."""
    start = wire.log_size()
    try:
        yield
    except Rejected:
        raise
    except Exception as error:
        failure = describe(error, subject, wire.logged_since(start))
        if failure is None:
            raise
        raise Rejected(**failure) from error


def describe(error: BaseException, subject: Subject | None, logged: str) -> dict[str, Any] | None:
    """A failure (the fields of ``model.Failure``) for an error of the GPU's; ``None`` for any other."""
    place = {"file": subject.file, "line": subject.line} if subject else {}
    detail = f"{type(error).__name__}: {error}\n\n{logged}".strip()
    if type(error).__name__ == "OutOfResources":
        return {**of_resources(error), **place, "detail": detail}
    text = str(error)
    if "DefaultCPUAllocator" in text or type(error).__name__ == "OutOfMemoryError":
        return {**of_memory(text), **place, "detail": detail}
    if not _FROM_CUDA.match(text):
        return None
    unknown = {"kind": "fault", "message": f"CUDA: {first_line(error)}", "hint": "gpu"}
    known = next((entry for entry in DATA["cuda_errors"] if entry["contains"] in text.lower()), unknown)
    failure = {"kind": known["kind"], "message": known["message"], "hint": HINTS[known["hint"]](subject)}
    failure |= {**place, "detail": detail}
    if known["hint"] == "assert":
        failure.update(of_assertion(logged))
    elif known["hint"] == "memory":
        failure.update(of_memory(text))
    elif known["hint"] == "driver":
        failure["message"] = f"{known['message']} ({the_driver()})"
    elif known["hint"] == "grid" and subject and (wrong := wrong_grid(subject.grid)):
        failure["message"] = wrong
    return failure


def of_resources(error: Any) -> dict[str, Any]:
    """Triton's OutOfResources: more of something than a block can have."""
    unknown = {"amount": f"{{:,}} of {error.name}", "try": "smaller blocks, or fewer num_stages"}
    known = DATA["resources"].get(error.name, unknown)
    return {
        "kind": "resources",
        "message": f"the kernel needs {known['amount'].format(error.required)}; this GPU allows {error.limit:,}",
        "hint": f"try {known['try']}",
    }


def of_memory(text: str) -> dict[str, Any]:
    """Out of memory, with the sizes that torch's message has."""
    host = "DefaultCPUAllocator" in text
    asked, free, total = (match[1] if (match := found.search(text)) else None for found in (_ASKED, _FREE, _TOTAL))
    message = f"the memory of {'this machine' if host else 'the GPU'} does not suffice"
    if asked:
        message += f": {asked} more asked for"
    if free and total:
        message += f", {free} of {total} free"
    hint = "try smaller inputs; other programs may hold some of it" + ("" if host else " (nvidia-smi lists them)")
    return {"kind": "memory", "message": message, "hint": hint}


def of_assertion(logged: str) -> dict[str, Any]:
    """What the GPU printed of a failed assertion: its message, place and first program."""
    first = _ASSERTION.search(logged)
    if first is None:
        return {}
    block = first["block"].replace(",", ", ")
    return {
        "message": f"device assert: {first['message']} (first in program ({block}) of {first['function']})",
        "file": first["file"],
        "line": int(first["line"]),
    }


def wrong_grid(grid: tuple[int, ...]) -> str | None:
    for axis, size, limit in zip("xyz", grid, ((1 << 31) - 1, 65535, 65535), strict=False):
        if size > limit:
            return f"the grid {grid} is too large: CUDA allows {limit:,} programs along {axis}"
    return None


def sanitizer_hint(subject: Subject | None) -> str:
    """A command that finds the load or store. torch's memory cache would hide writes between its tensors."""
    prefix = "" if sys.platform == "win32" else "PYTORCH_NO_CUDA_MEMORY_CACHING=1 "
    prefix += "compute-sanitizer --tool memcheck"
    if subject is not None and subject.again is not None:
        return f"{prefix} --target-processes all {subject.again}"
    file = subject.file if subject else "FILE"
    if subject is None or subject.launches_itself:
        return f'{prefix} "{sys.executable}" "{file}"'
    return f'{prefix} --target-processes all irscope launch "{file}", with the same options'


HINTS: dict[str, Callable[[Subject | None], str | None]] = {
    "sanitizer": sanitizer_hint,
    "assert": lambda subject: "the assertion is in the kernel; the file's own launch chooses its arguments",
    "gpu": lambda subject: "nvidia-smi shows what this GPU is doing",
    "blocks": lambda subject: "try fewer num_warps or smaller blocks, or --maxnreg",
    "grid": lambda subject: "x can be 2,147,483,647 at most, y and z 65,535",
    "driver": lambda subject: driver_hint(),
    "torch": lambda subject: torch_commands(again=True),
    "memory": lambda subject: None,
}


def first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def require_cuda(device: int) -> Any:
    """torch, where it is there, has CUDA, and sees this device; else a `Rejected` that says what is missing."""
    try:
        import torch
    except ImportError as error:
        name = getattr(error, "name", None)
        if isinstance(error, ModuleNotFoundError) and name == "torch":
            raise Rejected(
                "missing", f"a launch needs torch, which {sys.executable} does not have",
                hint=torch_commands(), missing="torch",
            ) from error  # fmt: skip
        raise Rejected(
            "missing", f"torch does not load in {sys.executable}: {first_line(error)}", hint=torch_commands(again=True)
        ) from error
    if torch.version.cuda is None:
        built = "for AMD's ROCm, and launches need CUDA" if getattr(torch.version, "hip", None) else "without CUDA"
        raise Rejected("missing", f"torch {torch.__version__} is built {built}", hint=torch_commands(again=True))
    if not torch.cuda.is_available():
        raise unavailable(torch)
    count = torch.cuda.device_count()
    if not 0 <= device < count:
        names = ", ".join(f"{index} ({torch.cuda.get_device_name(index)})" for index in range(count))
        raise Rejected("usage", f"there is no GPU {device}", hint=f"--device takes {names}")
    return torch


def unavailable(torch: Any) -> Rejected:
    """Why torch, built for CUDA, sees no GPU: no driver, too old a driver, or no GPU."""
    wanted = cuda_version(torch.version.cuda)
    try:
        library = driver.driver()
        has = library.cuda_version()
    except OSError as error:
        return Rejected(
            "missing", "this machine has no NVIDIA GPU, or its driver is not installed",
            detail=str(error), hint="a launch needs an NVIDIA GPU with its driver; --interpret runs the kernel in"
            " Triton's interpreter on the CPU",
        )  # fmt: skip
    if has[0] < wanted[0]:
        return Rejected("missing", too_old(torch.version.cuda, wanted, has), hint=driver_hint(has))
    try:
        sees = library.sees_devices()
    except OSError as error:
        return Rejected(
            "missing", f"the NVIDIA driver does not start ({the_driver()}): {error}",
            hint="nvidia-smi says more; a driver that was just updated needs a restart of the machine",
        )  # fmt: skip
    if sees:
        return Rejected("missing", f"torch {torch.__version__} sees no GPU, though the driver does ({the_driver()})",
                        hint=torch_commands(again=True))  # fmt: skip
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None:
        return Rejected("missing", f"no GPU is visible: CUDA_VISIBLE_DEVICES is '{hidden}'",
                        hint="unset it, or name a GPU by its number")  # fmt: skip
    return Rejected("missing", f"there is a driver ({the_driver()}), but no NVIDIA GPU",
                    hint="nvidia-smi lists the GPUs")  # fmt: skip


def too_old(cuda: str, wanted: tuple[int, int], has: tuple[int, int]) -> str:
    found = driver.driver_version()
    oldest = DATA["oldest_driver"].get(str(wanted[0]))
    needs = f"driver {oldest['win32' if sys.platform == 'win32' else 'linux']} or newer" if oldest else "a newer driver"
    here = f"driver {found} (CUDA {has[0]}.{has[1]})" if found else f"a driver for CUDA {has[0]}.{has[1]}"
    return f"torch is built for CUDA {cuda}, which needs {needs}; this machine has {here}"


def driver_hint(has: tuple[int, int] | None = None) -> str:
    """The torch that fits the driver, or a newer driver."""
    if has is None:
        try:
            has = driver.driver().cuda_version()
        except OSError:
            return "install the GPU's driver from NVIDIA"
    fitting = next((name for name, *version in DATA["torch_backends"] if tuple(version) <= has), None)
    command = f"{torch_command(fitting, again=True)}; or update the driver" if fitting else "update the driver"
    return command if fitting is None else f"the torch that fits: {command}"


def the_driver() -> str:
    found = driver.driver_version()
    try:
        cuda = "CUDA {}.{}".format(*driver.driver().cuda_version())
    except OSError:
        return "no driver"
    return f"driver {found}, {cuda}" if found else cuda


def cuda_version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor.partition(".")[0] or 0)


def torch_commands(again: bool = False) -> str:
    return f"Linux: {torch_command('auto', again)}; Windows: {torch_command('cu128', again)}"


def torch_command(backend: str, again: bool = False) -> str:
    """How to install torch, or, where another build of it is there, to replace it: uv leaves an installed one alone."""
    replace = " --reinstall-package torch" if again else ""
    return f'uv pip install torch --torch-backend={backend}{replace} --python "{sys.executable}"'


def subject_of(prepared: Any) -> Subject:
    """What a prepared launch is, for its failures."""
    from ..loading import definition_line

    file = Path(prepared.kernel.function.fn.__code__.co_filename)
    line = definition_line(prepared.kernel.function)
    return Subject(str(file), line, prepared.seed is None, tuple(prepared.grid), prepared.again)
