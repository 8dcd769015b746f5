"""What bad files and dying workers give: one clear line, the place, the way out, and the next request works."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from samples import KERNELS, SAMPLES

from irscope import session
from irscope.client import Cancelled
from irscope.events import Event, StageStarted
from irscope.interpreter import install_command
from irscope.model import Compilation, Failure, Target
from irscope.request import IrscopeError, Request

HOPPER = Target.parse("sm_90")
GOOD = Request(SAMPLES / "vector_add.py", target=HOPPER, fresh=True)


def open_failing(name: str, **fields: object) -> tuple[Compilation, Failure]:
    path = KERNELS / name
    compilation = session.open(Request(path, target=HOPPER, **fields))  # type: ignore[arg-type]
    assert compilation.failure is not None
    assert "\n" not in compilation.failure.message
    return compilation, compilation.failure


@pytest.fixture(scope="module", autouse=True)
def _triton_has_been_loaded_once() -> None:
    """On a new machine Python compiles all of Triton first, which takes longer than the time limits here."""
    assert session.open(GOOD).failure is None


@pytest.fixture(autouse=True)
def _the_next_request_works(request: pytest.FixtureRequest) -> object:
    yield
    assert session.open(GOOD).failure is None


def test_a_compile_error_is_at_its_line_and_column_in_tritons_words() -> None:
    _, failure = open_failing("compile_error.py")
    assert (failure.kind, failure.line, failure.column) == ("compile", 11, 13)
    assert failure.file == str(KERNELS / "compile_error.py")
    assert "128 and 64" in failure.message


def test_an_undefined_name_is_at_its_line() -> None:
    _, failure = open_failing("undefined_name.py")
    assert (failure.kind, failure.line) == ("compile", 10)
    assert "not_defined_anywhere" in failure.message


def test_a_compile_error_in_a_helper_is_in_the_helpers_file(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text(
        "import triton\nimport triton.language as tl\n\n\n@triton.jit\ndef bad(x):\n    return x + tl.arange(0, 7)\n",
        encoding="utf-8",
    )
    (tmp_path / "caller.py").write_text(
        "import triton\nimport triton.language as tl\nfrom helpers import bad\n\n\n@triton.jit\n"
        "def kernel(x_ptr):\n    tl.store(x_ptr + tl.arange(0, 8), bad(1.0))\n",
        encoding="utf-8",
    )
    failure = session.open(Request(tmp_path / "caller.py", target=HOPPER)).failure
    assert failure is not None
    assert failure.file is not None
    assert (Path(failure.file).name, failure.line) == ("helpers.py", 7)


def test_stages_reached_before_an_error_are_kept_and_its_ptx_line_followed(tmp_path: Path) -> None:
    file = tmp_path / "kernel.py"
    file.write_text(
        "import triton\nimport triton.language as tl\n\n\n@triton.jit\ndef kernel(x_ptr):\n"
        "    o = tl.arange(0, 32)\n"
        "    y = tl.inline_asm_elementwise('no_such_instruction $0, $1;', '=r,r', [o], dtype=tl.int32,"
        " is_pure=True, pack=1)\n    tl.store(x_ptr + o, y)\n",
        encoding="utf-8",
    )
    compilation = session.open(Request(file, target=HOPPER))
    assert compilation.failure is not None
    assert list(compilation.stages) == ["ttir", "ttgir", "llir", "ptx"]
    assert compilation.failure.stage == "cubin"
    assert compilation.failure.message.startswith("ptxas: ")
    assert "no_such_instruction" in compilation.failure.message
    assert compilation.failure.line == 8


def test_a_stage_that_was_reached_is_printed_and_the_failure_told(tmp_path: Path) -> None:
    file = tmp_path / "kernel.py"
    file.write_text(
        "import triton\nimport triton.language as tl\n\n\n@triton.jit\ndef kernel(x_ptr):\n"
        "    o = tl.arange(0, 32)\n"
        "    y = tl.inline_asm_elementwise('unheard_of $0, $1;', '=r,r', [o], dtype=tl.int32, is_pure=True, pack=1)\n"
        "    tl.store(x_ptr + o, y)\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "irscope", "dump", str(file), "--target", "sm_90", "--stage", "ttgir"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert "tt.func" in done.stdout
    assert (done.returncode, done.stderr.count("kernel.py:8:")) == (1, 1)


def test_a_syntax_error_is_at_its_line() -> None:
    compilation, failure = open_failing("syntax_error.py")
    assert failure.kind == "syntax"
    assert failure.line in (8, 9)  # Python versions differ in where they give up
    assert compilation.sources[0].text.startswith('"""')


