"""Launches in Triton's interpreter: saved ones checked, the file's own run, and what the file itself compares."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from irscope.client import Client
from tests.samples import KERNELS, SAMPLES

torch = pytest.importorskip("torch")
pytest.importorskip("numpy")

KINDS = KERNELS / "launch" / "kinds.py"
COMPARES = KERNELS / "launch" / "compares.py"
SM_90 = {"backend": "cuda", "arch": "sm_90", "warp_size": 32}


class Interpreter:
    """A worker for the interpreter, which answers with the result's or the failure's fields."""

    def __init__(self) -> None:
        self.client = Client({"TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": ""})
        self.messages: list[dict[str, Any]] = []

    def ask(self, do: str, path: Path, kernel: str | None = None, **fields: Any) -> dict[str, Any]:
        request = {"do": do, "path": str(path), "kernel": kernel, "gpu": False, "target": SM_90, "device": 0}
        self.messages = []
        answer, _ = self.client.ask(
            Path(sys.executable), request | fields, self.messages.append, 200.0, threading.Event()
        )
        return answer.get("failure", answer)

    def check(self, folder: Path, path: Path, kernel: str, launch: dict[str, Any], outputs: dict[str, Any],
              seconds: float = 60.0) -> dict[str, Any]:  # fmt: skip
        """What the interpreter says of a launch of which ``outputs`` are said to be what the GPU wrote."""
        torch.save({"constexprs": {}, **launch}, folder / "arguments.pt")
        torch.save(outputs, folder / "outputs.pt")
        return self.ask("interpret", path, kernel, folder=str(folder), seconds=seconds, written=list(outputs))


@pytest.fixture(scope="module")
def interpreter() -> Iterator[Interpreter]:
    started = Interpreter()
    yield started
    started.client.close()


def addition(elements: int, block: int) -> tuple[dict[str, Any], Any]:
    """A launch of the sample that adds vectors, and its right answer."""
    x, y = torch.randn(2, elements).unbind()
    arguments = {"x_ptr": x, "y_ptr": y, "out_ptr": torch.full_like(x, torch.nan), "n_elements": elements}
    return {
        "arguments": arguments,
        "constexprs": {"BLOCK_SIZE": block},
        "grid": (-(-elements // block),),
    }, x + y


def check_addition(interpreter: Interpreter, folder: Path, launch: dict[str, Any], out: Any, seconds: float = 60.0
                   ) -> dict[str, Any]:  # fmt: skip
    path = SAMPLES / "vector_add.py"
    return interpreter.check(folder, path, "vector_add_kernel", launch, {"out_ptr": out}, seconds)


def test_right_output_passes_and_every_element_is_compared(interpreter: Interpreter, tmp_path: Path) -> None:
    launch, want = addition(10_003, 256)
    answer = check_addition(interpreter, tmp_path, launch, want)
    [comparison] = answer["comparisons"]
    assert answer["passed"] and answer["against"] == "interpreter" and answer["message"] is None
    assert comparison["compared"] == comparison["elements"] == 10_003
    assert comparison["error"] == 0.0 and comparison["largest"] == 0.0
    assert answer["programs_run"] == answer["programs"] == launch["grid"][0]
    phases = [message for message in interpreter.messages if message.get("phase") == "checking"]
    assert phases[-1]["done"] == phases[-1]["total"] == launch["grid"][0]


def test_wrong_output_is_found_wrong_with_its_error(interpreter: Interpreter, tmp_path: Path) -> None:
    launch, want = addition(5000, 256)
    answer = check_addition(interpreter, tmp_path, launch, 1.25 * want)
    [comparison] = answer["comparisons"]
    assert not answer["passed"] and not comparison["passed"]
    assert comparison["error"] == pytest.approx(0.25, rel=1e-5)
    assert comparison["largest"] == pytest.approx(0.25 * float(want.abs().max()), rel=1e-5)


def test_an_element_that_the_gpu_left_out_is_wrong(interpreter: Interpreter, tmp_path: Path) -> None:
    launch, want = addition(5000, 256)
    want[4999] = torch.nan
    answer = check_addition(interpreter, tmp_path, launch, want)
    assert not answer["passed"] and answer["comparisons"][0]["error"] is None
    assert answer["message"] == "NaN or Inf in out_ptr on one side alone"


def test_an_element_that_only_the_gpu_wrote_is_wrong(interpreter: Interpreter, tmp_path: Path) -> None:
    out = torch.zeros(200, dtype=torch.int32)
    right = out.clone()
    right[:128:2] = 0
    right[100] = 7
    launch = {"arguments": {"out_ptr": out}, "constexprs": {"BLOCK": 64}, "grid": (1,)}
    answer = interpreter.check(tmp_path, KINDS, "even_kernel", launch, {"out_ptr": right})
    assert not answer["passed"] and answer["comparisons"][0]["compared"] == 64
    right[100], right[101] = 0, 7
    answer = interpreter.check(tmp_path, KINDS, "even_kernel", launch, {"out_ptr": right})
    assert not answer["passed"] and answer["comparisons"][0]["compared"] == 65


def test_part_of_the_grid_is_a_fair_sample(interpreter: Interpreter, tmp_path: Path) -> None:
    launch, want = addition(1 << 20, 4)
    # The second half is wrong: a run from the start alone would not come to it.
    want[1 << 19 :] += 1.0
    answer = check_addition(interpreter, tmp_path, launch, want, seconds=0.3)
    [comparison] = answer["comparisons"]
    assert 0 < answer["programs_run"] < answer["programs"] == 1 << 18
    assert comparison["compared"] == 4 * answer["programs_run"] < comparison["elements"]
    # Half of the squares of 2 plus noise: 1/2 over a mean square of 2.
    assert not answer["passed"] and comparison["error"] == pytest.approx(0.5, abs=0.1)


def test_every_program_of_a_grid_of_three_axes_runs_once(interpreter: Interpreter, tmp_path: Path) -> None:
    block, grid = 16, (3, 5, 7)
    out = torch.full((2 * block * 105,), -1, dtype=torch.int32)
    right = out.clone()
    right[::2] = torch.arange(105, dtype=torch.int32).repeat_interleave(block)
    launch = {"arguments": {"out_ptr": out}, "constexprs": {"BLOCK": block}, "grid": grid}
    answer = interpreter.check(tmp_path, KINDS, "even_kernel", launch, {"out_ptr": right})
    assert answer["passed"], answer
    assert answer["programs_run"] == 105 and answer["comparisons"][0]["compared"] == right.numel() // 2


@pytest.mark.parametrize("seconds", [60.0, 0.05])
def test_a_tensor_that_is_read_too_needs_every_program(
    interpreter: Interpreter, tmp_path: Path, seconds: float
) -> None:
    x = torch.arange(1 << 16, dtype=torch.int32)
    launch = {"arguments": {"x_ptr": x, "n": x.numel()}, "constexprs": {"BLOCK": 16}, "grid": (1 << 12,)}
    answer = interpreter.check(tmp_path, KINDS, "increment_kernel", launch, {"x_ptr": x + 1}, seconds)
    if seconds == 60.0:
        assert answer["passed"] and answer["comparisons"][0]["compared"] == x.numel()
    else:
        assert not answer["passed"] and answer["comparisons"] == []
        assert answer["message"].startswith("not compared: x_ptr, which the kernel reads as well, after ")


def test_atomics_are_compared_exactly(interpreter: Interpreter, tmp_path: Path) -> None:
    x = torch.randint(0, 10, (4096,), dtype=torch.int32)
    counts = torch.bincount(x, minlength=10).to(torch.int32)
    launch = {
        "arguments": {"x_ptr": x, "count_ptr": torch.zeros(10, dtype=torch.int32)},
        "constexprs": {"BLOCK": 256}, "grid": (16,),
    }  # fmt: skip
    assert interpreter.check(tmp_path, KINDS, "count_kernel", launch, {"count_ptr": counts})["passed"]
    counts[3] += 1
    answer = interpreter.check(tmp_path, KINDS, "count_kernel", launch, {"count_ptr": counts})
    assert not answer["passed"] and answer["comparisons"][0]["tolerance"] == 0.0


def test_fp32_products_get_the_tolerance_of_tf32(interpreter: Interpreter, tmp_path: Path) -> None:
    a, b = torch.randn(2, 32, 32).unbind()
    launch = {
        "arguments": {"a_ptr": a, "b_ptr": b, "c_ptr": torch.empty(32, 32)},
        "constexprs": {"SIZE": 32},
        "grid": (1,),
    }
    rounded = [(part.view(torch.int32) & ~0x1FFF).view(torch.float32) for part in (a, b)]
    answer = interpreter.check(tmp_path, KINDS, "product_kernel", launch, {"c_ptr": rounded[0] @ rounded[1]})
    assert answer["passed"] and 1e-5 < answer["comparisons"][0]["error"] < answer["comparisons"][0]["tolerance"]


def test_views_of_one_memory_stay_apart(interpreter: Interpreter, tmp_path: Path) -> None:
    memory = torch.zeros(3, 1000)
    x, y, out = memory.unbind()
    x += torch.arange(1000.0)
    launch = {
        "arguments": {"x_ptr": x, "y_ptr": y, "out_ptr": out, "n_elements": 900},
        "constexprs": {"BLOCK_SIZE": 128}, "grid": (8,),
    }  # fmt: skip
    answer = check_addition(interpreter, tmp_path, launch, torch.where(torch.arange(1000) < 900, x, 0.0))
    # What is written and read is told by the memory, and this is one.
    assert answer["passed"] and answer["comparisons"][0]["compared"] == 900


# What cannot be interpreted


def test_inline_assembly_is_one_line_that_names_it(interpreter: Interpreter, tmp_path: Path) -> None:
    x = torch.zeros(16, dtype=torch.int32)
    launch = {"arguments": {"x_ptr": x}, "constexprs": {"BLOCK": 16}, "grid": (1,)}
    failure = interpreter.check(tmp_path, KINDS, "assembly_kernel", launch, {"x_ptr": x + 1})
    assert failure["kind"] == "interpreter"
    assert failure["message"] == "Triton's interpreter does not support inline_asm, which assembly_kernel uses"
    assert "inline_asm_elementwise" in line_of(failure)


def test_an_error_of_the_kernels_own_is_told_where_it_is(interpreter: Interpreter, tmp_path: Path) -> None:
    x = torch.zeros(16, dtype=torch.int32)
    launch = {"arguments": {"x_ptr": x}, "constexprs": {"BLOCK": 16}, "grid": (1,)}
    failure = interpreter.check(tmp_path, KINDS, "fails_kernel", launch, {"x_ptr": x})
    assert "undefined_name" in failure["message"] and "undefined_name" in line_of(failure)


def test_an_access_outside_of_the_tensors_is_refused_and_named(interpreter: Interpreter) -> None:
    failure = interpreter.ask("interpret", KERNELS / "launch" / "wrong_bounds.py", seconds=60.0)
    assert failure["kind"] == "interpreter"
    assert failure["message"].startswith("copy_kernel: program (3, 0, 0) writes to 255 addresses outside")
    assert "'out_ptr', which has 3145729" in failure["message"] and "tl.store" in line_of(failure)
    # The worker lives on.
    assert interpreter.ask("interpret", KINDS, "even_kernel")["programs_run"] == 1


def line_of(failure: dict[str, Any]) -> str:
    return Path(failure["file"]).read_text(encoding="utf-8").splitlines()[failure["line"] - 1]


# Without a GPU


def test_the_files_own_launch_runs_on_the_cpu(interpreter: Interpreter) -> None:
    answer = interpreter.ask("interpret", SAMPLES / "softmax.py", seconds=100.0)
    [out] = answer["outputs"]
    assert answer["source"] == "file" and answer["kernel"]["name"] == "softmax_kernel"
    assert answer["programs_run"] == answer["programs"] == answer["grid"][0]
    assert out["written"] == out["elements"] and out["nan"] == 0
    # Each row adds up to 1.
    assert out["mean"] == pytest.approx(1 / out["shape"][1], rel=1e-5)
    specialization = answer["specialization"]
    assert specialization["signature"]["x_ptr"] == "*fp32" and specialization["signature"]["BLOCK_SIZE"] == "constexpr"
    assert specialization["attributes"]["out_ptr"] == {"tt.divisibility": 16}
    assert set(specialization["provenance"].values()) == {"captured"}
    assert any(message["event"] == "sites" for message in interpreter.messages)


def test_made_inputs_run_where_they_are_asked_for(interpreter: Interpreter) -> None:
    inputs = {
        "x_ptr": "full:2:1000:fp32",
        "y_ptr": "full:0.5:1000:fp32",
        "out_ptr": "empty:1000:fp32",
        "n_elements": "1000",
    }
    answer = interpreter.ask(
        "interpret", SAMPLES / "vector_add.py", inputs=inputs, grid="cdiv(n_elements, BLOCK_SIZE)",
        constants={"BLOCK_SIZE": "128"},
    )  # fmt: skip
    [out] = answer["outputs"]
    assert answer["source"] == "inputs" and answer["programs"] == 8
    assert (out["minimum"], out["maximum"], out["written"], out["outside"]) == (2.5, 2.5, 1000, 0)


def test_what_is_not_run_is_not_counted_as_written(interpreter: Interpreter) -> None:
    answer = interpreter.ask("interpret", SAMPLES / "dropout.py", seconds=0.2)
    [out] = answer["outputs"]
    assert 0 < answer["programs_run"] < answer["programs"]
    block = answer["specialization"]["constexprs"]["BLOCK_SIZE"]
    assert 0 < out["written"] <= block * answer["programs_run"] < out["elements"]
    assert any(f"ran {answer['programs_run']} of {answer['programs']} programs" in note for note in answer["warnings"])


# The file's own comparisons


def test_a_wrong_kernel_fails_its_files_check(interpreter: Interpreter) -> None:
    path = KERNELS / "launch" / "wrong_scale.py"
    answer = interpreter.ask("check_against_file", path, seconds=100.0)
    assert answer["against"] == "file" and not answer["passed"]
    [comparison] = answer["comparisons"]
    assert comparison["name"].startswith("assert_close, line ") and not comparison["passed"]
    assert comparison["error"] > 0.5 and comparison["compared"] == 1000
    assert answer["message"].startswith("AssertionError at line ") and "comparing" in answer["message"]


@pytest.mark.parametrize(
    ("entry", "passed", "title", "tolerance"),
    [
        ("by_allclose", True, "allclose", 1e-5),
        ("by_a_method_that_fails", False, "allclose", 0.125),
        ("by_assert_close", True, "assert_close", 0.25),
        ("by_exit", False, "equal", 0.0),
    ],
)
def test_each_way_of_comparing_is_recorded(
    interpreter: Interpreter, entry: str, passed: bool, title: str, tolerance: float
) -> None:
    answer = interpreter.ask("check_against_file", COMPARES, entry=entry)
    [comparison] = answer["comparisons"]
    assert answer["passed"] == comparison["passed"] == passed
    assert comparison["name"].startswith(f"{title}, line ") and comparison["tolerance"] == tolerance
    assert comparison["elements"] == 100
    assert (comparison["error"] == 0.0) == passed
    if entry == "by_exit":
        assert answer["message"].splitlines() == ["the file ends with exit code 3", "this is wrong"]


@pytest.mark.parametrize(
    ("entry", "passed", "says"),
    [
        ("launches_nothing", False, "not compared: the file's own code launches nothing"),
        (None, True, "its assertions hold"),
    ],
)
def test_without_a_comparison_no_pass_is_claimed(
    interpreter: Interpreter, entry: str | None, passed: bool, says: str
) -> None:
    answer = interpreter.ask("check_against_file", COMPARES, entry=entry)
    assert answer["passed"] == passed and answer["comparisons"] == []
    assert answer["message"].startswith(says)


def test_a_file_that_compares_nothing_is_no_pass(interpreter: Interpreter, tmp_path: Path) -> None:
    file = tmp_path / "quiet.py"
    text = COMPARES.read_text(encoding="utf-8").partition("if __name__")[0]
    file.write_text(text + "doubled()\nprint('done')\n", encoding="utf-8")
    answer = interpreter.ask("check_against_file", file)
    assert not answer["passed"] and answer["message"].splitlines() == [
        "not compared: the file compares its results with nothing that irscope knows", "done",
    ]  # fmt: skip


def test_the_samples_own_check_is_recorded_by_its_name(interpreter: Interpreter, tmp_path: Path) -> None:
    for name in ("harness", "vector_add"):
        text = (SAMPLES / f"{name}.py").read_text(encoding="utf-8")
        # The sample's own code at a size for the interpreter.
        (tmp_path / f"{name}.py").write_text(text.replace("1 << 27", "1 << 12").replace("1 << 30", "1 << 12"), "utf-8")
    answer = interpreter.ask("check_against_file", tmp_path / "vector_add.py", seconds=100.0)
    assert answer["passed"], answer
    assert [comparison["name"] for comparison in answer["comparisons"]] == ["vector_add"]


def test_a_file_that_takes_too_long_is_not_compared(interpreter: Interpreter) -> None:
    answer = interpreter.ask("check_against_file", SAMPLES / "dropout.py", seconds=0.2)
    assert not answer["passed"] and answer["comparisons"] == []
    assert answer["message"].startswith("not compared to the end")
    assert answer["message"].splitlines()[0].endswith("it had compared nothing by then")
