"""Blocks that guesses leave out, on jit functions of Triton's own: nothing is compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import triton
import triton.language as tl

from irscope import session
from irscope.model import Target
from irscope.report.summary import specialization as printed
from irscope.request import Request
from irscope.worker.inference.hidden import branches
from irscope.worker.inference.infer import resolve_helper


@triton.jit
def helper(x_ptr, MODE: tl.constexpr):
    if MODE == "square":
        tl.store(x_ptr, 4)
    elif MODE == "root":
        tl.store(x_ptr, 2)


@triton.jit
def kernel(x_ptr, bias_ptr, n, HAS_BIAS: tl.constexpr, MODE: tl.constexpr, LEVEL: tl.constexpr):
    if HAS_BIAS:
        tl.store(x_ptr, 1)
        if n > 3:
            tl.store(x_ptr, 2)
        else:
            tl.store(x_ptr, 3)
    if bias_ptr is not None:
        tl.store(x_ptr, tl.load(bias_ptr))
    if LEVEL > 1 and LEVEL != 4:
        helper(x_ptr, MODE)


GUESSES: dict[str, Any] = {"HAS_BIAS": False, "MODE": None, "LEVEL": 64, "bias_ptr": None}


def found(**values: Any) -> dict[str, str]:
    constants = {**GUESSES, **values}
    return branches(kernel, constants, list(constants), resolve_helper)


def test_a_flag_that_is_off_hides_what_it_guards() -> None:
    assert found()["HAS_BIAS"] == "with HAS_BIAS on, 3 more blocks"
    assert "HAS_BIAS" not in found(HAS_BIAS=True)


def test_a_pointer_that_is_left_out_hides_a_block() -> None:
    assert found()["bias_ptr"] == "with bias_ptr given, 1 more block"


def test_a_mode_hides_what_a_helper_does() -> None:
    assert found()["MODE"] == "with MODE = 'square', 1 more block"
    assert found(MODE="square")["MODE"] == "with MODE = 'root', 1 more block"
    # The helper is not called at all.
    assert "MODE" not in found(LEVEL=1)
    assert found(LEVEL=1, MODE="root")["LEVEL"] == "with LEVEL = 2, 2 more blocks"


def test_what_was_not_guessed_hides_nothing() -> None:
    assert branches(kernel, GUESSES, [], resolve_helper) == {}


def test_the_user_sees_it(tmp_path: Path) -> None:
    file = tmp_path / "kernels.py"
    file.write_text(
        "import triton\nimport triton.language as tl\n\n\n@triton.jit\ndef kernel(x_ptr, HAS_BIAS: tl.constexpr):\n"
        "    if HAS_BIAS:\n        tl.store(x_ptr, 1.0)\n    tl.store(x_ptr + 1, 1.0)\n",
        encoding="utf-8",
    )
    target = Target.parse("sm_90")
    guessed = session.open(Request(file, target=target))
    assert guessed.specialization.provenance["HAS_BIAS"] == "guessed"
    assert guessed.specialization.hidden == {"HAS_BIAS": "with HAS_BIAS on, 1 more block"}
    assert "a condition in line 7: HAS_BIAS; with HAS_BIAS on, 1 more block" in printed(guessed)
    given = session.open(Request(file, target=target, constants={"HAS_BIAS": "False"}))
    assert given.specialization.hidden == {}
