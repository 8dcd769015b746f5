"""What no launch has made decides neither when a script ends nor, where a GPU would make it, what it launches."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from irscope import captures, interpreter
from irscope.client import Client
from irscope.model import Target

pytest.importorskip("torch")

KERNEL = """
import sys, unittest
import torch, triton, triton.language as tl

@triton.jit
def one_kernel(x_ptr, n):
    tl.store(x_ptr + tl.program_id(0), 1, mask=tl.program_id(0) < n)

def launched(n, like=None):
    x = torch.zeros(4, device="cuda") if like is None else torch.empty_like(like)
    one_kernel[(n,)](x, n)
    return x
"""


@pytest.fixture(scope="module")
def worker() -> Iterator[Client]:
    client = Client(captures.ENVIRONMENT)
    yield client
    client.close()


def captured(worker: Client, folder: Path, source: str) -> dict[str, Any]:
    script = folder / "script.py"
    script.write_text(KERNEL + source, encoding="utf-8")
    request = {"do": "capture", "path": str(script), "target": asdict(Target.parse("sm_90")), "seconds": 120.0}
    answer, log = worker.ask(interpreter.identify(None).python, request, lambda message: None, 150.0, None)
    assert answer["event"] == "result", (answer, log)
    return answer


def sizes(answer: dict[str, Any]) -> list[str]:
    return [launch["entries"]["n"] for launch in answer["launches"]]


TOKENS = """
def generated(most, leave):
    done = torch.zeros(3, dtype=torch.bool, device="cuda")
    for step in range(most):
        done |= launched(step)[:3] == 0
        {leave}
    return step

print(generated(20, 1))
"""


@pytest.mark.parametrize(
    "leave",
    [
        "if done.all(): break",
        "if step > 30 or done.all().item(): break",
        "if not bool(done.all()): continue\n        else: break",
        "if done.all().item(): return step",
        "over = done.all().item()\n        if over: break",
    ],
)
def test_a_loop_is_not_left_by_a_value_that_no_launch_has_made(leave: str, tmp_path: Path, worker: Client) -> None:
    answer = captured(worker, tmp_path, TOKENS.format(leave=leave))
    assert answer["ended"] is None
    assert sizes(answer) == ["i32:16", "i32:1", "i32"]
    assert sum(launch["count"] for launch in answer["launches"]) == 20


def test_a_loop_that_asks_while_it_goes_on(tmp_path: Path, worker: Client) -> None:
    answer = captured(worker, tmp_path, """
step, error = 0, torch.ones(1, device="cuda")
while step < 100 and error.max().item() > 1e-3:
    error = launched(step)
    step += 1
print(step)
""")  # fmt: skip
    assert answer["ended"] is None
    assert sizes(answer) == ["i32:16", "i32:1", "i32"]
    assert 16 < sum(launch["count"] for launch in answer["launches"]) < 100


def test_a_loop_is_left_as_its_values_say_where_staying_in_it_fails(tmp_path: Path, worker: Client) -> None:
    answer = captured(worker, tmp_path, """
waiting = [5, 16]
while True:
    x = launched(waiting.pop())
    if not x.any():
        break
""")  # fmt: skip
    assert answer["ended"] is None
    assert sizes(answer) == ["i32:16", "i32"]


def test_a_loop_over_a_known_number_is_left_where_it_says(tmp_path: Path, worker: Client) -> None:
    answer = captured(worker, tmp_path, """
for step in range(100):
    print(launched(5).sum().item())
    if step == 2:
        break
size = 1
while size > 0:
    size = int(launched(5).sum().item())
""")  # fmt: skip
    assert answer["ended"] is None
    assert [launch["count"] for launch in answer["launches"]] == [4]


def test_gradients_of_what_is_too_large_for_values(tmp_path: Path, worker: Client) -> None:
    answer = captured(worker, tmp_path, """
a = torch.randn(1024, 1024, device="cuda", requires_grad=True)
launched(5)
given = torch.randn(1024, 1024, device="cuda")
(a @ a).backward(given)
torch.autograd.backward([a @ a], grad_tensors=[given])
torch.autograd.grad([a @ a], [a], grad_outputs=[given])
launched(16, a.grad)
""")  # fmt: skip
    assert answer["ended"] is None
    assert sizes(answer) == ["i32", "i32:16"]


def test_tests_that_are_to_fail(tmp_path: Path, worker: Client) -> None:
    answer = captured(worker, tmp_path, """
import pytest

