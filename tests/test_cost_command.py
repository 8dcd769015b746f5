"""``irscope cost`` as a script sees it: real processes, what they print where, and their exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from samples import KERNELS, SAMPLES

from irscope.cli import parser
from irscope.report.cost import SORTS, schema

MATMUL = str(SAMPLES / "matmul.py")
VECTOR_ADD = str(SAMPLES / "vector_add.py")


def cost(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "irscope", "cost", *map(str, words)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=240)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, f"{done.returncode}: {done.stderr}"
    return done


def document(*words: str | Path, code: int = 0) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(cost(*words, "--format", "json", code=code).stdout)
    jsonschema.validate(loaded, schema(), cls=jsonschema.Draft202012Validator)
    return loaded


def figure(row: dict[str, Any], name: str) -> int:
    value: int = row["cost"][name]
    return value


def test_the_table_has_each_line_with_its_code(own_directories: None) -> None:
    shown = cost(MATMUL, "--target", "sm_90").stdout
    assert re.match(r"matmul_kernel +sm_90 +\d+ instructions +exact\n", shown)
    assert re.search(r"^ +\d+ .*\d+ uniform datapath.* acc = tl\.dot\(a, b, acc\)$", shown, re.MULTILINE)
    assert re.search(r"^ +none +\d+ .*\d+ padding", shown, re.MULTILINE)
    assert re.search(r"^ +all +\d+ +100\.0", shown, re.MULTILINE)
    # Nothing spills: no column says so for each line.
    assert "spill B" not in shown
    assert "what the tensor cores themselves read from shared memory is not in shared B" in shown


def test_the_rows_of_a_stage_without_their_locations(own_directories: None) -> None:
    shown = cost(MATMUL, "--target", "sm_90", "--stage", "ttgir", "--top", "5", "--sort", "tensor").stdout
    (first, *rest) = [line for line in shown.split("\n") if re.match(r" +\d", line)]
    assert "tensor core" in first and "ttng.warp_group_dot" in first
    assert len(rest) == 4
    assert "loc(" not in shown


@pytest.mark.parametrize("stage", ["source", "ttir", "ttgir"])
@pytest.mark.parametrize("correlation", ["exact", "source"])
def test_the_document_fits_its_schema_and_adds_up(own_directories: None, stage: str, correlation: str) -> None:
    shown = document(MATMUL, "--target", "sm_90", "--stage", stage, "--correlation", correlation)
    assert (shown["stage"], shown["code"], shown["correlation"]["kind"]) == (stage, "sass", correlation)
    parts = [*(row["own"] for row in shown["rows"]), shown["several"], shown["unattributed"]]
    assert sum(part["instructions"] for part in parts) == shown["total"]["instructions"] > 0
    assert shown["live_registers"]["from"] in ("nvdisasm", "irscope")
    assert all((row["file"] is None) == (stage != "source") for row in shown["rows"])
    assert any("tl.dot" in row["text"] or "dot" in row["text"] for row in shown["rows"])


@pytest.mark.parametrize(
    ("sort", "name"),
    [("instructions", "instructions"), ("loops", "in_loops"), ("global", "global_bytes"), ("shared", "shared_bytes"),
     ("registers", "registers"), ("convert-layout", "convert_layout_instructions")],
)  # fmt: skip
def test_sorting_puts_the_highest_first(own_directories: None, sort: str, name: str) -> None:
    rows = document(MATMUL, "--target", "sm_90", "--sort", sort)["rows"]
    figures = [figure(row, name) for row in rows]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] > figures[-1]
    top = document(MATMUL, "--target", "sm_90", "--sort", sort, "--top", "3")["rows"]
    assert top == rows[:3]


def test_in_the_order_of_the_text(own_directories: None) -> None:
    rows = document(MATMUL, "--target", "sm_90", "--sort", "line")["rows"]
    own = [row["line"] for row in rows if row["file"].endswith("matmul.py")]
    assert own == sorted(own)
    # Lines of the library that it calls come last.
    assert [row["file"].endswith("matmul.py") for row in rows] == [True] * len(own) + [False] * (len(rows) - len(own))


def test_help_names_every_figure_to_sort_by() -> None:
    shown = " ".join(cost("--help").stdout.split())
    assert all(f"{name}" in shown for name in (*SORTS, "line"))


def test_amd(own_directories: None) -> None:
    shown = document(MATMUL, "--target", "gfx942")
    assert shown["code"] == "amdgcn" and shown["live_registers"] == {"from": "irscope", "reason": None}
    assert shown["total"]["registers"] == max(row["cost"]["registers"] or 0 for row in shown["rows"]) > 0
    (dot,) = (row for row in shown["rows"] if "tl.dot" in row["text"])
    assert dot["cost"]["kinds"]["tensor core"] == shown["total"]["kinds"]["tensor core"] > 0
    assert f"of {shown['total']['registers']} at the peak (irscope)" in cost(MATMUL, "--target", "gfx942").stdout


def test_spill_code_is_a_column_where_there_is_some(own_directories: None) -> None:
    shown = cost(KERNELS / "spills.py", "--target", "sm_90", "--sort", "spills").stdout
    header, first = shown.split("\n")[2:4]
    assert "spill B" in header and "local memory" in first and "tl.store(" in first


def test_what_is_compiled_already_is_only_read(own_directories: None, tmp_path: Path) -> None:
    # Compiled afresh, as the store may have its edges.
    command = [sys.executable, "-m", "irscope", "dump", VECTOR_ADD, "--target", "sm_80", "--fresh"]
    bundle = tmp_path / "add.irscope"
    subprocess.run([*command, "-o", tmp_path, "--bundle", bundle], check=True, capture_output=True, timeout=240)
    from_bundle = document(bundle)
    assert from_bundle["correlation"]["kind"] == "source" and bundle.name in from_bundle["correlation"]["reason"]
    (store,) = (row for row in from_bundle["rows"] if "tl.store(" in row["text"])
    assert figure(store, "global_bytes") == 1024
    from_cubin = document(tmp_path / "vector_add_kernel.cubin")
    assert from_cubin["total"]["instructions"] == from_bundle["total"]["instructions"]
    assert from_cubin["total"]["convert_layouts"] is None
    for file, words in (("vector_add_kernel.ttgir", "no machine code"), ("vector_add_kernel.ptx", "no machine code")):
        assert words in cost(tmp_path / file, code=2).stderr


def test_a_bundle_with_edges_is_exact(own_directories: None, tmp_path: Path) -> None:
    bundle = tmp_path / "add.irscope"
    command = [sys.executable, "-m", "irscope", "dump", VECTOR_ADD, "--target", "sm_80", "--correlation", "exact"]
    subprocess.run([*command, "--bundle", bundle], check=True, capture_output=True, timeout=240)
    shown = document(bundle, "--stage", "ttgir")
    assert shown["correlation"] == {"kind": "exact", "reason": None, "located": 0}
    assert shown["rows"] == document(VECTOR_ADD, "--target", "sm_80", "--stage", "ttgir")["rows"]
    assert document(bundle, "--correlation", "source")["correlation"]["kind"] == "source"


def test_a_cache_entry(own_directories: None, tmp_path: Path) -> None:
    code = (
        "import triton, runpy, sys\nfrom triton.backends.compiler import GPUTarget\n"
        "from triton.compiler import ASTSource\n"
        "kernel = runpy.run_path(sys.argv[1])['vector_add_kernel']\n"
        "types = dict(x_ptr='*fp32', y_ptr='*fp32', out_ptr='*fp32', n_elements='i32', BLOCK_SIZE='constexpr')\n"
        "source = ASTSource(kernel, types, {'BLOCK_SIZE': 1024})\n"
        "triton.compile(source, target=GPUTarget('cuda', 80, 32))\n"
    )
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path)}
    subprocess.run(
        [sys.executable, "-c", code, VECTOR_ADD], env=environment, check=True, capture_output=True, timeout=240
    )
    (entry,) = {file.parent for file in tmp_path.rglob("vector_add_kernel.cubin")}
    shown = document(entry, "--stage", "ttgir")
    assert shown["correlation"]["kind"] == "source" and shown["total"]["global_bytes"] > 0
    assert any("tt.load" in row["text"] for row in shown["rows"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sort", "speed"], "--sort speed: there is no such figure"),
        (["--stage", "spirv"], "--stage spirv: there is no such stage"),
        (["--stage", "cubin"], "--stage cubin: there is no such stage"),
        (["--top", "0"], "--top 0"),
        (["--correlation", "guess"], "--correlation"),
    ],
)
def test_words_that_do_not_fit(own_directories: None, words: list[str], message: str) -> None:
    done = cost(VECTOR_ADD, "--target", "sm_80", *words, code=2)
    assert message in done.stderr and done.stdout == ""
    failure = document(VECTOR_ADD, "--target", "sm_80", *words, code=2)["error"]
    assert failure["kind"] == "usage"


def test_a_kernel_that_does_not_compile() -> None:
    assert document(KERNELS / "compile_error.py", code=1)["error"]["line"]


def test_options_of_a_compile_apply(own_directories: None) -> None:
    parsed = parser().parse_args(["cost", VECTOR_ADD, "--num-warps", "2", "--const", "BLOCK_SIZE=256"])
    assert parsed.num_warps == 2
    shown = document(VECTOR_ADD, "--target", "sm_80", "--num-warps", "2", "--const", "BLOCK_SIZE=256")
    assert shown["total"]["global_bytes"] == 3 * 256 * 4 // 2
