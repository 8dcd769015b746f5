"""Made inputs: what the user writes for them, sizes that fit one another, guards, and the grid."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from settling import settle

from irscope.worker.launch import grid
from irscope.worker.launch.inputs import GUARD_BYTES
from irscope.worker.protocol import Rejected

torch = pytest.importorskip("torch")

GELU = {"path": "no_launch.py", "kernel": "gelu_kernel"}
ROWS = {"path": "no_launch.py", "kernel": "rows_kernel"}

REQUESTS: dict[str, dict[str, Any]] = {
    "nothing given": GELU,
    "another seed": {**GELU, "source": "inputs", "seed": 7},
    "again": {**GELU, "source": "inputs", "inputs": {"n": "1048576", "out_ptr": "empty"}},
    "types": {**GELU, "source": "inputs", "arguments": {"x_ptr": "*bf16", "out_ptr": "*fp8e4nv", "index_ptr": "*i64"}},
    "shape": {**GELU, "inputs": {"x_ptr": "zeros:10x30"}},
    "size": {**GELU, "inputs": {"n": "100"}, "grid": "cdiv(n, BLOCK) + 2"},
    "kinds": {**GELU, "inputs": {"x_ptr": "full:-2.5:64:fp16", "index_ptr": "arange:64", "out_ptr": "ones:64:float64"}},
    "drawn": {**GELU, "inputs": {"x_ptr": "rand:4096:bf16", "index_ptr": "randn:4096:i8", "out_ptr": "randn:fp8e5"}},
    "none": {**GELU, "inputs": {"index_ptr": "None", "n": "64", "eps": "1e-3"}},
    "rows": {**ROWS, "inputs": {"x_ptr": "randn:100x24"}},
    "rows, nothing given": ROWS,
    "rows, stride given": {**ROWS, "inputs": {"x_ptr": "randn:100x24", "stride_xm": "0"}},
    "flash": {"path": "../../../sample_kernels/flash_attention.py", "source": "inputs"},
    "matmul": {"path": "../../../sample_kernels/matmul.py", "source": "inputs"},
    "softmax": {"path": "../../../sample_kernels/softmax.py", "source": "inputs"},
    "heuristics": {"path": "tuned.py", "kernel": "sum_kernel", "inputs": {"n": "100"}, "configuration": 1},
}

REFUSED = {
    ("y_ptr", "randn"): ("gelu_kernel has no parameter 'y_ptr'", "'x_ptr'"),
    ("x_ptr", "rnadn:64"): ("'rnadn' is no kind of input", "'randn'"),
    ("x_ptr", "randn:12y8"): ("'12y8' is no shape", "1024x1024"),
    ("x_ptr", "randn:64x"): ("'64x' is no shape", "1024x1024"),
    ("x_ptr", "randn:0x4"): ("without elements", ""),
    ("x_ptr", "randn:99999999999x99999999999"): ("larger than any memory", ""),
    ("x_ptr", "randn:64:fp17"): ("'fp17' is neither a shape nor an element type", ""),
    ("x_ptr", "randn:64:fp16:16"): ("'16' is too much", ""),
    ("x_ptr", "full:64x64"): ("full needs a number", ""),
    ("x_ptr", "5"): ("x_ptr is a pointer and takes a tensor", ""),
    ("x_ptr", "there_is_none.npy"): ("there is no such file", ""),
    ("n", "randn:64"): ("n is i32 and takes a number", ""),
    ("n", "2.5"): ("n is i32 and takes an integer", ""),
    ("BLOCK", "64"): ("BLOCK is a constexpr", "--const BLOCK=VALUE"),
    ("index_ptr", "full:300:64:i8"): ("300 does not fit into i8", ""),
    ("index_ptr", "full:0.5:64:i32"): ("0.5 does not fit into i32", ""),
    ("x_ptr", "__import__('os').getcwd()"): ("is no kind of input", ""),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("tensors")
    torch.save(torch.arange(6.0).view(2, 3), folder / "good.pt")
    torch.save({"weight": torch.zeros(2)}, folder / "several.pt")
    (folder / "bad.npy").write_bytes(b"no numpy at all")
    files = {f"file {file.name}": {**GELU, "inputs": {"x_ptr": str(file)}} for file in folder.iterdir()}
    numpy = pytest.importorskip("numpy")
    numpy.save(folder / "good.npy", numpy.arange(8, dtype=numpy.float16))
    files["file good.npy"] = {**GELU, "inputs": {"x_ptr": str(folder / "good.npy")}}
    refused = {f"{name}={text}": {**GELU, "inputs": {name: text}} for name, text in REFUSED}
    return settle({**REQUESTS, **files, **refused})


def argument(answer: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer["arguments"] if one["name"] == name)
    return found


def shapes(answer: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {one["name"]: tuple(one["shape"]) for one in answer["arguments"] if one.get("shape")}


def numbers(answer: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in answer["arguments"] if "value" in one}


def test_defaults_keep_an_elementwise_kernel_inside(answers: dict[str, Any]) -> None:
    answer = answers["nothing given"]
    n, block = numbers(answer)["n"], answer["constexprs"]["BLOCK"]
    assert all(math.prod(shape) >= n for shape in shapes(answer).values())
    assert answer["grid"] == [n // block]
    assert answer["source"] == "inputs" and answer["seed"] == 0
    assert 0 <= answer["values"]["index_ptr"]["min"] <= answer["values"]["index_ptr"]["max"] < n
    said, guessed = answer["warnings"]
    assert "no __main__ block" in said and "no grid was given" in guessed


def test_each_parameter_has_a_random_stream_of_its_own(answers: dict[str, Any]) -> None:
    first, other, again = (answers[name]["values"] for name in ("nothing given", "another seed", "again"))
    assert first["x_ptr"]["first"] != other["x_ptr"]["first"]
    assert first["x_ptr"]["first"] != first["out_ptr"]["first"]
    assert first["x_ptr"]["first"] == again["x_ptr"]["first"], "whatever the others are"
    assert abs(first["x_ptr"]["mean"]) < 0.01


def test_element_types_are_the_specializations(answers: dict[str, Any]) -> None:
    values = answers["types"]["values"]
    types = {name: value["dtype"] for name, value in values.items()}
    assert types == {"x_ptr": "torch.bfloat16", "out_ptr": "torch.float8_e4m3fn", "index_ptr": "torch.int64"}


def test_what_is_open_follows_from_what_is_given(answers: dict[str, Any]) -> None:
    assert numbers(answers["shape"])["n"] == 300
    assert all(math.prod(shape) >= 300 for shape in shapes(answers["shape"]).values())
    assert shapes(answers["size"]) == {"x_ptr": (100,), "index_ptr": (100,), "out_ptr": (100,)}
    assert answers["size"]["grid"] == [3]


def test_kinds(answers: dict[str, Any]) -> None:
    kinds, drawn = answers["kinds"]["values"], answers["drawn"]["values"]
    assert (kinds["x_ptr"]["first"][:2], kinds["x_ptr"]["dtype"]) == ([-2.5, -2.5], "torch.float16")
    assert (kinds["index_ptr"]["first"][:4], kinds["index_ptr"]["dtype"]) == ([0, 1, 2, 3], "torch.int32")
    assert (kinds["out_ptr"]["min"], kinds["out_ptr"]["max"], kinds["out_ptr"]["dtype"]) == (1, 1, "torch.float64")
    assert 0 <= drawn["x_ptr"]["min"] < 0.1 and 0.9 < drawn["x_ptr"]["max"] <= 1
    assert -8 <= drawn["index_ptr"]["min"] < 0 < drawn["index_ptr"]["max"] <= 8
    assert drawn["out_ptr"]["min"] < -1 < 1 < drawn["out_ptr"]["max"]
    assert [argument(answers["kinds"], name)["how"] for name in ("x_ptr", "out_ptr", "n")] == ["full", "ones", "made"]


def test_none_and_numbers(answers: dict[str, Any]) -> None:
    answer = answers["none"]
    assert numbers(answer) == {"index_ptr": None, "n": 64, "eps": 1e-3, "seed": numbers(answer)["seed"]}
    assert argument(answer, "eps")["how"] == "given"


def test_files(answers: dict[str, Any]) -> None:
    assert shapes(answers["file good.pt"])["x_ptr"] == (2, 3)
    assert answers["file good.pt"]["values"]["x_ptr"]["first"] == [0, 1, 2, 3, 4, 5]
    assert argument(answers["file good.npy"], "x_ptr")["type"] == "*fp16"
    assert numbers(answers["file good.npy"])["n"] == 8
    for name, words in (("bad.npy", "is no .npy file"), ("several.pt", "holds a dict and no tensor")):
        failure = answers[f"file {name}"]["failure"]
        assert failure["kind"] == "usage" and "x_ptr" in failure["message"] and words in failure["message"]


def test_strides_fit_the_shapes(answers: dict[str, Any]) -> None:
    for name in ("rows", "rows, nothing given"):
        answer = answers[name]
        (rows, columns), found = shapes(answer)["x_ptr"], numbers(answer)
        assert found == {
            "stride_xm": columns, "stride_xn": 1, "stride_om": columns, "stride_on": 1, "M": rows, "N": columns,
        }  # fmt: skip
        assert shapes(answer)["out_ptr"] == (rows, columns)
        assert answer["grid"] == [rows], "N has a block, M has none: a program a row"
    assert shapes(answers["rows"])["x_ptr"] == (100, 24)
    assert numbers(answers["rows, stride given"])["stride_xm"] == 0


def test_a_sample_gets_tensors_that_fit_one_another(answers: dict[str, Any]) -> None:
    answer = answers["matmul"]
    n = numbers(answer)
    assert shapes(answer) == {"a_ptr": (n["M"], n["K"]), "b_ptr": (n["K"], n["N"]), "c_ptr": (n["M"], n["N"])}
    assert (n["a_stride_m"], n["b_stride_k"], n["c_stride_m"]) == (n["K"], n["N"], n["N"])
    blocks = answer["constexprs"]
    assert answer["grid"] == [grid.cdiv(n["M"], blocks["BLOCK_M"]) * grid.cdiv(n["N"], blocks["BLOCK_N"])]


@pytest.mark.parametrize("name", ["flash", "softmax"])
def test_inputs_of_any_sample_are_made(answers: dict[str, Any], name: str) -> None:
    assert shapes(answers[name]) and answers[name]["grid"]


def test_heuristics_see_the_made_arguments(answers: dict[str, Any]) -> None:
    assert answers["heuristics"]["constexprs"] == {"EVEN": False, "BLOCK": 32}


def test_guards_lie_around_every_made_tensor(answers: dict[str, Any]) -> None:
    for name in ("nothing given", "types", "rows", "file good.pt", "matmul"):
        assert answers[name]["guards"].keys() == shapes(answers[name]).keys()
        for guard in answers[name]["guards"].values():
            assert guard["holds"] == [guard["byte"]]
            assert min(guard["bytes"]) >= GUARD_BYTES
            assert guard["start"] % 16 == 0


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_what_cannot_be_made_names_the_parameter(answers: dict[str, Any], name: str, text: str) -> None:
    failure = answers[f"{name}={text}"]["failure"]
    words, hint = REFUSED[name, text]
    assert failure["kind"] == "usage"
    assert failure["message"].startswith(f"--arg {name}=") and words in failure["message"]
    assert hint in (failure["hint"] or "")
    assert "\n" not in failure["message"]


def test_a_made_launch_runs_and_stays_inside(tmp_path: Path) -> None:
    requests = {
        "size": {**GELU, "inputs": {"n": "100", "eps": "0.25", "seed": "0"}, "run": True},
        "outside": {**ROWS, "inputs": {"x_ptr": "ones:4x8", "M": "4", "N": "8"}, "grid": "M + 1", "run": True},
    }
    answers = settle(requests, interpret=True)
    before, after = answers["size"]["values"], answers["size"]["ran"]
    assert after["out_ptr"] != before["out_ptr"] and after["x_ptr"] == before["x_ptr"]
    assert all(guard["holds"] == [guard["byte"]] for guard in after["guards"].values())
    outside = answers["outside"]["ran"]["guards"]
    x, out = outside["x_ptr"]["byte"], outside["out_ptr"]["byte"]
    assert outside["out_ptr"]["holds"] == sorted([x, out]), "the fifth row is past the end of both"
    assert outside["x_ptr"]["holds"] == [x]
    assert json.dumps(answers)


VALUES: Mapping[str, Any] = {"n": 1000, "BLOCK": 128, "M": 4, "scale": 0.5, "dtype": "tl.float16", "ok": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", (7,)),
        ("cdiv(n, BLOCK), 4", (8, 4)),
        ("triton.cdiv(n, BLOCK) * M, M - 3, min(n, 5, 9)", (32, 1, 5)),
        ("(n // BLOCK % 4, max(M, 2))", (3, 4)),
        ("(cdiv(n, BLOCK),)", (8,)),
        ("-(-n // 3)", (334,)),
        ("\n 2 ", (2,)),
    ],
)
def test_a_grid_is_arithmetic_of_parameters(text: str, expected: tuple[int, ...]) -> None:
    assert grid.evaluate(text, VALUES) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cdiv(n, BLOK)", "there is no 'BLOK'"),
        ("scale", "needs an integer, and scale is float"),
        ("ok", "needs an integer, and ok is bool"),
        ("dtype", "needs an integer, and dtype is str"),
        ("n // 0", "divides by zero"),
        ("1, 2, 3, 4", "has 4 sizes"),
        ("()", "has 0 sizes"),
        ("0", "is 0 along x"),
        ("1, 70000", "is 70000 along y"),
        ("M - 9", "is -5 along x"),
        ("2 ** 3", "'2 ** 3', which is not understood"),
        ("1.5", "'1.5', which is not understood"),
        ("True", "'True', which is not understood"),
        ("abs(n)", "'abs(n)', which is not understood"),
        ("cdiv(n)", "'cdiv(n)', which is not understood"),
        ("min(n, key=n)", "which is not understood"),
        ("__import__('os').getcwd()", "which is not understood"),
        ("[i for i in n]", "which is not understood"),
        ("n +", "is not an expression"),
        ("", "is not an expression"),
        ("1)(", "is not an expression"),
        pytest.param("-" * 999 + "1", "is not an expression", id="deep"),
        pytest.param("1" * 2000, "is not an expression", id="long"),
        pytest.param("1" * 290, "CUDA takes 1 to", id="large"),
    ],
)
def test_any_other_grid_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        grid.evaluate(text, VALUES)
    failure = caught.value.failure
    assert failure["kind"] == "usage"
    assert words in failure["message"] and "\n" not in failure["message"]
    assert failure["hint"]
