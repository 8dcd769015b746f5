"""``irscope asm`` on real kernels."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from samples import SAMPLES

from irscope.cli import main
from irscope.report.asm import curve

MATMUL = SAMPLES / "matmul.py"


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    return printed_by(capsys, "asm", *words)


def printed_by(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words]) == 0
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed(capsys, *words, "--format", "json"))
    return found


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "gfx942"])
def test_the_parts_add_up(capsys: pytest.CaptureFixture[str], target: str) -> None:
    found = document(capsys, str(MATMUL), "--target", target)
    count = found["mix"]["instructions"]
    assert count == sum(found["mix"]["kinds"].values()) == len(found["instructions"])
    assert found["loops"], "the loop along K"
    for loop in found["loops"]:
        inside = [each for each in found["instructions"] if each["loop"] == loop["number"]]
        own = sum(other["mix"]["instructions"] for other in found["loops"] if other["parent"] == loop["number"])
        assert len(inside) + own == loop["mix"]["instructions"]
    assert any(loop["mix"]["tensor"] for loop in found["loops"]), "tl.dot is in the loop"


def test_the_peak_is_held_by_the_accumulator(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, str(MATMUL), "--target", "sm_90")
    live = found["live_registers"]
    assert live["peak"] == max(each["live"]["general"] for each in found["instructions"])
    by_line = {each["line"]: each["live"]["general"] for each in found["instructions"]}
    assert {by_line[line] for line in live["peak_lines"]} == {live["peak"]}
    most = live["values"][0]
    source = MATMUL.read_text(encoding="utf-8").splitlines()
    assert "tl.dot" in source[most["line"] - 1] and most["registers"] >= 64


def test_what_a_helper_holds_is_told_by_its_line_and_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    words = (str(SAMPLES / "flash_attention.py"), "--target", "sm_90")
    source = (SAMPLES / "flash_attention.py").read_text(encoding="utf-8").splitlines()
    values = document(capsys, *words)["live_registers"]["values"]
    called = [each for each in values if each["called_from"]]
    assert called and all("attend(" in source[each["called_from"] - 1] for each in called)
    most = next(each for each in called if "tl.dot" in source[each["line"] - 1])
    line = f"flash_attention.py:{most['line']} < {most['called_from']} "
    assert line in printed(capsys, *words).partition("held there by:")[2]
    # As the map of shared memory names what a helper allocates.
    assert re.search(r"flash_attention.py:\d+ < \d+ ", printed_by(capsys, "shared", *words))


def test_the_listing_has_a_line_for_each_instruction(capsys: pytest.CaptureFixture[str]) -> None:
    heading, *lines = printed(capsys, str(MATMUL), "--target", "sm_90", "--listing").splitlines()
    assert heading.split()[0] == "line"
    count = document(capsys, str(MATMUL), "--target", "sm_90")["mix"]["instructions"]
    assert len(lines) == count
    assert all(re.search(r"B[-\d]{6}:R[-\d]:W[-\d]:[-Y]:S\d\d", line) for line in lines)


def test_amd_has_live_registers_within_what_is_allocated(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, str(MATMUL), "--target", "gfx942")
    peak = found["live_registers"]["peak"]
    assert peak == max(each["live"]["general"] for each in found["instructions"])
    assert 0.9 * found["amd"]["vgprs"] < peak <= found["amd"]["vgprs"]
    text = printed(capsys, str(MATMUL), "--target", "gfx942")
    assert f"live VGPRs: at most {peak} in amdgcn" in text and "nvdisasm" not in text
    heading, *lines = printed(capsys, str(MATMUL), "--target", "gfx942", "--listing").splitlines()
    assert "live V S" in heading and "control" not in heading
    assert len(lines) == found["mix"]["instructions"]


def test_amd_has_its_lds_and_the_waves_that_it_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, str(MATMUL), "--target", "gfx942")["amd"]
    assert found["lds_bytes"] == 0 and found["lds_dynamic_bytes"] > 16384, "a tile of each operand"
    fits = found["occupancy"]
    # Without its LDS the registers would allow as many waves as LLVM says.
    assert 0 < fits["warps_per_sm"] <= 4 * found["waves_per_simd"]
    text = printed(capsys, str(MATMUL), "--target", "gfx942")
    assert f"{fits['warps_per_sm']} of 32 waves, limited by {fits['limiter']}" in text
    assert "AGPRs 0 " in text and "AGPRs" not in printed(capsys, str(MATMUL), "--target", "gfx1100")


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "gfx942"])
def test_blocks_follow_one_another(capsys: pytest.CaptureFixture[str], target: str) -> None:
    words = (str(MATMUL), "--target", target)
    found = document(capsys, *words)
    blocks, instructions = found["blocks"], found["instructions"]
    assert sum(block["instructions"] for block in blocks) == len(instructions)
    by_line = {entry["line"]: entry for entry in instructions}
    starts = {block["lines"][0]: block["number"] for block in blocks}
    for block in blocks:
        assert {by_line[line]["loop"] for line in block["lines"]} == {block["loop"]}
        targets = by_line[block["lines"][1]].get("targets", [])
        assert {starts[line] for line in targets} <= set(block["successors"])
    assert any(block["loop"] == 0 for block in blocks)
    text = printed(capsys, *words, "--blocks")
    assert len(re.findall(r"^ *block \d+ ", text, re.MULTILINE)) == len(blocks)
    assert "block" not in printed(capsys, *words).partition("live ")[0].partition("loop 0  ")[2]


def test_amd_says_why_it_has_no_live_registers(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, str(SAMPLES / "helper_calls.py"), "--target", "gfx942")
    assert "VGPRs" in text and "no live registers: the kernel calls a function" in text


def test_no_machine_code_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    assert main(["dump", str(MATMUL), "--target", "sm_90", "-o", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["asm", str(tmp_path / "matmul_kernel.ttgir")]) == 2
    assert "no machine code" in capsys.readouterr().err


def test_the_curve_shows_the_highest_of_each_stretch() -> None:
    assert curve((0, 4, 8, 2), columns=4) == " ▄█▂"
    assert curve((0, 4, 8, 2), columns=2) == "▄█"
    assert curve(()) == "" and curve((0, 0)) == "  "
