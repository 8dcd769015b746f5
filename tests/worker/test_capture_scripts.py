"""Scripts as people write them run to their end with no GPU, in one worker, and every kernel of theirs is captured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from irscope import captures, discover, interpreter
from irscope.client import Client
from irscope.model import Target
from tests.samples import SAMPLES, SCRIPTS

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def worker() -> Iterator[Client]:
    client = Client(captures.ENVIRONMENT)
    yield client
    client.close()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_comes_to_its_end(script: Path, worker: Client) -> None:
    answer, log = captured(worker, script)
    assert answer["ended"] is None, (answer["ended"], log)
    called = {kernel.name.rpartition(".")[2] for kernel in discover.kernels(script)}
    launches = answer["launches"]
    assert {name for name in called if name.endswith("_kernel")} <= {launch["kernel"] for launch in launches}
    assert all(launch["count"] and launch["sites"] for launch in launches)
    if script.parent == SAMPLES:
        assert {launch["sites"][0]["function"] for launch in launches} <= {"run", "run_backward"}


CHECKED = """
import torch, triton, triton.language as tl

@triton.jit
def one_kernel(x_ptr, n):
    tl.store(x_ptr + tl.program_id(0), 1, mask=tl.program_id(0) < n)

def ones(n):
    x = torch.zeros(n, device="cuda")
    one_kernel[(n,)](x, n)
    return x

if __name__ == "__main__":
    if ones(5).sum().item() != 5:
        raise ValueError("they are not all ones")
    good = bool(ones(16).all())
    if good:
        print("good")
    else:
        raise ValueError("they are not all ones")
    ones(1)
    KNOWN = 2
    if KNOWN != 2:
        raise ValueError("it is")
    for value in ones(32).tolist():
        assert value == 1
    raise RuntimeError("this has nothing to do with values")
"""


def test_checks_of_missing_values_are_left_out_and_other_errors_told(tmp_path: Path, worker: Client) -> None:
    script = tmp_path / "checked.py"
    script.write_text(CHECKED, encoding="utf-8")
    answer, _ = captured(worker, script)
    assert answer["ended"] == "RuntimeError: this has nothing to do with values (line 27)"
    assert [(launch["entries"]["n"], launch["count"]) for launch in answer["launches"]] == [
        ("i32", 1), ("i32:16", 2), ("i32:1", 1),
    ]  # fmt: skip


def captured(worker: Client, script: Path) -> tuple[dict[str, Any], str]:
    request: dict[str, Any] = {
        "do": "capture", "path": str(script), "target": asdict(Target.parse("sm_90")), "seconds": 120.0,
    }  # fmt: skip
    answer, log = worker.ask(interpreter.identify(None).python, request, lambda message: None, 150.0, None)
    assert answer["event"] == "result", answer
    return answer, log
