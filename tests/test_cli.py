"""The command line as a script sees it: real processes, what they print where, and their exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from samples import KERNELS, SAMPLES

from irscope import __version__
from irscope.report.document import RESOURCES, schema

MATMUL = str(SAMPLES / "matmul.py")
HOPPER = ("--target", "sm_90")


def irscope(*words: str | Path, code: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command line; checks its exit code and that no traceback is shown."""
    command = [sys.executable, "-m", "irscope", *map(str, words)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=240, **options)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, f"{done.returncode}: {done.stderr}"
    return done


def document(*words: str | Path, code: int = 0) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(irscope("dump", *words, "--format", "json", code=code).stdout)
    jsonschema.validate(loaded, schema(), cls=jsonschema.Draft202012Validator)
    return loaded


def test_version_and_help() -> None:
    assert irscope("--version").stdout.strip() == f"irscope {__version__}"
    shown = irscope("--help").stdout
    for command in ("dump", "list", "doctor", "completion"):
        assert command in shown


def test_help_imports_neither_triton_nor_textual() -> None:
    code = """
import sys
from irscope.cli import main
try:
    main(["--help"])
except SystemExit:
    print([name for name in ("triton", "torch", "textual", "pygments") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_dump_prints_a_readable_summary_and_writes_every_stage(tmp_path: Path) -> None:
    done = irscope("dump", MATMUL, *HOPPER, "-o", tmp_path / "out")
    for words in ("matmul_kernel", "sm_90", "registers", "occupancy", "configuration 0 of", "inferred: reaches tl.dot"):
        assert words in done.stdout
    written = {file.suffix: file for file in (tmp_path / "out").iterdir()}
    assert set(written) == {".py", ".ttir", ".ttgir", ".llir", ".ptx", ".sass", ".cubin"}
    assert written[".cubin"].read_bytes().startswith(b"\x7fELF")
    assert written[".py"].read_bytes() == (SAMPLES / "matmul.py").read_bytes()
    assert "tt.dot" in written[".ttir"].read_text(encoding="utf-8")


def test_one_stage_goes_to_standard_output_alone() -> None:
    assert irscope("dump", MATMUL, *HOPPER, "--stage", "ttgir").stdout.startswith("#blocked")
    clean = irscope("dump", MATMUL, *HOPPER, "--stage", "ttgir", "--clean").stdout
    assert "tt.func public @matmul_kernel" in clean
    assert "loc(" not in clean


def test_a_binary_stage_can_be_piped() -> None:
    command = [sys.executable, "-m", "irscope", "dump", MATMUL, *HOPPER, "--stage", "cubin"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.startswith(b"\x7fELF")


def test_the_json_document_has_the_fixed_names() -> None:
    shown = document(MATMUL, *HOPPER, "--text", "--correlation")
    assert shown["irscope"] == __version__
    assert (shown["kernel"], shown["file"]) == ("matmul_kernel", MATMUL)
    assert shown["target"] == {"backend": "cuda", "arch": "sm_90", "warp_size": 32}
    assert [stage["name"] for stage in shown["stages"]] == ["source", "ttir", "ttgir", "llir", "ptx", "sass", "cubin"]
    assert set(shown["signature"]) == set(shown["provenance"])
    assert all(shown["resources"][name] is not None for name in RESOURCES)
    assert shown["occupancy"]["limiter"] in ("registers", "shared memory")
    by_name = {stage["name"]: stage for stage in shown["stages"]}
    for name, stage in by_name.items():
        if stage["text"] is not None:
            assert stage["bytes"] == len(stage["text"].encode())
            assert stage["lines"] == len(stage["text"].splitlines()), name
    dot = next(row for row, line in enumerate(by_name["ttir"]["text"].splitlines(), 1) if "tt.dot" in line)
    locations = {entry["line"]: entry["locations"] for entry in shown["correlation"]["ttir"]}
    source = (SAMPLES / "matmul.py").read_text(encoding="utf-8").splitlines()
    assert locations[dot][0]["file"] == MATMUL
    assert "tl.dot(" in source[locations[dot][0]["line"] - 1]


def test_correlation_is_exact_or_by_source_or_not_there(tmp_path: Path) -> None:
    vector_add = SAMPLES / "vector_add.py"
    saved = tmp_path / "kernel.irscope"
    shown = document(vector_add, *HOPPER, "--correlation", "exact", "--text", "--bundle", saved)
    assert shown["edges"]["reason"] is None
    between = shown["edges"]["between"]
    assert [(edge["upper"], edge["lower"], edge["exact"]) for edge in between] == [
        ("ttir", "ttgir", True), ("ttgir", "llir", True), ("llir", "ptx", True), ("ptx", "sass", True)
    ]  # fmt: skip
    texts = {stage["name"]: stage["text"].splitlines() for stage in shown["stages"] if stage["text"]}
    store = next(line for line, text in enumerate(texts["ttgir"], 1) if "tt.store" in text)
    (origin,) = [entry["from"] for entry in between[0]["lines"] if entry["line"] == store]
    assert ["tt.store" in texts["ttir"][line - 1] for line in origin] == [True]
    (spans,) = [entry["spans"] for entry in shown["edges"]["expressions"]["lines"] if entry["line"] == origin[0]]
    (span,) = spans
    source = texts["source"][span["line"] - 1]
    assert source[span["column"] - 1 : span["end_column"] - 1].startswith("tl.store(")
    # The bundle has them; an IR file has none and says so.
    assert document(saved, "--correlation")["edges"] == shown["edges"]
    (tmp_path / "kernel.ttir").write_text("\n".join(texts["ttir"]), encoding="utf-8")
    assert "kernel.ttir" in document(tmp_path / "kernel.ttir", "--correlation")["edges"]["reason"]
    by_source = document(vector_add, *HOPPER, "--correlation", "source")
    assert by_source["correlation"] == shown["correlation"]
    assert "edges" not in by_source
    neither = document(vector_add, *HOPPER, "--correlation", "none")
    assert "edges" not in neither
    assert "correlation" not in neither


def test_a_script_can_choose_everything() -> None:
    shown = document(
        f"{MATMUL}::matmul_kernel", "--target", "cuda:80", "--num-warps", "4", "--num-stages", "2", "--maxnreg", "128",
        "--const", "BLOCK_M=64", "--arg", "a_ptr=*bf16:16", "--arg", "b_ptr=*bf16:16", "--config", "1",
        "--option", "enable_fp_fusion=False",
    )  # fmt: skip
    assert shown["target"]["arch"] == "sm_80"
    assert {name: shown["options"][name] for name in ("num_warps", "num_stages", "maxnreg", "enable_fp_fusion")} == {
        "num_warps": 4, "num_stages": 2, "maxnreg": 128, "enable_fp_fusion": False,
    }  # fmt: skip
    assert shown["constexprs"]["BLOCK_M"] == 64
    assert (shown["signature"]["a_ptr"], shown["provenance"]["a_ptr"]) == ("*bf16", "given")
    assert (shown["configuration"], shown["provenance"]["BLOCK_N"]) == (1, "configuration")
    assert shown["resources"]["registers"] <= 128


def test_amd_has_its_own_stages() -> None:
    shown = document(MATMUL, "--target", "gfx942")
    assert [stage["name"] for stage in shown["stages"]] == ["source", "ttir", "ttgir", "llir", "amdgcn", "hsaco"]
    assert shown["target"] == {"backend": "hip", "arch": "gfx942", "warp_size": 64}


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        ([KERNELS / "compile_error.py"], 1, "compile"),
        ([KERNELS / "raises.py"], 1, "file"),
        ([KERNELS / "syntax_error.py"], 1, "syntax"),
        ([KERNELS / "aborts.py"], 1, "worker"),
        ([KERNELS / "loops_forever.py", "--timeout", "2"], 1, "timeout"),
        ([KERNELS / "import_error.py"], 3, "missing"),
        ([KERNELS / "two_kernels.py::nothing"], 2, "no_kernel"),
        ([SAMPLES / "activations.py"], 2, "no_kernel"),
        ([SAMPLES, "--config", "1"], 2, "usage"),
        ([SAMPLES / "nowhere.py"], 2, "usage"),
        ([SAMPLES / "README.md"], 2, "usage"),
        ([MATMUL, "--target", "pdp11"], 2, "usage"),
        ([MATMUL, "--target", "sm_²"], 2, "usage"),
        ([MATMUL, "--target", "gfx1"], 2, "usage"),
        ([MATMUL, "--const", "BLOCK_M"], 2, "usage"),
        ([MATMUL, "--config", "99"], 2, "usage"),
        ([MATMUL, "--python", "nowhere/python"], 2, "usage"),
        ([MATMUL, "--python", SAMPLES / "README.md"], 2, "usage"),
        ([MATMUL, "--timeout", "0"], 2, "usage"),
        ([MATMUL, "--timeout", "nan"], 2, "usage"),
        ([MATMUL, "--num-warps", "many"], 2, "usage"),
        ([MATMUL, "--no-such-option"], 2, "usage"),
        ([MATMUL, "-o", ""], 2, "usage"),
        ([MATMUL, "--bundle", SAMPLES], 2, "usage"),
        ([MATMUL, "--const", "BLOCK_M=64", "--const", "BLOCK_M=32"], 2, "usage"),
        ([MATMUL, "--option", "num_warps=8", "--num-warps", "4"], 2, "usage"),
        ([MATMUL, "--target", "sm_999"], 2, "usage"),
        ([MATMUL, "--target", "gfx9999"], 2, "usage"),
        ([MATMUL, "--num-stages", "-1"], 2, "usage"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_failures_as_json_and_as_lines(words: Sequence[str | Path], code: int, kind: str) -> None:
    error = document(*words, code=code)["error"]
    assert error["kind"] == kind
    assert "\n" not in error["message"]
    done = irscope("dump", *words, code=code)
    assert error["message"] in done.stderr
    assert f"irscope: {error['file'] or ''}" in done.stderr


def test_an_option_that_would_say_nothing_is_a_usage_error() -> None:
    assert "--clean goes with --stage" in irscope("dump", MATMUL, "--clean", code=2).stderr
    assert "--correlation goes with --format json" in irscope("dump", MATMUL, "--correlation", code=2).stderr


def test_a_mistyped_command_or_kernel_is_guessed() -> None:
    assert "did you mean 'dump'?" in irscope("dumb", MATMUL, code=2).stderr
    assert "did you mean 'matmul_kernel'?" in irscope("list", f"{MATMUL}::matmul_kernal", code=2).stderr
    assert "did you mean 'matmul_kernel'?" in irscope("dump", f"{MATMUL}::matmul_kernal", code=2).stderr


def test_the_terminal_ui_needs_a_terminal() -> None:
    done = irscope(MATMUL, code=2, stdin=subprocess.DEVNULL)
    assert "needs a terminal" in done.stderr
    assert done.stdout == ""


def test_two_colons_in_a_files_name(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no such names")
    file = tmp_path / "a::b.py"
    file.write_text("import triton\n@triton.jit\ndef kernel(x_ptr):\n    pass\n", encoding="utf-8")
    assert "::kernel" in irscope("list", file).stdout
    assert "::kernel" in irscope("list", f"{file}::kernel").stdout


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "irscope", "list", str(SAMPLES), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's file that is always full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "irscope", "list", str(SAMPLES)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    assert done.returncode == 3
    assert done.stderr == "irscope: No space left on device\n"


def test_a_wrong_option_is_a_usage_error() -> None:
    assert "unrecognized arguments: --no-such-option" in irscope("dump", MATMUL, "--no-such-option", code=2).stderr
    assert "invalid int value" in irscope("dump", MATMUL, "--num-warps", "many", code=2).stderr


def test_a_stage_that_is_not_there_lists_those_that_are() -> None:
    done = irscope("dump", MATMUL, *HOPPER, "--stage", "amdgcn", code=2)
    assert "source, ttir, ttgir, llir, ptx, sass, cubin" in done.stderr


def test_a_bundle_opens_where_there_is_no_triton(tmp_path: Path) -> None:
    saved = tmp_path / "matmul.irscope"
    irscope("dump", MATMUL, *HOPPER, "--bundle", saved)
    hide = tmp_path / "hidden" / "triton"
    hide.mkdir(parents=True)
    (hide / "__init__.py").write_text("raise ImportError('there is no Triton here')", encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(hide.parent), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "IRSCOPE_CACHE_DIR": str(tmp_path / "empty")}
    done = irscope("dump", saved, "--format", "json", env=environment)
    assert json.loads(done.stdout)["resources"] == document(MATMUL, *HOPPER)["resources"]


def test_what_is_compiled_already_takes_no_options_and_has_its_kernel_alone(tmp_path: Path) -> None:
    saved = tmp_path / "one.irscope"
    irscope("dump", SAMPLES / "vector_add.py", *HOPPER, "--bundle", saved, "-o", tmp_path)
    done = irscope("dump", saved, "--num-warps", "8", "--target", "sm_80", code=2)
    assert "--num-warps, --target cannot change it" in done.stderr
    assert "it has vector_add_kernel" in irscope("dump", f"{saved}::nothing", code=2).stderr
    assert "vector_add_kernel" in irscope("dump", f"{saved}::vector_add_kernel").stdout
    ptx = tmp_path / "vector_add_kernel.ptx"
    assert "sm_80" in irscope("dump", ptx, "--target", "sm_80").stdout
    assert "it has vector_add_kernel" in irscope("dump", f"{ptx}::nothing", code=2).stderr


@pytest.mark.parametrize("suffix", [".ttir", ".ptx", ".sass", ".cubin", ".hsaco", ".irscope"])
@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 9], ids=["empty", "noise"])
def test_files_that_are_not_what_they_are_called(tmp_path: Path, suffix: str, content: bytes) -> None:
    file = tmp_path / f"file{suffix}"
    file.write_bytes(content)
    done = irscope("dump", file, code=2)
    assert done.stderr.startswith(f"irscope: {file}")
    assert len(done.stderr.splitlines()) == 1


def test_list_shows_parameters_and_configurations() -> None:
    shown = irscope("list", SAMPLES).stdout
    assert "matmul.py::matmul_kernel" in shown
    assert "configuration 0: BLOCK_M=" in shown
    listed = json.loads(irscope("list", MATMUL, "--format", "json").stdout)["kernels"]
    assert [kernel["name"] for kernel in listed] == ["matmul_kernel"]


def test_doctor_says_what_is_there() -> None:
    done = irscope("doctor")
    for name in ("Triton", "ptxas", "nvdisasm", "torch", "driver", "GPU"):
        assert name in done.stdout
    findings = {f["name"]: f for f in json.loads(irscope("doctor", "--format", "json").stdout)["findings"]}
    assert findings["Triton"]["found"]


def test_a_second_guess_is_told_with_what_refused_the_first() -> None:
    told = irscope("dump", SAMPLES / "vector_add.py", "--arg", "x_ptr=fp32", "--target", "sm_90", code=1).stdout
    assert re.search(r"^n_elements +fp32 +guessed, after: invalid operands", told, re.MULTILINE)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script is no program there")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo hello", "does not answer as a Python interpreter does"),
        ("echo it is broken >&2; exit 1", "cannot be used: it is broken"),
    ],
)
def test_a_program_that_is_no_python_is_a_usage_error(tmp_path: Path, script: str, words: str) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    for command in (["dump", MATMUL], ["doctor"]):
        assert words in irscope(*command, "--python", program, code=2).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such modes there")
@pytest.mark.parametrize("command", ["dump", "list", "cost"])
@pytest.mark.parametrize("name", ["", "kernel.py"])
def test_a_folder_that_must_not_be_read_is_a_usage_error(tmp_path: Path, command: str, name: str) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "kernel.py").write_text("", encoding="utf-8")
    folder.chmod(0)
    program = (
        "import importlib, os, sys\n"
        "from irscope import cli, discover, tree\n"
        f"importlib.import_module('irscope.commands.{'listing' if command == 'list' else command}')\n"
        "os.geteuid() or os.seteuid(65534)  # root may read everything\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, command, str(folder / name)], capture_output=True, text=True)
    folder.chmod(0o755)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr == f"irscope: cannot read {folder / name}: Permission denied\n"


def test_doctor_names_what_is_missing_and_its_command(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "empty")], check=True)
    python = tmp_path / "empty" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = irscope("doctor", "--python", python, code=3)
    assert f'uv pip install --python "{python}" "triton' in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts(shell: str) -> None:
    assert "irscope" in irscope("completion", shell).stdout


def test_completion_knows_commands_options_and_kernels(tmp_path: Path) -> None:
    def completions(line: str) -> set[str]:
        answers = tmp_path / "answers"
        environment = {
            **os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(answers), "COMP_LINE": line,
            "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_COMP_WORDBREAKS": " ",
        }  # fmt: skip
        subprocess.run([sys.executable, "-m", "irscope"], env=environment, check=True)
        return {word.strip() for word in answers.read_text(encoding="utf-8").split("\n")}

    assert {"dump", "doctor"} <= completions("irscope d")
    assert "--num-warps" in completions("irscope dump x.py --num")
    assert completions(f"irscope dump {MATMUL} --stage ttg") == {"ttgir"}
    assert completions(f"irscope dump {MATMUL} --target gfx94") == {"gfx942"}
    for command in ("irscope dump", "irscope"):
        assert completions(f"{command} {MATMUL}::") == {f"{MATMUL}::matmul_kernel"}
        assert completions(f"{command} {Path(MATMUL).parent}{os.sep}matm") == {MATMUL}
    assert completions(f"irscope {MATMUL} --wat") == completions("irscope --wat") == {"--watch"}
    assert "--watch" not in completions("irscope dump --w")
