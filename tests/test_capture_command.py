"""``irscope capture`` with the words that people type after it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from irscope.commands.typed import Script, script_of
from irscope.request import IrscopeError

FILE = """\
import argparse
import sys

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def fill_kernel(x_ptr, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), 1)


def fill(block):
    fill_kernel[(1,)](torch.empty(block, device="cuda"), BLOCK=block)


@pytest.mark.parametrize("block", [16, 32])
def test_fill(block):
    fill(block)


class TestMore:
    def test_one(self):
        fill(64)

    def test_other(self):
        fill(128)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "tests":
        sys.exit(pytest.main([__file__]))
    parser = argparse.ArgumentParser()
    parser.add_argument("--block", type=int, default=256)
    parser.add_argument("rest", nargs="*")
    arguments = parser.parse_args()
    for block in (arguments.block, *map(int, arguments.rest)):
        fill(block)
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pkg" / "inner").mkdir(parents=True)
    (tmp_path / "pkg" / "inner" / "__main__.py").touch()
    (tmp_path / "pkg" / "test_fill.py").write_text(FILE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Path("pkg", "test_fill.py")


def test_words_mean_what_they_would_in_a_shell(file: Path) -> None:
    name, inner = str(file), str(Path("pkg", "inner", "__main__.py"))
    python = Path("venv", "bin", "python3.12")
    for words, meant in {
        (name,): Script(name, ()),
        (name, "--block", "16"): Script(name, ("--block", "16")),
        ("python", name, "-c"): Script(name, ("-c",)),
        ("python3", "-u", "-X", "dev", "-Wignore", name): Script(name, ()),
        (str(python), name): Script(name, (), python=python),
        ("uv", "run", "python", name, "1"): Script(name, ("1",)),
        ("python", "-m", "pkg.test_fill", "--x"): Script(name, ("--x",)),
        ("python", "-m", "pkg.inner"): Script(inner, ()),
        ("pytest", "-q", name): Script(name, tests="*"),
        ("py.test", "-n", "4", "-x", "--tb=short", name): Script(name, tests="*"),
        ("python", "-m", "pytest", name, "-k", "fill"): Script(name, tests="*fill*"),
        ("pytest", f"{name}::test_fill[16]"): Script(name, tests="test_fill"),
        ("pytest", f"{name}::TestMore::test_one"): Script(name, tests="TestMore.test_one"),
        ("python", "-m", "unittest", "pkg.test_fill"): Script(name, tests="*"),
    }.items():
        assert script_of(words) == meant
    (warning,) = script_of(("pytest", "-k", "a or b", name)).warnings
    assert "-k a or b is left aside" in warning


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("python",), "none is named"),
        (("python", "-c", "print()"), "python -c has no file"),
        (("python", "-m", "no.such"), "no module no.such"),
        (("pytest",), "none is named"),
        (("pytest", "pkg"), "one file of tests, not pkg"),
        (("pytest", "a.py", "b.py"), "one file of tests, not a.py b.py"),
    ],
)
def test_words_that_name_no_single_file(file: Path, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(IrscopeError, match=message) as raised:
        script_of(words)
    assert raised.value.exit_code == 2 and raised.value.failure.hint


def blocks(*words: str) -> list[str]:
    command = [sys.executable, "-m", "irscope.cli", "capture", "--format", "json", "--timeout", "120", *words]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["ended"] is None and document["complete"]
    return [launch["entries"]["BLOCK"] for launch in document["launches"]]


def test_what_of_a_file_is_run(own_directories: None, file: Path) -> None:
    pytest.importorskip("torch")
    name = str(file)
    assert blocks(name) == ["256", "16", "64", "128", "32"]
    assert blocks("--", name) == ["256"]
    # Dashes after the first are the script's own.
    assert blocks("--", "python", name, "--block", "512", "--", "1024") == ["512", "1024"]
    assert blocks(name, "--", "tests") == ["16", "64", "128", "32"]
    assert blocks("--", "pytest", "-q", f"{name}::TestMore") == ["64", "128"]


def test_a_command_that_is_no_script(own_directories: None) -> None:
    if shutil.which("git") is None:
        pytest.skip("there is no git to name")
    command = [sys.executable, "-m", "irscope.cli", "capture", "--", "git", "status"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 2 and "git is a command" in done.stderr and "SCRIPT ARGS" in done.stderr
