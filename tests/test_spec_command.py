"""``irscope spec`` as a user and a script see it."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from samples import KERNELS, SAMPLE_KERNELS, SAMPLES

from irscope import saved
from irscope.cli import main
from irscope.report.spec import schema

SCALED = KERNELS / "saved" / "scaled.py"


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    return Path(shutil.copy(SCALED, tmp_path))


def irscope(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> str:
    assert main([str(word) for word in words]) == code
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(irscope(capsys, "spec", *words, "--format", "json", code=code))
    jsonschema.validate(found, schema(), cls=jsonschema.Draft202012Validator)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_kernel_of_a_file_is_told(capsys: pytest.CaptureFixture[str], kernels: Path) -> None:
    found = document(capsys, kernels)
    assert [kernel["kernel"] for kernel in found["kernels"]] == ["scale_kernel", "tuned_kernel"]
    assert document(capsys, f"{kernels}::tuned_kernel")["kernels"] == found["kernels"][1:]
    by_name = {parameter["name"]: parameter for parameter in found["kernels"][1]["parameters"]}
    assert by_name["BLOCK"]["provenance"] == "configuration" and by_name["BLOCK"]["value"] == 64
    assert by_name["EVEN"]["provenance"] == "heuristic" and by_name["EVEN"]["entry"] == "True"
    assert by_name["MODE"]["entry"] == "'fast'"
    assert by_name["x_ptr"]["type"] == "*fp32" and by_name["x_ptr"]["entry"] == "*fp32:16"


@pytest.mark.parametrize("sample", SAMPLE_KERNELS)
def test_it_is_what_dump_compiles_and_can_be_given_again(capsys: pytest.CaptureFixture[str], sample: str) -> None:
    told = document(capsys, sample)["kernels"][0]
    dumped = json.loads(irscope(capsys, "dump", sample, "--format", "json"))
    assert {p["name"]: p["type"] or "constexpr" for p in told["parameters"]} == dumped["signature"]
    assert {p["name"]: p["provenance"] for p in told["parameters"]} == dumped["provenance"]
    again = document(capsys, sample, "--signature", told["signature"])["kernels"][0]
    for before, after in zip(told["parameters"], again["parameters"], strict=True):
        assert after == {**before, "provenance": "given", "evidence": None}
    assert again["signature"] == told["signature"]


def test_what_is_printed_can_be_pasted(capsys: pytest.CaptureFixture[str]) -> None:
    path = SAMPLES / "softmax.py"
    pasted = next(line for line in irscope(capsys, "spec", path).splitlines() if line.startswith("--signature"))
    words = shlex.split(pasted)
    assert document(capsys, path, *words)["kernels"][0]["options"]["num_warps"] == int(words[-3])


def test_tritons_own_tool_reads_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tool = pytest.importorskip("triton.tools.compile")
    given: list[Any] = []
    monkeypatch.setattr(tool, "compile_kernel", given.append)
    command = document(capsys, SAMPLES / "softmax.py")["kernels"][0]["aot"]["command"]
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "triton.tools.compile"]
    monkeypatch.setattr(sys, "argv", words[2:])
    tool.main()
    assert given[0].kernel_name == "softmax_kernel" and given[0].target == "cuda:90:32"
    assert given[0].signature == "*fp32:16, *fp32:16, i32:16, i32:16, i32:16, 1024"
    assert Path(given[0].path).name == "softmax.py" and given[0].grid.count(",") == 2


def test_what_tritons_own_tool_cannot_take_is_said(capsys: pytest.CaptureFixture[str], kernels: Path) -> None:
    scale, tuned = document(capsys, kernels, "--maxnreg", "64")["kernels"]
    assert scale["aot"]["command"] is None
    assert any("DTYPE = tl." in problem for problem in scale["aot"]["problems"])
    assert any("maxnreg" in problem for problem in scale["aot"]["problems"])
    assert any("@triton.autotune" in problem for problem in tuned["aot"]["problems"])


def test_saving_keeps_what_is_told(capsys: pytest.CaptureFixture[str], kernels: Path) -> None:
    before = document(capsys, kernels)
    printed = irscope(capsys, "spec", kernels, "--format", "toml")
    assert not saved.path_of(kernels).exists()
    irscope(capsys, "spec", kernels, "--save")
    assert saved.path_of(kernels).read_text(encoding="utf-8") == printed
    after = document(capsys, kernels)
    for old, new in zip(before["kernels"], after["kernels"], strict=True):
        assert new["signature"] == old["signature"] and new["options"] == old["options"]
        told = {parameter["name"]: parameter["provenance"] for parameter in new["parameters"]}
        assert {told[p["name"]] for p in old["parameters"] if p["provenance"] in ("inferred", "guessed")} <= {"saved"}
    assert after["kernels"][1]["configuration"] == 0
    irscope(capsys, "spec", kernels, "--save")
    assert saved.path_of(kernels).read_text(encoding="utf-8") == printed, "saving again changes nothing"


def test_what_is_given_is_saved(capsys: pytest.CaptureFixture[str], kernels: Path) -> None:
    one = f"{kernels}::scale_kernel"
    irscope(capsys, "spec", one, "--save", "--const", "BLOCK=32", "--num-warps", "2", "--target", "sm_80")
    kept = saved.of(kernels, "scale_kernel")
    assert kept is not None and kept.entries["BLOCK"] == "32" and kept.options == {"num_warps": "2"}
    assert str(kept.target) == "sm_80"
    dumped = json.loads(irscope(capsys, "dump", one, "--format", "json"))
    assert (dumped["constexprs"]["BLOCK"], dumped["options"]["num_warps"], dumped["target"]["arch"]) == (32, 2, "sm_80")
    assert dumped["provenance"]["BLOCK"] == "saved"
    aside = json.loads(irscope(capsys, "dump", one, "--format", "json", "--no-saved"))
    assert aside["provenance"]["BLOCK"] != "saved"


def test_a_wrong_saved_file_is_one_line(capsys: pytest.CaptureFixture[str], kernels: Path) -> None:
    file = saved.path_of(kernels)
    file.write_text("[scale_kernel.parameters]\nBLOCK = {}\n", encoding="utf-8")
    for command in ("spec", "dump", "stats"):
        assert main([command, f"{kernels}::scale_kernel"]) == 2
        told = capsys.readouterr().err
        assert f"{file}:2: BLOCK must be a type or a constant" in told and "--no-saved" in told
    assert main(["dump", str(kernels.parent)]) == 1
    assert capsys.readouterr().out.count(f"{file}:2: ") == 2


def test_one_kernels_options_need_one_kernel(capsys: pytest.CaptureFixture[str], kernels: Path) -> None:
    assert main(["spec", str(kernels), "--const", "BLOCK=16"]) == 2
    assert f"{kernels}::scale_kernel" in capsys.readouterr().err


@pytest.mark.parametrize("path", [SAMPLES, SAMPLES / "nowhere.py", KERNELS.parent / "data" / "static_shared.ptx"])
def test_what_is_no_python_file(path: Path) -> None:
    assert main(["spec", str(path)]) == 2


def test_a_file_that_fails_says_so_for_each_kernel(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    needed = "import triton\n@triton.jit\ndef one(x, n=N): pass\n@triton.jit\ndef two(x, n=N): pass\n"
    file.write_text("N = 1 / 0\n" + needed)
    found = document(capsys, file, code=1)
    assert found["kernels"] == [] and [error["kernel"] for error in found["errors"]] == ["one", "two"]
    assert {error["line"] for error in found["errors"]} == {1}
