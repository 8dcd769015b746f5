"""``irscope launch`` where there is no GPU: runs in Triton's interpreter, lists, and what is refused before a GPU."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import numpy
import psutil
import pytest
import torch
from samples import KERNELS, SAMPLES

from irscope import cli, model
from irscope.launch import model as launches
from irscope.report.launch import schema

AWKWARD = str(KERNELS / "launch" / "awkward.py")
NO_LAUNCH = str(KERNELS / "launch" / "no_launch.py")


class Told(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def failure(self) -> str:
        return next(line for line in self.err.splitlines() if not line.startswith("irscope: warning:"))


class Command:
    """``irscope launch`` in this process, whose workers stay warm from one call to the next."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Told:
        self._capsys.readouterr()
        code = cli.main(["launch", *map(str, words)])
        out, err = self._capsys.readouterr()
        assert "Traceback" not in out + err
        return Told(code, out, err)

    def document(self, *words: str | Path, code: int = 0) -> dict[str, Any]:
        told = self(*words, "--format", "json")
        assert told.code == code, told
        loaded: dict[str, Any] = json.loads(told.out, parse_constant=no_constant)
        jsonschema.validate(loaded, schema(), cls=jsonschema.Draft202012Validator)
        return loaded


def no_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


@pytest.fixture
def launch(capsys: pytest.CaptureFixture[str], own_directories: None) -> Command:
    return Command(capsys)


# The document


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("launch", launches.Launch), ("argument", launches.Argument), ("device", launches.Device),
        ("site", launches.Site), ("timing", launches.Timing), ("ceilings", launches.Ceilings),
        ("output", launches.Output), ("figures", launches.Figures), ("check", launches.Check),
        ("comparison", launches.Comparison), ("specialization", model.Specialization),
    ],
)  # fmt: skip
def test_every_field_is_in_the_schema(name: str, kind: Any) -> None:
    described = schema()["$defs"][name]
    own = {field.name for field in fields(kind)}
    assert own <= set(described["required"]) == set(described["properties"])
    assert name == "launch" or own == set(described["properties"])


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_documents_fit_the_schema(launch: Command) -> None:
    found = launch.document(AWKWARD, "--interpret")
    assert (found["kernel"], found["source"], found["grid"]) == ("double_kernel", "file", [16])
    (output,) = found["outputs"]
    assert (output["name"], output["written"], output["first"][:2]) == ("out_ptr", 1024, [2.0, 2.0])
    assert found["device"] is found["timing"] is output["programs_run"] is None
    made = launch.document(f"{NO_LAUNCH}::gelu_kernel", "--interpret", "--arg", "x_ptr=randn:256:fp16")
    assert (made["source"], made["seed"]) == ("inputs", 0)
    again = launch.document(AWKWARD, "--interpret")
    assert [entry["ratio"] for entry in again["earlier"]], "the launch before is told"


@pytest.mark.parametrize(("entry", "count"), [("not_a_number", "nan"), ("infinite", "inf")])
def test_what_json_lacks_is_text(launch: Command, entry: str, count: str) -> None:
    (output,) = launch.document(AWKWARD, "--interpret", "--entry", entry)["outputs"]
    assert (output[count], output["minimum"], output["first"][0]) == (1024, None, count)


def test_failures_fit_the_schema(launch: Command) -> None:
    error = launch.document(AWKWARD, "--interpret", "--entry", "raises", code=1)["error"]
    assert (error["kind"], error["message"], Path(error["file"]).name) == (
        "file", "ValueError: nothing is launched", "awkward.py",
    )  # fmt: skip
    assert "raise ValueError" in Path(AWKWARD).read_text(encoding="utf-8").splitlines()[error["line"] - 1]


# What is told