def test_a_missing_module_comes_with_the_command_that_installs_it() -> None:
    _, failure = open_failing("import_error.py")
    assert (failure.kind, failure.line) == ("missing", 3)
    assert "a_module_that_is_not_there" in failure.message
    assert failure.hint is not None
    assert failure.hint.startswith(install_command(Path(sys.executable), "a_module_that_is_not_there"))


def test_the_files_own_environment_is_suggested_where_it_has_triton(tmp_path: Path) -> None:
    file = tmp_path / "project" / "kernels" / "kernel.py"
    file.parent.mkdir(parents=True)
    shutil.copy(KERNELS / "import_error.py", file)
    windows = sys.platform == "win32"
    python = tmp_path / "project" / ".venv" / ("Scripts/python.exe" if windows else "bin/python")
    packages = tmp_path / "project" / ".venv" / ("Lib" if windows else "lib/python3.12") / "site-packages"
    python.parent.mkdir(parents=True)
    python.touch()
    (packages / "triton").mkdir(parents=True)
    (packages / "triton" / "__init__.py").touch()
    failure = session.open(Request(file, target=HOPPER)).failure
    assert failure is not None
    assert failure.hint is not None
    assert f"--python {python}" in failure.hint


def test_an_exception_at_import_is_at_its_line() -> None:
    _, failure = open_failing("raises.py")
    assert (failure.kind, failure.line) == ("file", 3)
    assert failure.message.startswith("ValueError: this file")


def test_a_file_that_exits_does_not_take_the_worker_along() -> None:
    _, failure = open_failing("exits.py")
    assert (failure.kind, failure.line) == ("file", 5)
    assert failure.hint is not None
    assert "__main__" in failure.hint


def test_an_abort_names_the_line_that_was_running() -> None:
    _, failure = open_failing("aborts.py")
    assert (failure.kind, failure.line) == ("worker", 5)
    assert "abort" in failure.message
    assert failure.detail is not None


def test_a_segmentation_fault_names_the_line_that_was_running() -> None:
    _, failure = open_failing("segfaults.py")
    assert (failure.kind, failure.line) == ("worker", 5)


def test_an_endless_import_ends_at_the_timeout() -> None:
    start = time.monotonic()
    _, failure = open_failing("loops_forever.py", timeout=6)
    assert (failure.kind, failure.line) == ("timeout", 3)
    assert time.monotonic() - start < 40


def test_an_endless_compile_names_the_stage() -> None:
    _, failure = open_failing("hangs_in_compile.py", timeout=12)
    assert (failure.kind, failure.stage) == ("timeout", "ttir")


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("interrupt", 130),
        pytest.param("terminate", 143, marks=pytest.mark.skipif(sys.platform == "win32", reason="kills there")),
        pytest.param("hangup", 129, marks=pytest.mark.skipif(sys.platform == "win32", reason="is not there")),
        ("kill", None),
    ],
)
def test_a_worker_does_not_outlive_its_irscope(end: str, code: int | None, tmp_path: Path) -> None:
    if end == "interrupt" and sys.platform == "win32":
        pytest.skip("a process sends no Ctrl-C to another one alone there")
    command = [sys.executable, "-m", "irscope", "dump", str(KERNELS / "loops_forever.py")]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "TMP": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as irscope:
        workers: list[psutil.Process] = []
        while not workers:
            time.sleep(0.05)
            workers = psutil.Process(irscope.pid).children()
        while not workers[0].cpu_times().user > 2:  # by then it loops
            time.sleep(0.05)
        assert list(tmp_path.iterdir()) != []
        if end == "interrupt":
            irscope.send_signal(signal.SIGINT)
        elif end == "hangup":
            irscope.send_signal(signal.SIGHUP)
        else:
            getattr(irscope, end)()
        assert irscope.stderr is not None
        assert irscope.stderr.read() == b""
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    if code is not None:
        assert irscope.returncode == code
        assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a process sends no Ctrl-C to another one alone there")
