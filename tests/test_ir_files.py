"""IR files and entries of Triton's cache, which are read and never run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import SAMPLES

from irscope import bundle, session
from irscope.analysis.figures import figures
from irscope.cli import main
from irscope.model import Compilation
from irscope.request import IrscopeError, Request

COMPILE = """
import sys
sys.path.insert(0, {folder!r})
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
import {module} as file
kernel = file.{kernel}
signature = {{p.name: "constexpr" if p.is_constexpr else "*fp32" if "ptr" in p.name else "i32" for p in kernel.params}}
constants = {{p.name: 1024 for p in kernel.params if p.is_constexpr}}
triton.compile(ASTSource(kernel, signature, constants), target=GPUTarget("cuda", 80, 32))
"""


def opened(path: Path) -> Compilation:
    return session.open(Request(path))


@pytest.fixture(scope="module")
def cache_entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Triton itself left in its cache."""
    return triton_cache_entry(SAMPLES / "vector_add.py", "vector_add_kernel", tmp_path_factory.mktemp("triton-cache"))


def triton_cache_entry(file: Path, kernel: str, cache: Path) -> Path:
    environment = {**os.environ, "TRITON_CACHE_DIR": str(cache)}
    code = COMPILE.format(folder=str(file.parent), module=file.stem, kernel=kernel)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    (entry,) = (path.parent for path in cache.rglob("*.cubin"))
    return entry


