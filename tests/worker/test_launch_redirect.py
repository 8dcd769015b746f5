"""Files that need a GPU come to their launches without one: their tensors are the CPU's, and all is undone after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.samples import KERNELS, ROOT, SAMPLE_KERNELS, SAMPLES

pytest.importorskip("torch")

SCRIPT = Path(__file__).parent / "redirect_launches.py"


def launches(*files: str, target: str = "sm_90", **environment: str) -> dict[str, Any]:
    """What `redirect_launches` says of files, ``FILE::KERNEL``."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), target, *files],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", **environment},
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["undone"] and answer["device"] == "cpu"
    return answer["found"]


def test_every_sample_kernel_is_reached() -> None:
    check(SAMPLE_KERNELS, "0")


def test_interpreted_kernels_are_reached() -> None:
    check([text for text in SAMPLE_KERNELS if Path(text).name.startswith(("vector_add", "helper_calls"))], "1")


def check(kernels: Sequence[str], mode: str) -> None:
    found = launches(*kernels, TRITON_INTERPRET=mode)
    for text in kernels:
        launch = found[text]
        assert launch["kernel"] == text.rpartition("::")[2] and launch["error"] is None, launch
        assert launch["really"] == ["cpu"] and launch["devices"]
        assert all(device == ["cuda:0", True] for *device, _ in launch["devices"].values())
    vectors = found[f"{SAMPLES / 'vector_add.py'}::vector_add_kernel"]
    assert vectors["grid"] == [(1 << 27) // 1024] and vectors["devices"]["x_ptr"][2] == [1 << 27]


@pytest.mark.parametrize("target", ["sm_75", "sm_90", "sm_120"])
def test_answers_are_those_of_a_gpu(target: str) -> None:
    file = str(KERNELS / "launch" / "asks_cuda.py")
    launch = launches(file, target=target)[file]
    # The launch is made in the backward pass, after everything else.
    assert (launch["kernel"], launch["error"]) == ("square_kernel", None)
    assert launch["devices"]["x_ptr"] == launch["devices"]["out_ptr"] == ["cuda:0", True, [8]]


def test_more_memory_than_there_is_is_refused_before_it_is_taken() -> None:
    code = (
        "from irscope.worker import versions; from irscope.worker.launch import capture, redirect; "
        "from irscope.worker.launch.resolve import Wanted; from irscope.worker.protocol import Rejected; "
        "from pathlib import Path; import sys, json\n"
        "try:\n"
        "    with redirect.redirected(versions.gpu_target('cuda', 'sm_90', 32)):\n"
        "        capture.record(Path(sys.argv[1]), None, Wanted())\n"
        "except Rejected as rejected: print(json.dumps(rejected.failure))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(KERNELS / "launch" / "asks_memory.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    failure = json.loads(done.stdout)
    assert failure["kind"] == "memory"
    assert failure["message"].startswith("the file asks for 35184.4 GB (empty of [1048576, 1048576, 8]), and of this")
