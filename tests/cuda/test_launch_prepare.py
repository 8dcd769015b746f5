"""Preparing and listing a file's own launches on the GPU that is here."""

from __future__ import annotations

import pytest
from samples import KERNELS

from irscope import interpreter
from irscope.client import Client

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

FILES = KERNELS / "launch"
SEVERAL = "several.py"
TUNED = "tuned.py"


def test_a_launch_of_the_files_own_is_prepared_and_listed_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRSCOPE_TEST_DEVICE", "cuda")
    request = {"path": str(FILES / SEVERAL), "kernel": "add_kernel", "number": 1, "gpu": True, "device": 0,
               "target": {"backend": "cuda", "arch": "sm_90", "warp_size": 32}}  # fmt: skip
    with Client() as client:
        python = interpreter.identify(None).python
        listed, _ = client.ask(python, {"do": "list_launches", **request}, lambda message: None, 120)
        prepared, _ = client.ask(python, {"do": "prepare_launch", **request}, lambda message: None, 120)
    assert [site["count"] for site in listed["sites"]] == [1, 3, 1, 1]
    assert prepared["specialization"]["signature"]["x_ptr"] == "*fp16"
    assert prepared["specialization"]["provenance"]["x_ptr"] == "captured"
    assert {stage["name"] for stage in prepared["stages"]} >= {"ttir", "ttgir", "llir", "ptx", "cubin"}
    assert prepared["device"]["arch"].startswith("sm_")


def test_the_autotuner_chooses_on_a_gpu_if_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRSCOPE_TEST_DEVICE", "cuda")
    request = {"do": "prepare_launch", "path": str(FILES / TUNED), "kernel": "sum_kernel", "gpu": True, "device": 0,
               "autotune": True, "target": {"backend": "cuda", "arch": "sm_90", "warp_size": 32}}  # fmt: skip
    with Client() as client:
        answer, _ = client.ask(interpreter.identify(None).python, request, lambda message: None, 120)
    assert answer["specialization"]["configuration"] in (1, 2)
    assert [site["count"] for site in answer["sites"]] == [1, 1]