def test_ptxas_does_not_outlive_its_irscope_and_leaves_no_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "irscope", "dump", "--fresh", str(SAMPLES / "flash_attention.py")]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE) as irscope:
        compiler: list[psutil.Process] = []
        while not compiler:
            assert irscope.poll() is None
            for child in psutil.Process(irscope.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    compiler += [child] if any(word.startswith("--gpu-name") for word in child.cmdline()) else []
        irscope.send_signal(signal.SIGINT)
        assert irscope.stderr is not None
        assert irscope.stderr.read() == b""
    assert irscope.returncode == 130
    with contextlib.suppress(psutil.NoSuchProcess):
        assert compiler[0].status() == psutil.STATUS_ZOMBIE  # killed, and not yet buried by the system
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_is_killed_is_said_to_be(tmp_path: Path) -> None:
    def kill_worker(event: Event) -> None:
        if isinstance(event, StageStarted):
            for child in psutil.Process().children():
                if any("worker" in part for part in child.cmdline()):
                    child.kill()

    compilation = session.open(Request(KERNELS / "hangs_in_compile.py", target=HOPPER), kill_worker)
    assert compilation.failure is not None
    assert compilation.failure.kind == "worker"
    assert "killed" in compilation.failure.message


def test_cancelling_ends_the_worker_at_once() -> None:
    cancel = threading.Event()
    threading.Timer(2, cancel.set).start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        session.open(Request(KERNELS / "loops_forever.py", target=HOPPER), cancel=cancel)
    assert time.monotonic() - start < 20


@pytest.mark.skipif(not hasattr(signal, "SIGXCPU"), reason="a limit on a process's memory is set the Unix way here")
def test_running_out_of_memory_is_one_line() -> None:
    import resource

    command = [sys.executable, "-m", "irscope", "dump", str(KERNELS / "eats_memory.py")]
    limit = 6 << 30
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 1
    assert re.search(r"eats_memory\.py:\d+: the worker ran out of memory", done.stderr)
    assert "Traceback" not in done.stderr


def test_what_a_file_writes_goes_to_the_log_and_harms_nothing() -> None:
    compilation = session.open(Request(KERNELS / "noisy.py", target=HOPPER, fresh=True))
    assert compilation.failure is None
    for words in ("noisy: print", "noisy: descriptor 1", "noisy: descriptor 2", "noisy: logging"):
        assert words in compilation.log


@pytest.mark.parametrize("kernel", ["pass", "tl.store(x_ptr + tl.arange(0, 33), 1.0)"], ids=["compiles", "fails"])
def test_a_file_that_prints_without_measure_leaves_a_log_of_some_size(tmp_path: Path, kernel: str) -> None:
    file = tmp_path / "loud.py"
    file.write_text(
        "import triton\nimport triton.language as tl\n\nprint('first')\nfor _ in range(50):\n    print('x' * 999_999)\n"
        f"print('last')\n\n@triton.jit\ndef kernel(x_ptr):\n    {kernel}\n",
        encoding="utf-8",
    )
    compilation = session.open(Request(file, target=HOPPER))
    assert compilation.log.startswith("first\n")
    assert "last\n" in compilation.log
    assert "bytes left out" in compilation.log
    detail = compilation.failure.detail if compilation.failure else None
    assert max(len(compilation.log), len(detail or "")) < 2_000_000


def test_a_kernel_that_is_not_there_is_a_usage_error_that_lists_those_that_are() -> None:
    with pytest.raises(IrscopeError) as raised:
        session.open(Request(KERNELS / "two_kernels.py", "no_such_kernel", HOPPER))
    assert raised.value.exit_code == 2
    assert "scale_kernel, copy_kernel" in str(raised.value.failure.hint)


def test_a_helper_is_not_a_kernel() -> None:
    with pytest.raises(IrscopeError) as raised:
        session.open(Request(KERNELS / "two_kernels.py", "offsets_of_program", HOPPER))
    assert "helper" in raised.value.failure.message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"options": {"num_wraps": "8"}}, "num_wraps"),
        ({"options": {"num_warps": "5"}}, "num_warps is a power of two, not 5"),
        ({"options": {"num_warps": "many"}}, "num_warps is a whole number, not 'many'"),
        ({"options": {"num_ctas": "3"}}, "num_ctas is a power of two, not 3"),
        ({"options": {"num_stages": "-1"}}, "num_stages is 0 or more, not -1"),
        ({"options": {"num_stages": "99999999999"}}, "num_stages is a number of 32 bits, not 99999999999"),
        ({"options": {"maxnreg": "-5"}}, "maxnreg is 1 or more, not -5"),
        ({"options": {"arch": "sm80"}}, "arch is that of the target, sm90, not sm80"),
        ({"options": {"enable_fp_fusion": "maybe"}}, "enable_fp_fusion is True or False, not 'maybe'"),
        ({"target": Target.parse("sm_999")}, "this Triton compiles for no sm_999"),
        ({"target": Target.parse("gfx9999")}, "this Triton compiles for no gfx9999"),
        ({"arguments": {"x_ptr": "*fp16:3"}}, "not a power of two"),
        ({"arguments": {"x_ptr": "*fp16:0"}}, "not a power of two"),
        ({"arguments": {"x_ptr": "*fp16:99999999999999999999"}}, "not a power of two"),
        ({"configuration": 3}, "no @triton.autotune configurations"),
        ({"signature": "*fp32"}, "1 entries"),
        ({"arguments": {"nothing": "i32"}}, "no parameter 'nothing'"),
        ({"arguments": {"x_ptr": "*fp31"}}, "neither a type nor a constant"),
        ({"arguments": {"BLOCK_SIZE": "i32"}}, "needs a value"),
    ],
)
def test_what_does_not_fit_the_kernel_is_a_usage_error(fields: dict[str, object], words: str) -> None:
    with pytest.raises(IrscopeError) as raised:
        session.open(Request(SAMPLES / "vector_add.py", **{"target": HOPPER, **fields}))  # type: ignore[arg-type]
    assert raised.value.exit_code == 2
    assert words in raised.value.failure.message


