"""Every figure has words for where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from samples import SAMPLE_KERNELS, SAMPLES

from irscope import analysis
from irscope.analysis.figures import figures
from irscope.analysis.verdicts import verdicts
from irscope.explain.figures import column_source, meaning, source, verdict_source
from irscope.model import Compilation, Occupancy, Resources
from irscope.report.document import figure_sources
from irscope.tui.code_facts import CodeFacts

Compile = Callable[[str, str], Compilation]


def test_every_figure_has_a_meaning() -> None:
    for name in (*asdict(Resources()), *asdict(Occupancy()), "live_registers", "operations", "seconds"):
        assert meaning(name), name
    assert meaning("speed") == ""


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "gfx942"])
def test_every_figure_that_is_known_names_its_source(compiled_sample: Compile, target: str) -> None:
    found = compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", target)
    known = figures(found)
    told = figure_sources(found, known)
    values = {**asdict(known.resources), **asdict(known.occupancy)}
    assert set(told) == {name for name, value in values.items() if value is not None}
    assert all(told.values())


def test_what_was_not_reached_names_none(matmul: Compilation) -> None:
    bare = replace(matmul, stages={"ttir": matmul.stages["ttir"]}, metadata={})
    assert figure_sources(bare, figures(bare)) == {"max_warps_per_sm": source("max_warps_per_sm", bare)}


def test_spills_are_from_the_report_where_there_is_one(matmul: Compilation) -> None:
    assert matmul.ptxas_log
    assert "ptxas" in source("spill_store_bytes", matmul)
    assert "instructions" in source("spill_store_bytes", replace(matmul, ptxas_log=""))


def test_live_registers_are_from_who_told_them(matmul: Compilation) -> None:
    assert source("live_registers", matmul, "nvdisasm") != source("live_registers", matmul, "irscope")
    assert source("live_registers", matmul) == ""


def test_every_rule_says_what_it_is_drawn_from() -> None:
    """Rules are named in their modules; those that the samples show are among them."""
    folder = Path(analysis.__file__).parent / "verdicts"
    named = set()
    for module in folder.glob("*.py"):
        for line in module.read_text(encoding="utf-8").splitlines():
            if line.startswith("RULE"):
                named.update(line.partition(" = ")[2].replace('"', "").split(", "))
    named.discard("")
    named = {name for name in named if not name.startswith("(")}
    assert len(named) > 8
    assert not [name for name in named if not verdict_source(name)]
    assert verdict_source("taste") == ""


@pytest.mark.parametrize("target", ["sm_90", "gfx942"])
def test_rules_and_columns_of_the_samples_have_sources(compiled_sample: Compile, target: str) -> None:
    for path in SAMPLE_KERNELS:
        found = compiled_sample(path, target)
        assert not [verdict.rule for verdict in verdicts(found) if not verdict_source(verdict.rule)]
    facts = CodeFacts(found)
    for view in ("source", "ttgir", "sass", "amdgcn"):
        assert not [column.name for column in facts.table(view).columns if not column_source(column.name)]
