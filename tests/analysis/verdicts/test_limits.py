"""What limits occupancy, and the nearest change that raises it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from samples import SAMPLES
from telling import Told, check

from irscope.analysis.figures import figures
from irscope.analysis.occupancy import fewer_resources, occupancy
from irscope.analysis.verdicts import verdicts
from irscope.model import Compilation, Resources, Target

Tell = Callable[..., Told]
RULE = "occupancy"


@pytest.mark.parametrize("target", ["sm_75", "sm_80", "sm_90", "sm_120", "gfx90a", "gfx942", "gfx1100"])
def test_the_step_is_the_nearest(target: str) -> None:
    """With what it allows one block more fits; with one register or byte more than that it does not."""
    arch, seen = Target.parse(target), set()
    for registers, shared, warps in product(
        (24, 40, 72, 96, 168, 255), (0, 5000, 16384, 30000, 49152), (1, 2, 4, 8, 16)
    ):
        used = Resources(registers=registers, shared_static_bytes=0, shared_dynamic_bytes=shared, barriers=1)
        now = occupancy(used, arch, warps).blocks_per_sm
        change = fewer_resources(used, arch, warps)
        if change is None or now is None:
            continue
        registers_count, less = change.fewer_registers, change.less_shared_bytes
        seen.add((registers_count > 0, less > 0))
        changed, fit = change.resources, change.after.blocks_per_sm or 0
        assert (changed.registers, changed.shared_dynamic_bytes) == (registers - registers_count, shared - less)
        assert occupancy(changed, arch, warps).blocks_per_sm == fit > now
        if registers_count:
            worse = replace(changed, registers=registers - registers_count + 1)
            assert (occupancy(worse, arch, warps).blocks_per_sm or 0) < fit
        if less:
            worse = replace(changed, shared_dynamic_bytes=shared - less + 1)
            assert (occupancy(worse, arch, warps).blocks_per_sm or 0) < fit
    assert {(True, False), (False, True)} <= seen


def test_nothing_to_change() -> None:
    small = Resources(registers=16, shared_static_bytes=0, shared_dynamic_bytes=0, barriers=1)
    assert fewer_resources(small, Target.parse("sm_90"), 4) is None  # The warps are used up.
    assert fewer_resources(small, Target.parse("sm_20"), 4) is None
    assert fewer_resources(Resources(), Target.parse("sm_90"), 4) is None


@pytest.mark.parametrize(("target", "limiter"), [("sm_80", "186 registers a thread"), ("sm_90", "registers a thread")])
def test_registers(compiled_sample: Callable[..., Compilation], target: str, limiter: str) -> None:
    matmul = compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", target)
    (verdict,) = [verdict for verdict in verdicts(matmul) if verdict.rule == RULE]
    check(matmul, verdict)
    found = figures(matmul)
    assert found.occupancy.limiter == "registers"
    assert verdict.sentence.startswith(f"{found.resources.registers} registers a thread allow ")
    assert f"{found.occupancy.warps_per_sm} of {found.occupancy.max_warps_per_sm} warps" in verdict.sentence
    assert "registers (" in (verdict.advice or "")
    assert any("registers" in place.text and str(found.resources.registers) in place.text for place in verdict.evidence)


def test_shared_memory(told: Tell) -> None:
    tile: dict[str, Any] = {"M": 64, "N": 64, "K": 64, "PRECISION": "tf32"}
    pointers = dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp64:16")
    verdict = told("dots::one_dot", "sm_90", tile, pointers).one(RULE)
    assert verdict.tone == "note" and "bytes of shared memory a block allow" in verdict.sentence
    assert "bytes of shared memory (" in (verdict.advice or "")


def test_all_warps(told: Tell) -> None:
    verdict = told("costly::adds", "sm_90", {"BLOCK": 512}).one(RULE)
    assert verdict.tone == "good" and "64 of 64 warps" in verdict.sentence and verdict.advice is None


def test_a_block_that_never_fits(told: Tell) -> None:
    verdict = told("costly::spills", "sm_90", {"SIZE": 256}).one(RULE)
    assert verdict.tone == "bad" and verdict.sentence.startswith("Not one block fits")
