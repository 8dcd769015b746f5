"""How wide loads and stores became, and why: the advice, followed, has to widen them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from samples import SAMPLES
from telling import Told

from irscope.analysis.verdicts import verdicts
from irscope.analysis.verdicts.accesses import Access, of_amdgcn, of_ptx
from irscope.model import Compilation

Tell = Callable[..., Told]
RULE = "vectorization"
HALVES = {"x_ptr": "*fp16:16", "y_ptr": "*fp16:16"}
BLOCK = {"BLOCK": 1024}
ROWS = {"ROWS": 64, "COLUMNS": 64}


def test_the_widest_accesses(told: Tell) -> None:
    copy = told("widths::copy", "sm_90", BLOCK, {**HALVES, "n": "i32:16"})
    load, store = copy.of(RULE)
    assert (load.tone, store.tone) == ("good", "good")
    assert "the load of x_ptr goes 128 bits at a time (1 x ld.global.v4.b32)" in load.sentence
    assert "the store of y_ptr goes 128 bits at a time (1 x st.global.v4.b32)" in store.sentence
    assert "tl.load(x_ptr + at" in copy.source(load)
    (row,) = copy.rows(load, "ptx")
    assert "ld.global.v4.b32" in row


NARROW = [
    # kernel, constants, arguments, of the load: bits, what the sentence says, the argument that the advice names
    ("copy", BLOCK, {"n": "i32"}, 16, "mask may change from one element to the next, as nothing says that n is", "n"),
    ("copy", BLOCK, {"n": "i32:16", "x_ptr": "*fp16"}, 16, "that x_ptr is aligned to 16 bytes", "x_ptr"),
    (
        "copy_rows",
        ROWS,
        {"row_stride": "i32", "column_stride": "1"},
        16,
        "row_stride is a multiple of 16",
        "row_stride",
    ),
    (
        "copy_rows",
        ROWS,
        {"row_stride": "i32", "column_stride": "i32"},
        16,
        "column_stride is 1 and row_stride a multiple of 16",
        "column_stride",
    ),
    ("copy_row", {**BLOCK, "HINT": False}, {"stride": "i32"}, 16, "that stride is a multiple of 16", "stride"),
    ("copy_by_helper", BLOCK, {"n": "i32"}, 16, "mask may change", "n"),
]


@pytest.mark.parametrize(("kernel", "constants", "arguments", "bits", "reason", "name"), NARROW)
def test_an_argument_keeps_it_narrow_and_the_advice_widens_it(
    told: Tell,
    kernel: str,
    constants: dict[str, Any],
    arguments: dict[str, str],
    bits: int,
    reason: str,
    name: str,
) -> None:
    given = {**HALVES, **arguments}
    load = told(f"widths::{kernel}", "sm_90", constants, given).one(RULE, "the load of x_ptr")
    assert load.tone == "bad" and reason in load.sentence and f"goes {bits} bits at a time" in load.sentence
    assert load.advice is not None
    advised = dict(re.findall(r"--arg (\w+)=([*\w:]+\d)", load.advice))
    assert name in advised
    better = told(f"widths::{kernel}", "sm_90", constants, {**given, **advised}).one(RULE, "the load of x_ptr")
    assert better.tone == "good" and "goes 128 bits at a time" in better.sentence


def test_a_hint_in_the_kernel_widens_too(told: Tell) -> None:
    plain = told("widths::copy_row", "sm_90", {**BLOCK, "HINT": False}, {**HALVES, "stride": "i32"})
    assert "tl.multiple_of" in (plain.one(RULE, "the load").advice or "")
    hinted = told("widths::copy_row", "sm_90", {**BLOCK, "HINT": True}, {**HALVES, "stride": "i32"})
    assert [verdict.tone for verdict in hinted.of(RULE)] == ["good", "good"]


@pytest.mark.parametrize(
    ("block", "type_", "bits", "each"), [(128, "fp16", 16, 1), (256, "fp16", 32, 2), (1024, "i8", 64, 8)]
)
def test_a_tile_that_is_small(told: Tell, block: int, type_: str, bits: int, each: int) -> None:
    arguments = {"x_ptr": f"*{type_}:16", "y_ptr": f"*{type_}:16", "n": "i32:16"}
    load = told("widths::copy", "sm_90", {"BLOCK": block}, arguments).one(RULE, "the load")
    assert load.tone == "note" and f"goes {bits} bits at a time" in load.sentence
    assert f"a tile of {block} elements gives each of 128 threads no more than {each}" in load.sentence


def test_elements_that_lie_apart(told: Tell) -> None:
    load = told("widths::every_other", "sm_90", BLOCK, HALVES).one(RULE, "the load")
    assert load.tone == "bad" and "neighbouring elements of the tile lie apart" in load.sentence and load.advice is None


def test_addresses_from_memory(told: Tell) -> None:
    gather = told("widths::gather", "sm_90", BLOCK, {**HALVES, "index_ptr": "*i32:16"})
    assert gather.one(RULE, "index_ptr").tone == "good"
    load = gather.one(RULE, "the load of x_ptr")
    assert load.tone == "note" and "its addresses follow from loaded data" in load.sentence


def test_one_value_is_no_matter_of_width(told: Tell) -> None:
    assert not told("widths::one_value", "sm_90", {}, HALVES).of(RULE)


def test_neighbours_that_share_an_element(told: Tell) -> None:
    pointers = dict.fromkeys(("x_ptr", "scale_ptr", "y_ptr"), "*fp16:16")
    shared = told("widths::by_group", "sm_90", {"GROUP": 8, **BLOCK}, pointers)
    scale = shared.one(RULE, "the load of scale_ptr")
    assert "8 neighbouring elements of the tile are one and the same in memory" in scale.sentence
    assert shared.one(RULE, "the load of x_ptr").tone == "good"
    apart = told("widths::by_group", "sm_90", {"GROUP": 1, **BLOCK}, pointers)
    assert apart.one(RULE, "the load of scale_ptr").tone == "good"


def test_inlined_code_is_told_with_its_call(told: Tell) -> None:
    helper = told("widths::copy_by_helper", "sm_90", BLOCK, {**HALVES, "n": "i32:16"})
    load = helper.one(RULE, "the load")
    assert re.match(r"Line \d+, called from line \d+: the load of x_ptr", load.sentence)
    assert "return tl.load" in helper.source(load)


def test_amd(told: Tell) -> None:
    arguments = {**HALVES, "n": "i32:16"}
    load = told("widths::copy", "gfx942", {"BLOCK": 2048}, arguments).one(RULE, "the load")
    assert load.tone == "good" and "128 bits at a time (1 x global_load_dwordx4)" in load.sentence
    merged = told("widths::copy", "gfx942", {"BLOCK": 2048}, {**arguments, "x_ptr": "*fp16"}).one(RULE, "the load")
    # LLVM puts together what Triton's rules keep apart: at 128 bits there is nothing to explain.
    assert "128 bits" in merged.sentence and merged.tone == "good"
    merged = told("widths::copy", "gfx942", BLOCK, {**arguments, "x_ptr": "*fp16"}).one(RULE, "the load")
    assert merged.tone == "note" and "LLVM put several together: no more than the 4 neighbours" in merged.sentence
    # As many as the layout of the matrix cores has together: that is why no more.
    pointers = {"a_ptr": "*fp16:16", "b_ptr": "*fp16:16", "c_ptr": "*fp16"}
    store = told("dots::loop", "gfx942", {"SIZE": 64}, pointers).one(RULE, "the store of c_ptr")
    assert store.tone == "note" and "64 bits" in store.sentence
    assert "Triton's own rules allow 16, and LLVM put several together: no more than the 4 neighbours" in store.sentence


@pytest.mark.parametrize(("each", "tone", "bits"), [(8, "good", 128), (4, "note", 64)])
def test_a_layout_that_gives_too_few_neighbours(told: Tell, each: int, tone: str, bits: int) -> None:
    """In Gluon, where there is no TTIR and the layout is the author's."""
    load = told("in_gluon::copy", "sm_90", {**BLOCK, "EACH": each}, {**HALVES, "n": "i32:16"}).one(RULE, "the load")
    assert load.tone == tone and f"goes {bits} bits at a time" in load.sentence
    assert ("its layout #blocked (4 a thread) gives a thread no more than 4" in load.sentence) == (each == 4)


