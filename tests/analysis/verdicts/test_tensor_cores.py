"""Whether tl.dot uses the tensor cores, and by what."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from telling import Told

Tell = Callable[..., Told]
RULE = "tensor cores"
TILE = {"M": 64, "N": 64, "K": 64, "PRECISION": "tf32"}
HALVES = {"a_ptr": "*fp16:16", "b_ptr": "*fp16:16"}
BYTES = {"a_ptr": "*i8:16", "b_ptr": "*i8:16", "c_ptr": "*i32:16"}
SINGLES = dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp32:16")
DOUBLES = dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp64:16")


@pytest.mark.parametrize(
    ("target", "arguments", "named", "row"),
    [
        ("sm_80", HALVES, "the tensor cores: mma m16n8k16 f32.f16.f16.f32", r"mma\.sync\.aligned\.m16n8k16"),
        (
            "sm_90",
            HALVES,
            "the tensor cores: wgmma m64n64k16 f32.f16.f16",
            r"wgmma\.mma_async\.sync\.aligned\.m64n64k16",
        ),
        ("sm_100", HALVES, "the tensor cores: tcgen05.mma", r"tcgen05\.mma"),
        ("sm_120", HALVES, "the tensor cores: mma m16n8k16", r"mma\.sync"),
        ("sm_90", SINGLES, "the tensor cores: wgmma m64n64k8 f32.tf32.tf32", r"wgmma.*\.tf32"),
        ("sm_90", DOUBLES, "the tensor cores: mma m8n8k4 f64", r"mma\.sync.*f64"),
        ("gfx942", HALVES, "the matrix cores: v_mfma 32x32x8 f16", "v_mfma_f32_32x32x8_f16"),
        ("gfx942", BYTES, "the matrix cores: v_mfma 32x32x16 i8", "v_mfma_i32_32x32x16_i8"),
    ],
)
def test_a_dot_on_the_tensor_cores(told: Tell, target: str, arguments: dict[str, str], named: str, row: str) -> None:
    dot = told("dots::one_dot", target, TILE, arguments)
    verdict = dot.one(RULE)
    assert verdict.tone == "good" and named in verdict.sentence
    rows = dot.rows(verdict, "amdgcn" if target == "gfx942" else "ptx")
    assert rows and all(re.search(row, line) for line in rows)
    assert "tl.dot(" in dot.source(verdict)
    assert "tt.dot" in dot.rows(verdict, "ttir")[0]


@pytest.mark.parametrize(
    ("target", "constants", "arguments", "reason", "advice"),
    [
        ("sm_90", {"PRECISION": "ieee"}, SINGLES, "both operands are fp32 and input_precision is ieee", "tf32"),
        ("sm_75", {}, HALVES, "has none of them for sm_75", "sm_80 or newer"),
    ],
)
def test_a_dot_without_them(
    told: Tell, target: str, constants: dict[str, Any], arguments: dict[str, str], reason: str, advice: str
) -> None:
    dot = told("dots::one_dot", target, {**TILE, **constants}, arguments)
    verdict = dot.one(RULE)
    assert verdict.tone == "bad" and "not on the tensor cores" in verdict.sentence and reason in verdict.sentence
    assert advice in (verdict.advice or "")
    assert not re.search(r"\b(?:mma|wgmma)\.", dot.compilation.text("ptx"))
    # In the TTGIR the result is in a layout of plain threads, not of tensor cores.
    assert "blocked" in dot.rows(verdict, "ttgir")[0].rpartition("->")[2]


@pytest.mark.parametrize(
    ("target", "constants", "options", "reason"),
    [
        ("sm_90", {"M": 16}, {}, "its 16 rows are too few for wgmma, which needs 64"),
        ("sm_90", {}, {"num_warps": 2}, "2 warps are no multiple of the 4 that wgmma needs"),
        ("sm_90", {}, {"num_warps": 1}, "1 warp is no multiple of the 4 that wgmma needs"),
        ("sm_100", {"M": 32}, {}, "its 32 rows are too few for tcgen05, which needs 64"),
        ("sm_100", {}, {"num_warps": 2}, "2 warps are not the 4 or 8 that tcgen05 needs"),
        ("sm_103", {}, {"num_warps": 16}, "16 warps are not the 4 or 8 that tcgen05 needs"),
    ],
)
def test_the_older_instruction_where_the_newer_cannot_be(
    told: Tell, target: str, constants: dict[str, Any], options: dict[str, Any], reason: str
) -> None:
    verdict = told("dots::one_dot", target, {**TILE, **constants}, HALVES, options).one(RULE)
    assert verdict.tone == "note" and "mma m16n8k16" in verdict.sentence and reason in verdict.sentence
    assert (verdict.advice or "").startswith(reason.partition("for ")[2].partition(",")[0] or reason.split()[-2])


@pytest.mark.parametrize("target", ["sm_90", "sm_100"])
def test_what_the_newer_instruction_never_takes_is_not_blamed_on_the_tile(told: Tell, target: str) -> None:
    verdict = told("dots::one_dot", target, {**TILE, "M": 16}, DOUBLES).one(RULE)
    assert verdict.tone == "good" and "f64" in verdict.sentence


@pytest.mark.parametrize(("target", "newer"), [("sm_90", "wgmma"), ("sm_100", "tcgen05")])
def test_a_batch_of_products(told: Tell, target: str, newer: str) -> None:
    verdict = told("dots::batch", target, {"SIZE": 64}, HALVES).one(RULE)
    assert verdict.tone == "note" and f"it is a batch of products, and {newer} takes single ones" in verdict.sentence


@pytest.mark.parametrize("target", ["gfx1100", "gfx1201"])
def test_amd_without_units_for_it(told: Tell, target: str) -> None:
    """Not a matter of ``input_precision``: what NVIDIA's advice says does not compile here."""
    dot = told("dots::one_dot", target, {**TILE, "PRECISION": "ieee"}, SINGLES)
    verdict = dot.one(RULE)
    assert verdict.tone == "bad" and f"those of {target} take no fp32 operands" in verdict.sentence
    assert "tf32" not in (verdict.advice or "tf32")
    assert not re.search(r"\bv_s?(?:mfmac?|wmmac?)_", dot.compilation.text("amdgcn"))


def test_no_dot_no_verdict(told: Tell) -> None:
    assert not told("costly::adds", "sm_90", {"BLOCK": 512}).of(RULE)


def test_operands_that_are_widened(told: Tell) -> None:
    widened = told("dots::widened_dot", "sm_90", {"SIZE": 64}, HALVES)
    verdict = widened.one("widened operands")
    assert verdict.tone == "bad" and "widened from f16 to fp32" in verdict.sentence
    assert sum("arith.extf" in row for row in widened.rows(verdict, "ttir")) == 2
    for arguments in (HALVES, SINGLES):
        assert not told("dots::one_dot", "sm_90", TILE, arguments).of("widened operands")
