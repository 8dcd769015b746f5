"""What the worker captures with no GPU: every launch as Triton specializes it, whatever the code does around it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from irscope import captures, capturing
from irscope.captured import Capture, CapturedLaunch
from irscope.model import Target
from irscope.request import IrscopeError, Request
from tests.samples import KERNELS

pytest.importorskip("torch")

FILES = KERNELS / "capture"
SM_90 = Target.parse("sm_90")


def capture(name: str | Path, **options: Any) -> Capture:
    return captures.run(FILES / name, SM_90, timeout=options.pop("timeout", 120.0), **options)


def signatures(found: Capture, kernel: str) -> list[str]:
    return [launch.aot_signature for launch in found.launches if launch.kernel == kernel]


def test_host_code_of_all_kinds_comes_to_its_end(own_directories: None) -> None:
    found = capture("host_code.py")
    assert found.ended is None, (found.ended, found.log)
    assert signatures(found, "scale_kernel") == [
        "*fp16:16, *fp16:16, i32, fp32, 256",
        "*bf16:16, *bf16:16, i32, fp32, 256",
        "*fp32:16, *fp32:16, i32:16, fp32, 256",
        # A view that begins at the second element: no longer a multiple of 16 bytes.
        "*fp16, *fp16:16, i32, fp32, 256",
    ]
    first, _, third, _ = found.launches
    assert first.count == 2 and first.grid == (4,) and not first.options
    assert first.arguments["x_ptr"] == {"type": "*fp16", "shape": [1000], "strides": [1]}
    assert first.arguments["factor"] == {"type": "fp32", "value": 2.0}
    (site,) = first.sites
    assert (Path(site.file).name, site.function, site.count) == ("host_code.py", "scale", 2)
    lines = (FILES / "host_code.py").read_text(encoding="utf-8").splitlines()
    assert "scale_kernel[" in lines[site.line - 1]
    # A graph's launch of 512 elements, and one of 256 MB, which is the same specialization.
    assert third.count == 2 and third.grid == (2,)


def test_tests_are_run_with_all_their_values_and_benchmarks_with_the_first(own_directories: None) -> None:
    found = capture("tested.py")
    parts = {part["part"]: part for part in found.parts}
    assert set(parts) == {
        "__main__", "benchmark", "test_add[1024-2-torch.float32]", "test_add[1024-2-torch.float16]",
        "test_add[1000-3-torch.float32]", "test_add[1000-3-torch.float16]", "test_with_a_fixture",
        "test_of_an_unknown_fixture", "TestOfMany.test_integers", "TestOfMany.test_that_fails_by_itself",
    }  # fmt: skip
    assert [name for name, part in parts.items() if part["skipped"]] == ["test_of_an_unknown_fixture"]
    assert found.ended is not None and found.ended.startswith("TestOfMany.test_that_fails_by_itself: NotImplemented")
    assert signatures(found, "add_kernel") == [
        "*fp64:16, *fp64:16, *fp64:16, i32:16, 128, True",
        "*fp32:16, *fp32:16, *fp32:16, i32:16, 128, True",
        "*bf16:16, *bf16:16, *bf16:16, i32:16, 128, True",
        "*i32:16, *i32:16, *i32:16, i32, 128, False",
        "*fp16:16, *fp16:16, *fp16:16, i32:16, 128, True",
        "*fp32:16, *fp32:16, *fp32:16, i32, 128, False",
        "*fp16:16, *fp16:16, *fp16:16, i32, 128, False",
    ]
    # The sweep of two configurations is no launch: the first of them is the one that is launched, once each.
    assert {launch.configuration for launch in found.launches} == {0}
    assert {launch.options["num_warps"] for launch in found.launches} == {2}
    assert [launch.count for launch in found.launches] == [1] * 7


CONFTEST = """
import pytest, torch

def pytest_addoption(parser):
    parser.addoption("--device-of-tests", default="cuda")

@pytest.fixture(params=[torch.float16, torch.bfloat16], ids=str)
def dtype(request):
    return request.param

