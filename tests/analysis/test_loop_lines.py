"""Loops of the machine code are traced to the ``for`` and ``while`` statements that they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from samples import KERNELS

from irscope import ir, session
from irscope.analysis.loop_lines import loop_lines
from irscope.analysis.machine import machine
from irscope.correlate import Correlation
from irscope.model import Compilation, Target
from irscope.request import Request

LOOPS = KERNELS / "loops.py"


def compiled(kernel: str, target: str, **types: str) -> Compilation:
    found = session.open(Request(LOOPS, kernel, Target.parse(target), arguments=types, constants={}))
    assert found.failure is None
    return found


def statements(compilation: Compilation) -> list[tuple[int, str | None]]:
    """By loop, its depth and the text of its statement."""
    code = machine(compilation)
    assert code is not None
    paths = [source.path for source in compilation.sources]
    indices = {code.stage: ir.index(code.stage, compilation.text(code.stage))}
    chains = Correlation(indices, paths, compilation.kernel.file).locations(code.stage)
    text = LOOPS.read_text(encoding="utf-8").splitlines()
    told = []
    for loop, place in zip(code.flow.loops, loop_lines(compilation, code.flow, code.rows, chains), strict=True):
        assert place is None or Path(place[0]).name == LOOPS.name
        told.append((loop.depth, place and text[place[1] - 1].strip()))
    return told


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "sm_120", "gfx942"])
def test_each_depth_has_its_own_statement(target: str) -> None:
    found = set(statements(compiled("nested", target)))
    assert found == {(1, "for row in range(rows):"), (2, "for column in range(columns):")}


@pytest.mark.parametrize("target", ["sm_90", "gfx942"])
def test_a_loop_of_a_called_function(target: str) -> None:
    found = statements(compiled("counted", target, x_ptr="*i32", y_ptr="*i32"))
    assert set(found) == {(1, "while x > 1:")}