def test_a_run_that_was_cut_says_how_much_of_it_ran(launch: Command) -> None:
    told = launch(AWKWARD, "--interpret", "--check-seconds", "0.000001")
    assert "64 written, by the 1 of 16 programs that ran" in told.out
    assert "never written" not in told.out
    (output,) = launch.document(AWKWARD, "--interpret", "--check-seconds", "0.000001")["outputs"]
    assert (output["written"], output["programs_run"], output["programs"]) == (64, 1, 16)


def test_elements_that_were_not_written_are_dashes(launch: Command) -> None:
    told = launch(AWKWARD, "--interpret", "--entry", "every_other_one")
    assert "512 never written  2 - 2 -" in told.out


def test_an_empty_grid_is_told(launch: Command) -> None:
    told = launch(AWKWARD, "--interpret", "--entry", "no_programs")
    assert told.code == 0
    assert "the grid (0,) is empty: nothing runs" in told.err


def test_a_launch_in_a_thread_is_found(launch: Command) -> None:
    assert launch.document(AWKWARD, "--interpret", "--entry", "in_a_thread")["source"] == "file"


def test_save_writes_what_the_kernel_wrote(launch: Command, tmp_path: Path) -> None:
    told = launch(AWKWARD, "--interpret", "--save", tmp_path / "new" / "folder")
    file = tmp_path / "new" / "folder" / "out_ptr.npy"
    assert f"wrote {file}" in told.out
    assert numpy.array_equal(numpy.load(file), numpy.full(1024, 2.0, dtype="f4"))


# Lists


def test_the_launches_of_a_file_are_listed_without_a_gpu(launch: Command) -> None:
    found = launch.document(AWKWARD, "--interpret", "--list", "--entry", "past_the_end")
    assert [(site["number"], site["arguments"]["n"]) for site in found["launches"]] == [(0, "100"), (1, "64")]
    assert any("did not come to its end" in warning for warning in found["warnings"])
    told = launch(AWKWARD, "--interpret", "--list", "--entry", "nothing")
    assert (told.code, "launches no kernel" in told.out) == (0, True)


@pytest.mark.sweep
def test_a_file_that_does_not_end_is_listed_as_far_as_it_came(launch: Command) -> None:
    found = launch.document(AWKWARD, "--interpret", "--list", "--entry", "some_and_then_none", "--timeout", "25")
    assert [site["arguments"]["n"] for site in found["launches"]] == ["64", "128"]
    assert "within 25 s" in found["warnings"][0]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_list_needs_no_gpu_and_a_launch_does(launch: Command) -> None:
    assert launch.document(AWKWARD, "--list")["launches"]
    told = launch(AWKWARD)
    assert (told.code, "no CUDA device" in told.failure) == (3, True)


