"""Cubins and AMD code objects that Triton made in this test session, with all that the tests compare them to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from irscope import tools

CUDA_TARGETS = ("sm_75", "sm_80", "sm_90", "sm_120")
HIP_TARGETS = ("gfx90a", "gfx942", "gfx1100")
BINARIES = "binaries"


@dataclass(frozen=True)
class Binary:
    """One kernel for one target."""

    target: str
    name: str
    folder: Path

    def __str__(self) -> str:
        return f"{self.target}/{self.name}"

    def _text(self, suffix: str) -> str:
        return (self.folder / f"{self.name}.{suffix}").read_text(encoding="utf-8")

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Triton's metadata, and the command with which it ran ptxas."""
        facts: dict[str, Any] = json.loads(self._text("json"))
        return facts

    @property
    def is_cuda(self) -> bool:
        return self.target.startswith("sm_")

    @cached_property
    def data(self) -> bytes:
        return (self.folder / f"{self.name}.{'cubin' if self.is_cuda else 'hsaco'}").read_bytes()

    @cached_property
    def text(self) -> str:
        """The PTX or the AMD assembly."""
        return self._text("ptx" if self.is_cuda else "amdgcn")

    @cached_property
    def sass(self) -> str:
        return tools.disassemble(self.data, "-gi", "-c")

    @cached_property
    def ptxas_log(self) -> str:
        """What ptxas prints for the same PTX with the same options."""
        path, *options = self.facts["ptxas"]
        arch = next(option for option in options if option.startswith("--gpu-name=")).partition("=")[2]
        kept = [option for option in options if option.startswith("-") and option not in ("-v", "-o")]
        kept.remove(f"--gpu-name={arch}")
        return tools.ptxas_verbose(self.text, arch, *kept, tool=tools.Tool("ptxas", Path(path), "Triton"))


def compile_all(output: Path) -> list[Binary]:
    """Every kernel of compile_binaries.py for every target."""
    script = Path(__file__).with_name("compile_binaries.py")
    environment = {**os.environ, "TRITON_CACHE_DIR": str(output / "cache")}
    folder = output / BINARIES
    command = [sys.executable, str(script), str(folder), *CUDA_TARGETS, *HIP_TARGETS]
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return compiled_in(output)


def compiled_in(output: Path) -> list[Binary]:
    """What an earlier `compile_all` has made."""
    found = sorted((output / BINARIES).glob("*/*.json"))
    return [Binary(path.parent.name, path.stem, path.parent) for path in found]