def test_copies_into_shared_memory_that_holds_them_otherwise(told: Tell) -> None:
    """A packed operand: shared memory has its neighbours along K, global memory along N; the scales share a layout."""
    arguments = {"a_ptr": "*fp16:16", "b_ptr": "*i32:16", "scales_ptr": "*fp16:16", "c_ptr": "*fp32:16"}
    packed = told("dots::packed_operand", "sm_80", {"SIZE": 64}, arguments)
    b = packed.one(RULE, "the load of b_ptr")
    assert b.tone == "note" and "goes 32 bits at a time" in b.sentence
    layout = re.search(
        r"shared memory holds it along the other axis \((#\w+)\), .* no more than 1 neighbour", b.sentence
    )
    assert layout
    (row,) = packed.rows(b, "ttgir")
    assert f"xi32, {layout[1]}, #smem" in row
    assert re.search(rf"^{layout[1]} = .*order = \[0, 1\]", packed.compilation.text("ttgir"), re.MULTILINE)
    scales = packed.one(RULE, "the load of scales_ptr")
    assert scales.tone == "note" and "its layout a slice of #linear" in scales.sentence
    assert "no more than 4 neighbours" in scales.sentence and "64 bits" in scales.sentence
    assert packed.one(RULE, "the load of a_ptr").tone == "good"
    # wgmma takes it along either axis: the copies are as wide as they can be.
    assert told("dots::packed_operand", "sm_90", {"SIZE": 64}, arguments).one(RULE, "the load of b_ptr").tone == "good"


