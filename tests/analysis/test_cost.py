"""Costs by line and by row, on kernels compiled here: what must add up, and what is known of each kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samples import KERNELS, SAMPLES

from irscope import exact, session
from irscope.analysis.cost import Cost, Costs, RowCost, StageCosts, costs, known_live_registers
from irscope.analysis.figures import figures
from irscope.model import Compilation, Stage, Target
from irscope.request import Request

MATMUL = f"{SAMPLES / 'matmul.py'}::matmul_kernel"
VECTOR_ADD = f"{SAMPLES / 'vector_add.py'}::vector_add_kernel"
LAYER_NORM = f"{SAMPLES / 'layer_norm.py'}::layer_norm_backward_kernel"
SPILLING = f"{KERNELS / 'spills.py'}::spilling_kernel"
DESCRIPTORS = f"{Path(__file__).parent / 'kernels' / 'instructions.py'}::descriptors_kernel"

CASES = ((MATMUL, "sm_80"), (MATMUL, "sm_90"), (MATMUL, "gfx942"), (VECTOR_ADD, "sm_90"), (LAYER_NORM, "sm_90"),
         (SPILLING, "sm_90"))  # fmt: skip


@pytest.fixture(scope="module")
def compiled(own_directories: None) -> Callable[[str, str], Compilation]:
    """A kernel with its exact edges, once a module."""

    @cache
    def with_edges(path: str, target: str) -> Compilation:
        file, _, kernel = path.rpartition("::")
        request = Request(Path(file), kernel, Target.parse(target))
        found = exact.exact_edges(session.open(request), request)
        assert found.edges is not None and found.edges.reason is None
        return found

    return with_edges


@pytest.fixture(scope="module")
def measured(compiled: Callable[[str, str], Compilation]) -> Callable[..., Costs]:
    @cache
    def of(path: str, target: str, with_edges: bool = True) -> Costs:
        found = compiled(path, target)
        live, _ = known_live_registers(found)
        result = costs(found if with_edges else replace(found, edges=None), live)
        assert result is not None
        return result

    return of


def case_id(value: object) -> str:
    return str(value).rpartition("::")[2].removesuffix("_kernel")


def line_of(path: str, code: str) -> tuple[str, int]:
    """The one line of a file that has a piece of code in it."""
    file = path.rpartition("::")[0]
    (number,) = (
        number for number, line in enumerate(Path(file).read_text(encoding="utf-8").split("\n"), 1) if code in line
    )
    return file, number


def at(measured: Costs, path: str, code: str) -> RowCost:
    return measured.by_source[line_of(path, code)]


def ops(measured: Costs, compilation: Compilation, stage: str, name: str) -> list[RowCost]:
    lines = compilation.text(stage).split("\n")
    return [cost for row, cost in measured.rows(stage).items() if name in lines[row]]


def added(parts: list[Cost]) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    for part in parts:
        kinds.update(part.kinds)
    return {
        "instructions": sum(part.instructions for part in parts),
        "kinds": dict(kinds),
        "in_loops": sum(part.in_loops for part in parts),
        "spill_bytes": sum(part.spill_bytes or 0 for part in parts),
        "share": pytest.approx(sum(part.share for part in parts)),
        "global_bytes": sum(part.global_bytes or 0 for part in parts),
        "shared_bytes": sum(part.shared_bytes or 0 for part in parts),
    }


@pytest.mark.parametrize(("path", "target"), CASES, ids=case_id)
@pytest.mark.parametrize("with_edges", [True, False], ids=["exact", "source"])
def test_own_instructions_with_the_unattributed_are_all_of_the_kernel(
    measured: Callable[..., Costs], path: str, target: str, with_edges: bool
) -> None:
    found = measured(path, target, with_edges)
    stages: list[StageCosts[Any]] = [found.lines, *map(found.stage, ("ttir", "ttgir", "llir", found.code.stage))]
    for stage in stages:
        parts = [row.own for row in stage.rows.values()] + [stage.several, stage.unattributed]
        total = added(parts)
        assert {name: getattr(found.total, name) for name in total} == total
        assert all(set(row.own_numbers) <= set(row.numbers) for row in stage.rows.values())
        assert all(row.numbers == tuple(sorted(set(row.numbers))) for row in stage.rows.values())


@pytest.mark.parametrize(("path", "target"), CASES, ids=case_id)
def test_totals_are_those_of_other_sources(
    measured: Callable[..., Costs], compiled: Callable[[str, str], Compilation], path: str, target: str
) -> None:
    total, used = measured(path, target).total, figures(compiled(path, target)).resources
    assert total.share == 1
    if target.startswith("sm_"):
        assert total.instructions == used.instructions
        assert used.spill_store_bytes is not None and used.spill_load_bytes is not None
        assert total.spill_bytes == used.spill_store_bytes + used.spill_load_bytes  # ptxas' own report
        assert total.registers is not None and used.registers is not None
        assert 0 < total.registers <= used.registers


@pytest.mark.parametrize(("path", "target"), [case for case in CASES if case[1] != "gfx942"], ids=case_id)
def test_exact_edges_leave_padding_alone_without_an_origin(
    measured: Callable[..., Costs], path: str, target: str
) -> None:
    found = measured(path, target)
    for stage in (found.lines, found.stage("ttir"), found.stage("ttgir")):
        assert stage.join == "exact" and stage.reason is None and stage.located == 0
        assert set(stage.unattributed.kinds) <= {"padding"}
        assert stage.several.instructions <= 0.05 * found.total.instructions


def test_without_edges_the_join_says_that_it_is_by_source(measured: Callable[..., Costs]) -> None:
    found = measured(MATMUL, "sm_90", False)
    for stage in (found.lines, found.stage("ttgir")):
        assert stage.join == "source" and stage.reason
        assert stage.located == found.total.instructions - stage.unattributed.instructions
        never = [number for number in range(found.total.instructions) if not found.code.executes(number)]
        assert 0 < len(never) <= stage.unattributed.kinds["padding"] + 1  # the jump to itself before the padding
    # A line's operations cannot be told apart.
    assert found.stage("ttgir").several.instructions > found.total.instructions / 2


def test_inexact_edges_make_the_join_approximate(compiled: Callable[[str, str], Compilation]) -> None:
    known = compiled(MATMUL, "sm_90")
    assert known.edges is not None
    edges = tuple(
        replace(edge, exact=edge.lower != "ptx", reason="3 rows differ" if edge.lower == "ptx" else None)
        for edge in known.edges.edges
    )
    found = costs(replace(known, edges=replace(known.edges, edges=edges)))
    assert found is not None
    assert (found.lines.join, found.lines.reason) == ("approximate", "3 rows differ")
    assert found.stage("ttgir").join == "approximate"
    assert found.stage("ptx").join == "exact"


@pytest.mark.parametrize(
    ("target", "with_edges"), [("sm_80", True), ("sm_90", True), ("sm_90", False), ("gfx942", True)]
)
def test_the_dot_has_all_tensor_core_instructions(
    measured: Callable[..., Costs], compiled: Callable[[str, str], Compilation], target: str, with_edges: bool
) -> None:
    found = measured(MATMUL, target, with_edges)
    dot = at(found, MATMUL, "acc = tl.dot(").cost
    assert dot.kinds["tensor core"] == found.total.kinds["tensor core"] > 0
    assert dot.mix.tensor == found.total.mix.tensor
    if with_edges:
        for stage, name in (("ttir", "tt.dot "), ("ttgir", "warp_group_dot " if target == "sm_90" else "tt.dot ")):
            rows = ops(found, compiled(MATMUL, target), stage, name)
            assert sum(row.own.kinds["tensor core"] for row in rows) == dot.kinds["tensor core"]
            assert any(row.cost.in_loops for row in rows)


def test_what_a_matmul_costs_in_its_loop_and_outside(measured: Callable[..., Costs]) -> None:
    found = measured(MATMUL, "sm_90")
    assert {row.cost.loop_depth for row in found.by_source.values()} == {0, 1}
    assert at(found, MATMUL, "acc = tl.dot(").cost.loop_depth == 1
    assert at(found, MATMUL, "tl.store(c_ptrs").cost.in_loops == 0
    load = at(found, MATMUL, "a = tl.load(").cost
    # The pipeline's first copies stand before the loop.
    assert 0 < load.in_loops < load.instructions


def test_bytes_that_loads_and_stores_move(measured: Callable[..., Costs]) -> None:
    """Blocks of 1024 fp32 and four warps: each line moves a quarter of 4096 bytes in a warp."""
    for with_edges in (True, False):
        found = measured(VECTOR_ADD, "sm_90", with_edges)
        for code in ("x = tl.load(", "y = tl.load(", "tl.store("):
            cost = at(found, VECTOR_ADD, code).cost
            assert (cost.global_bytes, cost.shared_bytes) == (1024 * 4 // 4, 0)
            (access,) = (each for each in cost.mix.accesses if each.space == "global")
            assert (access.bits, access.instructions) == (128, 2)
        assert found.total.global_bytes == 3 * 1024


def test_copies_to_shared_memory_count_in_both(
    measured: Callable[..., Costs], compiled: Callable[[str, str], Compilation]
) -> None:
    found, compilation = measured(MATMUL, "sm_80"), compiled(MATMUL, "sm_80")
    options, constants = compilation.specialization.options, compilation.specialization.constexprs
    tile = constants["BLOCK_M"] * constants["BLOCK_K"] * 2 // options["num_warps"]
    copies = ops(found, compilation, "ttgir", "ttg.async_copy_global_to_local %a_ptrs")
    assert copies
    for copy in copies:
        assert copy.own.global_bytes == copy.own.shared_bytes == tile
    line = at(found, MATMUL, "a = tl.load(").cost
    assert line.global_bytes == len(copies) * tile
    # What the dot's operands are loaded with comes on top.
    assert line.shared_bytes is not None and line.shared_bytes > len(copies) * tile


def test_a_size_that_no_instruction_says_is_unknown_not_0(
    measured: Callable[..., Costs], compiled: Callable[[str, str], Compilation]
) -> None:
    found = measured(DESCRIPTORS, "sm_90")
    copies = ops(found, compiled(DESCRIPTORS, "sm_90"), "ttgir", "ttng.async_tma_copy_")
    assert copies
    for cost in [at(found, DESCRIPTORS, "c_desc.store(").cost, found.total, *(copy.cost for copy in copies)]:
        assert cost.kinds["global memory"] > 0
        assert cost.global_bytes is None and cost.shared_bytes is None


def test_layout_conversions(measured: Callable[..., Costs], compiled: Callable[[str, str], Compilation]) -> None:
    found, compilation = measured(MATMUL, "sm_90"), compiled(MATMUL, "sm_90")
    (conversion,) = ops(found, compilation, "ttgir", "ttg.convert_layout")
    store = at(found, MATMUL, "tl.store(c_ptrs").cost
    assert store.convert_layouts == conversion.cost.convert_layouts == found.total.convert_layouts == 1
    assert store.convert_layout_instructions == conversion.cost.instructions > 0
    # Each element is written to shared memory and read back: a tile of fp16, over the warps.
    options, constants = compilation.specialization.options, compilation.specialization.constexprs
    tile = constants["BLOCK_M"] * constants["BLOCK_N"] * 2 // options["num_warps"]
    assert store.convert_layout_shared_bytes == conversion.own.shared_bytes == 2 * tile
    assert at(found, MATMUL, "acc = tl.dot(").cost.convert_layouts == 0
    by_source = at(measured(MATMUL, "sm_90", False), MATMUL, "tl.store(c_ptrs").cost
    assert by_source.convert_layouts == 1
    assert by_source.convert_layout_instructions is None and by_source.convert_layout_shared_bytes is None


def test_spill_code_is_at_the_lines_that_hold_the_values(measured: Callable[..., Costs]) -> None:
    found = measured(SPILLING, "sm_90")
    assert found.total.spills == found.total.kinds["local memory"] > 0
    spilling = {place: row.cost.spills for place, row in found.by_source.items() if row.cost.spills}
    wanted = {line_of(SPILLING, code) for code in ("x = tl.load(", "y = tl.load(", "tl.store(out_ptr")}
    assert wanted <= set(spilling)
    assert max(spilling, key=lambda place: spilling[place] or 0) == line_of(SPILLING, "tl.store(out_ptr")
    assert not measured(VECTOR_ADD, "sm_90").total.spills


@pytest.mark.parametrize("with_edges", [True, False])
def test_a_line_has_what_it_calls_and_the_called_lines_have_it_as_their_own(
    measured: Callable[..., Costs], with_edges: bool
) -> None:
    found = measured(LAYER_NORM, "sm_90", with_edges)
    mean = at(found, LAYER_NORM, "mean_g = tl.sum(")
    called = [row for (file, _), row in found.by_source.items() if Path(file).name == "standard.py"]
    shuffles = sum(row.own.kinds.get("warp exchange", 0) for row in called)
    assert shuffles == found.total.kinds["warp exchange"] > 0
    # Two lines sum: each has the half.
    assert 2 * mean.cost.kinds["warp exchange"] == shuffles
    assert "warp exchange" not in mean.own.kinds


def test_registers_are_the_peak_over_the_rows(measured: Callable[..., Costs]) -> None:
    found = measured(MATMUL, "sm_80")
    peaks = [row.cost.registers for row in found.by_source.values()]
    assert max(peak or 0 for peak in peaks) == found.total.registers
    assert at(found, MATMUL, "program = tl.program_id").cost.registers != found.total.registers


def test_without_live_registers_they_are_unknown(compiled: Callable[[str, str], Compilation]) -> None:
    found = costs(compiled(MATMUL, "sm_90"), None)
    assert found is not None and found.total.registers is None
    assert all(row.cost.registers is None for row in found.by_source.values())


def test_why_there_are_no_live_registers_is_told(compiled: Callable[[str, str], Compilation]) -> None:
    compilation = compiled(MATMUL, "sm_90")
    cubin = compilation.stages["cubin"]
    assert cubin.data is not None
    cut = replace(cubin, data=cubin.data[: len(cubin.data) // 2])
    live, reason = known_live_registers(replace(compilation, stages={**compilation.stages, "cubin": cut}))
    assert live is None and reason


def test_instructions_that_edges_do_not_reach_are_joined_by_location(measured: Callable[..., Costs]) -> None:
    found = measured(MATMUL, "gfx942")
    assert found.lines.join == "exact"
    assert 0 < found.lines.located < found.total.instructions / 4
    assert found.lines.unattributed.instructions < found.total.instructions / 8


def test_a_masked_load_is_at_its_line_without_edges_too(measured: Callable[..., Costs]) -> None:
    """The cubin's line table gives the rows of its inline assembly to the lines below."""
    found = measured(VECTOR_ADD, "sm_90", False)
    lines = Path(VECTOR_ADD.rpartition("::")[0]).read_text(encoding="utf-8").split("\n")
    for (_, line), row in found.by_source.items():
        assert bool(row.cost.global_bytes) == ("tl.load(" in lines[line - 1] or "tl.store(" in lines[line - 1])


def test_a_cubin_alone_has_costs_by_line(compiled: Callable[[str, str], Compilation]) -> None:
    whole = compiled(MATMUL, "sm_80")
    alone = replace(whole, stages={name: whole.stages[name] for name in ("sass", "cubin")}, edges=None, sources=())
    found = costs(alone)
    assert found is not None
    assert at(found, MATMUL, "acc = tl.dot(").cost.kinds["tensor core"] == found.total.kinds["tensor core"]
    assert found.total.convert_layouts is None
    assert not found.rows("ttgir")


def test_without_machine_code_there_are_no_costs(matmul: Compilation) -> None:
    assert costs(replace(matmul, stages={"ttir": matmul.stages["ttir"]})) is None
    assert costs(replace(matmul, stages={"sass": Stage("sass", text="")})) is None
