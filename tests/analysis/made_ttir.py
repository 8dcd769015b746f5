"""Runs the scripts in ``kernels/``, which import Triton, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KERNELS = Path(__file__).parent / "kernels"


def run_script(script: str, *arguments: str, python: str | Path = sys.executable, **environment: str) -> str:
    """What a script in ``kernels/`` prints."""
    command = [str(python), str(KERNELS / script), *arguments]
    variables = {**os.environ, **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def compile_ttir(python: str | Path, output: Path) -> dict[str, str]:
    """By kernel, what the Triton of that interpreter makes of it."""
    cache = {"TRITON_CACHE_DIR": str(output / "cache"), "TRITON_ALWAYS_COMPILE": "1"}
    run_script("compile_ttir.py", str(output), python=python, **cache)
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(output.glob("*.ttir"))}
