"""Launches kept between runs: fields and back, the history's length, the ceilings of a device."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from irscope.launch import ceilings, history
from irscope.launch.fields import from_fields
from irscope.launch.model import (
    Argument,
    Check,
    Comparison,
    Device,
    Figures,
    Launch,
    Output,
    Site,
    Timing,
)
from irscope.model import Compilation, Kernel, Specialization, Target

DEVICE = Device(0, "NVIDIA H100", "sm_90", "GPU-1", "570.1", 80_000_000_000, 50_000_000, 132)


def a_launch(file: Path, median: float = 100.0) -> Launch:
    site = Site(0, "k", str(file), 12, "main", (8, 1, 1), {"x_ptr": "fp32[1024]"}, {"BLOCK": 128}, {"num_warps": 4}, 3)
    return Launch(
        file=str(file),
        kernel="k",
        when="2026-01-02T03:04:05+00:00",
        source="file",
        specialization=Specialization({"x_ptr": "*fp32"}, {"BLOCK": 128}, {"x_ptr": {"tt.divisibility": 16}}),
        grid=(8, 1, 1),
        arguments=(Argument("x_ptr", "*fp32", (1024,), (1,), 4096, None, "the file"),),
        device=DEVICE,
        site=site,
        sites=(site,),
        timing=Timing("events", median, median * 0.9, median * 1.05, 100),
        bytes=8192,
        outputs=(Output("x_ptr", "fp32", (1024,), 1024, 1000, False, -1.0, 1.0, 0.0, 0, 2, (1.0, 2.0)),),
        driver=Figures(32, 0, 0, 1024, 1024, 16),
        static=Figures(32, 0, 0, 1024, None, 16),
        check=Check("interpreter", True, (Comparison("x_ptr", 1e-7, 1e-5, True, 10, 1024),), 1, 8, 0.5),
    )


def test_a_launch_is_the_same_after_json(tmp_path: Path) -> None:
    launch = a_launch(tmp_path / "k.py")
    assert from_fields(Launch, json.loads(json.dumps(asdict(launch)))) == launch


def test_fields_of_a_later_irscope_are_passed_over(tmp_path: Path) -> None:
    launch = a_launch(tmp_path / "k.py")
    assert from_fields(Launch, {**asdict(launch), "invented": 1}) == launch


def test_the_last_launches_are_kept_oldest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRSCOPE_CACHE_DIR", str(tmp_path))
    file = tmp_path / "k.py"
    for median in range(1, history.KEPT + 4):
        history.add(a_launch(file, float(median)))
    kept = history.load(str(file), "k")
    assert [launch.timing.median for launch in kept if launch.timing] == [
        float(median) for median in range(4, history.KEPT + 4)
    ]
    assert history.load(str(file), "other") == ()


def test_a_damaged_history_is_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRSCOPE_CACHE_DIR", str(tmp_path))
    history.add(a_launch(tmp_path / "k.py"))
    history.file_of(str(tmp_path / "k.py"), "k").write_text('[{"file"', encoding="utf-8")
    assert history.load(str(tmp_path / "k.py"), "k") == ()


def test_a_history_that_cannot_be_written_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    monkeypatch.setenv("IRSCOPE_CACHE_DIR", str(tmp_path / "taken"))
    history.add(a_launch(tmp_path / "k.py"))


def test_a_compilation_has_its_bundles_launches_and_those_kept_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRSCOPE_CACHE_DIR", str(tmp_path))
    launch = history.without_logs(a_launch(tmp_path / "k.py"))
    earlier = replace(launch, when="2025-01-01T00:00:00+00:00", device=replace(DEVICE, name="NVIDIA A100"))
    compiled = Compilation(
        Kernel(str(tmp_path / "k.py"), "k"), Target.parse("sm_90"), Specialization(), {}, launches=(earlier, launch)
    )
    assert history.of(compiled) == (earlier, launch)
    history.add(launch)
    history.add(later := replace(launch, when="2026-02-01T00:00:00+00:00"))
    assert history.of(compiled) == (earlier, launch, later)


def test_ratio_is_of_the_medians(tmp_path: Path) -> None:
    launch = a_launch(tmp_path / "k.py", 50.0)
    assert history.ratio(launch, a_launch(tmp_path / "k.py", 100.0)) == 0.5
    assert history.ratio(launch, replace(launch, timing=None)) is None


def test_launches_of_other_sizes_have_no_ratio(tmp_path: Path) -> None:
    launch = a_launch(tmp_path / "k.py")
    larger = replace(launch, arguments=(replace(launch.arguments[0], shape=(2048,)),))
    assert history.ratio(launch, larger) is None
    assert history.ratio(launch, replace(launch, device=replace(DEVICE, name="NVIDIA A100"))) is None


def test_shares_are_of_this_devices_ceilings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRSCOPE_CACHE_DIR", str(tmp_path))
    assert ceilings.load(DEVICE) is None
    kept = ceilings.keep(DEVICE, {"copy_gb_s": 2000.0, "matmul_tflop_s": {"fp16": 500.0}, "torch": "2.11"})
    assert ceilings.load(DEVICE) == kept
    assert ceilings.load(replace(DEVICE, uuid="GPU-2")) is None
    launch = replace(a_launch(tmp_path / "k.py", 1000.0), bytes=10**9, flops=250e9, flops_type="fp16", ceilings=kept)
    assert launch.gb_s == pytest.approx(1000.0)
    assert launch.copy_share == pytest.approx(0.5)
    assert launch.tflop_s == pytest.approx(250.0)
    assert launch.matmul_share == pytest.approx(0.5)
    assert replace(launch, flops_type="i8").matmul_share is None


def test_a_difference_from_the_driver_is_named(tmp_path: Path) -> None:
    launch = a_launch(tmp_path / "k.py")
    assert launch.disagreements == ()
    assert replace(launch, static=replace(launch.static or Figures(), registers=33)).disagreements == ("registers",)
