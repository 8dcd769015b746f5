"""What a file launches itself is what its kernel is compiled for."""

import json
from pathlib import Path
from typing import Any

import pytest

from irscope.cli import main

KERNEL = """\
import torch
import triton
import triton.language as tl

@triton.jit
def scale_kernel(x_ptr, y_ptr, n, factor, BLOCK: tl.constexpr, MODE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    if MODE == "double":
        x = x * 2
    tl.store(y_ptr + offsets, x * factor, mask=offsets < n)

def scale(x, factor):
    y = torch.empty_like(x)
    scale_kernel[(triton.cdiv(x.numel(), 256),)](x, y, x.numel(), factor, 256, "double", num_warps=2)
    return y

"""
MAIN = """\
if __name__ == "__main__":
    x = torch.randn(1000, device="cuda", dtype=torch.bfloat16)
    torch.testing.assert_close(scale(x, 2.0), x * 4)
    scale(torch.randn(4096, device="cuda"), 1.0)
"""
FAILING = """\
if __name__ == "__main__":
    raise RuntimeError("no data here")
    scale(torch.empty(1), 1.0)
"""


@pytest.fixture
def dumped(tmp_path: Path, capsys: pytest.CaptureFixture[str], own_directories: None) -> Any:
    def dump(text: str, *options: str) -> tuple[dict[str, Any], str]:
        file = tmp_path / "kernels.py"
        file.write_text(text, encoding="utf-8")
        code = main(["dump", str(file), "--target", "sm_90", "--format", "json", *options])
        told = capsys.readouterr()
        return {**json.loads(told.out), "code": code}, told.err

    return dump


def test_the_files_own_launch_is_the_specialization(dumped: Any) -> None:
    found, _ = dumped(KERNEL + MAIN)
    assert set(found["provenance"].values()) == {"captured"}
    assert found["signature"]["x_ptr"] == "*bf16" and found["constexprs"] == {"BLOCK": 256, "MODE": "double"}
    assert found["options"]["num_warps"] == 2


def test_another_of_its_launches(dumped: Any) -> None:
    found, _ = dumped(KERNEL + MAIN, "--specialization", "1")
    assert found["signature"]["x_ptr"] == "*fp32" and found["provenance"]["x_ptr"] == "captured"
    found, _ = dumped(KERNEL + MAIN, "--specialization", "2")
    assert found["code"] == 2 and "0 to 1" in found["error"]["message"]


def test_what_is_given_is_stronger_and_the_launches_can_be_left_aside(dumped: Any) -> None:
    found, _ = dumped(KERNEL + MAIN, "--const", "BLOCK=512")
    assert (found["provenance"]["BLOCK"], found["provenance"]["MODE"]) == ("given", "captured")
    found, _ = dumped(KERNEL + MAIN, "--no-capture")
    assert "captured" not in found["provenance"].values()


def test_a_file_that_does_not_launch_is_not_run(dumped: Any) -> None:
    found, _ = dumped(KERNEL)
    assert "captured" not in found["provenance"].values()


def test_launch_code_that_fails_is_a_warning(dumped: Any) -> None:
    found, told = dumped(KERNEL + FAILING)
    assert found["code"] == 0 and "captured" not in found["provenance"].values()
    assert "no data here" in told
    # It is not run again before the file changes.
    _, told = dumped(KERNEL + FAILING, "--fresh")
    assert "no data here" not in told
