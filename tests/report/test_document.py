"""What ``dump`` says of a compilation, as JSON and as text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from samples import SAMPLES

from irscope.analysis.figures import figures
from irscope.model import Compilation, Stage, Target
from irscope.report.document import document, line_count
from irscope.report.summary import summary


def located(compilation: Compilation, stage: str) -> dict[int, list[dict[str, Any]]]:
    shown = document(compilation, figures(compilation), correlation="source")["correlation"][stage]
    return {entry["line"]: entry["locations"] for entry in shown}


def test_an_unknown_column_is_null(matmul: Compilation) -> None:
    columns = {place["column"] for places in located(matmul, "sass").values() for place in places}
    assert columns == {None}
    assert all(place["column"] for places in located(matmul, "ttir").values() for place in places)


def test_call_sites_that_sass_does_not_tell_are_those_of_ptx(compiled_sample: Callable[..., Compilation]) -> None:
    """As with a Triton up to 3.7, whose cubins have the innermost frame alone."""
    softmax = compiled_sample(f"{SAMPLES / 'softmax.py'}::softmax_kernel")
    innermost = re.sub(r" inlined at [^\n]*(?:\n\s*//## File [^\n]*)*", "", softmax.text("sass"))
    older = replace(softmax, stages={**softmax.stages, "sass": Stage("sass", text=innermost)})
    known, found = (
        {tuple(place["line"] for place in places) for places in located(compilation, "sass").values()}
        for compilation in (softmax, older)
    )
    assert any(len(chain) > 1 for chain in known & found)


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_numbers_that_json_does_not_have_are_text(matmul: Compilation, value: str) -> None:
    specialization = replace(matmul.specialization, constexprs={"OTHER": float(value), "SCALE": 0.5})
    shown = document(replace(matmul, specialization=specialization), figures(matmul))
    assert json.loads(json.dumps(shown, allow_nan=False))["constexprs"] == {"OTHER": value, "SCALE": 0.5}


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a", 1), ("a\n", 1), ("a\r\n\r\n", 2), ("a\fb\n", 1)])
def test_lines_are_those_of_an_editor(text: str, count: int) -> None:
    assert line_count(text) == count


def test_why_the_occupancy_is_unknown(matmul: Compilation) -> None:
    only_ptx = replace(matmul, stages={"ptx": matmul.stages["ptx"]})
    assert re.search(r"occupancy +\? +unknown without registers", summary(only_ptx, figures(only_ptx), {}))
    elsewhere = replace(only_ptx, target=Target.parse("sm_20"))
    assert re.search(r"occupancy +\? +unknown for this target", summary(elsewhere, figures(elsewhere), {}))
    assert re.search(r"occupancy +\d+ +blocks a multiprocessor", summary(matmul, figures(matmul), {}))
