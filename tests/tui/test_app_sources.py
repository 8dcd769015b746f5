"""Where figures come from, told where the pointer rests and by a key."""

from dataclasses import replace

from driving import NARROW, WIDE, Driver, opened
from textual.widget import Widget
from textual.widgets import Static

from irscope.explain.figures import column_source, source, verdict_source
from irscope.model import Compilation
from irscope.request import Request
from irscope.tui.figure_list import FigureList
from irscope.tui.figures import sections
from irscope.tui.pipeline_strip import GPU
from irscope.tui.stages import describe


async def told(driver: Driver, widget: Widget, x: int, y: int) -> str:
    """What the tooltip of a widget says with the pointer there."""
    await driver.pilot.hover(widget, offset=(x, y))
    await driver.pilot.pause()
    return str(widget.tooltip or "")


async def test_the_column_of_figures(matmul_request: Request, matmul: Compilation) -> None:
    async with opened(matmul_request, (240, 60)) as driver:
        column = driver.bench.figure_column
        text = column.query_one("#figures-text")
        rows = str(text.render()).splitlines()
        expected = {
            "registers": "registers",
            "spill stores": "spill_store_bytes",
            "shared, dynamic": "shared_dynamic_bytes",
            "limited by": "limiter",
            "all stages": "seconds",
        }
        for name, key in expected.items():
            at = next(row for row, line in enumerate(rows) if line.startswith(name))
            assert source(key, matmul) in await told(driver, text, 2, at), name
        assert await told(driver, text, 2, 0) == ""


async def test_every_figure_says_where_it_is_from(matmul: Compilation) -> None:
    for backend in (matmul, replace(matmul, target=replace(matmul.target, backend="hip", arch="gfx942"))):
        for section in sections(backend, None, None, {"ttir": 3}):
            for figure in section.figures:
                assert figure.about, figure.name


async def test_the_lines_of_figures_on_a_narrow_screen(matmul_request: Request, matmul: Compilation) -> None:
    async with opened(matmul_request, NARROW) as driver:
        lines = driver.bench.figure_lines
        rows = driver.figures().splitlines()
        for words, key in (("regs", "registers"), ("instr", "instructions"), ("limit", "limiter")):
            y, line = next((y, line) for y, line in enumerate(rows) if words in line)
            assert source(key, matmul) in await told(driver, lines, line.index(words) + 1, y)
        assert await told(driver, lines, rows[0].index("  "), 0) == ""


async def test_the_pipeline_strip(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        for size in (WIDE, NARROW):
            await driver.pilot.resize_terminal(*size)
            await driver.until(lambda size=size: driver.bench.strip.size.width == size[0])  # type: ignore[misc]
            strip = driver.bench.strip
            at = driver.strip().index("TTGIR")
            words = await told(driver, strip, at + 1, 0)
            assert words.startswith(describe("ttgir").title) and source("seconds") in words
            assert "164 ops" not in words or source("operations") in words
            assert "driver" in await told(driver, strip, driver.strip().index(GPU.upper()), 0)
            assert await told(driver, strip, strip.size.width - 1, 0) == "" or len(driver.strip()) >= strip.size.width


async def test_verdicts(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.press("a")
        await driver.until(lambda: driver.app.judging.panel and not driver.app.judging.panel.diagnosis.unfinished)
        panel = driver.app.judging.panel
        assert panel is not None
        rules = [verdict.rule for verdict in panel.diagnosis.verdicts]
        for entry in panel.entries[: len(rules)]:
            assert entry.about and any(verdict_source(rule) in entry.about for rule in rules)
        seen = {await told(driver, panel, 6, row) for row in range(1, panel.size.height + 1)}
        assert len(seen - {""}) > 1
        assert seen - {""} <= {entry.about for entry in panel.entries}


async def test_heads_of_columns(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.press("d")
        await driver.until(lambda: all(pane.tables for pane in driver.bench.panes.all_panes() if pane.texts))
        words = str(driver.bench.panes.panes["source"]._head.tooltip)
        assert "instr: " in words and column_source("instr") in words


async def test_all_of_them_by_a_key(matmul_request: Request, matmul: Compilation) -> None:
    for size in (NARROW, WIDE):
        async with opened(matmul_request, size) as driver:
            await driver.press("F")
            await driver.until(lambda driver=driver: isinstance(driver.app.screen, FigureList))  # type: ignore[misc]
            screen = driver.app.screen
            assert isinstance(screen, FigureList)
            words = str(screen.query_one(Static).content)
            for key in ("registers", "spill_load_bytes", "barriers", "blocks_per_sm", "operations", "seconds"):
                assert source(key, matmul) in words, key
            assert verdict_source("vectorization") in words and column_source("instr") not in words
            panel = screen.get_child_by_id("text-panel")
            await driver.press("j", "j")
            assert panel.scroll_offset.y == 2
            await driver.press("F")
            assert driver.app.screen is driver.bench
            await driver.press("d")
            await driver.until(lambda driver=driver: driver.bench.panes.panes["source"].tables)  # type: ignore[misc]
            await driver.press("F")
            await driver.until(lambda driver=driver: isinstance(driver.app.screen, FigureList))  # type: ignore[misc]
            assert column_source("instr") in str(driver.app.screen.query_one(Static).content)