def test_a_small_load_that_is_done_once_for_each_layout(told: Tell) -> None:
    arguments = {"x_ptr": "*fp16:16", "index_ptr": "*i32:16", "stride": "i32:16"}
    kernel = told("widths::index_of_rows_and_columns", "sm_90", {"SIZE": 64}, arguments)
    verdict = kernel.one(RULE, "the load of index_ptr")
    assert verdict.tone == "note" and "32 to 64 bits" in verdict.sentence
    assert "Triton loads it for each: 32 bits in a slice of #blocked" in verdict.sentence
    assert "64 bits in a slice of #mma" in verdict.sentence
    loads = re.findall(r"tt\.load .*tensor<64x!tt\.ptr<i32>, (#.*?)> loc", kernel.compilation.text("ttgir"))
    assert len(set(loads)) == 2


def test_the_layout_of_amd_s_matrix_cores(compiled_sample: Callable[..., Compilation]) -> None:
    matmul = compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", "gfx942")
    (store,) = [verdict for verdict in verdicts(matmul) if verdict.rule == RULE and "the store" in verdict.sentence]
    assert store.tone == "note" and "its layout #mma gives a thread no more than 4 neighbours" in store.sentence


def test_the_layout_of_amd_s_buffer_operations(told: Tell) -> None:
    """They have one pointer, so that what a thread takes stands behind the arrow."""
    dot = told("dots::loop_of_one", "gfx942", {"SIZE": 64}, dict.fromkeys(("q_ptr", "k_ptr", "c_ptr"), "*fp16:16"))
    store = dot.one(RULE, "the store of c_ptr")
    assert store.tone == "note" and "its layout #mma gives a thread no more than 4 neighbours" in store.sentence
    assert "amdg.buffer_store" in dot.rows(store, "ttgir")[0]


@pytest.mark.parametrize(("target", "most"), [("gfx1100", 16), ("gfx1201", 128)])
def test_the_layouts_of_wmma(compiled_sample: Callable[..., Compilation], target: str, most: int) -> None:
    """The first gives a thread every other element of a row, the second eight in a row."""
    matmul = compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", target)
    (store,) = [verdict for verdict in verdicts(matmul) if verdict.rule == RULE and "the store" in verdict.sentence]
    assert f"goes {most} bits at a time" in store.sentence
    assert ("its layout #mma gives a thread no more than 1 neighbour" in store.sentence) == (most == 16)


def test_loads_past_the_registers_on_amd(compiled_sample: Callable[..., Compilation]) -> None:
    matmul = compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", "gfx950")
    found = verdicts(matmul)
    loads = [verdict for verdict in found if verdict.rule == RULE and "the load" in verdict.sentence]
    assert len(loads) == 2 and all("global_load_lds_dwordx4" in verdict.sentence for verdict in loads)
    (loop,) = [verdict for verdict in found if verdict.rule == "pipelining"]
    assert "by loads past the registers, into 3 buffers of shared memory" in loop.sentence


def test_a_tile_of_one_element_has_nothing_to_put_together(told: Tell) -> None:
    ones = told("widths::ones", "sm_90")
    assert "tensor<1x!tt.ptr<f32>>" in ones.compilation.text("ttir")
    assert not ones.of(RULE)