@pytest.fixture(autouse=True)
def on_the_gpu(pytestconfig, request):
    before = torch.get_default_device()
    assert request.config.option.device_of_tests == "cuda"
    torch.set_default_device(pytestconfig.getoption("--device-of-tests"))
    yield
    torch.set_default_device(before)
"""
TESTS = """
import pytest, torch, triton, triton.language as tl

@triton.jit
def fill_kernel(x_ptr, value, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, value, mask=offsets < n)

def fill(x, value, block):
    assert x.is_cuda
    fill_kernel[(triton.cdiv(x.numel(), block),)](x, value, x.numel(), BLOCK=block)

@pytest.fixture(scope="module")
def device():
    return torch.device("cuda", 0)

@pytest.fixture
def filled(request, dtype, device):
    return torch.empty(request.param, dtype=dtype, device=device)

@pytest.mark.parametrize("filled, block", [(64, 64), pytest.param(65, 128, marks=pytest.mark.skip(reason="no"))],
                         indirect=["filled"])
class TestFill:
    @pytest.fixture
    def value(self, filled):
        return float(filled.numel())

    @pytest.mark.parametrize("twice", [False, True])
    def test_it(self, filled, block, value, twice):
        fill(filled, value, block * (1 + twice))

@pytest.mark.parametrize("second", range(12))
@pytest.mark.parametrize("first", [16 << i for i in range(8)])
def test_many(first, second):
    fill(torch.empty(first), float(second), first)

@pytest.mark.parametrize("nothing", [])
def test_of_no_values(nothing):
    raise AssertionError("it cannot be called")
"""


@pytest.mark.parametrize("pytest_is_there", [True, False])
def test_parameters_and_fixtures_as_pytest_has_them(
    own_directories: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytest_is_there: bool
) -> None:
    if not pytest_is_there:
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "first"))
        (tmp_path / "first").mkdir()
        (tmp_path / "first" / "pytest.py").write_text("raise ImportError", encoding="utf-8")
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    file = tmp_path / "of" / "test_filling.py"
    file.parent.mkdir()
    file.write_text(TESTS, encoding="utf-8")
    found = capture(file)
    assert found.ended is None, (found.ended, found.log)
    # Two rows of four parameters and fixtures are left, and each value of the test with 96 sets is among its first 64.
    launched = signatures(found, "fill_kernel")
    for element, block in (("fp16", 64), ("fp16", 128), ("bf16", 64), ("bf16", 128)):
        assert f"*{element}:16, fp32, i32:16, {block}" in launched
    of_many = [part["part"] for part in found.parts if part["part"].startswith("test_many")]
    assert len(of_many) == 64 and {name.split("[")[1].split("-")[0] for name in of_many} == {
        str(16 << i) for i in range(8)
    }
    assert {name.rstrip("]").split("-")[1] for name in of_many} == set(map(str, range(12)))
    assert found.warnings == ("test_many: 32 of its 96 sets of values were left out",)
    assert [part["part"] for part in found.parts if part["skipped"]] == ["test_of_no_values"]
    assert len([part for part in found.parts if part["part"].startswith("TestFill.test_it[")]) == 4


LIBRARY = """
import triton, triton.language as tl

@triton.jit
def ones_kernel(x_ptr, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), 1)
"""
LAUNCHES = """
import sys, torch
from library import ones_kernel

for block in map(int, sys.argv[1:]):
    ones_kernel[(1,)](torch.empty(block, device="cuda"), BLOCK=block)
    if block == 256:
        import threading
        threading.Event().wait()
