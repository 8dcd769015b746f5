"""Exact edges in the panes: they come in the background, and then say what is lit and what the breadcrumb tells."""

from dataclasses import replace
from pathlib import Path

import pytest
from driving import NARROW, Driver, opened

from irscope.model import Compilation, Target
from irscope.request import Request
from irscope.tui.marks import Marks
from irscope.tui.workbench import Workbench

SAMPLES = Path(__file__).parents[2] / "sample_kernels"
DOT = "acc = tl.dot(a, b, acc)"


async def traced(driver: Driver) -> None:
    """The exact edges are there."""
    await driver.until(lambda: driver.bench.links.lineages is not None)
    await driver.pilot.pause()


async def test_edges_arrive_after_the_stages(add_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    headers: list[str] = []
    show = Workbench.show_tracing

    def note(bench: Workbench, words: str) -> None:
        show(bench, words)
        headers.append(bench.header.render().plain)

    monkeypatch.setattr(Workbench, "show_tracing", note)
    async with opened(Request(add_file, "add", Target.parse("sm_90"))) as driver:
        await traced(driver)
        assert any("exact edges 0/4" in header for header in headers)
        assert any("exact edges 1/4" in header for header in headers)
        assert "exact edges" not in driver.header()
        found = driver.bench.compilation
        assert found is not None
        # A bundle that is written now has them.
        assert found.edges


async def test_until_then_stages_are_joined_by_source_line(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await traced(driver)
        await driver.go_to("ttgir", "ttng.warp_group_dot ")
        assert "by source line" not in driver.crumbs()
        driver.app.compiling.start(matmul_request)
        await driver.settled()
        await driver.go_to("source", "import triton")
        await driver.go_to("ttgir", "ttng.warp_group_dot ")
        if driver.bench.links.lineages is None:
            assert driver.crumbs().rstrip().endswith("by source line")


async def test_what_is_exact_is_lit_more_strongly(matmul_request: Request) -> None:
    async with opened(matmul_request, (240, 60)) as driver:
        await traced(driver)
        await driver.go_to("ttgir", "ttng.warp_group_dot ")
        edges = driver.bench.links.correlation.edges
        row = driver.bench.panes.panes["ttgir"].row
        assert row is not None
        pane = driver.bench.panes.panes["sass"]
        assert pane.text is not None
        reached = edges.rows("ttgir", [row], "sass")
        assert reached
        shown = {pane.text.shown_row(other, pane.raw) for other in reached}
        assert pane.view._marks.exact == shown
        assert any("HGMMA" in pane.view.lines[row] for row in shown)
        # Far fewer than share the source line, which are lit too.
        assert shown < pane.view.marks


async def test_the_breadcrumb_is_the_chain(matmul_request: Request) -> None:
    async with opened(matmul_request, (240, 60)) as driver:
        await traced(driver)
        await driver.go_to("ttgir", "ttng.warp_group_dot ")
        links, row = driver.bench.links, driver.bench.panes.panes["ttgir"].row
        lineage = links.lineage("ttgir", row)
        assert lineage.expression == "tl.dot(a, b, acc)"
        crumbs = driver.crumbs()
        assert " > tl.dot(a, b, acc) > tt.dot" in crumbs
        for name, title in (("ptx", "PTX"), ("sass", "SASS")):
            rows = links.correlation.edges.rows("ttgir", [row or 0], name)
            assert f"> {links.operations(name, rows)} {title}" in crumbs
        # In its own stage, what else the same operation became.
        assert links.lineage("ttgir", row).became["ttgir"] > 1
        assert f"> {lineage.became['ttgir']} TTGIR" in crumbs


async def test_the_very_expression_is_lit(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await traced(driver)
        await driver.go_to("ttir", "tt.dot ")
        source = driver.view("source")
        ((row, ((start, end),)),) = source._overlays._spans.items()
        assert source.lines[row][start:end] == "tl.dot(a, b, acc)"
        await driver.go_to("source", "import triton")
        assert not source._overlays._spans


async def test_a_helpers_call_is_named(compiled_sample: object) -> None:
    file = SAMPLES / "helper_calls.py"
    async with opened(Request(file, "gated_rows_kernel", Target.parse("sm_90")), (240, 60)) as driver:
        await traced(driver)
        links = driver.bench.links
        row = next(
            row
            for row in range(len(links.indices["ttgir"].lines))
            if (found := links.lineage("ttgir", row)).calls and found.expression
        )
        lineage = links.lineage("ttgir", row)
        driver.bench.panes.use("ttgir")
        await driver.pilot.pause()
        driver.bench.panes.panes["ttgir"].go_to(row)
        await driver.pilot.pause()
        crumbs = driver.crumbs()
        assert links.lineages is not None
        call = links.lineages.text(lineage.calls[0])
        assert call
        assert f"{lineage.expression} in {call}" in crumbs
        frames = [lineage.span, *lineage.calls]
        assert " in ".join(f"{Path(span.file).name}:{span.line}" for span in frames if span) in crumbs


async def test_a_long_call_leaves_room_for_what_the_expression_became() -> None:
    file = SAMPLES / "flash_attention.py"
    async with opened(Request(file, None, Target.parse("sm_90")), (120, 40)) as driver:
        await traced(driver)
        links = driver.bench.links
        row = next(row for row, line in enumerate(links.indices["sass"].lines) if "HGMMA" in line)
        driver.bench.panes.use("sass")
        await driver.pilot.pause()
        driver.bench.panes.panes["sass"].go_to(row)
        await driver.until(lambda: "tt.dot" in driver.crumbs())
        assert "in attend(…) > tt.dot > 1 TTIR" in driver.crumbs()


async def test_a_source_line_leads_to_what_its_expressions_became(matmul_request: Request) -> None:
    async with opened(matmul_request, (240, 60)) as driver:
        await traced(driver)
        await driver.go_to("source", DOT)
        links = driver.bench.links
        found = links.related("source", driver.view("source").cursor_row)
        edges = links.correlation.edges
        dots = [row for row, line in enumerate(links.indices["ttir"].lines) if "tt.dot" in line]
        assert set(edges.rows("ttir", dots, "sass")) <= set(found["sass"].exact)
        assert "by source line" not in driver.crumbs()
        # The dot is alone on its line; a load has its addresses there too.
        assert f"> {DOT} > tt.dot > " in driver.crumbs()
        await driver.go_to("source", "a = tl.load(")
        assert "tt.load" in driver.crumbs()


async def test_places_are_the_exact_ones(matmul_request: Request) -> None:
    async with opened(matmul_request, (240, 60)) as driver:
        await traced(driver)
        await driver.go_to("sass", "HGMMA")
        view = driver.view("sass")
        exact = view._marks.exact
        assert exact < view.marks
        starts = {row for row in exact if row - 1 not in exact}
        assert driver.bench.panes.panes["sass"].places == len(starts)
        assert {view.next_mark() for _ in starts} == starts


def test_places_without_exact_rows_are_the_lit_ones() -> None:
    marks = Marks(20)
    marks.light([2, 3, 7, 9], [])
    assert marks.places == [2, 7, 9]
    marks.light([2, 3, 7, 9], [3, 9])
    assert marks.places == [3, 9]


async def test_a_bundle_without_edges_is_joined_by_line() -> None:
    async with opened(Request(Path(__file__).parent / "data" / "vector_add.irscope"), NARROW) as driver:
        await driver.until(lambda: driver.bench.links.reason)
        assert driver.bench.breadcrumb.tooltip == driver.bench.links.reason
        await driver.go_to("source", "tl.load(x_ptr")
        assert driver.crumbs().rstrip().endswith("by source line")
        assert driver.bench.links.related("source", driver.view("source").cursor_row)["sass"].rows


async def test_quitting_and_the_next_compile_end_it(matmul: Compilation, matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        tracing = driver.app.tracing
        tracing.start(matmul, matmul_request, driver.bench.links)
        trace = tracing._trace
        assert trace is not None
        driver.app.compiling.start(matmul_request)
        assert trace._cancel.is_set()
        await driver.settled()
        tracing.start(matmul, matmul_request, driver.bench.links)
        assert tracing.running
    # One that was done before is no longer running either; one that nobody ended would be.
    assert not tracing.running


async def test_a_recompile_that_is_stopped_leaves_the_edges_to_be_found(
    matmul: Compilation, matmul_request: Request
) -> None:
    async with opened(matmul_request) as driver:
        await driver.until(lambda: not driver.app.tracing.running)
        before = driver.bench.compilation
        assert before is not None
        # As if the recompile had come before they were there.
        driver.bench.compilation = plain = replace(before, edges=None)
        driver.app.compiling._answered = (plain, matmul_request)
        driver.bench.links.lineages = None
        driver.app.compiling.start(replace(matmul_request, fresh=True))
        assert driver.app.compiling.request_of(plain) is None
        driver.app.action_leave()
        assert not driver.app.compiling.running
        assert driver.app.compiling.request_of(plain) is matmul_request
        await traced(driver)
        assert driver.bench.compilation is not None and driver.bench.compilation.edges