def test_a_whole_cache_is_told_to_be_one(cache_entry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", str(cache_entry.parent)]) == 2
    assert f"name one of them, {cache_entry.parent}" in capsys.readouterr().err


def test_a_cache_entry_opens_with_all_its_stages(cache_entry: Path) -> None:
    compilation = opened(cache_entry)
    assert compilation.kernel.name == "vector_add_kernel"
    assert compilation.target.arch == "sm_80"
    assert list(compilation.stages) == ["ttir", "ttgir", "llir", "ptx", "sass", "cubin"]
    assert compilation.source(str(SAMPLES / "vector_add.py")) is not None
    assert compilation.triton
    found = figures(compilation)
    assert found.resources.registers
    assert found.resources.shared_dynamic_bytes == 0
    assert found.occupancy.blocks_per_sm


def test_the_metadata_file_of_an_entry_opens_it_too(cache_entry: Path) -> None:
    assert opened(cache_entry / "vector_add_kernel.json").stages.keys() == opened(cache_entry).stages.keys()


@pytest.mark.parametrize("folder", ["with space", "José", "quote'"])
def test_sources_are_found_whatever_their_folders_name(tmp_path: Path, folder: str) -> None:
    """MLIR, LLVM IR and PTX each have their own way to write such names."""
    file = tmp_path / folder / "copied.py"
    file.parent.mkdir()
    file.write_bytes((SAMPLES / "vector_add.py").read_bytes())
    entry = triton_cache_entry(file, "vector_add_kernel", tmp_path / "cache")
    for stage in ("ttir", "ttgir", "llir", "ptx"):
        assert opened(entry / f"vector_add_kernel.{stage}").source(str(file)) is not None, stage


@pytest.mark.parametrize("target", ["sm_80", "sm_90"])
def test_sass_alone_tells_kernel_and_target(
    compiled_sample: Callable[..., Compilation], tmp_path: Path, target: str
) -> None:
    compilation = compiled_sample(f"{SAMPLES / 'softmax.py'}::softmax_kernel", target)
    file = tmp_path / "some.sass"
    file.write_text(compilation.text("sass"), encoding="utf-8")
    alone = opened(file)
    assert (alone.kernel.name, alone.target.arch) == ("softmax_kernel", target)


def test_a_location_that_no_file_system_takes_is_no_source(tmp_path: Path) -> None:
    file = tmp_path / "kernel.ttir"
    file.write_text(f'%0 = x.y loc("/{"long" * 3000}.py":1:1)\n%1 = x.y loc("/nul\\00.py":1:1)\n', encoding="utf-8")
    assert opened(file).sources == []


@pytest.mark.parametrize("stage", ["ttir", "ttgir", "llir", "ptx", "cubin"])
def test_a_single_file_of_any_stage_opens(cache_entry: Path, stage: str) -> None:
    compilation = opened(cache_entry / f"vector_add_kernel.{stage}")
    assert stage in compilation.stages
    assert compilation.kernel.name == "vector_add_kernel"
    if stage != "ttir":  # which is not for a target yet
        assert compilation.target.backend == "cuda"
    if stage in ("ptx", "cubin"):
        assert compilation.target.arch == "sm_80"
    assert compilation.source(str(SAMPLES / "vector_add.py")) is not None or stage == "cubin"


def test_a_cubin_alone_gives_sass_and_figures(cache_entry: Path) -> None:
    compilation = opened(cache_entry / "vector_add_kernel.cubin")
    assert "EXIT" in compilation.text("sass")
    used = figures(compilation).resources
    assert used.registers == figures(opened(cache_entry)).resources.registers
    assert used.shared_dynamic_bytes is None  # only Triton's metadata knows


@pytest.mark.parametrize("stage", ["amdgcn", "hsaco", "llir"])
def test_amd_files_open(compiled_sample, tmp_path: Path, stage: str) -> None:  # type: ignore[no-untyped-def]
    compilation = compiled_sample(f"{SAMPLES / 'softmax.py'}::softmax_kernel", "gfx942")
    file = tmp_path / bundle.stage_file(compilation, stage)
    found = compilation.stages[stage]
    file.write_bytes(found.data if found.data is not None else found.text.encode())
    alone = opened(file)
    assert alone.kernel.name == "softmax_kernel"
    # LLVM IR has said it since Triton 3.9.
    assert alone.target.arch == ("gfx942" if stage != "llir" or "amdgpu9.42" in found.text else "unknown")


def test_opening_runs_no_code(tmp_path: Path, cache_entry: Path) -> None:
    """A file beside the stages, named as a module would be, is not imported; nor is what a location names."""
    trap = tmp_path / "trap.py"
    trap.write_text("raise SystemExit('this ran')", encoding="utf-8")
    text = (cache_entry / "vector_add_kernel.ttir").read_text(encoding="utf-8")
    stage = tmp_path / "kernel.ttir"
    stage.write_text(text.replace(str(SAMPLES / "vector_add.py"), str(trap)), encoding="utf-8")
    assert opened(stage).source(str(trap)) is not None


@pytest.mark.parametrize("suffix", ["cubin", "hsaco", "ptx", "ttir"])
@pytest.mark.parametrize("content", [b"", b"not what it says \xff\xfe", b"\x7fELF" + bytes(200)])
def test_damaged_files_are_one_clear_line(tmp_path: Path, suffix: str, content: bytes) -> None:
    file = tmp_path / f"kernel.{suffix}"
    file.write_bytes(content)
    try:
        compilation = opened(file)
    except IrscopeError as error:
        assert error.exit_code == 2
        assert "\n" not in error.failure.message
    else:
        assert suffix in ("ptx", "ttir")
        assert figures(compilation).resources.registers is None


@pytest.mark.parametrize("content", ['{"target": ', "[]", "null", '{"target": {"arch": 80}}', "\xff"])
def test_damaged_metadata_is_one_clear_line(cache_entry: Path, tmp_path: Path, content: str) -> None:
    for file in cache_entry.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "vector_add_kernel.json").write_text(content, encoding="latin-1")
    with pytest.raises(IrscopeError, match="not Triton's metadata") as failure:
        opened(tmp_path)
    assert "\n" not in failure.value.failure.message


def test_a_damaged_bundle_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "kernel.irscope"
    file.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(IrscopeError, match="not a whole bundle"):
        opened(file)
