"""Loops whose loads run ahead, and loops whose do not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from telling import Told

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
    loop = told("dots::loop", target, SIZE, {**ARGUMENTS, **arguments}, options)
    verdict = loop.one(RULE)
    assert verdict.tone == tone and "the loop is not pipelined" in verdict.sentence and reason in verdict.sentence
    assert "cp.async.c" not in loop.compilation.text("ptx")
    assert any("scf.for" in row for row in loop.rows(verdict, "ttir"))


def test_one_load_of_two(told: Tell) -> None:
    verdict = told("dots::loop", "sm_90", SIZE, {**ARGUMENTS, "a_ptr": "*fp16"}).one(RULE)
    assert verdict.tone == "note" and "its load runs 2 iterations ahead" in verdict.sentence
    assert "not the load at line 30, which has fewer than 4 bytes together" in verdict.sentence


def test_loads_that_feed_no_dot_have_to_be_asked_for(told: Tell) -> None:
    plain = told("dots::sums", "sm_90", {"STAGES": None, "BLOCK": 1024}).one(RULE)
    assert plain.tone == "note" and "none of its loads feeds a tl.dot" in plain.sentence
    assert "num_stages=3" in (plain.advice or "")
    asked = told("dots::sums", "sm_90", {"STAGES": 3, "BLOCK": 1024}).one(RULE)
    assert asked.tone == "good" and "3 stages deep" in asked.sentence
    single = told("dots::sums", "sm_90", {"STAGES": 1, "BLOCK": 1024}).one(RULE)
    assert single.tone == "bad" and "num_stages is 1" in single.sentence


def test_a_while_loop(told: Tell) -> None:
    verdict = told("dots::searches", "sm_90", {"BLOCK": 1024}).one(RULE)
    assert verdict.tone == "note" and "this is a while loop" in verdict.sentence


def test_loads_that_wait_for_loads(told: Tell) -> None:
    """The rows' numbers have to be there before the rows: each of the two is ahead of what waits for it."""
    arguments = {"a_ptr": "*fp16:16", "b_ptr": "*fp16:16", "index_ptr": "*i32:16"}
    verdict = told("dots::loop_by_rows", "sm_90", SIZE, arguments, {"num_stages": 3}).one(RULE)
    assert verdict.tone == "good" and "up to 2 iterations ahead" in verdict.sentence


def test_warps_that_load_for_others(told: Tell) -> None:
    pointers = dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp16:16")
    loop = told("dots::specialized_loop", "sm_100", {"SIZE": 128}, pointers)
    verdict = loop.one(RULE)
    assert verdict.tone == "unknown" and "the kernel is warp-specialized" in verdict.sentence
    assert any("ttg.warp_specialize" in row for row in loop.rows(verdict, "ttgir"))


def test_no_loop_no_verdict(told: Tell) -> None:
    assert not told("costly::adds", "sm_90", {"BLOCK": 512}).of(RULE)
