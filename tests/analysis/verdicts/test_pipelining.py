"""Loops whose loads run ahead, and loops whose do not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from telling import Told, check

from irscope.analysis.verdicts import verdicts
from irscope.exact import exact_edges
from irscope.request import Request

Tell = Callable[..., Told]
RULE = "pipelining"
SIZE = {"SIZE": 64}
ARGUMENTS = {
    "a_ptr": "*fp16:16",
    "b_ptr": "*fp16:16",
    "a_stride": "i32:16",
    "b_stride": "i32:16",
    "K": "i32:16",
}

TILES = dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp16:16")


@pytest.mark.parametrize("stages", [2, 3, 4])
@pytest.mark.parametrize("target", ["sm_80", "sm_90"])
def test_as_deep_as_it_was_asked_for(told: Tell, target: str, stages: int) -> None:
    loop = told("dots::loop", target, SIZE, ARGUMENTS, {"num_stages": stages})
    verdict = loop.one(RULE)
    assert verdict.tone == "good" and f"pipelined, {stages} stages deep" in verdict.sentence
    ahead = "1 iteration" if stages == 2 else f"{stages - 1} iterations"
    assert f"its loads run {ahead} ahead, by cp.async" in verdict.sentence
    found = re.search(r"into (\d+) buffers? of shared memory", verdict.sentence)
    assert found and f"memdesc<{found[1]}x64x64xf16" in loop.compilation.text("ttgir")
    assert "for k in range" in loop.source(verdict)
    assert any("ttg.async_copy_global_to_local" in row for row in loop.rows(verdict, "ttgir"))


@pytest.mark.parametrize("stages", [2, 3, 4])
def test_a_product_that_is_ahead_itself(told: Tell, stages: int) -> None:
    """tcgen05 is asynchronous: one product is before the loop, and what is copied is ahead of the product."""
    loop = told("dots::loop", "sm_100", {"SIZE": 128}, ARGUMENTS, {"num_stages": stages})
    verdict = loop.one(RULE)
    ahead = "1 iteration" if stages == 2 else f"{stages - 1} iterations"
    assert verdict.tone == "good" and f"pipelined, {stages + 1} stages deep" in verdict.sentence
    assert f"its loads run {ahead} ahead of the tl.dot that takes them, by cp.async" in verdict.sentence
    assert verdict.sentence.endswith("and the tl.dot 1 iteration ahead of the rest.")
    before, _, inside = loop.compilation.text("ttgir").partition("scf.for")
    assert [len(re.findall(r"ttng\.tc_gen5_mma ", part)) for part in (before, inside)] == [1, 1]
    # Never further ahead than there are buffers to copy to.
    found = re.search(r"into (\d+) buffers? of shared memory", verdict.sentence)
    assert found and int(found[1]) >= stages - 1


def test_one_buffer(told: Tell) -> None:
    verdict = told("dots::loop", "sm_80", SIZE, ARGUMENTS, {"num_stages": 2}).one(RULE)
    assert "by cp.async, into 1 buffer of shared memory" in verdict.sentence


def test_by_tma(told: Tell) -> None:
    loop = told("dots::described_loop", "sm_90", SIZE, dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp16:16"))
    verdict = loop.one(RULE)
    assert verdict.tone == "good" and "its loads run 2 iterations ahead, by TMA, into 3 buffers" in verdict.sentence
    assert any("ttng.async_tma_copy_global_to_local" in row for row in loop.rows(verdict, "ttgir"))


def test_through_registers(told: Tell) -> None:
    verdict = told("dots::loop", "gfx942", SIZE, ARGUMENTS).one(RULE)
    assert verdict.tone == "good" and "its loads run 1 iteration ahead, through registers" in verdict.sentence


@pytest.mark.parametrize(
    ("target", "arguments", "options", "tone", "reason"),
    [
        ("sm_90", {}, {"num_stages": 1}, "bad", "num_stages is 1"),
        ("sm_75", {}, {}, "note", "sm_75 has no cp.async"),
        (
            "sm_90",
            {"a_ptr": "*fp16", "b_ptr": "*fp16"},
            {},
            "bad",
            "known to have 2 bytes together, and cp.async copies 4 at least",
        ),
        (
            # The product is asynchronous and pipelined, its loads are in front of it as they were.
            "sm_100",
            {"a_ptr": "*fp16", "b_ptr": "*fp16"},
            {},
            "bad",
            "known to have 2 bytes together, and cp.async copies 4 at least",
        ),
        (
            "gfx942",
            {"a_ptr": "*fp16", "b_ptr": "*fp16"},
            {},
            "bad",
            "known to have 2 bytes together, and Triton pipelines loads of 4 and more",
        ),
    ],
)
def test_a_loop_that_is_not(
    told: Tell, target: str, arguments: dict[str, str], options: dict[str, Any], tone: str, reason: str
) -> None:
    size = {"SIZE": 128} if target == "sm_100" else SIZE
    loop = told("dots::loop", target, size, {**ARGUMENTS, **arguments}, options)
    assert ("ttng.tc_gen5_mma" in loop.compilation.text("ttgir")) == (target == "sm_100")
    verdict = loop.one(RULE)
    assert verdict.tone == tone and "the loop is not pipelined" in verdict.sentence and reason in verdict.sentence
    assert "cp.async.c" not in loop.compilation.text("ptx")
    assert any("scf.for" in row for row in loop.rows(verdict, "ttir"))


def test_one_load_of_two(told: Tell) -> None:
    verdict = told("dots::loop", "sm_90", SIZE, {**ARGUMENTS, "a_ptr": "*fp16"}).one(RULE)
    assert verdict.tone == "note" and "its load (line 31) runs 2 iterations ahead" in verdict.sentence
    assert "not the load at line 30, which has fewer than 4 bytes together" in verdict.sentence


def test_loads_that_feed_no_dot_have_to_be_asked_for(told: Tell) -> None:
    plain = told("dots::sums", "sm_90", {"STAGES": None, "BLOCK": 1024}).one(RULE)
    assert plain.tone == "note" and "none of its loads feeds a tl.dot" in plain.sentence
    assert "num_stages=3" in (plain.advice or "")
    asked = told("dots::sums", "sm_90", {"STAGES": 3, "BLOCK": 1024}).one(RULE)
    assert asked.tone == "good" and "3 stages deep" in asked.sentence
    single = told("dots::sums", "sm_90", {"STAGES": 1, "BLOCK": 1024}).one(RULE)
    assert single.tone == "bad" and "num_stages is 1" in single.sentence


def test_single_values_are_told_of_where_they_were_copied(told: Tell) -> None:
    """A scalar ``tl.load`` between two dots: on sm_80 copies of it run ahead, by cp.async as those of the tiles."""
    pointers = dict.fromkeys(("q_ptr", "k_ptr", "v_ptr"), "*fp16:16") | {"scale_ptr": "*fp32:16"}
    found = told("dots::scaled_between_dots", "sm_80", SIZE, pointers)
    verdict = found.one(RULE)
    assert verdict.tone == "good" and "its loads run 2 iterations ahead, by cp.async" in verdict.sentence
    assert any("tensor<1x!tt.ptr<f32>" in row and "async_copy" in row for row in found.rows(verdict, "ttgir"))
    # Without the alignment that cp.async needs the tiles stay, and it is the scalar alone that is named.
    unaligned = told(
        "dots::scaled_between_dots", "sm_80", SIZE, {**dict.fromkeys(pointers, "*fp16"), "scale_ptr": "*fp32:16"}
    )
    verdict = unaligned.one(RULE)
    assert verdict.tone == "note"
    source = unaligned.compilation.source(unaligned.compilation.kernel.file)
    assert source is not None
    lines = source.text.split("\n")
    (one,) = re.findall(r"its load \(line (\d+)\) runs", verdict.sentence)
    left = re.search(r"not the loads at line (\d+) and line (\d+), which have fewer", verdict.sentence)
    assert "tl.load(scale_ptr" in lines[int(one) - 1]
    assert left and all(re.search(r"tl.load\([kv]_ptr", lines[int(number) - 1]) for number in left.groups())


def test_only_a_loop_right_inside_keeps_one_from_it(told: Tell) -> None:
    pointers = dict.fromkeys(("a_ptr", "b_ptr"), "*fp16:16")
    around, inside = told("dots::loop_in_loop", "sm_80", SIZE, pointers).of(RULE)
    assert around.tone == "note" and "another loop is inside of it" in around.sentence
    assert inside.tone == "good" and "3 stages deep" in inside.sentence
    branched, inner = told("dots::loop_in_branch", "sm_80", SIZE, pointers).of(RULE)
    assert branched.tone == "good" and "3 stages deep" in branched.sentence
    assert "none of its loads feeds a tl.dot" in inner.sentence
    # With num_stages=1 neither is, and the branch is no reason.
    single, _ = told("dots::loop_in_branch", "sm_80", SIZE, pointers, {"num_stages": 1}).of(RULE)
    assert "num_stages is 1" in single.sentence


@pytest.mark.parametrize("target", ["sm_80", "sm_90"])
def test_two_loops_that_became_one(told: Tell, target: str) -> None:
    pointers = dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp16:16")
    flat = told("dots::persistent", target, {**SIZE, "FLATTEN": True}, pointers)
    verdict = flat.one(RULE)
    assert verdict.tone == "good" and "made one with the loop around it: the loop is pipelined" in verdict.sentence
    assert "its loads run 2 iterations ahead, by cp.async" in verdict.sentence
    nested = told("dots::persistent", target, {**SIZE, "FLATTEN": False}, pointers).one(RULE)
    assert nested.tone == "good" and "made one" not in nested.sentence
    single = told("dots::persistent", target, {**SIZE, "FLATTEN": True}, pointers, {"num_stages": 1}).one(RULE)
    assert single.tone == "bad" and "made one" in single.sentence and "num_stages is 1" in single.sentence


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "gfx942"])
def test_a_dot_in_a_branch(told: Tell, target: str) -> None:
    verdict = told("dots::dot_in_branch", target, SIZE, dict.fromkeys(("a_ptr", "b_ptr"), "*fp16:16")).one(RULE)
    assert verdict.tone == "note" and "its tl.dot is in a branch" in verdict.sentence


@pytest.mark.parametrize("stages", [2, 3])
def test_what_the_loop_before_has_loaded_already_still_runs_ahead(told: Tell, stages: int) -> None:
    pointers = dict.fromkeys(("q_ptr", "k_ptr"), "*fp16:16")
    passes = told("dots::two_passes", "gfx942", SIZE, pointers, {"num_stages": stages})
    first, second = passes.of(RULE)
    assert f"{stages} stages deep" in first.sentence
    assert first.sentence.partition(": ")[2] == second.sentence.partition(": ")[2]
    # The loads before the second loop are those before the first.
    loads = [
        line
        for line in passes.compilation.text("ttgir").split("\n")
        if "buffer_load %k_ptr" in line or "buffer_load %k_" in line
    ]
    assert len(loads) == (stages - 1) + 2


def test_a_loop_of_which_nothing_is_left(told: Tell) -> None:
    """One iteration, which the pipeliner took out of the loop: LLVM sees that the loop itself never runs."""
    plain = told("dots::loop_of_one", "gfx942", SIZE, dict.fromkeys(("q_ptr", "k_ptr"), "*fp16:16")).compilation
    request = Request(
        Path(plain.kernel.file),
        plain.kernel.name,
        plain.target,
        constants={"SIZE": "64"},
        arguments=dict.fromkeys(("q_ptr", "k_ptr"), "*fp16:16"),
    )
    known = exact_edges(plain, request)
    assert known.edges and known.edges.is_exact("ttgir", "amdgcn")
    found = verdicts(known)
    (loop,) = [verdict for verdict in found if verdict.rule == RULE]
    assert loop.tone == "note" and "LLVM kept nothing of the loop" in loop.sentence
    inside, behind = [verdict for verdict in found if verdict.rule == "layout conversions"]
    assert "leaves no instruction: LLVM kept nothing of the loop around it" in inside.sentence
    assert "goes through shared memory" in behind.sentence
    for verdict in (loop, inside, behind):
        check(known, verdict)
    # A loop that runs keeps its verdicts.
    runs = told("dots::two_passes", "gfx942", SIZE, dict.fromkeys(("q_ptr", "k_ptr"), "*fp16:16"))
    assert all("kept nothing" not in verdict.sentence for verdict in runs.verdicts)


def test_a_while_loop(told: Tell) -> None:
    verdict = told("dots::searches", "sm_90", {"BLOCK": 1024}).one(RULE)
    assert verdict.tone == "note" and "this is a while loop" in verdict.sentence


def test_loads_that_wait_for_loads(told: Tell) -> None:
    """The rows' numbers have to be there before the rows: each of the two is ahead of what waits for it."""
    arguments = {"a_ptr": "*fp16:16", "b_ptr": "*fp16:16", "index_ptr": "*i32:16"}
    verdict = told("dots::loop_by_rows", "sm_90", SIZE, arguments, {"num_stages": 3}).one(RULE)
    assert verdict.tone == "good" and "up to 2 iterations ahead" in verdict.sentence


