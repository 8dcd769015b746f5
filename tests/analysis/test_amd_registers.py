"""Live registers of AMD's code against what LLVM allocated, and against walks along the code."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from binaries import Binary
from samples import SAMPLE_KERNELS, SAMPLES, some_in_a_sweep

from irscope.analysis import amd
from irscope.analysis.amd_lanes import every_lane
from irscope.analysis.amd_operands import registers, sets
from irscope.analysis.amd_registers import live_registers
from irscope.analysis.live import LiveRegisters
from irscope.model import Compilation
from irscope.request import IrscopeError

KERNEL = """
	.text
	.type	kernel,@function
kernel:
{code}
.Lfunc_end0:
"""


def code(*rows: str) -> amd.Amd:
    """A kernel of these instructions and labels."""
    lines = [row if row.endswith(":") else f"\t{row}" for row in (*rows, "s_endpgm")]
    found = amd.parse(KERNEL.format(code="\n".join(lines)))
    assert found is not None
    return found


def live(*rows: str) -> list[set[str]]:
    read = code(*rows)
    found = live_registers(read)
    return [set(found.names(number)) for number in range(len(read.instructions) - 1)]


@pytest.fixture(scope="module")
def assemblies(hsacos: list[Binary]) -> list[amd.Amd]:
    found = [read for binary in hsacos if (read := amd.parse(binary.text)) is not None]
    assert len(found) > 10
    return [read for read in found if not read.flow.calls]


@pytest.mark.parametrize("target", [some_in_a_sweep(target, "gfx942") for target in ("gfx90a", "gfx942", "gfx1100")])
def test_the_peak_is_what_llvm_allocated_or_a_little_less(
    target: str, compiled_sample: Callable[[str, str], Compilation]
) -> None:
    shares = []
    for path in SAMPLE_KERNELS:
        read = amd.read(compiled_sample(path, target))
        assert read is not None
        if read.flow.calls:
            continue
        found = live_registers(read)
        assert read.figures.vgprs is not None and read.figures.sgprs is not None
        assert found.peak <= read.figures.vgprs, path
        assert max(found.count(number).uniform for number in range(len(found.live))) <= read.figures.sgprs, path
        shares.append(found.peak / read.figures.vgprs)
    assert len(shares) > 7
    assert min(shares) > 0.85
    assert sorted(shares)[len(shares) // 2] > 0.97


def test_the_peak_is_within_the_allocation_of_every_target(assemblies: list[amd.Amd]) -> None:
    for read in assemblies:
        assert read.figures.vgprs is not None
        assert 0 < live_registers(read).peak <= read.figures.vgprs + (read.figures.agprs or 0), read.name


def test_what_a_walk_along_the_code_reads_was_live_since_it_was_written(assemblies: list[amd.Amd]) -> None:
    """The definition, executed: from the latest write of a register to each of its reads it is live."""
    chooser = random.Random(4)
    reads = 0
    for read in assemblies:
        found = live_registers(read)
        for _ in range(4):
            reads += _walk(read, found, chooser)
    assert reads > 10_000


def _walk(read: amd.Amd, found: LiveRegisters, chooser: random.Random) -> int:
    """How many reads were looked at."""
    since: dict[int, int] = {}
    path: list[int] = []
    reads = 0
    block = read.flow.blocks[0]
    while len(path) < 2000:
        for number in range(block.first, block.last + 1):
            path.append(number)
            for register in _bits(found.read[number]):
                if register in since:
                    reads += 1
                    between = path[since[register] :]
                    assert all(found.live[at] >> register & 1 for at in between), (read.name, number, register)
                    # Looked at up to here.
                    since[register] = len(path) - 1
            since.update(dict.fromkeys(_bits(found.written[number]), len(path) - 1))
        if not block.successors:
            break
        block = read.flow.blocks[chooser.choice(block.successors)]
    return reads


def _bits(held: int) -> list[int]:
    return [position for position, digit in enumerate(reversed(bin(held)[2:])) if digit == "1"]


def test_a_value_lives_from_its_write_to_its_last_read() -> None:
    assert live("v_mov_b32_e32 v5, 1", "v_mov_b32_e32 v6, 2", "v_add_u32_e32 v7, v5, v6", "v_mov_b32_e32 v8, v7") == [
        {"v5"}, {"v5", "v6"}, {"v5", "v6", "v7"}, {"v7", "v8"},
    ]  # fmt: skip


def test_what_is_there_from_the_start_is_live_until_it_is_read() -> None:
    assert live("s_nop 0", "v_add_u32_e32 v5, s4, v0") == [{"s4", "v0"}, {"s4", "v0", "v5"}]
    # Nobody wrote v9.
    assert live("s_nop 0", "v_mov_b32_e32 v5, v9")[0] == set()


def test_through_a_loop() -> None:
    rows = live(
        "v_mov_b32_e32 v5, 0", "s_mov_b32 s4, 8", ".LBB0_1:", "v_add_u32_e32 v5, v5, v0", "s_add_i32 s4, s4, -1",
        "s_cmp_lg_u32 s4, 0", "s_cbranch_scc1 .LBB0_1", "v_mov_b32_e32 v6, v5",
    )  # fmt: skip
    assert all({"v0", "v5", "s4"} <= row for row in rows[2:5])
    assert rows[5] >= {"v0", "v5"}
    assert rows[6] == {"v5", "v6"}


MASKED = (
    "v_mov_b32_e32 v5, 1",
    "s_and_saveexec_b64 s[0:1], vcc",
    "v_mov_b32_e32 v6, 3",
    "v_mov_b32_e32 v5, v6",
    "s_or_b64 exec, exec, s[0:1]",
    "v_mov_b32_e32 v7, v5",
)


def test_lanes_that_take_no_part_keep_their_value() -> None:
    """The 1 is still wanted by the lanes that do not come to the second write."""
    rows = live(*MASKED)
    assert all("v5" in row for row in rows)
    found = live_registers(code(*MASKED))
    assert found.partly == (False, False, False, True, False, False, False)
    assert found.definitions(code(*MASKED).flow, 5, "v5") == (0, 3)


def test_within_the_lanes_that_take_part_a_write_ends_the_old_value() -> None:
    rows = live(
        "s_and_saveexec_b64 s[0:1], vcc", "v_mov_b32_e32 v5, 1", "v_mov_b32_e32 v6, v5", "v_mov_b32_e32 v7, v6",
        "v_mov_b32_e32 v5, 2", "v_mov_b32_e32 v8, v5",
    )  # fmt: skip
    assert "v5" not in rows[3]


@pytest.mark.parametrize(
    ("rows", "full"),
    [
        (("s_and_saveexec_b64 s[0:1], vcc", "s_or_b64 exec, exec, s[0:1]", "v_nop"), True),
        (("s_mov_b32 s0, exec_lo", "v_cmpx_lt_i32_e32 s3, v0", "s_or_b32 exec_lo, exec_lo, s0", "v_nop"), True),
        (("s_and_saveexec_b64 s[0:1], vcc", "s_mov_b64 s[0:1], 0", "s_or_b64 exec, exec, s[0:1]", "v_nop"), False),
        (("v_cmpx_lt_i32_e32 s3, v0", "v_nop"), False),
        (("s_and_saveexec_b64 s[0:1], vcc", "s_mov_b64 exec, -1", "v_nop"), True),
        # if and else
        (
            (
                "s_and_saveexec_b64 s[0:1], vcc", "s_xor_b64 s[0:1], exec, s[0:1]",
                "s_andn2_saveexec_b64 s[0:1], s[0:1]", "s_or_b64 exec, exec, s[0:1]", "v_nop",
            ),
            True,
        ),
        (
            (
                "s_and_saveexec_b64 s[0:1], vcc", "s_xor_b64 s[0:1], exec, s[0:1]", "s_or_saveexec_b64 s[0:1], s[0:1]",
                "s_xor_b64 exec, exec, s[0:1]", "s_or_b64 exec, exec, s[0:1]", "v_nop",
            ),
            True,
        ),
        # The else of it alone.
        (
            (
                "s_and_saveexec_b64 s[0:1], vcc", "s_xor_b64 s[0:1], exec, s[0:1]", "s_or_saveexec_b64 s[0:1], s[0:1]",
                "s_xor_b64 exec, exec, s[0:1]", "v_nop",
            ),
            False,
        ),
        # Lanes leave a loop one after the other, and all go on behind it.
        (
            (
                "s_mov_b64 s[4:5], 0", ".LBB0_1:", "s_or_b64 s[4:5], vcc, s[4:5]", "s_andn2_b64 exec, exec, s[4:5]",
                "s_cbranch_execnz .LBB0_1", "s_or_b64 exec, exec, s[4:5]", "v_nop",
            ),
            True,
        ),
    ],
)  # fmt: skip
def test_when_all_lanes_take_part(rows: tuple[str, ...], full: bool) -> None:
    read = code(*rows)
    written = [sets(instruction).written for instruction in read.instructions]
    assert every_lane(read.instructions, written, read.flow)[-2] is full


@pytest.mark.parametrize(
    ("text", "reads", "writes", "keeps"),
    [
        ("v_fma_f32 v1, v2, -v3, |v4|", "v2 v3 v4", "v1", False),
        ("v_fmac_f32_e32 v1, v2, v3", "v1 v2 v3", "v1", True),
        ("v_add_co_u32 v1, s[2:3], v4, v5", "v4 v5", "v1 s[2:3]", False),
        ("v_mad_u64_u32 v[16:17], null, v18, v8, 0", "v18 v8", "v[16:17]", False),
        ("v_cmp_le_i32_e64 s9, v127, v213", "v127 v213", "s9", False),
        ("v_cmpx_gt_i32_e32 s72, v18", "s72 v18", "", False),
        ("v_mfma_f32_32x32x8_f16 a[0:15], v[2:3], v[4:5], a[0:15]", "v[2:5] a[0:15]", "a[0:15]", False),
        ("v_dual_mul_f32 v5, 0x2f, v5 :: v_dual_cndmask_b32 v0, 0, v1", "v5 v1", "v5 v0", False),
        ("v_mov_b16_e32 v22.h, v25.l", "v22 v25", "v22", True),
        ("v_mov_b32_dpp v12, v11 row_shr:8 row_mask:0xf bank_mask:0xf bound_ctrl:1", "v11", "v12", False),
        ("v_mov_b32_dpp v12, v11 row_bcast:15 row_mask:0xa bank_mask:0xf", "v11 v12", "v12", True),
        ("v_permlane32_swap_b32_e32 v76, v95", "v76 v95", "v76 v95", True),
        ("global_store_dwordx4 v[0:1], v[2:5], off", "v[0:5]", "", False),
        ("global_load_dwordx4 v[2:5], v[0:1], s[8:9] offset:16", "v[0:1] s[8:9]", "v[2:5]", False),
        ("buffer_load_dword v1, s[4:7], 0 offen lds", "v1 s[4:7]", "", False),
        ("global_load_lds_dwordx4 v[66:67], off", "v[66:67]", "", False),
        ("global_atomic_add v0, v36, s[8:9]", "v0 v36 s[8:9]", "", False),
        ("global_atomic_add v5, v0, v36, s[8:9] sc0", "v0 v36 s[8:9]", "v5", False),
        ("buffer_atomic_add v36, v0, s[4:7], 0 offen glc", "v36 v0 s[4:7]", "v36", True),
        ("ds_write2st64_b64 v36, v[6:7], v[2:3] offset0:32", "v36 v[6:7] v[2:3]", "", False),
        ("ds_read_b128 v[2:5], v6 offset:16", "v6", "v[2:5]", False),
        ("ds_read_u16_d16_hi v2, v6", "v2 v6", "v2", True),
        ("ds_add_u32 v40, v46", "v40 v46", "", False),
        ("ds_add_rtn_u32 v1, v40, v46", "v40 v46", "v1", False),
        ("ds_bpermute_b32 v1, v2, v3", "v2 v3", "v1", False),
        ("s_load_dwordx8 s[0:7], s[8:9], 0x0", "s[8:9]", "s[0:7]", False),
        ("s_cmp_lg_u32 s4, 0", "s4", "", False),
        ("s_cselect_b32 s20, -1, 0", "", "s20", False),
        ("s_addk_i32 s3, 0x40", "s3", "s3", True),
        ("s_waitcnt vmcnt(0)", "", "", False),
    ],
)
def test_what_an_instruction_reads_and_writes(text: str, reads: str, writes: str, keeps: bool) -> None:
    opcode, _, operands = text.partition(" ")
    found = sets(amd.Instruction(0, opcode, tuple(operands.split(", "))))
    assert (found.read, found.written, found.keeps) == (registers(reads), registers(writes), keeps)


def test_calls_are_not_followed(compiled_sample: Callable[[str, str], Compilation]) -> None:
    read = amd.read(compiled_sample(f"{SAMPLES / 'helper_calls.py'}::", "gfx942"))
    assert read is not None and read.flow.calls
    with pytest.raises(IrscopeError, match="calls a function"):
        live_registers(read)
