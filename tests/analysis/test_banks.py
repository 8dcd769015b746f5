"""Bank conflicts from the PTX of real kernels, against Triton's own count for their layouts and plain counting."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import KERNELS, SAMPLES

from irscope import session
from irscope.analysis.banks import Access, accesses, own_traffic
from irscope.analysis.lanes import Lanes
from irscope.model import Compilation, Target
from irscope.request import Request

LAYOUTS = KERNELS / "shared_layouts.py"
KERNEL_NAMES = ("unswizzled", "swizzled_in_4_phases", "swizzled_in_32_phases", "written_by_fours", "by_columns")


@pytest.fixture(scope="module")
def turned(own_directories: None) -> Callable[[str, str], Compilation]:
    def compiled(kernel: str, target: str) -> Compilation:
        compilation = session.open(Request(LAYOUTS, kernel, Target.parse(target)))
        assert compilation.failure is None, compilation.failure
        return compilation

    return compiled


def of(found: list[Access], word: str) -> list[Access]:
    return [access for access in found if access.instruction.startswith(word)]


@pytest.mark.parametrize("target", ["sm_75", "sm_80", "sm_90"])
@pytest.mark.parametrize("kernel", KERNEL_NAMES)
def test_as_many_conflicts_as_triton_counts(
    kernel: str, target: str, turned: Callable[[str, str], Compilation]
) -> None:
    """Triton counts from the layouts, for plain loads and stores; here the addresses themselves are counted."""
    compilation = turned(kernel, target)
    told = re.search(r"^conflicts (\d+) (\d+)$", compilation.log, re.MULTILINE)
    assert told
    found = accesses(compilation.text("ptx"))
    compared = 0
    for word, extra in zip(("st.shared", "ld.shared"), map(int, told.groups()), strict=True):
        for access in of(found, word):
            assert access.ways == 1 + extra, access
            compared += 1
    assert compared


def test_ways_of_layouts_worked_out_by_hand(turned: Callable[[str, str], Compilation]) -> None:
    # A column of a 32x32 tile of 4-byte words is one bank, and with every fourth row shifted alike, four banks.
    for kernel, ways in (("unswizzled", 32), ("swizzled_in_4_phases", 8), ("swizzled_in_32_phases", 1)):
        found = of(accesses(turned(kernel, "sm_80").text("ptx")), "ld.shared")
        assert len(found) == 8
        assert {access.ways for access in found} == {ways}, kernel
        assert {(access.wavefronts, access.ideal) for access in found} == {(ways, 1)}


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "sm_100", "sm_120"])
def test_a_matmul_is_free_of_conflicts(target: str, compiled_sample: Callable[[str, str], Compilation]) -> None:
    """Its rings are swizzled for that; loop counters and the ring's position do not hide it."""
    ptx = compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", target).text("ptx")
    found = accesses(ptx)
    assert len(found) == len(_USES.findall(ptx))
    assert {access.ways for access in found} == {1}


#: Every plain use of shared memory that stands in a text, wherever it does.
_USES = re.compile(r"^\s*(?:@!?%p\d+\s+)?(?:(?:ld|st)\.shared|(?:ld|st)matrix)", re.MULTILINE)
PTX = """
.version 8.7
.target sm_80
.address_size 64
.extern .shared .align 16 .b8 global_smem[];
.visible .entry kernel(
	.param .u64 kernel_param_0,
	.param .u32 kernel_param_1
)
.reqntid 64
{{
	mov.u32 	%r1, %tid.x;
	ld.param.b32 	%r2, [kernel_param_1];
	mov.b32 	%r3, global_smem;
	{code}
	ret;
}}
"""


def one(*code: str) -> Access:
    (found,) = accesses(PTX.format(code="\n\t".join(code)))
    return found