def test_tiles_by_tma(told: Tell) -> None:
    pointers = dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp16:16")
    newer = told("dots::described_loop", "sm_90", {"SIZE": 64}, pointers)
    assert [verdict.tone for verdict in newer.of(RULE)] == ["good"] * 3
    assert "by TMA, a whole tile at a time" in newer.one(RULE, "the load of a_ptr").sentence
    assert all("cp.async.bulk.tensor" in row for row in newer.rows(newer.one(RULE, "the store"), "ptx"))
    older = told("dots::described_loop", "sm_80", {"SIZE": 64}, pointers)
    assert "128 bits at a time (12 x cp.async of 16 bytes)" in older.one(RULE, "the load of a_ptr").sentence


def test_forms_of_accesses() -> None:
    ptx = """
\t@%p1 ld.global.L1::evict_last.L2::cache_hint.v4.b32 { %r1, %r2, %r3, %r4 }, [ %rd1 + 0 ], %rd2;
\tld.shared.v4.b32 {%r1, %r2, %r3, %r4}, [%r5];
\t@%p24 st.global.v2.b16 [ %rd84 + 0 ], { %rs1, %rs2 };
\tcp.async.ca.shared.global [ %r50 + 0 ], [ %rd19 + 0 ], 0x4, %r52;
\tcp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes [%r1], [%rd1, {%r2, %r3}], [%r4];
\t// ld.global.b32 in a comment
\tld.volatile.global.u8 %r1, [%rd1];
"""
    assert list(of_ptx(ptx.split("\n"))) == [
        Access(1, "load", 128, "ld.global.v4.b32"),
        Access(3, "store", 32, "st.global.v2.b16"),
        Access(4, "copy", 32, "cp.async of 4 bytes"),
        Access(5, "tile", None, "cp.async.bulk.tensor"),
        Access(7, "load", 8, "ld.global.u8"),
    ]
    amdgcn = """
\tglobal_load_dwordx3 v[0:2], v0, s[0:1]
\tbuffer_load_ushort v0, v1, s[0:3], 0 offen
\tglobal_store_b128 v0, v[1:4], s[0:1]
\tglobal_load_short_d16_hi v0, v1, s[0:1]
\tbuffer_store_byte v0, v1, s[0:3], 0 offen
\tbuffer_load_dwordx4 v0, s[0:3], 0 offen lds
\ts_load_dwordx4 s[0:3], s[4:5], 0x0
\tglobal_load_d16_u8 v9, v[1:2], off
\tglobal_load_d16_hi_i8 v9, v[1:2], off
\tglobal_load_d16_hi_b16 v9, v[1:2], off
\tglobal_load_sbyte_d16 v9, v[1:2], off
\tglobal_load_lds_dwordx4 v[6:7], off
"""
    assert [(access.way, access.bits) for access in of_amdgcn(amdgcn.split("\n"))] == [
        ("load", 96),
        ("load", 16),
        ("store", 128),
        ("load", 16),
        ("store", 8),
        ("copy", 128),
        ("load", 8),
        ("load", 8),
        ("load", 16),
        ("load", 8),
        ("copy", 128),
    ]


def test_a_transposed_tile_that_other_warps_load(told: Tell) -> None:
    """Triton gives its copy the location of the transpose."""
    pointers = dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp16:16")
    loop = told("dots::specialized_turned", "sm_100", {"SIZE": 128}, pointers)
    verdict = loop.one(RULE, "the load of b_ptr")
    assert "by TMA, a whole tile at a time" in verdict.sentence and "b_tiles.load" in loop.source(verdict)
    (row,) = [row for row in loop.rows(verdict, "ptx") if "cp.async.bulk" in row]
    assert row not in loop.rows(loop.one(RULE, "the load of a_ptr"), "ptx")


def test_what_other_warps_load_on_hopper_is_said_not_to_be_known(told: Tell) -> None:
    """Where Triton specializes warps there (3.9), the copies name the kernel's first line, not that of the load."""
    loop = told(
        "dots::specialized_turned", "sm_90", {"SIZE": 128}, dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp16:16")
    )
    loads = [verdict for verdict in loop.of(RULE) if "load" in verdict.sentence]
    assert len(loads) == 2
    if "ttg.warp_specialize" in loop.compilation.text("ttgir"):
        assert all(verdict.tone == "unknown" and "is not known" in verdict.sentence for verdict in loads)
    else:
        assert all("by TMA" in verdict.sentence for verdict in loads)
