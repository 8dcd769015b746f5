"""``irscope dump DIR`` on trees where some files crash, hang or do not compile."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest
from samples import KERNELS, SAMPLE_KERNELS, SAMPLES

from irscope import store, tree
from irscope.cli import INTERRUPTED, main
from irscope.model import Resources
from irscope.report.tree import WORDS, schema
from irscope.request import Request

KERNEL = """
@triton.jit
def {name}(x_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, tl.load(x_ptr + offsets) * 2)
"""
HEAD = "import triton\nimport triton.language as tl\n"


@pytest.fixture
def bad_tree(tmp_path: Path) -> Path:
    """A kernel that compiles, and one in each of several files that fail in their own way."""
    root = tmp_path / "kernels"
    (root / "deep").mkdir(parents=True)
    files = {
        "deep/good.py": HEAD + KERNEL.format(name="good"),
        "wrong.py": HEAD + KERNEL.format(name="wrong").replace("* 2", "* unknown"),
        "crashes.py": HEAD + "import ctypes\nctypes.string_at(0)\n" + KERNEL.format(name="crashes"),
        "hangs.py": HEAD + "while True:\n    pass\n" + KERNEL.format(name="hangs"),
        "needs.py": HEAD + "import a_module_that_is_not_there as needed\n"
        + KERNEL.format(name="needs").replace("* 2", "* needed.TWO"),
        "broken.py": HEAD + KERNEL.format(name="broken").replace("):", ")"),
    }  # fmt: skip
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def dump(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int) -> str:
    assert main(["dump", *(str(word) for word in words)]) == code
    return capsys.readouterr().out


def test_every_failure_costs_one_kernel(capsys: pytest.CaptureFixture[str], bad_tree: Path, tmp_path: Path) -> None:
    printed = dump(capsys, bad_tree, "--timeout", "8", "--jobs", "2", "-o", tmp_path / "out", code=1)
    lines = printed.splitlines()
    for file, line, name, words in (
        ("wrong.py", 7, "wrong", "unknown"),
        ("crashes.py", r"\d+", "crashes", "the worker"),
        ("hangs.py", r"\d+", "hangs", "no answer within 8 s"),
        ("needs.py", r"\d+", "needs", "a_module_that_is_not_there"),
    ):
        pattern = rf"{re.escape(str(bad_tree / file))}:{line}: {name}: .*{words}"
        assert sum(bool(re.match(pattern, told)) for told in lines) == 1, (pattern, printed)
    assert any(re.match(rf"{re.escape(str(bad_tree / 'broken.py'))}:5: SyntaxError", told) for told in lines)
    assert "6 kernels in" in printed and "5 failed" in printed
    for kind in ("compiled", "compile", "worker", "timeout", "syntax"):
        assert f" 1  {WORDS[kind]}\n" in printed, (kind, printed)
    assert (tmp_path / "out" / "deep" / "good" / "good" / "good.ptx").is_file()


def test_the_document_fits_its_schema(capsys: pytest.CaptureFixture[str], bad_tree: Path) -> None:
    found = json.loads(dump(capsys, bad_tree, "--timeout", "8", "--format", "json", code=1))
    jsonschema.validate(found, schema(), cls=jsonschema.Draft202012Validator)
    assert (found["total"], found["failed"], found["complete"]) == (6, 5, True)
    by_name = {kernel["kernel"]: kernel for kernel in found["kernels"]}
    assert by_name["good"]["error"] is None and by_name["good"]["resources"]["registers"] > 0
    assert by_name["good"]["provenance"].keys() == {"x_ptr", "BLOCK"}
    assert by_name["wrong"]["error"]["line"] == 7
    assert sum(found["outcomes"].values()) == 6


def test_a_tree_that_compiles_is_found_in_the_store_again(capsys: pytest.CaptureFixture[str]) -> None:
    first = json.loads(dump(capsys, SAMPLES, "--format", "json", code=0))
    again = json.loads(dump(capsys, SAMPLES, "--format", "json", code=0))
    assert first["total"] == len(SAMPLE_KERNELS) == again["outcomes"]["stored"]
    assert {kernel["kernel"] for kernel in again["kernels"]} == {name.rpartition("::")[2] for name in SAMPLE_KERNELS}
    assert all(kernel["occupancy"]["warps_per_sm"] for kernel in again["kernels"])


def test_options_hold_for_every_kernel(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "softmax.py", tmp_path)
    shutil.copy(SAMPLES / "vector_add.py", tmp_path)
    dump(capsys, tmp_path, "--target", "sm_80", "--num-warps", "2", "-o", tmp_path / "out", code=0)
    ptx = [file.read_text(encoding="utf-8") for file in (tmp_path / "out").rglob("*.ptx")]
    assert len(ptx) == 2
    assert all(".target sm_80" in text and ".reqntid 64" in text for text in ptx)


def test_a_name_chooses_kernels_of_the_tree(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(dump(capsys, f"{SAMPLES}::softmax_kernel", "--format", "json", code=0))
    assert [kernel["kernel"] for kernel in found["kernels"]] == ["softmax_kernel"]
    assert main(["dump", f"{SAMPLES}::no_such_kernel"]) == 2


@pytest.mark.parametrize(
    "words", [["--arg", "x=i32"], ["--signature", "i32"], ["--config", "1"], ["--stage", "ptx"], ["--bundle", "b"]]
)
def test_what_is_of_one_kernel_is_refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["dump", str(SAMPLES), *words]) == 2
    assert words[0] in capsys.readouterr().err


def test_jobs_are_for_a_directory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", str(SAMPLES / "matmul.py"), "--jobs", "2"]) == 2
    assert main(["dump", str(SAMPLES), "--jobs", "0"]) == 2


def test_a_folder_without_kernels(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["dump", str(tmp_path)]) == 2
    assert "no kernel" in capsys.readouterr().err


def test_outcomes_tell_what_is_known(bad_tree: Path) -> None:
    jobs = tree.jobs_of(bad_tree)
    assert {job.kernel.name for job in jobs} == {"good", "wrong", "crashes", "hangs", "needs", ""}
    chosen = [job for job in jobs if job.kernel.name in ("good", "wrong")]
    started: list[str] = []
    found = {
        outcome.kernel: outcome
        for outcome in tree.compile_all(chosen, Request(bad_tree), 2, lambda kernel: started.append(kernel.name))
    }
    assert sorted(started) == ["good", "wrong"]
    assert found["good"].kind == "compiled" and not found["good"].failed and found["good"].seconds > 0
    assert found["good"].compilation is not None and found["good"].light().compilation is None
    assert found["wrong"].kind == "compile" and found["wrong"].resources == Resources()


def test_closing_ends_the_workers(bad_tree: Path) -> None:
    jobs = tree.jobs_of(bad_tree)
    before = set(psutil.Process().children(recursive=True))
    running = tree.compile_all(jobs, Request(bad_tree, timeout=60), 2)
    assert next(running).file.startswith(str(bad_tree))
    running.close()
    left = [child for child in psutil.Process().children(recursive=True) if child not in before]
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in left)


def test_a_cancelled_run_ends(bad_tree: Path) -> None:
    cancel = threading.Event()
    jobs = [job for job in tree.jobs_of(bad_tree) if job.kernel.name == "hangs"]
    threading.Timer(3, cancel.set).start()
    assert list(tree.compile_all(jobs, Request(bad_tree, timeout=60), 1, cancel=cancel)) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process alone")
def test_ctrl_c_tells_what_was_done(bad_tree: Path) -> None:
    (bad_tree / "crashes.py").unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "irscope", "dump", str(bad_tree), "--format", "json", "--jobs", "2"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "IRSCOPE_CACHE_DIR": str(bad_tree / "cache")},
    )
    found = psutil.Process(process.pid)
    good = bad_tree / "cache" / store.root().name
    end = time.monotonic() + 60
    while not any(good.glob("*/*/manifest.json")) and time.monotonic() < end:
        time.sleep(0.1)
    workers = found.children(recursive=True)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED
    told: dict[str, Any] = json.loads(printed)
    assert told["complete"] is False and len(told["kernels"]) < told["total"]
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert workers and not alive


def test_bad_kernels_of_the_tests_are_one_line_each(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("compile_error.py", "undefined_name.py", "import_error.py", "two_kernels.py"):
        shutil.copy(KERNELS / name, tmp_path)
    lines = dump(capsys, tmp_path, code=1).splitlines()
    head = next(number for number, line in enumerate(lines) if re.match(r"\d+ kernels in", line))
    assert all(re.match(rf"{re.escape(str(tmp_path))}\S+:\d+: \w+: \S", line) for line in lines[:head])
    assert f"{head} failed" in lines[head]


def test_helpers_of_other_kernels_are_not_compiled_alone(tmp_path: Path) -> None:
    text = (
        "import triton\nimport triton.language as tl\n\n"
        "@triton.jit\ndef one(x_ptr):\n    tl.store(x_ptr, 1)\n\n@triton.jit\ndef two(x_ptr):\n    one(x_ptr + 1)\n"
    )
    (tmp_path / "kernels.py").write_text(text, encoding="utf-8")
    assert [job.kernel.name for job in tree.jobs_of(tmp_path)] == ["two"]
    assert [job.kernel.name for job in tree.jobs_of(tmp_path, "one")] == ["one"]
