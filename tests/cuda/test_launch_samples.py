"""Every sample kernel launched by its own file on the GPU that is here; the driver's figures are irscope's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from samples import SAMPLE_KERNELS, SAMPLES, sample_id

from irscope import devices
from irscope.launch import history, run
from irscope.launch.model import LaunchRequest
from irscope.request import Request

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not devices.devices(), reason="there is no CUDA device here"),
]


def request(path: str, **options: object) -> LaunchRequest:
    file, _, kernel = path.rpartition("::")
    return LaunchRequest(Request(Path(file), kernel), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", SAMPLE_KERNELS, ids=sample_id)
def test_a_sample_launches_from_its_own_file(path: str) -> None:
    launch = run.launch(request(path))
    assert launch.source == "file" and launch.site is not None
    assert launch.timing is not None and launch.timing.p20 <= launch.timing.median <= launch.timing.p80
    assert launch.outputs and all(output.written for output in launch.outputs)
    assert launch.driver is not None and launch.driver.registers
    assert launch.disagreements == ()
    assert history.load(launch.file, launch.kernel)[-1].timing == launch.timing


def test_the_matmul_says_how_near_it_comes_to_torch() -> None:
    launch = run.launch(request(f"{SAMPLES / 'matmul.py'}::matmul_kernel"))
    assert launch.flops == 2 * 4096**3 and launch.flops_type == "fp16"
    assert launch.matmul_share is not None and 0.3 < launch.matmul_share < 1.3


@pytest.mark.parametrize("path", [p for p in SAMPLE_KERNELS if "vector_add" in p or "softmax" in p], ids=sample_id)
def test_a_check_against_the_interpreter_passes(path: str) -> None:
    launch = run.launch(request(path, check="interpreter", check_seconds=10.0))
    assert launch.check is not None and launch.check.passed, launch.check
    assert launch.check.comparisons and all(entry.compared for entry in launch.check.comparisons)


def test_a_check_against_the_file_passes() -> None:
    launch = run.launch(request(f"{SAMPLES / 'softmax.py'}::softmax_kernel", check="file"))
    assert launch.check is not None and launch.check.passed and launch.check.comparisons, launch.check


def test_the_command_prints_one_document() -> None:
    command = [sys.executable, "-m", "irscope.cli", "launch", str(SAMPLES / "vector_add.py"), "--num-warps", "8"]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["specialization"]["options"]["num_warps"] == 8
    assert document["gb_s"] > 0 and document["disagreements"] == []
