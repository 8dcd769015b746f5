"""``irscope stats`` as a script sees it, on samples, bundles, IR files and cache entries."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from samples import KERNELS, SAMPLE_KERNELS, SAMPLES, sample_id, some_in_a_sweep

from irscope.cli import main
from irscope.report.stats import schema

MATMUL = str(SAMPLES / "matmul.py")


def run(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> str:
    assert main([str(word) for word in words]) == code
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(capsys, "stats", *words, "--format", "json", code=code))
    jsonschema.validate(found, schema(), cls=jsonschema.Draft202012Validator)
    return found


@pytest.mark.parametrize(
    "target", [some_in_a_sweep(target, "sm_80", "gfx942") for target in ("sm_80", "sm_90", "gfx942")]
)
@pytest.mark.parametrize("sample", SAMPLE_KERNELS, ids=sample_id)
def test_the_figures_are_those_of_dump(capsys: pytest.CaptureFixture[str], sample: str, target: str) -> None:
    found = document(capsys, sample, "--target", target)
    dumped = json.loads(run(capsys, "dump", sample, "--target", target, "--format", "json"))
    for name in ("kernel", "target", "options", "resources", "occupancy"):
        assert found[name] == dumped[name], name
    known = {**found["resources"], **found["occupancy"]}
    assert dumped["sources"].keys() == {name for name, value in known.items() if value is not None}
    assert dumped["sources"].items() <= found["sources"].items()
    sentences = [verdict["sentence"] for verdict in found["verdicts"]]
    assert sentences[: len(dumped["verdicts"])] == [verdict["sentence"] for verdict in dumped["verdicts"]]
    assert sentences and all(verdict["from"] for verdict in found["verdicts"])


def test_live_registers_fit_what_is_allocated(capsys: pytest.CaptureFixture[str]) -> None:
    for target in ("sm_80", "sm_90"):
        found = document(capsys, MATMUL, "--target", target)
        assert 0 < found["live_registers"]["peak"] <= found["resources"]["registers"]
        assert found["live_registers"]["from"] in ("nvdisasm", "irscope")
        assert found["sources"]["live_registers"]


def test_a_change_raises_the_occupancy(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, MATMUL, "--target", "sm_90")
    assert found["changes"]
    for change in found["changes"]:
        assert change["occupancy"]["warps_per_sm"] > found["occupancy"]["warps_per_sm"]
        assert change["fewer_registers"] or change["less_shared_bytes"] or change["num_warps"]
        assert change["sentence"] in run(capsys, "stats", MATMUL, "--target", "sm_90")


def test_the_text_has_figures_verdicts_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "stats", MATMUL, "--target", "sm_90")
    assert re.search(r"^registers +\d+ +a thread$", shown, re.MULTILINE)
    assert re.search(r"^live registers: at most \d+ of a thread$", shown, re.MULTILINE)
    assert re.search(r"^good +Line \d+: tl\.dot runs on the tensor cores.*\[source \d+, ", shown, re.MULTILINE)
    assert re.search(r"bank conflicts", shown)
    assert re.search(r"^  shared memory, dynamic +Triton's metadata", shown, re.MULTILINE)


@pytest.mark.parametrize(("target", "has"), [("gfx942", True), ("gfx1100", False)])
def test_accumulation_registers_only_where_there_are_any(
    capsys: pytest.CaptureFixture[str], target: str, has: bool
) -> None:
    shown = run(capsys, "stats", SAMPLES / "vector_add.py", "--target", target)
    assert re.search(r"^scalar registers +\d+", shown, re.MULTILINE)
    assert bool(re.search(r"and \d+ accumulation registers", shown)) == has
    assert "? accumulation" not in shown


def test_amd_says_what_it_cannot_tell(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "stats", SAMPLES / "helper_calls.py", "--target", "gfx942")
    assert re.search(r"^scalar registers +\d+", shown, re.MULTILINE)
    assert "live registers: unknown; the kernel calls a function" in shown
    assert "cubin" not in shown


def test_spills_come_with_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, KERNELS / "spills.py", "--target", "sm_90")
    assert found["resources"]["spill_store_bytes"] > 0
    (verdict,) = (each for each in found["verdicts"] if each["rule"] == "spills")
    assert verdict["tone"] == "bad" and {"source", "sass"} <= {place["stage"] for place in verdict["evidence"]}


def test_what_is_compiled_already(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bundle = tmp_path / "matmul.irscope"
    run(capsys, "dump", MATMUL, "--target", "sm_90", "-o", tmp_path, "--bundle", bundle)
    fresh = document(capsys, MATMUL, "--target", "sm_90")
    from_bundle = document(capsys, bundle)
    assert {**from_bundle, "warnings": []} == {**fresh, "warnings": []}
    from_cubin = document(capsys, tmp_path / "matmul_kernel.cubin")
    for name in ("registers", "barriers", "code_bytes", "instructions"):
        assert from_cubin["resources"][name] == fresh["resources"][name]
    assert from_cubin["resources"]["shared_dynamic_bytes"] is None
    assert "shared_dynamic_bytes" not in from_cubin["sources"]
    assert from_cubin["live_registers"] == fresh["live_registers"]
    from_ttgir = document(capsys, tmp_path / "matmul_kernel.ttgir")
    assert from_ttgir["resources"]["registers"] is None and from_ttgir["live_registers"]["reason"]
    assert "registers" not in from_ttgir["sources"]


def test_a_cache_entry(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = (
        "import triton, runpy, sys\nfrom triton.backends.compiler import GPUTarget\n"
        "from triton.compiler import ASTSource\n"
        "kernel = runpy.run_path(sys.argv[1])['vector_add_kernel']\n"
        "types = dict(x_ptr='*fp32', y_ptr='*fp32', out_ptr='*fp32', n_elements='i32', BLOCK_SIZE='constexpr')\n"
        "source = ASTSource(kernel, types, {'BLOCK_SIZE': 1024})\n"
        "triton.compile(source, target=GPUTarget('cuda', 80, 32))\n"
    )
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code, str(SAMPLES / "vector_add.py")]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=240)
    (entry,) = {file.parent for file in tmp_path.rglob("vector_add_kernel.cubin")}
    found = document(capsys, entry)
    assert found["target"]["arch"] == "sm_80" and found["resources"]["registers"] > 0
    # No pointer is known to be aligned: the verdict is drawn from the entry's own stages.
    assert any(verdict["rule"] == "vectorization" and verdict["tone"] != "good" for verdict in found["verdicts"])


def test_a_damaged_cubin_leaves_figures_unknown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, "dump", SAMPLES / "vector_add.py", "--target", "sm_80", "--bundle", tmp_path / "whole")
    damaged = shutil.copytree(tmp_path / "whole", tmp_path / "damaged")
    (cubin,) = damaged.rglob("*.cubin")
    cubin.write_bytes(cubin.read_bytes()[:300])
    command = [sys.executable, "-m", "irscope", "stats", str(damaged), "--format", "json"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=240)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2), done.stderr
    jsonschema.validate(json.loads(done.stdout), schema(), cls=jsonschema.Draft202012Validator)


def test_failures_have_their_exit_codes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    failure = document(capsys, KERNELS / "compile_error.py", code=1)["error"]
    assert failure["line"] and failure["file"].endswith("compile_error.py")
    assert document(capsys, tmp_path / "nothing.py", code=2)["error"]["kind"] == "usage"
    assert document(capsys, MATMUL, "--target", "sm_1", code=2)["error"]["kind"] == "usage"
    words = str(tmp_path / "no-python")
    assert words in document(capsys, MATMUL, "--python", words, code=2)["error"]["message"]


def test_a_python_without_triton_is_said_to_lack_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True, timeout=240)
    python = tmp_path / "bare" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    failure = document(capsys, MATMUL, "--python", python, code=3)["error"]
    assert "triton" in failure["message"].lower() and failure["hint"]
