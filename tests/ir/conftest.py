"""Real compilations, made once a test session in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from irscope import ir

KERNELS = Path(__file__).parent / "kernels"
TARGETS = ("sm_80", "sm_90", "gfx942")
TEXT_STAGES = ("ttir", "ttgir", "llir", "ptx", "sass", "amdgcn")


@dataclass(frozen=True)
class Text:
    """One stage of one kernel for one target."""

    target: str
    kernel: str
    stage: str
    text: str
    index: ir.StageIndex

    def __str__(self) -> str:
        return f"{self.target}/{self.kernel}.{self.stage}"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[Text]:
    """All text stages of the kernels in ``kernels/``."""
    output = tmp_path_factory.mktemp("compiled")
    environment = {**os.environ, "TRITON_CACHE_DIR": str(output / "cache")}
    command = [sys.executable, str(KERNELS / "compile_all.py"), str(output), *TARGETS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    texts = []
    for target in TARGETS:
        for path in sorted((output / target).iterdir()):
            stage = path.suffix[1:]
            if stage in TEXT_STAGES:
                text = path.read_text(encoding="utf-8")
                texts.append(Text(target, path.stem, stage, text, ir.index(stage, text)))
    return texts
