"""Layout conversions: what they move, how, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from samples import SAMPLES
from telling import Told, check

from irscope.analysis.verdicts import verdicts
from irscope.analysis.verdicts.layouts import first_axis, neighbours, short, tensor_layout
from irscope.exact import exact_edges
from irscope.model import Compilation
from irscope.request import Request

Tell = Callable[..., Told]
RULE = "layout conversions"


def test_through_shared_memory(told: Tell) -> None:
    transpose = told("exchanges::transpose", "sm_90", {"SIZE": 64})
    verdict = transpose.one(RULE)
    assert verdict.tone == "note"
    assert (
        "64x64 f32 from #blocked1 (4 x 1 a thread) to #blocked (1 x 4 a thread) (16 384 bytes a block)"
        in verdict.sentence
    )
    assert verdict.sentence.endswith("goes through shared memory.")
    (row,) = transpose.rows(verdict, "ttgir")
    assert "ttg.convert_layout" in row
    assert all(".shared" in row for row in transpose.rows(verdict, "ptx"))


def test_to_a_slice_of_an_operand(told: Tell) -> None:
    scaled = told("exchanges::scaled_product", "sm_80", {"SIZE": 64})
    sliced = [each for each in scaled.of(RULE) if "slice<" in "".join(scaled.rows(each, "ttgir")).partition("->")[2]]
    assert sliced
    for verdict in sliced:
        assert " to a slice of " in verdict.sentence


@pytest.mark.parametrize("target", ["sm_90", "gfx942"])
def test_in_a_loop(told: Tell, target: str) -> None:
    verdict = told("exchanges::transposes", target, {"SIZE": 64}).one(RULE)
    assert verdict.tone == "bad" and "through shared memory, in every iteration of a loop" in verdict.sentence


def test_within_registers(compiled_sample: Callable[..., Compilation]) -> None:
    attention = compiled_sample(f"{SAMPLES / 'flash_attention.py'}::flash_attention_kernel", "sm_90")
    found = [verdict for verdict in verdicts(attention) if verdict.rule == RULE]
    inside = [verdict for verdict in found if "within each thread's registers" in verdict.sentence]
    assert inside and all(verdict.tone == "good" for verdict in inside)
    assert all("operand 0 of a dot in #mma" in verdict.sentence for verdict in inside)
    for verdict in found:
        check(attention, verdict)


def test_what_else_exchanges_values_makes_it_uncertain(told: Tell) -> None:
    found = told("costly::scattered", "sm_90", {"BLOCK": 512}).of(RULE)
    assert found and all(verdict.tone == "unknown" and "not certain" in verdict.sentence for verdict in found)
    # Pointers or indices: as they are in the TTGIR, never a size of nothing.
    assert all("bytes a block" in verdict.sentence and "(0 bytes" not in verdict.sentence for verdict in found)


@pytest.mark.parametrize("target", ["sm_80", "sm_90"])
def test_exact_edges_tell_a_conversion_from_what_else_its_line_exchanges(told: Tell, target: str) -> None:
    constants = {"BLOCK": 512}
    plain = told("costly::scattered", target, constants).compilation
    request = Request(
        Path(plain.kernel.file), plain.kernel.name, plain.target, constants={"BLOCK": "512"}, arguments={}
    )
    known = exact_edges(plain, request)
    assert known.edges and known.edges.is_exact("ttgir", "ptx")
    before = [each for each in verdicts(replace(known, edges=None)) if each.rule == RULE]
    after = [each for each in verdicts(known) if each.rule == RULE]
    assert len(before) == len(after) and any(each.tone == "unknown" for each in before)
    assert all(each.tone != "unknown" for each in after)
    for verdict in after:
        check(known, verdict)


def test_none_is_needed(told: Tell) -> None:
    assert not told("costly::adds", "sm_90", {"BLOCK": 512}).of(RULE)


def test_layouts() -> None:
    aliases = {
        "#b": "#ttg.blocked<{sizePerThread = [1, 8], threadsPerWarp = [2, 16], warpsPerCTA = [8, 1], order = [1, 0]}>",
        "#l": "#ttg.linear<{register = [[0, 1], [0, 2], [8, 0]], lane = [[0, 4]], warp = [], block = []}>",
        "#l1": "#ttg.linear<{register = [[1, 0], [0, 1], [0, 2], [16, 0], [0, 8]], lane = [[0, 4]], warp = []}>",
        "#s": "#ttg.swizzled_shared<{vec = 4, perPhase = 2, maxPhase = 4, order = [0, 1]}>",
        "#n": "#ttg.nvmma_shared<{swizzlingByteWidth = 128, transposed = false, elementBitWidth = 16}>",
        "#m": "#ttg.nvidia_mma<{versionMajor = 2, versionMinor = 0, warpsPerCTA = [2, 4], instrShape = [16, 8]}>",
        "#a": "#ttg.amd_mfma<{version = 3, warpsPerCTA = [2, 2], instrShape = [32, 32, 8], isTransposed = true}>",
    }
    assert [neighbours(layout, 1, aliases) for layout in ("#b", "#l", "#m", "#a")] == [8, 4, 2, 4]
    assert [neighbours(layout, 0, aliases) for layout in ("#b", "#l", "#m", "#a")] == [1, 1, 1, 1]
    assert neighbours("#ttg.slice<{dim = 0, parent = #b}>", 0, aliases) == 8
    assert neighbours("#ttg.slice<{dim = 1, parent = #b}>", 0, aliases) == 1
    assert neighbours("#l1", 1, aliases) == 1 and neighbours("#l1", 0, aliases) == 2
    # Without the other axis what differs along it alone is the same element.
    assert neighbours("#ttg.slice<{dim = 0, parent = #l1}>", 0, aliases) == 4
    assert neighbours("#ttg.slice<{dim = 1, parent = #l1}>", 0, aliases) == 2
    assert [first_axis(layout, aliases) for layout in ("#s", "#n", "#b")] == [0, 1, None]
    assert neighbours("#unheard.of<{}>", 0, aliases) is None
    assert (
        tensor_layout("tensor<4x!tt.ptr<f16>, #ttg.slice<{dim = 1, parent = #b}>>")
        == "#ttg.slice<{dim = 1, parent = #b}>"
    )
    assert tensor_layout("tensor<4xf16>") is None and tensor_layout("i32") is None
    assert short("#b", aliases) == "#b (1 x 8 a thread)" and short("#m", aliases) == "#m"