@pytest.mark.parametrize("kernel", ["specialized_loop", "specialized_turned"])
@pytest.mark.parametrize("stages", [2, 3])
def test_warps_that_load_for_others(told: Tell, kernel: str, stages: int) -> None:
    loop = told(f"dots::{kernel}", "sm_100", {"SIZE": 128}, TILES, {"num_stages": stages})
    verdict = loop.one(RULE)
    assert verdict.tone == "good" and "warps of their own run its loads" in verdict.sentence
    found = re.search(
        r"up to (\d+) iterations? ahead .*, by TMA, into (\d+) buffers of shared memory", verdict.sentence
    )
    assert found and int(found[1]) == int(found[2]) - 1
    rows = loop.rows(verdict, "ttgir")
    assert sum(f"ttg.local_alloc : () -> !ttg.memdesc<{found[2]}x128x128xf16" in row for row in rows) == 2
    # Each of the buffers has a barrier that tells that it was read.
    text = loop.compilation.text("ttgir")
    assert len(re.findall(rf"ttg.local_alloc : \(\) -> !ttg.memdesc<{found[2]}x1xi64", text)) == 2
    assert any("ttg.warp_specialize" in row for row in rows)


def test_other_warps_on_hopper(told: Tell) -> None:
    """Where Triton specializes warps there (3.9), the copies name the kernel's first line, not that of the load."""
    loop = told("dots::specialized_turned", "sm_90", {"SIZE": 128}, TILES)
    verdict = loop.one(RULE)
    if "ttg.warp_specialize" in loop.compilation.text("ttgir"):
        assert verdict.tone == "unknown" and "the kernel is warp-specialized" in verdict.sentence
    else:
        assert verdict.tone == "good"
    assert "tl.range(0, K, SIZE, warp_specialize=True)" in loop.source(verdict)


def test_how_far_other_warps_load_ahead_is_not_said_without_a_barrier(told: Tell) -> None:
    """Nothing in the loop that loads waits until a buffer was read: how far it goes is then not known."""
    loop = told("dots::specialized_loop", "sm_100", {"SIZE": 128}, TILES)
    stage = loop.compilation.stages["ttgir"]
    assert stage.text
    waits = [row for row in stage.text.split("\n") if "ttng.wait_barrier" not in row]
    without = replace(stage, text="\n".join(waits))
    changed = replace(loop.compilation, stages={**loop.compilation.stages, "ttgir": without})
    (verdict,) = [verdict for verdict in verdicts(changed) if verdict.rule == RULE]
    assert verdict.tone == "unknown" and "how far is not looked at" in verdict.sentence


def test_no_loop_no_verdict(told: Tell) -> None:
    assert not told("costly::adds", "sm_90", {"BLOCK": 512}).of(RULE)
