"""Sizes that must agree, on jit functions of Triton's own: nothing is compiled."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
import triton
import triton.language as tl

from irscope.worker.inference.infer import resolve_helper
from irscope.worker.inference.shapes import conflicts
from irscope.worker.inference.sizes import agree


@triton.jit
def product(a, b, acc):
    return tl.dot(a, b, acc)


@triton.jit
def attention(q_ptr, k_ptr, o_ptr, N, D: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, DV: tl.constexpr):
    tl.static_assert(BM % BN == 0)
    rows = tl.arange(0, BM)
    q = tl.load(q_ptr + rows[:, None] * D + tl.arange(0, D)[None, :])
    acc = tl.zeros((BM, DV), dtype=tl.float32)
    for start in range(0, N, BN):
        k = tl.load(k_ptr + tl.arange(0, D)[:, None] + (start + tl.arange(0, BN))[None, :] * D)
        scores = tl.dot(q, k)
        values = tl.load(k_ptr + (start + tl.arange(0, BN))[:, None] * D + tl.arange(0, DV)[None, :])
        acc = product(scores.to(tl.float16), values, acc)
    tl.store(o_ptr + rows[:, None] * D + tl.arange(0, D)[None, :], acc)


@triton.jit
def pairs(x_ptr, SIZE: tl.constexpr, GROUPS: tl.constexpr, WIDTH: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, SIZE))
    tl.store(x_ptr + tl.arange(0, SIZE), tl.reshape(x.reshape(GROUPS, WIDTH).trans(1, 0), (SIZE,)))


@triton.jit
def chosen(x_ptr, WIDE: tl.constexpr, BLOCK: tl.constexpr, HALF: tl.constexpr):
    tl.static_assert(HALF == BLOCK // 2 or not WIDE)
    if WIDE:
        tl.store(x_ptr + tl.arange(0, HALF), tl.load(x_ptr + tl.arange(0, BLOCK // 2)))
    else:
        tl.store(x_ptr + tl.arange(0, BLOCK), tl.load(x_ptr + tl.arange(0, BLOCK)))


@triton.jit
def halves(x_ptr, COUNT: tl.constexpr, PARTS: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, COUNT)[:, None] * PARTS + tl.arange(0, PARTS)[None, :])
    first, second = tl.split(x)
    tl.store(x_ptr + tl.arange(0, COUNT), first + second)


@triton.jit
def staged(x_ptr, STAGE: tl.constexpr):
    if STAGE == 3:
        low = 1
    elif STAGE == 5:
        low = 2
    tl.store(x_ptr, low)


@triton.jit
def of_mode(x_ptr, MODE: tl.constexpr):
    if MODE == "plain":
        tl.store(x_ptr, 1)
    elif MODE == "relaxed":
        tl.store(x_ptr, 2)
    else:
        tl.static_assert(False, "no such mode")


@triton.jit
def calls_staged(x_ptr, STAGE: tl.constexpr):
    staged(x_ptr, 8 - STAGE)


@triton.jit
def wide(x_ptr, ROWS: tl.constexpr, COLS: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, ROWS)[:, None] * COLS + tl.arange(0, COLS)[None, :], 0)


@triton.jit
def described(x_ptr, M, N, ROWS: tl.constexpr, COLS: tl.constexpr):
    rows = tl.make_tensor_descriptor(x_ptr, [M, N], [N, 1], [ROWS, COLS])
    x = rows.load([0, 0])
    rows.store([0, 0], x + tl.sum(x, axis=1, keep_dims=True) + tl.max(x, 0)[None, :])


def solved(
    function: Any, constants: dict[str, Any], free: Collection[str] | None = None, **types: str
) -> dict[str, Any]:
    found = agree(function, constants, constants if free is None else free, resolve_helper, types, seconds=5)
    settled = {**constants, **{name: size.value for name, size in found.items()}}
    assert conflicts(function, settled, types, resolve_helper) == []
    assert set(found) <= set(constants if free is None else free)
    return {name: size.value for name, size in found.items()}


def test_guesses_that_fit_stay() -> None:
    assert solved(attention, {"D": 64, "BM": 64, "BN": 32, "DV": 64}) == {}


def test_what_a_helper_multiplies_agrees_with_its_caller() -> None:
    assert solved(attention, {"D": 128, "BM": 64, "BN": 64, "DV": 64}, ["BM", "BN", "DV"]) == {"DV": 128}


def test_the_one_that_is_free_follows_the_others() -> None:
    assert solved(attention, {"D": 128, "BM": 64, "BN": 64, "DV": 64}, ["D"]) == {"D": 64}


def test_an_assertion_is_met_with_a_power_of_two() -> None:
    found = solved(attention, {"D": 64, "BM": 48, "BN": 64, "DV": 64})
    assert found == {"BM": 64}


def test_a_dot_has_sixteen_and_of_eight_bits_thirty_two() -> None:
    assert solved(attention, {"D": 8, "BM": 64, "BN": 64, "DV": 8}) == {"D": 16, "DV": 16}
    assert solved(attention, {"D": 16, "BM": 64, "BN": 64, "DV": 16}, q_ptr="*fp8e5") == {"D": 32, "DV": 32}


def test_a_reshape_keeps_its_elements() -> None:
    found = solved(pairs, {"SIZE": 1024, "GROUPS": 64, "WIDTH": 64})
    assert len(found) == 1
    sizes = {"SIZE": 1024, "GROUPS": 64, "WIDTH": 64, **found}
    assert sizes["SIZE"] == sizes["GROUPS"] * sizes["WIDTH"]
    assert solved(pairs, {"SIZE": 1024, "GROUPS": 8, "WIDTH": 64}, ["WIDTH"]) == {"WIDTH": 128}


@pytest.mark.parametrize(("wide", "expected"), [(True, {"HALF": 32}), (False, {})])
def test_only_the_branch_that_is_compiled_counts(wide: bool, expected: dict[str, int]) -> None:
    assert solved(chosen, {"WIDE": wide, "BLOCK": 64, "HALF": 64}, ["HALF"]) == expected


def test_a_split_is_of_two() -> None:
    assert solved(halves, {"COUNT": 64, "PARTS": 64}) == {"PARTS": 2}


def test_a_descriptors_row_has_sixteen_bytes() -> None:
    assert solved(described, {"ROWS": 64, "COLS": 4}, x_ptr="*fp16") == {"COLS": 8}
    assert solved(described, {"ROWS": 64, "COLS": 4}, x_ptr="*fp32") == {}


def test_a_size_that_is_no_power_of_two_grows_to_one() -> None:
    assert solved(described, {"ROWS": 60, "COLS": 64}) == {"ROWS": 64}


def test_what_cannot_be_mended_is_left_alone() -> None:
    assert agree(halves, {"COUNT": 64, "PARTS": 64}, ["COUNT"], resolve_helper, seconds=5) == {}
    assert agree(halves, {"COUNT": 64, "PARTS": 64}, [], resolve_helper) == {}


def test_the_line_that_wants_it_is_told() -> None:
    (size,) = agree(halves, {"COUNT": 64, "PARTS": 64}, ["PARTS"], resolve_helper, seconds=5).values()
    assert size.value == 2
    assert "2 to split in line " in size.evidence
    assert "tl.split(x)" in size.evidence


@pytest.mark.parametrize(("guess", "among"), [(64, (3, 5)), (tl.float32, (3, 5)), (None, (3, 5))])
def test_a_branch_that_defines_what_is_used_is_taken(guess: Any, among: tuple[int, ...]) -> None:
    assert solved(staged, {"STAGE": guess})["STAGE"] in among
    (size,) = agree(staged, {"STAGE": 64}, ["STAGE"], resolve_helper, seconds=5).values()
    assert "is defined in line " in size.evidence


def test_a_helpers_branch_is_taken_by_its_caller() -> None:
    assert solved(calls_staged, {"STAGE": 64}) in ({"STAGE": 5}, {"STAGE": 3})


def test_an_assertion_that_always_fails_is_not_reached() -> None:
    assert solved(of_mode, {"MODE": 64}) in ({"MODE": "plain"}, {"MODE": "relaxed"})


def test_a_block_is_not_larger_than_compiles_in_reasonable_time() -> None:
    assert solved(wide, {"ROWS": 1024, "COLS": 64}) == {"ROWS": 256}
    assert solved(wide, {"ROWS": 256, "COLS": 64}) == {}
    # What was not guessed is what somebody wants.
    assert agree(wide, {"ROWS": 1024, "COLS": 64}, [], resolve_helper) == {}
