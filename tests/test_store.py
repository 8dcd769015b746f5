"""When a kernel opens from the store, and when it is compiled again. With the real Triton throughout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from samples import SAMPLES

from irscope import bundle, session, store
from irscope.events import Event, Finished, WorkerStarted
from irscope.interpreter import identify
from irscope.model import Compilation, Target
from irscope.request import Request

HOPPER = Target.parse("sm_90")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel with a helper in another file, and an empty store."""
    monkeypatch.setenv("IRSCOPE_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("helper_calls.py", "activations.py", "harness.py"):
        shutil.copy(SAMPLES / name, tmp_path / name)
    return tmp_path


def opened(request: Request) -> bool:
    """Open a request; whether it came from the store, with no worker started."""
    events: list[Event] = []
    compilation = session.open(request, events.append)
    assert compilation.failure is None
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.stored != any(isinstance(event, WorkerStarted) for event in events)
    return last.stored


def test_an_unchanged_kernel_opens_without_a_worker(project: Path) -> None:
    request = Request(project / "helper_calls.py", target=HOPPER)
    assert not opened(request)
    assert opened(request)


def test_what_is_stored_is_what_was_compiled(project: Path) -> None:
    request = Request(project / "helper_calls.py", target=HOPPER)
    assert session.open(request) == session.open(request)


def test_only_the_users_files_take_part(project: Path) -> None:
    """multiprocessing, which torch imports, gives the worker's own main module another name."""
    file = project / "helper_calls.py"
    file.write_text("import multiprocessing\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    compilation = session.open(Request(file, target=HOPPER))
    names = {Path(source.path).name for source in compilation.sources}
    assert {"helper_calls.py", "activations.py"} <= names
    assert "__main__.py" not in names


def test_a_file_that_changes_while_it_compiles_is_stored_as_it_was(project: Path) -> None:
    file = project / "changing.py"
    file.write_text(
        "import pathlib\nimport triton\nimport triton.language as tl\n\n"
        "def change(_):\n    file = pathlib.Path(__file__)\n"
        "    file.write_text(file.read_text().replace('ptr, 2' + '.0', 'ptr, 3' + '.0'))\n    return 64\n\n"
        "@triton.heuristics({'BLOCK': change})\n@triton.jit\ndef kernel(ptr, BLOCK: tl.constexpr):\n"
        "    tl.store(ptr, 2.0)\n",
        encoding="utf-8",
    )
    for value in ("2.0", "3.0"):  # the second time as the first one left it
        compilation = session.open(Request(file, target=HOPPER))
        assert f"tl.store(ptr, {value})" in compilation.sources[0].text
        assert f"{float(value):e}" in compilation.text("ttir")


@pytest.mark.parametrize("name", ["helper_calls.py", "activations.py"])
def test_a_changed_file_misses_and_the_old_text_hits_again(project: Path, name: str) -> None:
    request = Request(project / "helper_calls.py", target=HOPPER)
    file = project / name
    original = file.read_text(encoding="utf-8")
    assert not opened(request)
    file.write_text(original + "\n# changed\n", encoding="utf-8")
    assert not opened(request)
    file.write_text(original, encoding="utf-8")
    assert opened(request)


def test_other_options_targets_and_environments_miss(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project / "helper_calls.py"
    assert not opened(Request(path, target=HOPPER))
    assert not opened(Request(path, target=HOPPER, options={"num_warps": "2"}))
    assert not opened(Request(path, target=HOPPER, constants={"BLOCK_SIZE": "256"}))
    assert not opened(Request(path, target=Target.parse("sm_80")))
    assert opened(Request(path, target=HOPPER))
    monkeypatch.setenv("DISABLE_LLVM_OPT", "1")
    assert not opened(Request(path, target=HOPPER))


def test_another_triton_has_another_key(project: Path, tmp_path: Path) -> None:
    request = Request(project / "helper_calls.py")
    own = identify(None)
    assert own.triton is not None
    other = type(own)(own.python, "0.0", "another fingerprint")
    assert store.key_of(request, HOPPER, own) != store.key_of(request, HOPPER, other)


def test_a_damaged_entry_is_rebuilt_and_never_shown(project: Path) -> None:
    request = Request(project / "helper_calls.py", target=HOPPER)
    compilation = session.open(request)
    (entry,) = (entry for key in store.root().iterdir() if key.is_dir() for entry in store.entries(key))
    stage = entry / bundle.stage_file(compilation, "ttgir")
    stage.write_text("damaged", encoding="utf-8")
    assert not opened(request)
    assert session.open(request).stages["ttgir"].text == compilation.stages["ttgir"].text


def test_a_failing_kernel_is_not_stored(project: Path) -> None:
    broken = project / "helper_calls.py"
    broken.write_text(broken.read_text(encoding="utf-8").replace("tl.store(", "tl.stored("), encoding="utf-8")
    request = Request(broken, target=HOPPER)
    for _ in range(2):
        events: list[Event] = []
        assert session.open(request, events.append).failure is not None
        assert any(isinstance(event, WorkerStarted) for event in events)


def test_two_irscopes_at_once_are_both_right(project: Path) -> None:
    """Two processes with one store, twice: neither sees a half-written entry."""
    command = [sys.executable, "-m", "irscope", "dump", str(project / "helper_calls.py"), "--target", "sm_90",
               "--stage", "ptx"]  # fmt: skip

    def dump() -> str:
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: dump(), range(2))
    assert first == second == dump()
    assert ".visible .entry gated_rows_kernel" in first


def test_old_entries_of_a_request_are_dropped(matmul, project: Path) -> None:  # type: ignore[no-untyped-def]
    for _ in range(store.ENTRIES_PER_REQUEST + 3):
        store.put("a-key", matmul)
    assert len(store.entries(store.root() / "a-key")) == store.ENTRIES_PER_REQUEST


def test_the_store_stays_within_its_limit(matmul, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(store, "MAX_BYTES", 1_500_000)
    for number in range(60):
        store.put(f"key-{number}", matmul)
    used = sum(file.stat().st_size for file in store.root().rglob("*") if file.is_file())
    # It is looked at once in fifty writes, so that much may come on top.
    one = sum(len(content) for content in bundle.files_of(matmul).values())
    assert used < store.MAX_BYTES + 11 * one


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff\xfe"])
def test_a_damaged_count_of_writes_is_begun_again(matmul: Compilation, content: bytes) -> None:
    store.root().mkdir(parents=True, exist_ok=True)
    mark = store.root() / ".trimmed"
    mark.write_bytes(content)
    store.put("0" * 40, matmul)
    assert mark.read_bytes() == b"1"