"""


def test_a_kernel_of_two_scripts_has_the_launches_of_both(own_directories: None, tmp_path: Path) -> None:
    for name, text in (("library", LIBRARY), ("first", LAUNCHES), ("second", "# a line more" + LAUNCHES)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    capture(tmp_path / "first.py", script_arguments=("64", "128", "128"))
    capture(tmp_path / "second.py", script_arguments=("32", "128"))
    known = captures.launches_of(tmp_path / "library.py", "ones_kernel", SM_90)
    assert [(launch.number, launch.entries["BLOCK"], launch.count) for launch in known] == [
        (0, "32", 1), (1, "128", 3), (2, "64", 1),
    ]  # fmt: skip
    assert [[(Path(site.file).name, site.count) for site in launch.sites] for launch in known] == [
        [("second.py", 1)], [("second.py", 1), ("first.py", 2)], [("first.py", 1)],
    ]  # fmt: skip
    (tmp_path / "second.py").write_text("pass", encoding="utf-8")
    assert len(captures.launches_of(tmp_path / "library.py", "ones_kernel", SM_90)) == 2


def test_what_was_launched_until_the_user_stopped_it_is_kept(own_directories: None, tmp_path: Path) -> None:
    for name, text in (("library", LIBRARY), ("script", LAUNCHES)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    request = Request(tmp_path / "library.py", "ones_kernel", SM_90)
    given_up = threading.Event()

    def heard(launch: CapturedLaunch) -> None:
        if launch.entries["BLOCK"] == "256":
            given_up.set()

    with pytest.raises(captures.Stopped) as stopped:
        capture(tmp_path / "script.py", script_arguments=("128", "256", "512"), cancel=given_up, on_launch=heard)
    found = stopped.value.capture
    assert not found.complete and found.ended == "it was stopped"
    known = captures.launches_of(request.path, "ones_kernel", SM_90)
    assert [launch.entries["BLOCK"] for launch in known] == ["128", "256"]
    assert captures.ended_early(request.path, "ones_kernel", SM_90) == "script.py ended early: it was stopped"
    assert not capturing.is_known(request)
    # A complete one of the same takes its place.
    text = LAUNCHES.replace(".wait()", ".is_set()")
    (tmp_path / "script.py").write_text(text, encoding="utf-8")
    capture(tmp_path / "script.py", script_arguments=("128", "256", "512"))
    assert len(list(captures.kept(request.path))) == 1 and capturing.is_known(request)


def test_a_script_with_arguments_and_kernels_of_another_file(own_directories: None) -> None:
    found = capture("launches_a_library.py", script_arguments=("--rows", "32", "--half"))
    assert found.ended is None
    assert signatures(found, "activated_kernel") == [
        "*fp16:16, *fp16:16, *fp16:16, (i32:16, i32:16), i32, i32:16, relu, tl.float16, 128",
        "*fp16:16, None, *fp16:16, (i32:16, i32:16), i32, i32:16, None, tl.float16, 128",
    ]
    first, second = found.launches
    assert Path(first.file) == FILES / "kernel_library.py" == Path(second.sites[0].file)
    assert second.count == 2 and second.options == {"num_warps": 2}
    assert first.attributes["shape.1"] == {"tt.divisibility": 16} and "seed" not in first.attributes
    # They are found by the file that defines the kernel, and no longer when the script has changed.
    assert captures.launches_of(FILES / "kernel_library.py", "activated_kernel") == found.launches
    only = capture("launches_a_library.py", entry="only_one")
    assert signatures(only, "activated_kernel") == [
        "*fp32:16, None, *fp32:16, (i32, i32), i32, i32, relu, tl.float32, 128"
    ]
    # Of several captures all are known, the newest first, and each but once.
    known = captures.launches_of(FILES / "kernel_library.py", "activated_kernel")
    assert [launch.number for launch in known] == [0, 1, 2]
    assert [launch.aot_signature for launch in known] == [
        launch.aot_signature for launch in (*only.launches, *found.launches)
    ]


@pytest.mark.sweep
def test_gradients_with_values_and_without(own_directories: None) -> None:
    found = capture("gradients.py")
    assert found.ended is None, (found.ended, found.log)
    by_kernel = {launch.kernel: launch for launch in found.launches}
    assert {name: launch.count for name, launch in by_kernel.items()} == {"forward_kernel": 2, "backward_kernel": 2}
    assert by_kernel["backward_kernel"].aot_signature == ", ".join(["*fp32:16"] * 5 + ["i32:16", "64"])
    assert by_kernel["backward_kernel"].sites[0].function == "backward"


@pytest.mark.sweep
def test_operators_and_kernels_that_are_called_out_of_sight(own_directories: None) -> None:
    found = capture("scripts/operators_of_cuda.py", script_arguments=())
    assert found.ended is None and not found.warnings, (found.ended, found.warnings, found.log)
    # Small, large (on meta, where torch asks for no more than shapes), and called by what Inductor has compiled.
    assert signatures(found, "add_kernel") == [
        f"*{element}:16, *{element}:16, *{element}:16, {n}, 1024"
        for element, n in (("fp32", "i32"), ("fp16", "i32:16"), ("fp64", "i32"))
    ]
    assert signatures(found, "fill_kernel") == [
        "*fp32:16, fp32, i32, 512", "*fp16:16, fp32, i32:16, 512", "*fp16:16, fp32, i32, 256",
    ]  # fmt: skip
    by_hand = capture("scripts/compiled_by_hand.py", script_arguments=())
    assert by_hand.ended is None, (by_hand.ended, by_hand.log)
    (launch,) = by_hand.launches
    assert (launch.aot_signature, launch.grid) == ("*fp16, *fp16, i32, 256", (4, 1, 1))
    assert launch.options["num_warps"] == 2


def test_single_numbers_are_compared(own_directories: None) -> None:
    found = capture("scripts/decides_by_numbers.py", script_arguments=())
    assert found.ended is None, (found.ended, found.log)
    assert [(launch.kernel, launch.count) for launch in found.launches] == [("loss_kernel", 2), ("rescale_kernel", 1)]


def test_types_are_those_of_a_gpus_autocast(own_directories: None) -> None:
    found = capture("scripts/mixed_precision.py", script_arguments=())
    assert found.ended is None, (found.ended, found.log)
    types = {launch.constexprs["WHERE"]: launch.entries["x_ptr"] for launch in found.launches}
    assert types == {
        "linear": "*bf16:16", "large": "*bf16:16", "product": "*bf16:16", "softmax": "*fp32:16", "norm": "*fp32:16",
        "relu": "*bf16:16", "double": "*fp64:16", "disabled": "*fp32:16", "half": "*fp16:16",
        "cast inputs": "*fp16:16", "outside": "*fp32:16", "backward": "*fp16:16",
    }  # fmt: skip


def test_a_kernel_that_is_warmed_up_can_be_read_and_launched(own_directories: None) -> None:
    found = capture("warms_up.py")
    assert found.ended is None, (found.ended, found.log)
    assert [(launch.aot_signature, launch.grid is None, launch.options) for launch in found.launches] == [
        ("*fp32:16, *fp32:16, i32:16, 512", False, {"num_warps": 8}),
        ("*fp16:16, *fp16:16, i32:1, 128", True, {}),
        ("*fp32:16, *fp32:16, i32, 256", False, {}),
        ("*fp32:16, *fp32:16, i32:16, 512", False, {}),
    ]


@pytest.mark.parametrize(
    ("how", "ended"),
    [
        ("raise", "ValueError: no more of this (line 22)"),
        ("exit", "exit code 3"),
        ("crash", "the worker aborted (SIGABRT)"),
        ("loop", "its 4 s were over"),
    ],
)
def test_what_was_launched_until_the_code_ended_early(own_directories: None, how: str, ended: str) -> None:
    found = capture("ends_early.py", script_arguments=(how,), timeout=4.0 if how == "loop" else 120.0)
    assert [launch.aot_signature for launch in found.launches] == ["*fp32:16, 64"]
    if how == "exit":  # at its outermost level, where launches that were left out are the reason
        assert found.ended is None
    elif how != "crash":
        assert found.ended == ended
    else:
        assert found.ended is not None and found.ended.startswith("the worker ")
    assert str(FILES / "ends_early.py") in found.sources


def test_code_that_launches_nothing_says_why(own_directories: None) -> None:
    with pytest.raises(IrscopeError) as caught:
        capture("ends_early.py", script_arguments=("before",))
    assert caught.value.failure.kind == "file" and caught.value.failure.line == 19
    with pytest.raises(IrscopeError, match="no function 'missing' in this file") as caught:
        capture("tested.py", entry="missing")
    assert caught.value.failure.kind == "usage"
