"""Which architectures the Triton that is installed compiles for."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import triton

from .protocol import Rejected

#: Architectures that every supported Triton has, so that nobody need be asked.
USUAL = frozenset({75, 80, 86, 87, 89, 90, 100, 120})

AMD_HINT = "AMD: gfx90a, gfx942, gfx950, gfx1030, gfx1100, gfx1201 and others that LLVM has"


def check(target: Any) -> None:
    """Refuse an NVIDIA architecture that ptxas does not have: with some, LLVM would abort long before it.

    Raises `Rejected` (kind "usage"). AMD's are LLVM's own, and its message says so (`failures`).
    """
    # Another ptxas may know what Triton's does not.
    if target.backend != "cuda" or target.arch in USUAL or "TRITON_PTXAS_PATH" in os.environ:
        return
    known = ptxas_architectures()
    if known and target.arch not in known:
        raise unknown(f"sm_{target.arch}", f"NVIDIA: {', '.join(f'sm_{arch}' for arch in sorted(known))}")


def unknown(arch: str, hint: str) -> Rejected:
    return Rejected("usage", f"this Triton compiles for no {arch}", hint=hint)


def ptxas_architectures() -> set[int]:
    """What the help of Triton's ptxas lists; it has one for Blackwell and one for all before. Takes 20 ms."""
    found: set[int] = set()
    for program in (Path(triton.__file__).parent / "backends" / "nvidia" / "bin").glob("ptxas*"):
        try:
            done = subprocess.run(
                [str(program), "--help"], capture_output=True, encoding="utf-8", errors="replace", timeout=30,
                check=False, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            continue
        found |= {int(arch) for arch in re.findall(r"'sm_(\d+)'", done.stdout)}
    return found
