"""External programs: where ``nvdisasm`` and ``ptxas`` are, and running them.

Looking one up only reads the import path and the environment; no package of NVIDIA's and no Triton is
imported, because the look-up is part of every ``irscope dump``.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from irscope.interpreter import install_command
from irscope.model import Failure
from irscope.request import IrscopeError, missing

ToolName = Literal["nvdisasm", "ptxas", "ptxas-blackwell"]

#: The package whose wheel has the tool, for Linux and Windows.
_PACKAGES = {"nvdisasm": "nvidia-cuda-nvdisasm", "ptxas": "nvidia-cuda-nvcc"}
#: A terminal program would otherwise flash a console window from a windowed Python on Windows.
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_SUFFIX = ".exe" if os.name == "nt" else ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that was found, and where: "Triton's wheel", "PATH", ..."""

    name: str
    path: Path
    origin: str

    @property
    def version(self) -> str | None:
        """The release it prints, ``13.5.37``; ``None`` where it does not start."""
        return _version(self.path)


def find(name: ToolName) -> Tool:
    """The tool that irscope would run; under 15 ms.

    nvdisasm comes from its own package first, which is newer than Triton's. ptxas comes from Triton first,
    which made the cubin with that one.

    Raises:
        IrscopeError: it is nowhere (exit code 3); the hint is the command that installs it.
    """
    found = next(candidates(name), None)
    if found is not None:
        return found
    if sys.platform == "darwin":
        raise missing(f"{name} is not there: NVIDIA has none for macOS")
    package = _PACKAGES.get(name)
    raise missing(
        f"{name} is not there: neither in this Python's packages, nor in CUDA_PATH, CUDA_HOME or PATH",
        hint=install_command(Path(sys.executable), package) if package else None,
    )


def candidates(name: ToolName) -> Iterator[Tool]:
    """Every place that has the tool, best first."""
    places = [
        (f"the package {_PACKAGES.get(name, 'of NVIDIA')}", _nvidia_packages()),
        ("Triton's wheel", _triton_wheel()),
    ]
    for origin, directories in places if name == "nvdisasm" else reversed(places):
        for directory in directories:
            if (path := directory / (name + _SUFFIX)).is_file():
                yield Tool(name, path, origin)
    for variable in ("CUDA_PATH", "CUDA_HOME"):
        if root := os.environ.get(variable):
            path = Path(root) / "bin" / (name + _SUFFIX)
            if path.is_file():
                yield Tool(name, path, f"CUDA toolkit at {variable}")
    if on_path := shutil.which(name):
        yield Tool(name, Path(on_path), "PATH")


def disassemble(cubin: bytes, *options: str, timeout: float | None = 120, tool: Tool | None = None) -> str:
    """What nvdisasm prints for a cubin, ``-gi -c`` for the SASS stage; ``tool``: that one and no other.

    Costs 0.3 s (Ampere) to 0.6 s (Hopper) however small the kernel is: nvdisasm's own start.

    Raises:
        IrscopeError: there is no nvdisasm, it is too old for this cubin, the cubin is damaged, or it took longer
            than ``timeout`` seconds.
    """
    tool = tool or find("nvdisasm")
    with tempfile.TemporaryDirectory(prefix="irscope-", ignore_cleanup_errors=True) as directory:
        file = Path(directory) / "kernel.cubin"
        file.write_bytes(cubin)
        done = _run([str(tool.path), *options, str(file)], timeout)
    if done.returncode == 0:
        return done.stdout
    said = _last_message(done.stderr, str(file), "the cubin")
    message = f"nvdisasm {tool.version or ''} ({tool.origin}) refused the cubin: {said}"
    # Here, because its ELF reader takes longer to import than everything else in this module.
    from irscope.ir.cubin import DamagedCubin, read

    try:
        read(cubin)
    except DamagedCubin as damage:
        raise IrscopeError(Failure("disassembler", str(damage), detail=message, stage="sass")) from damage
    newer = install_command(Path(sys.executable), f"--upgrade {_PACKAGES['nvdisasm']}")
    raise missing(message, hint=None if "or earlier" in said else newer, stage="sass")


def ptxas_verbose(ptx: str, arch: str, *options: str, tool: Tool | None = None, timeout: float | None = 300) -> str:
    """What ``ptxas -v`` prints about a PTX text for ``arch`` (``sm_90a``).

    Raises:
        IrscopeError: there is no ptxas, it does not accept the text, or it takes longer than ``timeout`` seconds.
    """
    return _ptxas(ptx, arch, ("-v", *options), tool, timeout)[1]


def assemble(ptx: str, arch: str, *options: str, tool: Tool | None = None, timeout: float | None = 300) -> bytes:
    """The cubin of a PTX text; errors as `ptxas_verbose`."""
    return _ptxas(ptx, arch, options, tool, timeout)[0]


def _ptxas(ptx: str, arch: str, options: Sequence[str], tool: Tool | None, timeout: float | None) -> tuple[bytes, str]:
    tool = tool or find("ptxas")
    with tempfile.TemporaryDirectory(prefix="irscope-", ignore_cleanup_errors=True) as directory:
        source, made = Path(directory) / "kernel.ptx", Path(directory) / "kernel.cubin"
        source.write_text(ptx, encoding="utf-8", newline="\n")
        done = _run([str(tool.path), *options, f"--gpu-name={arch}", str(source), "-o", str(made)], timeout)
        if done.returncode != 0:
            message = _last_message(done.stderr, str(source), "the PTX")
            raise IrscopeError(Failure("ptxas", message, stage="cubin", detail=done.stderr))
        return made.read_bytes(), done.stderr


def _run(command: Sequence[str], timeout: float | None) -> subprocess.CompletedProcess[str]:
    name = Path(command[0]).stem
    try:
        return subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            creationflags=_NO_WINDOW,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise IrscopeError(Failure("timeout", f"{name} took longer than {timeout:g} s")) from None
    except OSError as error:
        raise missing(f"{name} does not start: {error.strerror or error}") from error


def _last_message(stderr: str, path: str, instead: str) -> str:
    """The last line that a tool wrote, without its "nvdisasm fatal   :" and without our temporary file."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    last = lines[-1] if lines else "no message"
    return re.sub(r"^[\w-]+ (?:fatal|error) *: *", "", last).replace(f"File {path}", instead).replace(path, instead)


@functools.cache
def _version(path: Path) -> str | None:
    try:
        printed = _run([str(path), "--version"], 20).stdout
    except IrscopeError:
        return None
    found = re.search(r"\bV(\d+(?:\.\d+)+)", printed)
    return found[1] if found else None


def _nvidia_packages() -> list[Path]:
    """``nvidia/cu13/bin`` and the like: one namespace for all of NVIDIA's wheels, newest CUDA first."""
    roots = (root / "nvidia" for root in map(Path, sys.path) if (root / "nvidia").is_dir())
    directories = [directory / "bin" for root in roots for directory in root.glob("cu[0-9]*")]
    directories.sort(key=lambda directory: int(re.sub(r"\D", "", directory.parent.name) or 0), reverse=True)
    return directories


def _triton_wheel() -> list[Path]:
    try:
        spec = importlib.util.find_spec("triton")
    except (ImportError, ValueError):
        spec = None
    roots = spec.submodule_search_locations if spec is not None else None
    return [Path(root) / "backends" / "nvidia" / "bin" for root in roots or ()]
