"""Runs the scripts in ``kernels/``, which import Triton, in processes of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

KERNELS = Path(__file__).parent / "kernels"


def compile_ttir(python: str | Path, output: Path) -> dict[str, str]:
    """By kernel, what the Triton of that interpreter makes of it."""
    environment = {**os.environ, "TRITON_CACHE_DIR": str(output / "cache"), "TRITON_ALWAYS_COMPILE": "1"}
    command = [str(python), str(KERNELS / "compile_ttir.py"), str(output)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(output.glob("*.ttir"))}
