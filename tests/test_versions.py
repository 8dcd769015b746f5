"""Every sample kernel with other Tritons, each in an environment of its own and reached through ``--python``.

CI does this for the oldest and the newest; ``pytest -m versions --tritons all`` for all that are supported.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from samples import ROOT, SAMPLE_KERNELS, SAMPLES

from irscope import ir, session
from irscope.analysis.figures import figures
from irscope.correlate import Correlation
from irscope.model import Target
from irscope.request import Request

pytestmark = pytest.mark.versions

ENVIRONMENTS = ROOT / ".cache" / "tritons"
TARGETS = ("sm_80", "sm_90")


@cache
def python_with(triton: str) -> Path:
    """An interpreter with that Triton, made by uv once and kept."""
    folder = ENVIRONMENTS / f"{triton}-python{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    marker = folder / "complete"
    if not marker.exists():
        package = "triton-windows" if sys.platform == "win32" else "triton"
        run("uv", "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        # setuptools: Triton 3.3 imports it at run time and does not say so.
        run("uv", "pip", "install", "--quiet", "--python", python, f"{package}=={triton}", "setuptools")
        marker.touch()
    return python


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, encoding="utf-8", check=False)
    if "no wheels with a matching Python" in done.stderr:
        pytest.skip(f"no wheel of {command[-2]} for Python {sys.version_info.major}.{sys.version_info.minor}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_every_sample_kernel_compiles_with_all_its_stages_and_figures(triton: str, target: str) -> None:
    python = python_with(triton)
    for path in SAMPLE_KERNELS:
        file, _, kernel = path.rpartition("::")
        compilation = session.open(Request(Path(file), kernel, Target.parse(target), python=python))
        assert compilation.failure is None, f"{path}: {compilation.failure}"
        assert compilation.triton == triton
        assert list(compilation.stages) == ["ttir", "ttgir", "llir", "ptx", "sass", "cubin"]
        found = figures(compilation)
        assert None not in (found.resources.registers, found.resources.spill_store_bytes, found.resources.code_bytes)
        assert found.occupancy.blocks_per_sm
        assert compilation.ptxas_log or found.resources.spill_store_bytes is not None


def test_the_dot_of_the_matmul_is_found_in_every_stage(triton: str) -> None:
    file = SAMPLES / "matmul.py"
    compilation = session.open(Request(file, target=Target.parse("sm_90"), python=python_with(triton)))
    sources = {source.path: source.text for source in compilation.sources}
    indexes = {
        stage.name: ir.index(stage.name, stage.text) for stage in compilation.stages.values() if stage.text is not None
    }
    correlation = Correlation(indexes, sources, str(file))
    dot = next(row for row, line in enumerate(file.read_text(encoding="utf-8").splitlines()) if "tl.dot(" in line)
    related = correlation.related("source", dot)
    expected = {"ttir": "tt.dot", "ttgir": "warp_group_dot", "llir": "wgmma", "ptx": "wgmma", "sass": "HGMMA"}
    for stage, word in expected.items():
        lines = indexes[stage].lines
        assert any(word in lines[row] for row in related[stage].rows), (stage, triton)
