"""What goes wrong on a GPU, in one line each: real exceptions where this machine raises them, else real messages."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from irscope.worker import failures
from irscope.worker.launch import driver, faults, prepare
from irscope.worker.protocol import Rejected

KERNEL = faults.Subject("/k/kernel.py", 12)


def error_of(message: str) -> RuntimeError:
    return RuntimeError(f"CUDA error: {message}\nCUDA kernel errors might be asynchronously reported at some other API")


@pytest.mark.parametrize(
    ("message", "kind", "says"),
    [
        ("an illegal memory access was encountered", "fault", "illegal address"),
        ("misaligned address", "fault", "misaligned address"),
        ("device-side assert triggered", "fault", "device assert"),
        ("an illegal instruction was encountered", "fault", "illegal instruction"),
        ("unspecified launch failure", "fault", "launch failed"),
        ("the launch timed out and was terminated", "fault", "watchdog"),
        ("too many resources requested for launch", "resources", "registers"),
        ("out of memory", "memory", "memory of the GPU"),
        ("the provided PTX was compiled with an unsupported toolchain.", "missing", "driver is too old"),
        ("no kernel image is available for execution on the device", "missing", "no code for this GPU"),
        ("an error that nobody has thought of", "fault", "an error that nobody has thought of"),
    ],
)
@pytest.mark.parametrize("prefix", ["CUDA error: ", "Triton Error [CUDA]: "])
def test_errors_of_cuda(prefix: str, message: str, kind: str, says: str) -> None:
    failure = faults.describe(RuntimeError(prefix + message), KERNEL, "")
    assert failure is not None
    assert (failure["kind"], failure["file"], failure["line"]) == (kind, "/k/kernel.py", 12)
    assert says in failure["message"]
    assert "\n" not in failure["message"]
    assert failure["hint"]


def test_other_errors_are_not_the_gpus() -> None:
    for error in (RuntimeError("shapes differ: CUDA error"), ValueError("out of memory"), KeyError("cuda")):
        assert faults.describe(error, KERNEL, "") is None


def test_memory_faults_come_with_a_command_to_paste() -> None:
    failure = faults.describe(error_of("an illegal memory access was encountered"), KERNEL, "")
    assert failure is not None
    assert f'compute-sanitizer --tool memcheck "{sys.executable}" "/k/kernel.py"' in failure["hint"]
    made = faults.Subject("/k/kernel.py", launches_itself=False)
    failure = faults.describe(error_of("misaligned address"), made, "")
    assert failure is not None
    assert 'irscope launch "/k/kernel.py"' in failure["hint"], "the file alone launches nothing"


@pytest.mark.parametrize(
    ("request_", "made", "by_file"),
    [
        ({}, False, True),
        ({"constants": {}, "configuration": None, "entry": None}, False, True),
        ({}, True, False),
        ({"entry": "other"}, False, False),
        ({"constants": {"BLOCK": "64"}}, False, False),
        ({"configuration": 0}, False, False),
        ({"options": {"num_warps": "8"}}, False, False),
    ],
)
def test_the_command_to_paste_makes_the_same_launch(request_: dict[str, Any], made: bool, by_file: bool) -> None:
    """``python FILE`` runs the main block, with the file's own options."""
    command = prepare.again({**request_, "again": "irscope launch k.py::add --entry other"}, made)
    failure = faults.describe(error_of("misaligned address"), replace(KERNEL, again=command), "")
    assert failure is not None
    if by_file:
        assert failure["hint"].endswith(f'"{sys.executable}" "/k/kernel.py"')
    else:
        assert failure["hint"].endswith("--target-processes all irscope launch k.py::add --entry other")


def test_device_asserts_name_their_message_and_line() -> None:
    logged = "\n".join(
        f"/k/other.py:30: my_kernel: block: [3,0,1], thread: [{i},0,0] Assertion `x must be `small`` failed."
        for i in range(4)
    )
    failure = faults.describe(error_of("device-side assert triggered"), KERNEL, f"something else\n{logged}\n")
    assert failure is not None
    assert failure["message"] == "device assert: x must be `small` (first in program (3, 0, 1) of my_kernel)"
    assert (failure["file"], failure["line"]) == ("/k/other.py", 30)


def test_a_grid_that_is_too_large_is_named() -> None:
    failure = faults.describe(
        RuntimeError("Triton Error [CUDA]: invalid argument"), faults.Subject("f.py", grid=(1, 70000, 1)), ""
    )
    assert failure is not None
    assert failure["kind"] == "usage"
    assert failure["message"] == "the grid (1, 70000, 1) is too large: CUDA allows 65,535 programs along y"


