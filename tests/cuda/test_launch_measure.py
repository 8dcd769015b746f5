"""Launches measured on the GPU that is here, against Triton's own figures for them; and launches that fail."""

from __future__ import annotations

import functools
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason=f"torch {torch.__version__} sees no CUDA device"),
]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def launch(case: str, timeout: float | None = 240) -> list[dict[str, Any]]:
    """What one process of `one_launch.py` sends."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, str(HERE / "one_launch.py"), case],
        capture_output=True, text=True, timeout=timeout, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@functools.cache
def measured(case: str) -> dict[str, Any]:
    events = launch(case)
    assert events[-1]["event"] == "result", events[-1]
    return {**events[-1], "events": events}


def failed(case: str) -> dict[str, Any]:
    event = launch(case)[-1]
    assert event["event"] == "failure", event
    found: dict[str, Any] = event["failure"]
    return found


def works() -> bool:
    """After a fault, the next launch is as good as any."""
    return launch("small")[-1]["event"] == "result"


@pytest.mark.parametrize("case", ["small", "good", "large", "product", "big_product"])
def test_the_median_is_do_benchs(case: str) -> None:
    """Within 2 %, or CUDA's half a microsecond that an event is exact to, of the range of do_bench's own runs."""
    result = measured(case)
    median, theirs = statistics.median(result["bench"]["ours"]), result["bench"]["do_bench"]
    apart = max(0.02 * max(theirs), 0.5)
    assert min(theirs) - apart < median < max(theirs) + apart, (result["bench"], result["timing"])
    timing = result["timing"]
    assert timing["p20"] <= timing["median"] <= timing["p80"]
    assert 10 <= timing["runs"] <= 1000


def test_short_kernels_run_in_a_graph_too() -> None:
    result = measured("small")
    assert result["graph"]["median"] < result["timing"]["median"], "the L2 is warm, and no event is between"
    # Triton's waits for each replay, so that starting the graph counts: 0.2 us a launch.
    assert 0.7 * result["bench"]["graph"] < result["graph"]["median"] < 1.05 * result["bench"]["graph"]
    assert measured("large")["graph"] is None


def test_the_first_figure_comes_before_the_outputs() -> None:
    events = [
        (event["event"], event.get("phase")) for event in measured("large")["events"]
    ]  # fmt: skip
    assert events[:4] == [
        ("phase", "warming up"), ("phase", "timing"), ("timing", None), ("phase", "reading back"),
    ]  # fmt: skip


@pytest.mark.parametrize("case", ["good", "product", "in_place", "queue"])
def test_the_drivers_figures_are_what_triton_loaded(case: str) -> None:
    result = measured(case)
    figures, bench = result["driver"], result["bench"]
    assert figures["registers"] == bench["registers"]
    assert figures["shared_dynamic_bytes"] == bench["shared"]
    assert figures["max_threads"] == (bench["max_threads"] or figures["max_threads"])
    assert figures["blocks_per_sm"] > 0
    assert figures["local_bytes"] >= 0
    assert figures["shared_static_bytes"] >= 0


@pytest.mark.parametrize("case", ["good", "partly", "unknown", "product", "in_place", "queue", "guard"])
def test_arguments_are_as_before(case: str) -> None:
    assert measured(case)["kept"]


def test_unwritten_elements_are_counted() -> None:
    (output,) = measured("partly")["outputs"]
    assert (output["written"], output["elements"], output["changed_only"]) == ((1 << 20) - 777, 1 << 20, False)
    assert (output["nan"], output["inf"]) == (0, 0)


def test_every_element_of_a_whole_output_is_written() -> None:
    (output,) = measured("good")["outputs"]
    assert output["written"] == output["elements"]
    assert abs(output["mean"]) < 0.01
    assert (output["name"], output["type"], output["shape"], output["outside"]) == ("out_ptr", "fp32", [1 << 20], None)


def test_unknown_access_finds_the_output_by_its_changes() -> None:
    (output,) = measured("unknown")["outputs"]
    assert (output["name"], output["changed_only"]) == ("out_ptr", True)


def test_in_place_kernels_show_one_launch() -> None:
    (output,) = measured("in_place")["outputs"]
    assert (output["written"], output["changed_only"]) == (4000, True)
    assert (output["minimum"], output["maximum"]) == (0.0, 1.0)


def test_a_counter_is_set_back_before_each_run() -> None:
    """Else every timed run but the first would find its work done."""
    result = measured("queue")
    outputs = {output["name"]: output for output in result["outputs"]}
    assert outputs["out_ptr"]["written"] == outputs["out_ptr"]["elements"]
    assert outputs["counter_ptr"]["first"] == [2048 + 64]
    assert result["graph"] is None
    assert result["timing"]["median"] > 2 * min(result["bench"]["do_bench"]), "do_bench times launches without work"


def test_writes_outside_are_counted() -> None:
    (output,) = measured("guard")["outputs"]
    assert (output["outside"], output["written"]) == (5, 1019)


def test_saved_files_hold_what_was_written() -> None:
    numpy = pytest.importorskip("numpy")
    (output,) = measured("partly")["outputs"]
    saved = numpy.load(output["file"])
    folder = Path(measured("partly")["folder"])
    kept = torch.load(folder / "arguments.pt", weights_only=False)
    after = torch.load(folder / "outputs.pt", weights_only=False)["out_ptr"]
    arguments = kept["arguments"]
    written = arguments["n"]
    assert numpy.array_equal(saved[:written], (arguments["x_ptr"] + arguments["y_ptr"]).numpy()[:written])
    assert numpy.array_equal(saved[written:], arguments["out_ptr"].numpy()[written:])
    assert numpy.array_equal(saved, after.numpy())
    assert tuple(kept["grid"]) == (1024, 1, 1)
    assert kept["constexprs"] == {"BLOCK": 1024}


def test_what_the_device_reaches() -> None:
    (result,) = [event for event in launch("device") if event["event"] == "result"]
    device, products = result["device"], result["matmul_tflop_s"]
    assert device["name"] == torch.cuda.get_device_name(0)
    assert device["memory_bytes"] == torch.cuda.get_device_properties(0).total_memory
    assert device["uuid"].startswith("GPU-")
    assert device["driver"]
    assert result["copy_gb_s"] > 50
    assert products["fp16"] > products["fp32"] > 0


def test_an_illegal_address() -> None:
    failure = failed("illegal")
    assert failure["kind"] == "fault"
    assert "illegal address" in failure["message"]
    assert "compute-sanitizer" in failure["hint"]
    assert works()


def test_a_misaligned_address() -> None:
    failure = failed("misaligned")
    assert failure["kind"] == "fault"
    assert "misaligned address" in failure["message"]
    assert works()


def test_a_device_assert_names_its_message_and_line() -> None:
    failure = failed("assert")
    assert failure["kind"] == "fault"
    assert "x must be positive" in failure["message"]
    assert Path(failure["file"]).name == "gpu_kernels.py"
    lines = (HERE / "gpu_kernels.py").read_text(encoding="utf-8").splitlines()
    assert "device_assert" in lines[failure["line"] - 1]
    assert works()


def test_an_endless_kernel_ends_with_its_process() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        launch("endless", timeout=30)
    assert works()


def test_too_much_shared_memory() -> None:
    failure = failed("shared")
    assert failure["kind"] == "resources"
    assert "bytes of shared memory" in failure["message"]
    assert "num_stages" in failure["hint"]
    assert works()


def test_a_grid_that_is_too_large() -> None:
    failure = failed("grid")
    assert failure["kind"] == "usage"
    assert "65,535 programs along y" in failure["message"]


def test_more_memory_than_there_is() -> None:
    if torch.cuda.get_device_properties(0).total_memory > 250e9:
        pytest.skip("this GPU has room for it")
    failure = failed("memory")
    assert failure["kind"] == "memory"
    assert "free" in failure["message"]
    assert works()