# What is refused


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tensors")
    numpy.save(folder / "complex.npy", numpy.zeros(8, dtype="c8"))
    numpy.save(folder / "objects.npy", numpy.array([{}], dtype=object))
    numpy.save(folder / "none.npy", numpy.zeros(0, dtype="f4"))
    for name in ("damaged.npy", "damaged.pt"):
        (folder / name).write_bytes(b"damaged")
    (folder / "cut.npy").write_bytes((folder / "complex.npy").read_bytes()[:-8])
    torch.save(torch.zeros(8).to_sparse(), folder / "sparse.pt")
    return folder


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ("x_ptr=FILES/complex.npy", "no element type complex64"),
        ("x_ptr=FILES/objects.npy", "cannot be read"),
        ("x_ptr=FILES/none.npy", "without elements"),
        ("x_ptr=FILES/cut.npy", "cannot be read"),
        ("x_ptr=FILES/damaged.npy", "no .npy file"),
        ("x_ptr=FILES/damaged.pt", "no file of torch's"),
        ("x_ptr=FILES/sparse.pt", "sparse"),
        ("x_ptr=FILES/missing.npy", "no such file"),
        ("n=99999999999999999999999", "more than 64 bits"),
        ("n=1.5", "takes an integer"),
        ("x_ptr=randn:0", "without elements"),
        ("x_ptr=rand:8:fp33", "'fp33'"),
        ("x_ptr=", "is no kind of input"),
        ("z_ptr=randn", "no parameter 'z_ptr'"),
    ],
)
def test_inputs_that_are_refused(launch: Command, files: Path, argument: str, why: str) -> None:
    told = launch(f"{NO_LAUNCH}::gelu_kernel", "--interpret", "--arg", argument.replace("FILES", str(files)))
    assert (told.code, why in told.failure) == (2, True), told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--launch", "99"], "no launch 99"),
        (["--launch", "-1"], "--launch"),
        (["--device", "-1"], "--device"),
        (["--bytes", "0"], "--bytes"),
        (["--flops", "nan"], "--flops"),
        (["--check-seconds", "0"], "--check-seconds"),
        (["--seed", "x"], "--seed"),
        (["--grid", "0"], "CUDA takes 1 to"),
        (["--grid", "1, 2, 3, 4"], "has 4 sizes"),
        (["--grid", "nonsense"], "no 'nonsense'"),
        (["--entry", "nowhere"], "no function 'nowhere'"),
        (["--entry", "double_kernel"], "no function 'double_kernel'"),
        (["--config", "1"], "no @triton.autotune"),
        (["--num-warps", "3"], "power of two"),
        (["--option", "nothing=1"], "no option 'nothing'"),
        (["--const", "NOTHING=1"], "no parameter 'NOTHING'"),
        (["--inputs", "--entry", "doubled"], "--entry"),
        (["--inputs", "--launch", "0"], "--launch"),
        (["--inputs", "--list"], "--list"),
        (["--autotune", "--config", "0"], "--config"),
        (["--save", AWKWARD], "cannot write there"),
    ],
)
def test_command_lines_that_are_refused(launch: Command, words: list[str], why: str) -> None:
    told = launch(AWKWARD, "--interpret", *words)
    assert (told.code, why in told.failure) == (2, True), told


@pytest.mark.parametrize("path", [KERNELS, KERNELS / "nowhere.py", SAMPLES / "README.md"])
def test_only_python_files_are_launched(launch: Command, path: Path) -> None:
    assert launch(path, "--interpret").code == 2


# What goes wrong


@pytest.mark.parametrize(
    ("entry", "why"),
    [("past_the_end", "outside of the arguments' tensors"), ("assembly", "does not support inline_asm")],
)
def test_what_the_interpreter_finds(launch: Command, entry: str, why: str) -> None:
    number = ["--launch", "1"] if entry == "past_the_end" else []
    kernel = "assembly_kernel" if entry == "assembly" else "double_kernel"
    told = launch(f"{AWKWARD}::{kernel}", "--interpret", "--entry", entry, *number)
    assert (told.code, why in told.failure, "awkward.py:" in told.failure) == (1, True, True), told


def test_endless_code_ends_at_the_timeout_with_its_place(launch: Command) -> None:
    told = launch(AWKWARD, "--interpret", "--entry", "endless", "--timeout", "20")
    assert (told.code, "awkward.py:" in told.failure, "within 20 s" in told.failure) == (1, True, True), told


def test_a_file_that_ends_the_process_says_so(launch: Command) -> None:
    told = launch(AWKWARD, "--interpret", "--entry", "ends_the_process")
    assert (told.code, "exit code 0" in told.failure, "ended the process" in told.err) == (1, True, True), told


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupt_leaves_no_process(own_directories: None) -> None:
    command = [sys.executable, "-m", "irscope", "launch", AWKWARD, "--interpret", "--entry", "endless"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (workers := psutil.Process(process.pid).children(recursive=True)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")
    assert psutil.wait_procs(workers, timeout=20)[1] == []


def test_a_reader_that_leaves_is_no_failure(own_directories: None) -> None:
    command = [sys.executable, "-m", "irscope", "launch", AWKWARD, "--interpret", "--format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(timeout=120), process.stderr.read()) == (0, b"")