@pytest.mark.parametrize("stride", [4, 8, 12, 16, 32, 64, 128, 132, 256])
def test_strides(stride: int) -> None:
    """Every thread a word of its own, so many bytes apart."""
    words = [stride * lane // 4 % 32 for lane in range(32)]
    access = one(f"mul.lo.s32 %r4, %r1, {stride};", "add.s32 %r5, %r3, %r4;", "ld.shared.b32 %r6, [%r5+8];")
    assert access.ways == max(words.count(bank) for bank in words)


def test_one_word_for_all_is_no_conflict() -> None:
    assert one("ld.shared.b32 %r6, [%r3];").ways == 1
    # Two halves of a word are one word.
    assert one("shl.b32 %r4, %r1, 1;", "add.s32 %r5, %r3, %r4;", "ld.shared.b16 %rs6, [%r5];").ways == 1


def test_wide_accesses_are_served_in_parts() -> None:
    by_16 = one("shl.b32 %r4, %r1, 4;", "add.s32 %r5, %r3, %r4;", "st.shared.v4.b32 [%r5], {%r1, %r1, %r1, %r1};")
    assert (by_16.ways, by_16.wavefronts, by_16.ideal) == (1, 4, 4)
    apart = one("shl.b32 %r4, %r1, 7;", "add.s32 %r5, %r3, %r4;", "st.shared.v4.b32 [%r5], {%r1, %r1, %r1, %r1};")
    assert (apart.ways, apart.wavefronts, apart.ideal) == (8, 32, 4)
    by_8 = one("shl.b32 %r4, %r1, 3;", "add.s32 %r5, %r3, %r4;", "ld.shared.v2.b32 {%r6, %r7}, [%r5];")
    assert (by_8.ways, by_8.wavefronts, by_8.ideal) == (1, 2, 2)


def test_every_16th_word_by_a_negated_mask() -> None:
    """Half of the threads 132 bytes further, as Triton swizzles in two phases."""
    odd = ("and.b32 %r7, %r1, 1;", "neg.s32 %r8, %r7;", "and.b32 %r9, %r8, 132;")
    access = one(*odd, "shl.b32 %r4, %r1, 7;", "add.s32 %r5, %r4, %r9;", "ld.shared.b32 %r6, [%r5];")
    assert (access.ways, access.warps) == (16, 2)


def test_what_follows_a_block_of_inline_assembly_is_seen() -> None:
    block = ("\n{", ".reg .pred p;", "\n}")
    access = one(*block, "shl.b32 %r4, %r1, 7;", "ld.shared.b32 %r6, [%r4];")
    assert access.ways == 32


def test_only_the_warps_that_take_part_are_counted() -> None:
    first = ("setp.lt.u32 %p1, %r1, 8;", "shl.b32 %r4, %r1, 2;", "@%p1 st.shared.b32 [%r4], %r1;")
    assert (one(*first).warps, one(*first).ways) == (1, 1)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("cp.async.cg.shared.global [ %r1 + 0 ], [ %rd1 + 0 ], 0x10, 0x10;", "cp.async"),
        ("@%p1 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%rd1];", "TMA"),
        ("wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {%r1}, %rd1, %rd2, 1, 1, 1, 0, 0;", "wgmma"),
        ("@p tcgen05.mma.cta_group::1.kind::f16 [%r1 + 0], %rd1, %rd2, %r2, 1;", "tcgen05"),
        ("atom.relaxed.sys.shared.add.u32 %r1, [%r2], %r3;", "atomic"),
        ("red.shared.add.u32 [%r2], %r3;", "atomic"),
    ],
)
def test_what_has_no_address_in_each_thread_is_named(code: str, name: str) -> None:
    text = PTX.format(code=code)
    (found,) = own_traffic(text)
    assert (found.name, text.split("\n")[found.row].strip()) == (name, code)
    assert found.reason
    assert accesses(text) == []


def test_copies_commits_and_waits_are_no_traffic() -> None:
    assert (
        own_traffic(
            PTX.format(code="cp.async.commit_group ;\n\tcp.async.wait_group 0x1;\n\tred.global.add.u32 [%r2], %r3;")
        )
        == []
    )


def test_an_argument_added_to_every_address_changes_nothing() -> None:
    shifted = "shl.b32 %r7, %r2, 2;"
    access = one(shifted, "shl.b32 %r4, %r1, 7;", "add.s32 %r5, %r4, %r7;", "ld.shared.b32 %r6, [%r5];")
    assert access.ways == 32


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (("mul.lo.s32 %r4, %r1, %r2;", "ld.shared.b32 %r6, [%r4];"), "its address depends"),
        (("xor.b32 %r4, %r1, %r2;", "ld.shared.b32 %r6, [%r4];"), "its address depends"),
        (("add.s32 %r4, %r1, %r2;", "ld.shared.b32 %r6, [%r4];"), "where its memory begins"),
        (("setp.lt.s32 %p1, %r1, %r2;", "@%p1 ld.shared.b32 %r6, [%r3];"), "which threads take part"),
        (
            ("shr.u32 %r7, %r1, 5;", "shl.b32 %r8, %r1, %r7;", "shl.b32 %r4, %r8, 2;", "ld.shared.b32 %r6, [%r4];"),
            "it is not the same for every warp",
        ),
    ],
)
def test_what_is_not_certain_is_unknown(code: tuple[str, ...], reason: str) -> None:
    access = one(*code)
    assert access.ways is access.wavefronts is access.ideal is None
    assert access.reason
    assert access.reason.startswith(reason)


def test_a_register_set_under_a_branch_that_threads_take_apart_is_unknown() -> None:
    branch = ("mov.b32 %r4, 0;", "setp.lt.s32 %p1, %r1, 7;", "@%p1 bra $L__BB0_2;", "mov.b32 %r4, 128;", "$L__BB0_2:")
    assert one(*branch, "ld.shared.b32 %r6, [%r4];").ways is None
    together = ("setp.lt.s32 %p1, %r2, 7;" if "setp" in row else row for row in branch)
    assert one(*together, "ld.shared.b32 %r6, [%r4];").ways == 1


def test_threads_that_take_no_part_do_not_count() -> None:
    guarded = ("and.b32 %r7, %r1, 31;", "setp.lt.u32 %p1, %r7, 4;", "shl.b32 %r4, %r1, 7;", "add.s32 %r5, %r3, %r4;")
    assert one(*guarded, "@%p1 st.shared.b32 [%r5], %r1;").ways == 4
    assert one(*guarded, "@!%p1 st.shared.b32 [%r5], %r1;").ways == 28


def test_text_that_is_no_ptx_has_no_accesses() -> None:
    assert accesses("") == []
    assert accesses("v_add_f32 v0, v1, v2\nds_read_b32 v0, v1") == []


def test_a_block_of_unknown_size_tells_nothing() -> None:
    text = PTX.format(code="ld.shared.b32 %r6, [%r1];").replace(".reqntid 64\n", "")
    (access,) = accesses(text)
    assert access.ways is None
    assert "how many threads" in (access.reason or "")
    assert Lanes(text.splitlines()).threads is None


def test_every_access_of_the_samples_is_told_or_explained(
    compiled_sample: Callable[[str, str], Compilation],
) -> None:
    known = 0
    for file in ("flash_attention", "layer_norm", "softmax", "histogram"):
        for access in accesses(compiled_sample(f"{Path(SAMPLES) / file}.py::", "sm_80").text("ptx")):
            assert (access.ways is None) == (access.reason is not None)
            known += access.ways is not None
    assert known > 30
