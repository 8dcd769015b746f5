"""``irscope shared`` on real kernels."""

from __future__ import annotations

import json

import pytest
from samples import KERNELS, SAMPLES

from irscope.cli import main


def test_the_map_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shared", str(SAMPLES / "matmul.py"), "--target", "sm_90", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["incomplete"] is None
    assert found["total"] == found["metadata_total"] == max(one["offset"] + one["bytes"] for one in found["buffers"])
    lines = {one["line"] for one in found["buffers"]}
    assert all(set(one["shares_with"]) <= lines for one in found["buffers"])
    source = (SAMPLES / "matmul.py").read_text(encoding="utf-8").splitlines()
    loads = [one for one in found["buffers"] if one["kind"] == "data"]
    assert loads and all("tl.load" in source[one["source"][-1]["line"] - 1] for one in loads)
    assert [verdict["rule"] for verdict in found["verdicts"]]


def test_a_row_for_each_buffer_names_the_kernels_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shared", str(SAMPLES / "softmax.py"), "--target", "sm_80"]) == 0
    printed = capsys.readouterr().out
    assert "of shared memory a block" in printed and "tt.reduce" in printed
    assert "softmax.py:" in printed and "standard.py" not in printed


def test_a_kernel_that_does_not_compile_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shared", str(KERNELS / "compile_error.py")]) == 1
    assert "compile_error.py" in capsys.readouterr().err
