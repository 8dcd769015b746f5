"""Operations that cost more than they look, and the same without that."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from telling import Told

Tell = Callable[..., Told]
BLOCK = {"BLOCK": 512}

HOLDS = [
    # kernel, constants, rule, tone, what is said, a stage and what its rows have
    ("counts", BLOCK, "atomics", "note", "an atomic add runs in every iteration", "ttir", "tt.atomic_rmw"),
    ("total", BLOCK, "atomics", "note", "every program changes one and the same address", "ttir", "tt.atomic_rmw"),
    ("wraps", BLOCK, "integer division", "note", "an integer modulo of a tile", "ttgir", "arith.remsi"),
    ("wraps", BLOCK, "integer division", "note", "every iteration of a loop", "ptx", "rem.s32"),
    ("doubles", BLOCK, "fp64", "bad", "in fp64, although none of its arguments is: 3 operations", "ttir", "f64"),
    ("long_indices", BLOCK, "64-bit indices", "note", "1 operation on tiles of 64-bit integers", "ttir", "xi64"),
    ("divides", BLOCK, "precise math", "note", "div.rn.f32 rounds exactly", "ptx", "div.rn.f32"),
    ("divides", BLOCK, "precise math", "note", "sqrt.rn.f32 rounds exactly", "ptx", "sqrt.rn.f32"),
    (
        "waves",
        BLOCK,
        "local memory",
        "note",
        "an array of 28 bytes a thread is in local memory, for the sine",
        "ptx",
        ".local",
    ),
]


@pytest.mark.parametrize(("kernel", "constants", "rule", "tone", "said", "stage", "row"), HOLDS)
def test_where_it_holds(
    told: Tell, kernel: str, constants: dict[str, Any], rule: str, tone: str, said: str, stage: str, row: str
) -> None:
    answer = told(f"costly::{kernel}", "sm_90", constants)
    verdict = answer.one(rule, said)
    assert verdict.tone == tone
    assert any(row in line for line in answer.rows(verdict, stage))


@pytest.mark.parametrize(
    ("kernel", "constants", "rule"),
    [
        ("scattered", BLOCK, "atomics"),
        ("guarded", BLOCK, "atomics"),
        ("wraps_by_constant", {**BLOCK, "WIDTH": 100}, "integer division"),
        ("adds", BLOCK, "fp64"),
        ("adds", BLOCK, "64-bit indices"),
        ("divides_fast", BLOCK, "precise math"),
        ("adds", BLOCK, "local memory"),
        ("adds", BLOCK, "spills"),
    ],
)
def test_where_it_does_not(told: Tell, kernel: str, constants: dict[str, Any], rule: str) -> None:
    assert not told(f"costly::{kernel}", "sm_90", constants).of(rule)


def test_a_lock_is_no_sum(told: Tell) -> None:
    arguments = {"lock_ptr": "*i32:16", "total_ptr": "*i32:16"}
    taken, given = told("costly::locked", "sm_90", {}, arguments).of("atomics")
    assert "an atomic compare-and-swap runs in every iteration of a loop that waits for others" in taken.sentence
    assert taken.advice is None
    assert "every program changes one and the same address" in given.sentence and given.advice is None


def test_fp64_that_was_asked_for(told: Tell) -> None:
    arguments = dict.fromkeys(("x_ptr", "y_ptr"), "*fp64:16")
    verdict = told("costly::adds", "sm_90", BLOCK, arguments).one("fp64")
    assert verdict.tone == "note" and "as its arguments are" in verdict.sentence and verdict.advice is None


def test_spills(told: Tell) -> None:
    answer = told("costly::spills", "sm_90", {"SIZE": 256})
    verdict = answer.one("spills")
    sizes = re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", answer.compilation.ptxas_log)
    assert sizes is not None
    assert verdict.tone == "bad" and verdict.sentence.replace(" ", "").startswith(
        f"Registersarespilled:{sizes[1]}bytesarestoredand{sizes[2]}loaded"
    )
    rows = answer.rows(verdict, "sass")
    assert rows and all(re.search(r"\b(STL|LDL)\b", row) for row in rows)
    # The line table of the SASS has lines that the file does not have: they are not told.
    source = answer.compilation.source(answer.compilation.kernel.file)
    assert source is not None
    lines = [int(line) for line in re.findall(r"line (\d+)", verdict.sentence)]
    assert lines and all(1 <= line <= len(source.text.split("\n")) for line in lines)


def test_spills_under_a_limit_of_registers(told: Tell) -> None:
    verdict = told("costly::spills", "sm_90", {"SIZE": 64}, {}, {"maxnreg": 32}).one("spills")
    assert "maxnreg=32" in (verdict.advice or "")
