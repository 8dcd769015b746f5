"""Which Python a worker runs in, and which Triton is there, told without starting it where possible."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from irscope.paths import cache_directory
from irscope.request import usage_error

_VERSION = re.compile(r"^__version__\s*=\s*['\"]([^'\"]+)", re.MULTILINE)

#: What a foreign interpreter is asked, once: where its Triton is. Isolated from the user's startup files.
_QUESTION = """
import sys
if sys.version_info < (3, 10):
    sys.exit("it is Python %d.%d, and irscope needs 3.10 or newer" % sys.version_info[:2])
import importlib.util
spec = importlib.util.find_spec("triton")
print("triton=" + (spec.origin if spec and spec.origin else ""))
"""

HINT = "give the interpreter itself, such as .venv/bin/python or .venv\\Scripts\\python.exe"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python interpreter; ``triton`` is the version there, ``None`` where it has none."""

    python: Path
    triton: str | None
    #: Changes whenever this Triton does, its compiled part included.
    fingerprint: str


def identify(python: Path | None) -> Interpreter:
    """The interpreter at ``python``, or irscope's own.

    Raises:
        IrscopeError: there is no interpreter at that path (exit code 2).
    """
    if python is None or same_file(python, Path(sys.executable)):
        return described(Path(sys.executable), own_triton())
    # Not resolved: the link in a virtual environment is what makes it one.
    python = python.absolute()
    if not python.is_file():
        raise usage_error(
            f"--python {python}: there is no such file",
            hint=HINT,
        )
    return described(python, remembered_triton(python))


def same_file(one: Path, other: Path) -> bool:
    return one.absolute() == other.absolute()


def own_triton() -> Path | None:
    # PathFinder and not find_spec: that would be satisfied by a module named triton in the working directory.
    spec = PathFinder.find_spec("triton", [entry for entry in sys.path if entry])
    return Path(spec.origin) if spec is not None and spec.origin else None


def remembered_triton(python: Path) -> Path | None:
    """Where a foreign interpreter has Triton; asked once, and again when its environment changes."""
    note = cache_directory() / "interpreters" / f"{key_of(python)}.json"
    try:
        origin = json.loads(note.read_text(encoding="utf-8"))["triton"]
        if origin and Path(origin).is_file():
            return Path(origin)
    except (OSError, ValueError, KeyError):
        pass
    origin = ask_for_triton(python)
    with contextlib.suppress(OSError):  # it is asked again next time
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"python": str(python), "triton": origin}), encoding="utf-8")
    return Path(origin) if origin else None


def ask_for_triton(python: Path) -> str:
    try:
        answer = subprocess.run(
            [str(python), "-"],
            input=_QUESTION,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else "no answer in 60 s"
        raise usage_error(f"--python {python} does not start: {reason}", hint=HINT) from error
    if answer.returncode != 0:
        said = (answer.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise usage_error(f"--python {python} cannot be used: {said[:200]}", hint=HINT)
    said, marked, origin = answer.stdout.rpartition("triton=")
    if not marked:
        raise usage_error(f"--python {python} does not answer as a Python interpreter does", hint=HINT)
    return origin.strip()


def key_of(python: Path) -> str:
    marks = [str(python)]
    for file in (python, python.parent.parent / "pyvenv.cfg"):
        if file.exists():
            marks.append(str(file.stat().st_mtime_ns))
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:24]


def described(python: Path, triton: Path | None) -> Interpreter:
    if triton is None:
        return Interpreter(python, None, "none")
    found = _VERSION.search(triton.read_text(encoding="utf-8", errors="replace"))
    version = found[1] if found else "unknown"
    marks = [str(python), version]
    for library in sorted((triton.parent / "_C").glob("libtriton.*")):
        status = library.stat()
        marks.append(f"{library.name}:{status.st_size}:{status.st_mtime_ns}")
    return Interpreter(python, version, hashlib.sha256("\n".join(marks).encode()).hexdigest())


def project_environments(file: Path) -> list[Path]:
    """Interpreters of virtual environments beside ``file`` or above it that have Triton, nearest first."""
    found = []
    for folder in file.absolute().parents:
        for name in (".venv", "venv", "env"):
            for python in (folder / name / "bin" / "python", folder / name / "Scripts" / "python.exe"):
                if (
                    python.is_file()
                    and has_package(folder / name, "triton")
                    and not same_file(python, Path(sys.executable))
                ):
                    found.append(python)
    return found


def has_package(environment: Path, name: str) -> bool:
    patterns = (f"lib/python*/site-packages/{name}/__init__.py", f"Lib/site-packages/{name}/__init__.py")
    return any(next(environment.glob(pattern), None) for pattern in patterns)


def install_command(python: Path, packages: str) -> str:
    """What adds packages to an interpreter. The environments that uv makes have no pip."""
    environment = python.parent.parent
    if (environment / "pyvenv.cfg").is_file() and not has_package(environment, "pip"):
        return f'uv pip install --python "{python}" {packages}'
    return f'"{python}" -m pip install {packages}'
