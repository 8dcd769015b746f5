"""Columns in the app: on and off, what they show, the way to the highest rows, jumps."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from driving import NARROW, Driver, opened
from textual.widgets import OptionList

from irscope.analysis.cost import costs
from irscope.model import Compilation, Target
from irscope.request import Request
from irscope.tui.code_facts import CodeFacts
from irscope.tui.hottest import HottestLines
from irscope.tui.pane_row import PANE_COLUMNS_WITH_FIGURES
from irscope.tui.stage_pane import StagePane


def pane(driver: Driver, name: str) -> StagePane:
    return driver.bench.panes.panes[name]


def facts_of(driver: Driver) -> CodeFacts:
    """The app's own go when its exact edges come."""
    found = driver.bench.compilation
    assert found is not None
    return CodeFacts(found)


async def columns_on(driver: Driver) -> None:
    await driver.press("d")
    await driver.until(lambda: all(each.tables for each in driver.bench.panes.all_panes() if each.texts))
    await driver.until(lambda: any(section.title == "live registers" for section in driver.bench.figure_lines.shown))


def head(driver: Driver, name: str) -> str:
    return pane(driver, name)._head.render().plain


def cells(driver: Driver, name: str, row: int) -> list[str]:
    """The figures beside a row on screen, the bar left out."""
    view = driver.view(name)
    return view._gutter.annotation(row).split()


def texts(driver: Driver, names: Sequence[str]) -> dict[str, str]:
    """What panes show, marks and rulers left out: exact edges may arrive at any time."""
    return {name: driver.text(name).translate(str.maketrans("▌▏━─", "    ")) for name in names}


@pytest.mark.parametrize("size", [NARROW, (120, 40), (240, 60)])
async def test_on_and_off_again(matmul_request: Request, size: tuple[int, int]) -> None:
    async with opened(matmul_request, size) as driver:
        shown = driver.bench.panes.shown
        before = texts(driver, shown)
        await columns_on(driver)
        # Beside figures a pane needs more room: there may be fewer of them, that in use among them.
        assert driver.bench.panes.current in driver.bench.panes.shown
        for name in driver.bench.panes.shown:
            assert texts(driver, [name])[name] != before[name]
            if len(driver.bench.panes.shown) > 1:
                assert driver.bench.panes.panes[name].size.width >= PANE_COLUMNS_WITH_FIGURES
            # The names stand above their columns: the header is as wide as what is beside the rows.
            names = [column.name for column in pane(driver, name).tables[name].columns]
            assert head(driver, name).split()[0] in names
            assert driver.view(name)._text_width >= driver.view(name).size.width // 3
        await driver.press("d")
        assert driver.bench.panes.shown == shown
        assert texts(driver, shown) == before
        assert not any(each._head.display for each in driver.bench.panes.all_panes())


async def test_a_lines_figures_are_those_of_its_cost(matmul_request: Request) -> None:
    async with opened(matmul_request, (240, 60)) as driver:
        await columns_on(driver)
        found = driver.bench.compilation
        assert found is not None
        await driver.go_to("source", "a = tl.load(")
        row = driver.view("source").cursor_row
        expected = costs(found)
        assert expected is not None
        cost = expected.by_source[found.kernel.file, row + 1].cost
        assert cells(driver, "source", row)[0] == str(cost.instructions)
        # Of the text as it was written, whatever is left out of it on screen.
        await driver.go_to("ttgir", "tt.store ")
        clean = cells(driver, "ttgir", driver.view("ttgir").cursor_row)
        assert clean
        await driver.press("w")
        assert cells(driver, "ttgir", driver.view("ttgir").cursor_row) == clean


