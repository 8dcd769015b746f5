"""``irscope doctor``: what is there on this machine, what is missing, and the command that installs it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from irscope import __version__, devices, interpreter, tools
from irscope.report.summary import table
from irscope.request import EXIT_CODES, IrscopeError
from irscope.tools import Tool, ToolName

#: Asked of the interpreter that has Triton, in a process of its own: importing torch takes seconds.
_QUESTION = """
import json, platform
answer = {"python": platform.python_version(), "triton": None, "triton_error": None, "backends": [], "torch": None}
try:
    import triton
    from triton.backends import backends
    answer["triton"] = triton.__version__
    answer["backends"] = sorted(backends)
    answer["folder"] = triton.__path__[0]
except Exception as error:
    answer["triton_error"] = f"{type(error).__name__}: {error}"
try:
    import torch
    answer["torch"] = torch.__version__
    answer["torch_cuda"] = torch.version.cuda
    answer["torch_sees_gpu"] = torch.cuda.is_available()
except Exception as error:
    answer["torch_error"] = f"{type(error).__name__}: {error}"
print(json.dumps(answer))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that irscope uses. ``needed``: without it the main job cannot be done."""

    name: str
    found: str | None
    needed: bool
    used_for: str
    #: The command that installs it, where it is missing.
    install: str | None = None


def run(arguments: argparse.Namespace) -> int:
    found = list(findings(Path(arguments.python) if arguments.python else None))
    missing = [finding for finding in found if finding.found is None]
    if arguments.format == "json":
        print(json.dumps({"irscope": __version__, "findings": [asdict(finding) for finding in found]}, indent=2))
    else:
        print(table([(f.name, f.found or "missing", f"({f.used_for})") for f in found]))
        for finding in missing:
            if finding.install:
                print(f"\nto get {finding.name}:\n  {finding.install}")
        if not any(finding.needed for finding in missing):
            print("\nThis machine can compile.")
    return EXIT_CODES["missing"] if any(finding.needed for finding in missing) else 0


def findings(chosen: Path | None) -> Iterator[Finding]:
    python = interpreter.identify(chosen).python
    answer = ask(python)
    yield Finding("irscope", __version__, True, f"Python {sys.version.split()[0]}, {sys.platform}")
    yield Finding("interpreter", f"Python {answer['python']}" if answer["python"] else None, True, str(python))
    yield triton_finding(answer, python)
    yield ptxas_finding(answer)
    nvdisasm = interpreter.install_command(Path(sys.executable), "nvidia-cuda-nvdisasm")
    yield program("nvdisasm", "the SASS stage", nvdisasm)
    yield torch_finding(answer, python)
    gpus = devices.devices()
    yield Finding("driver", gpus[0].driver if gpus else None, False, "launching; not needed to compile")
    yield Finding("GPU", devices.describe(), False, "launching; not needed to compile")


def triton_finding(answer: dict[str, Any], python: Path) -> Finding:
    package = "triton-windows" if sys.platform == "win32" else "triton"
    if sys.platform == "darwin":
        advice = "Triton has no macOS build; bundles, IR files and cache entries open without it"
        return Finding("Triton", answer["triton"], False, "compiling", advice)
    backends = ", ".join(answer["backends"])
    used_for = f"compiling; backends: {backends}" if backends else answer["triton_error"] or "compiling"
    return Finding("Triton", answer["triton"], True, used_for, interpreter.install_command(python, f'"{package}>=3.3"'))


def torch_finding(answer: dict[str, Any], python: Path) -> Finding:
    version = answer["torch"]
    if version is None:
        return Finding("torch", None, False, "files that import it; launching", torch_command(python))
    if not answer.get("torch_cuda"):
        return Finding("torch", f"{version}, without CUDA", False, "files that import it", torch_command(python))
    sees = "sees the GPU" if answer.get("torch_sees_gpu") else "sees no GPU"
    return Finding("torch", f"{version}, CUDA {answer['torch_cuda']}, {sees}", False, "files that import it; launching")


def torch_command(python: Path) -> str:
    if sys.platform == "win32":
        return "uv pip install torch --torch-backend=cu128"
    return interpreter.install_command(python, "torch")


def ptxas_finding(answer: dict[str, Any]) -> Finding:
    """The ptxas of the Triton that compiles, which is not irscope's own with ``--python``."""
    own = Path(
        answer.get("folder") or "", "backends", "nvidia", "bin", f"ptxas{'.exe' if sys.platform == 'win32' else ''}"
    )
    if not answer.get("folder") or not own.is_file():
        return program("ptxas", "PTX to cubin, by Triton", None)
    version = Tool("ptxas", own, "Triton's wheel").version
    return Finding("ptxas", version or "unknown version", False, "PTX to cubin, by Triton; from Triton's wheel")


def program(name: ToolName, used_for: str, install: str | None) -> Finding:
    try:
        tool = tools.find(name)
    except IrscopeError as error:
        return Finding(name, None, False, used_for, install or error.failure.hint)
    return Finding(name, f"{tool.version or 'unknown version'}", False, f"{used_for}; from {tool.origin}")


def ask(python: Path) -> dict[str, Any]:
    nothing: dict[str, Any] = {"python": None, "triton": None, "triton_error": None, "backends": [], "torch": None}
    try:
        answer = subprocess.run(
            [str(python), "-c", _QUESTION], capture_output=True, encoding="utf-8", timeout=120,
            stdin=subprocess.DEVNULL, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
        loaded = json.loads(answer.stdout.splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        return {**nothing, "triton_error": f"{python} does not answer: {error}"}
    assert isinstance(loaded, dict)
    return loaded
