"""AMD's assembly in depth, against the code object's own records and LLVM's comments on loops."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from binaries import Binary
from machine_code import VARIED_KERNELS
from samples import SAMPLE_KERNELS, SAMPLES, sample_id

from irscope.analysis import amd
from irscope.analysis.sass.kinds import OTHER
from irscope.ir import hsaco
from irscope.model import Compilation

TARGETS = ("gfx90a", "gfx942", "gfx1100")


@pytest.mark.sweep
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", (*SAMPLE_KERNELS, *VARIED_KERNELS), ids=sample_id)
def test_every_opcode_has_a_kind(compiled_sample: Callable[[str, str], Compilation], path: str, target: str) -> None:
    read = amd.read(compiled_sample(path, target))
    assert read is not None
    assert read.mix.other == {}
    assert sum(read.mix.kinds.values()) == read.mix.instructions == len(read.instructions)
    assert [each for each in read.mix.accesses if each.bits is None] == []


def test_figures_are_those_of_the_code_object(hsacos: list[Binary]) -> None:
    for binary in hsacos:
        read = amd.parse(binary.text, binary.facts["name"])
        record = hsaco.read(binary.data).kernel(binary.facts["name"])
        assert read is not None
        assert record is not None
        found = read.figures
        assert (found.vgprs, found.agprs, found.sgprs) == (record.vgprs, record.agprs, record.sgprs), binary
        assert (found.vgpr_spills, found.sgpr_spills) == (record.vgpr_spills, record.sgpr_spills), binary
        assert (found.lds_bytes, found.scratch_bytes) == (record.lds_bytes, record.scratch_bytes), binary
        assert found.wave == record.wavefront_size
        assert found.waves_per_simd is not None
        assert (read.mix.spills == 0) == (record.vgpr_spills == record.sgpr_spills == 0), binary


def test_instructions_are_the_rows_that_the_stage_counts(hsacos: list[Binary]) -> None:
    for binary in hsacos:
        read = amd.parse(binary.text)
        assert read is not None
        lines = binary.text.split("\n")
        assert all(lines[row].split()[0] == read.instructions[number].opcode for row, number in read.numbers.items())
        code, _, _ = binary.text.partition(".amdgpu_metadata")
        assert len(read.instructions) == len(re.findall(r"^\t[a-z]\w+", code, re.MULTILINE)), binary


def test_what_a_kernel_calls_is_behind_it(hsacos: list[Binary]) -> None:
    called = [binary for binary in hsacos if binary.name == "calls"]
    assert called
    for binary in called:
        read, record = amd.parse(binary.text), hsaco.read(binary.data).kernel(binary.facts["name"])
        assert read is not None and record is not None
        # No instruction is shorter than 4 bytes.
        assert record.code_bytes is not None and record.code_bytes >= 4 * len(read.instructions)
        assert read.flow.calls
        for number in read.flow.calls:
            (entry,) = read.flow.targets[number]
            block = read.flow.blocks[read.flow.block_of[entry]]
            assert block.first == entry and not block.predecessors and block.number in read.flow.reached
        ends = [read.instructions[block.last].opcode for block in read.flow.blocks if not block.successors]
        assert "s_endpgm" in ends and ends[-1].startswith("s_setpc"), binary


def test_loops_are_those_that_llvm_remarks(hsacos: list[Binary]) -> None:
    """It remarks most of them; none that it remarks is missing, and their depths are the same."""
    seen = 0
    header = re.compile(
        r"^(\.LBB\d+_\d+):\s+; (?:Parent Loop.*\n\s*; )*=>\s*This (?:Inner )?Loop Header: Depth=(\d+)", re.M
    )
    for binary in hsacos:
        for function in re.findall(r"\.type\s+(\S+),@function", binary.text):
            read = amd.parse(binary.text, function)
            assert read is not None
            ours = {read.flow.blocks[loop.header].first: loop.depth for loop in read.flow.loops}
            for label, depth in header.findall(binary.text):
                if label in read.labels:
                    assert ours.get(read.labels[label]) == int(depth), (str(binary), label)
                    seen += 1
    assert seen > 3


def test_a_matmul_multiplies_in_its_loop_and_loads_a_tile_of_each_operand(
    compiled_sample: Callable[[str, str], Compilation],
) -> None:
    read = amd.read(compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", "gfx942"))
    assert read is not None
    inside = read.loop_mixes[0]
    assert list(inside.tensor) == ["v_mfma_f32_32x32x8_f16"]
    assert 0 < inside.instructions < read.mix.instructions
    assert read.part(read.flow.instructions_of(read.flow.loops[0])) == inside


def test_a_text_without_a_kernel_is_nothing() -> None:
    assert amd.parse("") is None
    assert amd.parse("\t.text\n") is None


@pytest.mark.parametrize(
    ("opcode", "operands", "expected"),
    [
        ("global_load_dwordx4", "v[2:5], v[0:1], off", ("global", "load", 128, 64 * 16)),
        ("buffer_load_dword", "v1, s[4:7], 0 offen lds", ("global to shared", "copy", 32, 64 * 4)),
        ("global_store_d16_hi_b16", "v[0:1], v2, off", ("global", "store", 16, 64 * 2)),
        ("ds_read2st64_b64", "v[0:3], v4 offset1:1", ("shared", "load", 128, 64 * 16)),
        ("ds_load_2addr_stride64_b32", "v[0:1], v4", ("shared", "load", 64, 64 * 8)),
        ("ds_write_b128", "v1, v[2:5]", ("shared", "store", 128, 64 * 16)),
        ("ds_add_u32", "v1, v2", ("shared", "atomic", 32, 64 * 4)),
        ("scratch_store_b64", "off, v[0:1], off", ("local", "store", 64, 64 * 8)),
        ("s_load_dwordx8", "s[0:7], s[8:9], 0x0", ("constant", "load", 256, 32)),
    ],
)
def test_what_memory_instructions_move(opcode: str, operands: str, expected: tuple[object, ...]) -> None:
    found = amd.access(amd.Instruction(0, opcode, tuple(operands.split(", "))), 64)
    assert found is not None
    assert (found.space, found.direction, found.bits, found.bytes_per_warp) == expected


@pytest.mark.parametrize(
    ("opcode", "expected"),
    [
        ("v_mfma_f32_32x32x8_f16", "tensor core"),
        ("v_cmp_lt_f32_e64", "float"),
        ("v_cmp_lt_i32_e64", "integer"),
        ("v_cvt_f16_f32_e32", "conversion"),
        ("v_exp_f32_e32", "special function"),
        ("v_dual_cndmask_b32", "data movement"),
        ("v_add_f32_dpp", "float"),
        ("ds_bpermute_b32", "warp exchange"),
        ("s_cbranch_scc1", "control"),
        ("s_add_u32", "uniform datapath"),
        ("s_waitcnt", "barrier"),
        ("x_new", OTHER),
    ],
)
def test_kinds(opcode: str, expected: str) -> None:
    assert amd.kind(opcode) == expected
    assert amd.access(amd.Instruction(0, "v_add_u32", ()), 64) is None