async def test_next_highest_and_higher(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        # Columns come on by it.
        await driver.press("right_curly_bracket")
        await driver.until(lambda: "1 of" in head(driver, "source"))
        values = driver.bench.margins._tables["source"].columns[0].values
        visited = [driver.view("source").cursor_row]
        for _ in range(3):
            await driver.press("right_curly_bracket")
            visited.append(driver.view("source").cursor_row)
        figures = [values[row] for row in visited]
        assert figures == sorted(values.values(), reverse=True)[:4]
        await driver.press("left_curly_bracket")
        assert driver.view("source").cursor_row == visited[2]
        # Whoever goes elsewhere begins at the top.
        await driver.press("up", "right_curly_bracket")
        assert driver.view("source").cursor_row == visited[0]
        # The other panes follow, as with any move.
        assert driver.view("sass").mark_count >= values[visited[0]]


async def test_another_column(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await columns_on(driver)
        await driver.press("D")
        assert "regs: highest" in head(driver, "source")
        await driver.press("right_curly_bracket")
        values = {column.name: column for column in driver.bench.margins._tables["source"].columns}["regs"].values
        assert values[driver.view("source").cursor_row] == max(values.values())
        # The names can be clicked.
        at = head(driver, "source").index("glob")
        await driver.pilot.click(pane(driver, "source")._head, offset=(at + 1, 0))
        await driver.pilot.pause()
        assert "glob: bytes" in head(driver, "source")


async def test_the_list_of_the_hottest_lines(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.go_to("ttgir", "tt.func")
        await driver.press("H")
        await driver.until(lambda: isinstance(driver.app.screen, HottestLines))
        screen = driver.app.screen
        assert isinstance(screen, HottestLines)
        await driver.press("D")
        assert "regs" in str(screen.get_child_by_id("hottest").border_title)
        await driver.press("left", "j")
        second = screen.rows[1]
        assert screen.query_one(OptionList).highlighted == 1
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.bench and driver.bench.margins.on)
        await driver.until(lambda: pane(driver, "ttgir").row == second)
        assert driver.view("ttgir").has_focus
        await driver.press("H")
        await driver.until(lambda: isinstance(driver.app.screen, HottestLines))
        await driver.press("escape")
        assert driver.app.screen is driver.bench


async def test_peaks_and_jumps(matmul_request: Request) -> None:
    async with opened(matmul_request, NARROW) as driver:
        await driver.press("circumflex_accent")
        await driver.until(lambda: driver.bench.panes.current == "sass" and pane(driver, "sass").row)
        first = pane(driver, "sass").row
        facts = facts_of(driver)
        assert first == facts.peak_rows[0]
        for row in [*facts.peak_rows[1:], first]:
            await driver.press("circumflex_accent")
            await driver.until(lambda row=row: pane(driver, "sass").row == row)  # type: ignore[misc]
        # Down to the jump at the loop's end, to its beginning, and back.
        jump = max(row for row in facts._numbers if facts.targets(row) and facts.targets(row)[0] < row)
        pane(driver, "sass").go_to(jump)
        await driver.press("enter")
        await driver.until(lambda: pane(driver, "sass").row == facts.targets(jump)[0])
        await driver.press("backspace")
        assert pane(driver, "sass").row == jump
        await driver.press("backspace")
        assert pane(driver, "sass").row == jump


async def test_held_values_lead_to_their_lines(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.press("u")
        await driver.until(lambda: isinstance(driver.app.screen, HottestLines))
        screen = driver.app.screen
        assert isinstance(screen, HottestLines)
        facts = facts_of(driver)
        assert f"line {facts.peak_rows[0] + 1} " in str(screen.get_child_by_id("hottest").border_title)
        first = screen.rows[0]
        await driver.press("enter")
        await driver.until(lambda: pane(driver, "source").row == first)
        # Of the instruction under the cursor, where there is one.
        jump = next(row for row in facts._numbers if facts.targets(row))
        driver.bench.panes.use("sass")
        pane(driver, "sass").go_to(jump)
        await driver.press("u")
        await driver.until(lambda: isinstance(driver.app.screen, HottestLines))
        assert f"line {jump + 1} " in str(driver.app.screen.get_child_by_id("hottest").border_title)
        await driver.press("escape")
        assert pane(driver, "sass").row == jump


async def test_a_new_compilation_has_new_columns(add_file: Path) -> None:
    async with opened(Request(add_file, "add", Target.parse("sm_90"))) as driver:
        await columns_on(driver)
        loads = driver.line_of("source", "x = tl.load")
        before = cells(driver, "source", loads)
        add_file.write_text(add_file.read_text(encoding="utf-8").replace("= 128", "= 2048"), encoding="utf-8")
        first = driver.bench.compilation
        await driver.press("R")
        await driver.until(lambda: driver.bench.compilation is not first)
        await driver.settled()
        await driver.until(lambda: pane(driver, "source").tables)
        assert cells(driver, "source", loads) != before


async def test_where_there_is_no_machine_code_it_says_so() -> None:
    bundle = Path(__file__).parent / "data" / "compile_error.irscope"
    async with opened(Request(bundle)) as driver:
        words = {"d": "no machine code", "H": "no machine code", "circumflex_accent": "no SASS", "u": "no SASS"}
        for key, expected in words.items():
            driver.app.clear_notifications()
            await driver.press(key)
            await driver.until(lambda: driver.app._notifications)
            assert expected in next(iter(driver.app._notifications)).message
        assert not driver.bench.margins.on


async def test_a_pane_without_figures_says_so(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        driver.bench.panes.use("cubin")
        await driver.press("right_curly_bracket")
        await driver.until(lambda: driver.app._notifications)
        assert "cubin" in next(iter(driver.app._notifications)).message


async def test_amd_has_them_too(compiled_sample: Callable[[str, str], Compilation]) -> None:
    file = Path(__file__).parents[2] / "sample_kernels" / "vector_add.py"
    kernel = compiled_sample(f"{file}::", "gfx942").kernel.name
    async with opened(Request(file, kernel, Target.parse("gfx942"))) as driver:
        await driver.press("d")
        await driver.until(lambda: pane(driver, "amdgcn").tables)
        assert "glob" in head(driver, "amdgcn")
        assert "V" in head(driver, "amdgcn").split()
        await driver.press("circumflex_accent")
        await driver.until(lambda: pane(driver, "amdgcn").row == facts_of(driver).peak_rows[0])
