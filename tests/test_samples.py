"""Every sample kernel through irscope as a user would, and its figures against ptxas."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from samples import SAMPLE_KERNELS, SAMPLES, sample_id, some_in_a_sweep

from irscope import session, tools
from irscope.analysis.figures import figures
from irscope.analysis.resources import ptxas_reports
from irscope.model import Compilation

CUDA_TARGETS = ("sm_75", "sm_80", "sm_90", "sm_120")
AMD_TARGETS = ("gfx90a", "gfx942", "gfx1100")

Compile = Callable[[str, str], Compilation]


def test_every_sample_file_has_a_kernel_or_is_used_by_one() -> None:
    helpers = {"activations.py", "harness.py"}
    for file in SAMPLES.glob("*.py"):
        assert session.kernels(file) or file.name in helpers, file.name


@pytest.mark.parametrize("target", [some_in_a_sweep(target, "sm_80", "sm_90") for target in CUDA_TARGETS])
@pytest.mark.parametrize("path", SAMPLE_KERNELS, ids=sample_id)
def test_figures_are_those_that_ptxas_prints_for_the_same_ptx(compiled_sample: Compile, path: str, target: str) -> None:
    compilation = compiled_sample(path, target)
    assert compilation.failure is None, compilation.failure
    assert list(compilation.stages) == ["ttir", "ttgir", "llir", "ptx", "sass", "cubin"]
    ptx = compilation.text("ptx")
    declared = re.search(r"^\.target (sm_\w+)", ptx, re.MULTILINE)
    assert declared is not None
    fusion = [] if compilation.metadata["enable_fp_fusion"] else ["--fmad=false"]
    # As Triton runs it: since 3.7 with an option of its own, which changes the allocation of registers.
    own = ["--regAllocOptLevel=2"] if str(compilation.triton) >= "3.7" else []
    options = ["-lineinfo", *fusion, *own]
    tool = tools.find("ptxas-blackwell") if takes_blackwell(compilation) else tools.find("ptxas")
    log = tools.ptxas_verbose(ptx, declared[1], *options, tool=tool)
    printed = ptxas_reports(log)[compilation.kernel.name]
    ours = figures(compilation).resources
    assert ours.registers == printed.registers
    assert ours.spill_store_bytes == printed.spill_store_bytes
    assert ours.spill_load_bytes == printed.spill_load_bytes
    assert ours.stack_bytes == printed.stack_bytes
    assert ours.shared_static_bytes == (printed.shared_static_bytes or 0)
    assert ours.barriers == (printed.barriers or 0)
    assert ours.shared_dynamic_bytes == compilation.metadata["shared"]


def takes_blackwell(compilation: Compilation) -> bool:
    return "ptxas-blackwell" in compilation.ptxas_log


@pytest.mark.sweep
def test_one_sample_spills_so_that_the_comparison_covers_spills(compiled_sample: Compile) -> None:
    spilled = [
        figures(compiled_sample(path, target)).resources.spill_store_bytes
        for path in SAMPLE_KERNELS
        for target in CUDA_TARGETS
    ]
    assert any(spilled)


@pytest.mark.parametrize("target", [some_in_a_sweep(target, "gfx942") for target in AMD_TARGETS])
@pytest.mark.parametrize("path", SAMPLE_KERNELS, ids=sample_id)
def test_samples_compile_for_amd(compiled_sample: Compile, path: str, target: str) -> None:
    compilation = compiled_sample(path, target)
    assert compilation.failure is None, compilation.failure
    assert list(compilation.stages) == ["ttir", "ttgir", "llir", "amdgcn", "hsaco"]
    found = figures(compilation)
    assert found.resources.registers
    assert found.resources.shared_dynamic_bytes == compilation.metadata["shared"]
    assert found.occupancy.warps_per_sm


@pytest.mark.parametrize("path", SAMPLE_KERNELS, ids=sample_id)
def test_no_sample_needs_more_than_a_guessed_block_size(compiled_sample: Compile, path: str) -> None:
    provenance = compiled_sample(path, "sm_90").specialization.provenance
    guessed = [name for name, source in provenance.items() if source == "guessed"]
    assert all(name.startswith("BLOCK") for name in guessed), guessed


def test_helpers_in_other_files_are_part_of_the_compilation(compiled_sample: Compile) -> None:
    compilation = compiled_sample(f"{SAMPLES / 'helper_calls.py'}::gated_rows_kernel", "sm_90")
    assert compilation.source(str(SAMPLES / "activations.py")) is not None
