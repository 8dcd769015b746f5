from __future__ import annotations

import os
from pathlib import Path

import pytest

from irscope import config
from irscope.model import Compilation, Target
from irscope.request import Request

SAMPLES = Path(__file__).parents[2] / "sample_kernels"
os.environ["TEXTUAL_ANIMATIONS"] = "none"


@pytest.fixture(autouse=True)
def own_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A configuration file of each test's own."""
    monkeypatch.setenv("IRSCOPE_CONFIG_DIR", str(tmp_path / "configuration"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return config.path()


@pytest.fixture
def matmul_request(matmul: Compilation) -> Request:
    """The matmul sample, which the store has by now."""
    return Request(SAMPLES / "matmul.py", "matmul_kernel", Target.parse("sm_90"))


@pytest.fixture
def add_file(tmp_path: Path) -> Path:
    """A kernel file that a test may change."""
    file = tmp_path / "add.py"
    file.write_text(
        "import triton\n"
        "import triton.language as tl\n\n\n"
        "@triton.jit\n"
        "def add(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr = 128):\n"
        "    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)\n"
        "    mask = offsets < n\n"
        "    x = tl.load(x_ptr + offsets, mask=mask)\n"
        "    y = tl.load(y_ptr + offsets, mask=mask)\n"
        "    tl.store(out_ptr + offsets, x + y, mask=mask)\n",
        encoding="utf-8",
    )
    return file
