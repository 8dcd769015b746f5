"""The figures equal what ptxas prints for the same PTX with the same options."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from binaries import CUDA_TARGETS, Binary

from irscope import tools
from irscope.analysis import resources as module
from irscope.analysis.resources import from_cubin, from_hsaco, ptxas_reports, resources, sass_spills
from irscope.ir import cubin
from irscope.model import Compilation, Kernel, Resources, Specialization, Stage, Target

STATIC_SHARED = Path(__file__).parents[1] / "data" / "static_shared.ptx"


def _ours(binary: Binary, **changes: str) -> Resources:
    return from_cubin(binary.data, **{"name": binary.facts["name"], "sass": binary.sass, "ptx": binary.text, **changes})


def _ptxas(binary: Binary) -> Resources:
    return ptxas_reports(binary.ptxas_log)[binary.facts["name"]]


@pytest.mark.parametrize(
    ("field", "left_out_means"),
    [
        ("registers", None),
        ("spill_store_bytes", None),
        ("spill_load_bytes", None),
        ("stack_bytes", None),
        ("local_bytes", 0),
        ("shared_static_bytes", 0),
    ],
)
def test_figure_is_ptxas_own(cubins: list[Binary], field: str, left_out_means: int | None) -> None:
    for binary in cubins:
        expected = getattr(_ptxas(binary), field)
        expected = left_out_means if expected is None else expected
        assert expected is not None
        assert getattr(_ours(binary), field) == expected, binary


@pytest.mark.parametrize("field", ["barriers", "constant_bytes"])
def test_figure_is_ptxas_own_where_it_prints_it(cubins: list[Binary], field: str) -> None:
    """ptxas prints no barriers before CUDA 12.5, and no constant bank for Hopper and later."""
    compared = [binary for binary in cubins if getattr(_ptxas(binary), field) is not None]
    assert compared
    for binary in compared:
        assert getattr(_ours(binary), field) == getattr(_ptxas(binary), field), binary


def test_the_kernels_try_what_can_differ(cubins: list[Binary]) -> None:
    """Else equal figures would say little: some spill, some do not, some have barriers, some call a function."""
    for target in CUDA_TARGETS:
        found = [_ours(binary) for binary in cubins if binary.target == target]
        assert {bool(figures.spill_store_bytes) for figures in found} == {True, False}
        assert {bool(figures.barriers) for figures in found} == {True, False}
    assert all(".func" in binary.text for binary in cubins if binary.name == "calls")


def test_spills_come_from_the_log_where_it_is_there(cubins: list[Binary]) -> None:
    binary = next(binary for binary in cubins if _ours(binary).spill_store_bytes)
    assert _ours(binary, sass="").spill_store_bytes is None
    with_log = _ours(binary, sass="", ptxas_log=binary.ptxas_log)
    assert with_log.spill_store_bytes == _ours(binary).spill_store_bytes


def test_marks_alone_tell_the_spills(cubins: list[Binary]) -> None:
    """Without the PTX nothing says that the kernel has no local memory of its own; the marks in the cubin do."""
    for binary in cubins:
        kernel = cubin.read(binary.data).kernels[0]
        if kernel.spills is not None:
            assert sass_spills(kernel, binary.sass, "") == sass_spills(kernel, binary.sass, binary.text), binary
        elif kernel.stack_bytes:
            assert sass_spills(kernel, binary.sass, "") is None


def test_overflowed_marks_are_not_trusted(cubins: list[Binary], monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, sass = next((cubin.read(b.data).kernels[0], b.sass) for b in cubins if cubin.read(b.data).kernels[0].spills)
    monkeypatch.setattr(module, "_MARKS_AT_MOST", 1)
    assert sass_spills(kernel, sass, "") is None


def _assembled(binary: Binary, ptx: str) -> tuple[bytes, tools.Tool, str, str]:
    """A PTX text made into a cubin as Triton did with the binary: cubin, ptxas, architecture, the text as filled in."""
    path, *options = binary.facts["ptxas"]
    arch = next(option for option in options if option.startswith("--gpu-name=")).partition("=")[2]
    version = re.search(r"^\.version (\S+)", binary.text, re.MULTILINE)
    assert version
    ptx = ptx.replace("@TARGET@", arch).replace("@VERSION@", version[1])
    tool = tools.Tool("ptxas", Path(path), "Triton")
    return tools.assemble(ptx, arch, tool=tool), tool, arch, ptx


@pytest.mark.parametrize("target", CUDA_TARGETS)
def test_of_two_kernels_each_has_its_own_figures(cubins: list[Binary], target: str) -> None:
    ptx = STATIC_SHARED.read_text(encoding="utf-8")
    entry = ptx[ptx.index(".visible .entry") :]
    shorter = entry.replace("static_shared(", "shorter(").replace("bar.sync 3, 128;", "")
    binary = next(binary for binary in cubins if binary.target == target)
    data, _, _, ptx = _assembled(binary, ptx + shorter)
    sass = tools.disassemble(data, "-c")
    figures = [from_cubin(data, name, sass, ptx) for name in ("static_shared", "shorter")]
    assert [used.code_bytes for used in figures] == [16 * (used.instructions or 0) for used in figures]
    assert [used.barriers for used in figures] == [4, 1]
    # Marked or not, no local access of either is a spill.
    assert {used.spill_store_bytes for used in figures} <= {0, None}


@pytest.mark.parametrize("target", CUDA_TARGETS)
def test_static_shared_memory_barriers_and_own_local_memory(cubins: list[Binary], target: str) -> None:
    binary = next(binary for binary in cubins if binary.target == target)
    data, tool, arch, ptx = _assembled(binary, STATIC_SHARED.read_text(encoding="utf-8"))
    expected = ptxas_reports(tools.ptxas_verbose(ptx, arch, tool=tool))["static_shared"]
    ours = from_cubin(data, sass=tools.disassemble(data, "-c"), ptx=ptx)
    assert ours.shared_static_bytes == expected.shared_static_bytes == 1300
    assert (ours.registers, ours.local_bytes) == (expected.registers, expected.local_bytes)
    assert ours.barriers == 4
    # Its local memory is no spill.
    assert ours.stack_bytes == expected.stack_bytes == 64
    if ours.spill_store_bytes is not None:
        assert (ours.spill_store_bytes, ours.spill_load_bytes) == (0, 0)


def test_instructions_are_as_many_as_the_code_has_room_for(cubins: list[Binary]) -> None:
    for binary in cubins:
        figures = _ours(binary)
        assert figures.instructions is not None
        assert figures.instructions * 16 == figures.code_bytes, binary


def test_amd_spills_are_four_bytes_a_register(hsacos: list[Binary]) -> None:
    spilled = 0
    for binary in hsacos:
        count = int(re.findall(r"\.vgpr_spill_count:\s*(\d+)", binary.text)[0])
        figures = from_hsaco(binary.data, amdgcn=binary.text)
        assert figures.spill_store_bytes == 4 * count, binary
        assert bool(figures.spill_load_bytes) == bool(count)
        spilled += count
    assert spilled, "no kernel spills, so nothing was compared"


def test_amd_spills_without_comments_are_those_of_scratch_memory(hsacos: list[Binary]) -> None:
    """Tritons before 3.9 comment some spills alone."""
    binary = next(b for b in hsacos if from_hsaco(b.data, amdgcn=b.text).spill_store_bytes)
    known = from_hsaco(binary.data, amdgcn=binary.text)
    bare = re.sub(r"(;.*)-byte Folded", r"\1", binary.text)
    assert from_hsaco(binary.data, amdgcn=bare) == known
    fewer = re.sub(r"\n\tscratch_store[^\n]*", "", bare, count=1)
    assert from_hsaco(binary.data, amdgcn=fewer).spill_store_bytes is None
    assert from_hsaco(binary.data).spill_store_bytes is None


def test_a_compilation_gives_its_own_figures(cubins: list[Binary]) -> None:
    binary = next(binary for binary in cubins if str(binary) == "sm_90/product")
    compilation = Compilation(
        Kernel("product.py", binary.facts["name"]),
        Target.parse(binary.target),
        Specialization(),
        {
            "ptx": Stage("ptx", text=binary.text),
            "sass": Stage("sass", text=binary.sass),
            "cubin": Stage("cubin", data=binary.data),
        },
        metadata=binary.facts,
    )
    figures = resources(compilation)
    assert figures == replace(_ours(binary), shared_dynamic_bytes=binary.facts["shared"])
    assert binary.facts["shared"] > 0
    only_ptx = replace(compilation, stages={"ptx": compilation.stages["ptx"]}, metadata={})
    assert resources(only_ptx) == Resources()