def test_a_mistyped_name_is_guessed() -> None:
    for path, kernel, fields, meant in (
        (KERNELS / "two_kernels.py", "scale_kernal", {}, "scale_kernel"),
        (SAMPLES / "vector_add.py", None, {"options": {"num_wraps": "8"}}, "num_warps"),
        (SAMPLES / "vector_add.py", None, {"constants": {"BLOCKSIZE": "8"}}, "BLOCK_SIZE"),
    ):
        with pytest.raises(IrscopeError) as raised:
            session.open(Request(path, kernel, HOPPER, **fields))  # type: ignore[arg-type]
        assert str(raised.value.failure.hint).startswith(f"did you mean '{meant}'? it has ")


def test_an_unknown_architecture_is_found_before_llvm_aborts_on_it() -> None:
    with pytest.raises(IrscopeError) as raised:
        session.open(Request(SAMPLES / "flash_attention.py", target=Target.parse("sm_10")))
    assert raised.value.exit_code == 2
    assert "sm_80, " in str(raised.value.failure.hint)


def test_a_name_that_triton_takes_for_none_is_told_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "named.py"
    text = "import triton\nimport triton.language as tl\n@triton.jit\ndef größe(x_ptr):\n    tl.store(x_ptr, 1)\n"
    file.write_text(text, encoding="utf-8")
    compilation = session.open(Request(file, target=HOPPER))
    assert compilation.failure is None or compilation.failure.file == str(file)  # older versions of Triton take it


def test_what_ptxas_says_of_its_options_is_told() -> None:
    request = Request(SAMPLES / "vector_add.py", target=HOPPER, options={"ptx_options": "--nonsense"})
    failure = session.open(request).failure
    assert failure is not None
    assert failure.message == "ptxas: Unknown option '-nonsense'"


def test_a_function_of_a_library_that_is_not_linked_is_named() -> None:
    compilation = session.open(Request(KERNELS / "outside.py", target=HOPPER))
    failure = compilation.failure
    assert failure is not None
    assert failure.kind == "missing"
    assert "elsewhere_wait_for" in failure.message
    assert "extern_libs" in str(failure.hint)
    reached = [name for name, stage in compilation.stages.items() if stage.text is not None]
    assert {"ttir", "ttgir", "llir", "ptx"} <= set(reached)


@pytest.mark.parametrize("kernel", [b"@triton.jit\ndef kernel(x_ptr): pass\n", b"\n\n"], ids=["kernel", "none"])
@pytest.mark.parametrize(
    ("begin", "end", "line", "words"),
    [
        (b"\n", b"\n# caf\xe9\n", 6, "the file is not utf-8 text"),
        (b"# caf\xe9\n", b"\n", 1, "the file is not utf-8 text"),
        (b"#!python\n# coding: klingon\n", b"\n", 2, "unknown encoding: klingon"),
        (b"\n", b"\n\0\0\n", 6, "the file is not text: it has a null byte"),
    ],
    ids=["latin", "latin-in-line-1", "encoding", "null"],
)
def test_a_file_that_is_no_text_is_a_syntax_error_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: bytes, kernel: bytes, end: bytes, line: int, words: str
) -> None:
    (tmp_path / "kernels.py").write_bytes(begin + b"import triton\n" + kernel + end)
    monkeypatch.chdir(tmp_path)
    compilation = session.open(Request(Path("kernels.py"), target=HOPPER))
    failure = compilation.failure
    assert failure is not None
    assert compilation.kernel.file == failure.file == str(tmp_path / "kernels.py")
    assert (failure.kind, failure.line) == ("syntax", line)
    assert words in failure.message


def test_an_interpreter_without_triton_says_how_to_install_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "empty")], check=True)
    python = tmp_path / "empty" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    failure = session.open(Request(SAMPLES / "vector_add.py", target=HOPPER, python=python)).failure
    assert failure is not None
    assert failure.kind == "missing"
    assert f'uv pip install --python "{python}" triton' in str(failure.hint)
