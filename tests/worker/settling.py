"""Answers of `settle_launch.py`, many in one process: importing torch takes longer than a launch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from samples import KERNELS, ROOT

FILES = KERNELS / "launch"


def settle(requests: dict[str, dict[str, Any]], interpret: bool = False) -> dict[str, dict[str, Any]]:
    """The answer to each request, in one process; ``path`` is a file's name in ``tests/kernels/launch``."""
    complete = {name: {**request, "path": str(FILES / request["path"])} for name, request in requests.items()}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TRITON_INTERPRET": "1" if interpret else "0"}
    script = Path(__file__).with_name("settle_launch.py")
    done = subprocess.run(
        [sys.executable, str(script)], input=json.dumps(complete), capture_output=True, text=True, encoding="utf-8",
        env=environment, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    answers: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return answers
