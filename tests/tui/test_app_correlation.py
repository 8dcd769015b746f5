"""The cursor in one pane lights up the others; helpers in other files open; places, locks, the breadcrumb."""

from pathlib import Path

from driving import NARROW, opened

from irscope.model import Target
from irscope.request import Request

DOT = "acc = tl.dot(a, b, acc)"


def lit(driver: object, pane: str) -> list[str]:
    """The lines that are lit in a pane."""
    view = driver.view(pane)  # type: ignore[attr-defined]
    return [view.lines[row] for row in sorted(view.marks)]


async def test_a_source_line_lights_every_stage(matmul_request: Request) -> None:
    async with opened(matmul_request, (240, 60)) as driver:
        await driver.go_to("source", DOT)
        assert driver.bench.panes.shown == ["source", "ttgir", "ptx", "sass"]
        assert any("ttng.warp_group_dot " in line for line in lit(driver, "ttgir"))
        assert any("wgmma.mma_async" in line for line in lit(driver, "ptx"))
        assert any("HGMMA" in line for line in lit(driver, "sass"))
        # The panes have moved there, with a glyph in the gutter.
        assert "warp_group_dot" in driver.text("ttgir")
        assert any(line.lstrip(" 0123456789")[:1] in "▌▏" for line in driver.text("sass").splitlines())
        assert f"{driver.view('sass').mark_count} lit" in str(driver.bench.panes.panes["sass"].border_subtitle)


async def test_any_pane_leads(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.go_to("ttgir", "ttng.warp_group_dot ")
        assert lit(driver, "source") == ["        " + DOT]
        assert DOT in driver.text("source")
        assert any("HGMMA" in line for line in lit(driver, "sass"))
        await driver.go_to("sass", "HGMMA")
        assert "        " + DOT in lit(driver, "source")


async def test_the_breadcrumb_says_where_and_how_much(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.go_to("source", DOT)
        crumbs = driver.crumbs()
        line = driver.view("source").cursor_row + 1
        assert f"matmul.py:{line}" in crumbs
        assert DOT in crumbs
        links = driver.bench.links
        rows = links.related("source", line - 1)
        for name, title in (("ttgir", "TTGIR"), ("ptx", "PTX"), ("sass", "SASS")):
            assert f"{links.count(name, rows[name])} {title}" in crumbs
        await driver.go_to("source", "import triton")
        assert "SASS" not in driver.crumbs()


async def test_the_breadcrumb_of_a_row_with_no_location_is_clean_text(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.go_to("ttgir", "arith.constant dense<64>")
        assert "no source location" in driver.crumbs()
        assert "arith.constant dense<64>" in driver.crumbs()
        assert "loc(" not in driver.crumbs()


async def test_hidden_panes_tell_their_counts(matmul_request: Request) -> None:
    async with opened(matmul_request, NARROW) as driver:
        await driver.go_to("source", DOT)
        tabs = driver.bench.tabs.render().plain
        rows = driver.bench.links.related("source", driver.view("source").cursor_row)["sass"]
        assert f"A {driver.bench.links.count('sass', rows)} " in tabs
        # The pane that comes into use starts at what is lit.
        await driver.press("A")
        view = driver.view("sass")
        assert view.cursor_row == min(view.marks)


async def test_a_locked_pane_stays(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.go_to("ttgir", "tt.get_program_id")
        await driver.press("x")
        assert "locked" in str(driver.bench.panes.panes["ttgir"].border_title)
        before = driver.view("ttgir").scroll_offset
        await driver.go_to("source", "tl.store(")
        assert driver.view("ttgir").mark_count
        assert driver.view("ttgir").scroll_offset == before
        driver.bench.panes.use("ttgir")
        await driver.press("x")
        await driver.go_to("source", DOT)
        assert driver.view("ttgir").scroll_offset != before


async def test_next_and_previous_place(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.go_to("sass", "HGMMA")
        assert driver.bench.panes.panes["sass"].places > 1
        before = driver.view("sass").scroll_offset.y
        seen = set()
        for _ in range(driver.bench.panes.panes["sass"].places):
            await driver.press("right_square_bracket")
            seen.add(driver.view("sass").scroll_offset.y)
        assert len(seen) > 1
        await driver.press("left_square_bracket")
        # From the source, which has one place, the others go on.
        await driver.go_to("source", DOT)
        before = driver.view("sass").scroll_offset.y
        moved = False
        for _ in range(driver.bench.panes.panes["sass"].places):
            await driver.press("right_square_bracket")
            moved = moved or driver.view("sass").scroll_offset.y != before
        assert moved


async def test_a_helpers_file_opens_when_its_lines_are_hit(compiled_sample: object) -> None:
    folder = Path(__file__).parents[2] / "sample_kernels"
    file = folder / "helper_calls.py"
    compiled_sample(f"{file}::gated_rows_kernel", "sm_90")  # type: ignore[operator]
    async with opened(Request(file, "gated_rows_kernel", Target.parse("sm_90"))) as driver:
        source = driver.bench.source
        helper = str(folder / "activations.py")
        row = next(
            row
            for row in range(len(driver.bench.links.indices["ttgir"].lines))
            if (place := driver.bench.links.correlation.location("ttgir", row)) and place.file == helper
        )
        driver.bench.panes.use("ttgir")
        await driver.pilot.pause()
        driver.bench.panes.panes["ttgir"].go_to(row)
        await driver.pilot.pause()
        assert source.current == helper
        assert driver.view("source").mark_count
        assert "activations.py" in str(source.border_title)
        assert "activations.py" in driver.crumbs()
        # And back, by key and by clicking the file's name in the border.
        await driver.press("full_stop")
        assert source.current == "source"
        title_at = str(source.border_title)
        assert "helper_calls.py" in title_at
        await driver.go_to("ttgir", "tt.func public")
        assert source.current == "source"