@pytest.mark.xfail(raises=ZeroDivisionError, strict=True)
def test_marked():
    launched(5 // 0)

@pytest.mark.parametrize("n", [5, pytest.param(0, marks=pytest.mark.xfail)])
def test_row(n):
    launched(16 // n)

@pytest.mark.xfail(run=False)
def test_crash():
    sys.exit("this is not run")

@pytest.mark.xfail(False, reason="elsewhere")
def test_right():
    raise ValueError("this is told")

class OfUnittest(unittest.TestCase):
    @unittest.expectedFailure
    def test(self):
        launched(5 // 0)
""")  # fmt: skip
    assert answer["ended"] == "test_right: ValueError: this is told (line 30)"
    assert [part["part"] for part in answer["parts"] if part["ended"] and not part["skipped"]] == ["test_right"]


def test_numbers_of_the_cpu_are_those_that_it_draws_beside_a_gpu(tmp_path: Path, worker: Client) -> None:
    import torch

    torch.manual_seed(4)
    torch.nn.Linear(8, 8)
    number = int(torch.randint(0, 1000, (1,)))
    answer = captured(worker, tmp_path, f"""
torch.manual_seed(4)
x = torch.randn(10, device="cuda").uniform_()
y = torch.empty_like(x).normal_()
torch.nn.functional.dropout(y)
torch.nn.Linear(8, 8).cuda()
launched(16 if torch.randint(0, 1000, (1,)).item() == {number} else 5)
torch.manual_seed(4)
again = torch.randn(10, device="cuda").uniform_()
launched(16 if (again == x).all() and not (y == x).any() else 5)
before = torch.cuda.get_rng_state()
x = torch.rand(9, device="cuda")
torch.cuda.set_rng_state(before)
launched(16 if (torch.rand(9, device="cuda") == x).all() else 5)
""")  # fmt: skip
    assert answer["ended"] is None
    assert sizes(answer) == ["i32:16"]


WANTED = """
import pytest

def refusing(n):
    assert n < 20, "it is too much"
    return launched(n)

def test_pytest():
    out = refusing(5)
    with pytest.raises(AssertionError, match="too much"):
        refusing(32)
    with pytest.raises(Exception) as told:
        refusing(48)
    assert "too much" in str(told.value)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(out, out + 1)
    pytest.raises(AssertionError, refusing, 64)
    assert out.sum() == 7

class OfUnittest(unittest.TestCase):
    def test(self):
        refusing(5)
        with self.assertRaisesRegex(AssertionError, "too much"):
            refusing(80)
        self.assertRaises(AssertionError, refusing, 96)
        with self.assertRaises(ValueError):
            refusing(7)
"""


def test_what_a_test_wants_to_be_refused_is_not_launched(tmp_path: Path, worker: Client) -> None:
    answer = captured(worker, tmp_path, WANTED)
    assert answer["ended"] is None
    assert sizes(answer) == ["i32"]
    assert [launch["count"] for launch in answer["launches"]] == [3]


def test_pytest_may_lie_where_no_installed_package_does(tmp_path: Path) -> None:
    """What does so counts as the user's own, and is imported anew for each file."""
    for package in ("pytest", "_pytest"):
        spec = importlib.util.find_spec(package)
        assert spec is not None and spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, tmp_path / "site" / package)
    client = Client({**captures.ENVIRONMENT, "PYTHONPATH": str(tmp_path / "site")})
    try:
        answer = captured(client, tmp_path, WANTED)
    finally:
        client.close()
    assert answer["ended"] is None
    assert [launch["count"] for launch in answer["launches"]] == [3]


@pytest.mark.parametrize("kind", ["DEF", "FRAGMENT"])
def test_operators_are_there_where_the_file_is_run_once_more(kind: str, tmp_path: Path, worker: Client) -> None:
    """That a check by ``if`` fails is seen when it has ended the file; the operators are defined once more then."""
    answer = captured(worker, tmp_path, f"""
@torch.library.custom_op("irscope_tests::again_{kind.lower()}", mutates_args=(), device_types="cuda")
def custom(x: torch.Tensor) -> torch.Tensor:
    return launched(16)

library = torch.library.Library("irscope_tests_again_{kind.lower()}", "{kind}")
library.define("both(Tensor x) -> Tensor")
library.impl("both", lambda x: x, "CPU")
library.impl("both", lambda x: launched(5), "CUDA")

if __name__ == "__main__":
    x = torch.ones(3, device="cuda")
    if custom(x).sum().item() != 48:
        raise SystemExit("it is wrong")
    if torch.ops.irscope_tests_again_{kind.lower()}.both(x).sum().item() != 15:
        raise SystemExit("it is wrong")
""")  # fmt: skip
    assert answer["ended"] is None
    assert sizes(answer) == ["i32:16", "i32"]