def test_out_of_memory_says_how_much() -> None:
    torch = pytest.importorskip("torch")
    error = torch.cuda.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 186.26 GiB. GPU 0 has a total capacity of 139.80 GiB of which 139.19 GiB"
        " is free. Including non-PyTorch memory, this process has 518.00 MiB memory in use."
    )
    failure = faults.describe(error, None, "")
    assert failure is not None
    assert failure["kind"] == "memory"
    assert failure["message"].endswith("186.26 GiB more asked for, 139.19 GiB of 139.80 GiB free")


def test_the_hosts_memory_is_not_the_gpus() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 50, dtype=torch.uint8)
    failure = faults.describe(raised.value, KERNEL, "")
    assert failure is not None
    assert failure["kind"] == "memory"
    assert "this machine" in failure["message"]
    assert f"{1 << 50} bytes" in failure["message"]


@pytest.mark.parametrize(
    ("name", "says", "hint"),
    [
        ("shared memory", "262,144 bytes of shared memory for a block; this GPU allows 232,448", "num_stages"),
        ("threads", "262,144 threads", "num_warps"),
        ("registers", "262,144 registers", "smaller blocks"),
        ("tensor memory", "262,144 columns of tensor memory", "smaller blocks"),
        ("something new", "262,144 of something new", "smaller blocks"),
    ],
)
def test_too_much_of_a_resource(name: str, says: str, hint: str) -> None:
    from triton.runtime.errors import OutOfResources

    failure = faults.describe(OutOfResources(262144, 232448, name), KERNEL, "")
    assert failure is not None
    assert failure["kind"] == "resources"
    assert says in failure["message"]
    assert hint in failure["hint"]


def test_without_torch_both_systems_commands_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(Rejected) as rejected:
        faults.require_cuda(0)
    failure = rejected.value.failure
    assert failure["kind"] == "missing"
    assert failure["missing"] == "torch"
    for command in ("--torch-backend=auto", "--torch-backend=cu128", f'--python "{sys.executable}"'):
        assert command in failure["hint"]
    assert "--reinstall" not in failure["hint"]


def test_a_torch_without_cuda_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(Rejected) as rejected:
        faults.require_cuda(0)
    assert "built without CUDA" in rejected.value.failure["message"]
    assert "--reinstall-package torch" in rejected.value.failure["hint"], "uv leaves an installed torch alone"


def test_the_machine_without_a_gpu_says_so() -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() or torch.version.cuda is None:
        pytest.skip("needs a torch for CUDA and no GPU")
    with pytest.raises(Rejected) as rejected:
        faults.require_cuda(0)
    assert rejected.value.failure["kind"] == "missing"
    assert "NVIDIA" in rejected.value.failure["message"]
    with pytest.raises((RuntimeError, AssertionError)) as raised:
        torch.zeros(1, device="cuda")
    failure = faults.describe(raised.value, None, "")
    assert failure is not None
    assert failure["kind"] == "missing"


def test_a_driver_that_is_too_old_is_named_with_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "driver_version", lambda: "535.183.01")
    message = faults.too_old("13.2", (13, 2), (12, 2))
    assert "driver 535.183.01 (CUDA 12.2)" in message
    assert "driver 580 or newer" in message
    assert "--torch-backend=cu118" in faults.driver_hint((12, 2))
    assert "--torch-backend=cu128" in faults.driver_hint((12, 8))
    assert faults.driver_hint((10, 2)) == "update the driver"


def test_failures_of_a_file_on_the_gpu_keep_the_line_that_launched(tmp_path: Path) -> None:
    file = tmp_path / "launches.py"
    file.write_text("def go():\n    raise RuntimeError('CUDA error: misaligned address')\n\n\ngo()\n", encoding="utf-8")
    with pytest.raises(RuntimeError) as raised:
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), {})
    failure: dict[str, Any] = failures.describe(raised.value, file, "")
    assert (failure["kind"], failure["file"], failure["line"]) == ("fault", str(file), 2)
    assert str(file) in failure["hint"]


def test_causes_in_a_circle_are_followed_once() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert failures.innermost_compilation_error(first) is None
    failure = failures.describe(first, Path("kernel.py"), "")
    assert (failure["kind"], "first" in failure["message"]) == ("compile", True)
