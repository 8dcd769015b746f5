"""Panes: which there are, which fit, their order, and what the keys do to them."""

from driving import NARROW, WIDE, opened

from irscope import config
from irscope.config import Config
from irscope.request import Request
from irscope.tui.pane_row import PANE_COLUMNS

STAGES = ["source", "ttir", "ttgir", "llir", "ptx", "sass", "cubin", "log"]


async def test_every_stage_has_a_pane(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        assert driver.bench.panes.in_order() == STAGES
        for name in STAGES[:-1]:
            driver.bench.panes.use(name)
            await driver.pilot.pause()
            assert driver.text(name).strip(), name
        assert ".target sm_90a" in driver.view("ptx").lines


async def test_as_many_panes_as_fit(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        for width, height in (WIDE, (240, 60), (120, 40), NARROW, (40, 10), WIDE):
            await driver.pilot.resize_terminal(width, height)
            await driver.pilot.pause()
            panes = driver.bench.panes
            assert len(panes.shown) == max(1, min(4, panes.size.width // PANE_COLUMNS))
            displayed = [name for name, pane in panes.panes.items() if pane.display]
            assert sorted(displayed) == sorted(panes.shown)
            assert panes.current in panes.shown


async def test_a_resize_keeps_the_cursor(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.go_to("ttgir", "ttng.warp_group_dot")
        row = driver.view("ttgir").cursor_row
        for size in (NARROW, WIDE):
            await driver.pilot.resize_terminal(*size)
            await driver.until(lambda size=size: driver.bench.panes.size.width <= size[0])  # type: ignore[misc]
            assert driver.bench.panes.current == "ttgir"
            assert driver.view("ttgir").cursor_row == row
            assert "warp_group_dot" in driver.text("ttgir")
            assert driver.view("ttgir").has_focus


async def test_letters_show_and_hide(matmul_request: Request, own_configuration: object) -> None:
    async with opened(matmul_request) as driver:
        panes = driver.bench.panes
        assert panes.shown == ["source", "ttgir", "sass"]
        await driver.press("P")
        assert panes.current == "ptx"
        assert "ptx" in panes.shown
        assert len(panes.shown) == 3
        before = panes.shown
        await driver.press("P")
        assert panes.shown == [name for name in before if name != "ptx"]
        await driver.press("S", "G", "A", "T", "I", "C")
        assert panes.shown
        await driver.until(lambda: config.path().exists())


async def test_numbers_show_a_stage_of_the_strip(matmul_request: Request) -> None:
    async with opened(matmul_request, NARROW) as driver:
        for number, name in enumerate(STAGES[:-1], 1):
            await driver.press(str(number))
            assert driver.bench.panes.shown == [name]
            assert driver.bench.strip.current == name
        await driver.press("8", "9")
        assert driver.bench.panes.shown == ["cubin"]


async def test_boxes_and_tabs_can_be_clicked(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.pilot.click("#pipeline", offset=(driver.strip().index("LLVM IR") + 1, 0))
        await driver.pilot.pause()
        assert driver.bench.panes.current == "llir"
        tabs = driver.bench.tabs.render().plain
        await driver.pilot.click("#tabs", offset=(tabs.index("cubin") + 1, 0))
        await driver.pilot.pause()
        assert driver.bench.panes.current == "cubin"
        await driver.pilot.click("#view-cubin", offset=(20, 4))
        await driver.pilot.pause()
        assert driver.view("cubin").cursor_row == 4


async def test_tab_goes_round(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        panes = driver.bench.panes
        seen = []
        for _ in panes.shown:
            seen.append(panes.current)
            await driver.press("tab")
        assert sorted(seen) == sorted(panes.shown)
        await driver.press("shift+tab")
        assert panes.current == seen[-1]
    async with opened(matmul_request, NARROW) as driver:
        await driver.press("tab")
        assert driver.bench.panes.shown == ["ttir"]


async def test_the_order_is_the_users_and_is_kept(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        panes = driver.bench.panes
        assert panes.shown == ["source", "ttgir", "sass"]
        await driver.press("greater_than_sign")
        assert panes.shown == ["ttgir", "source", "sass"]
        regions = [panes.panes[name].region.x for name in panes.shown]
        assert regions == sorted(regions)
        await driver.press("greater_than_sign", "greater_than_sign")
        assert panes.shown == ["ttgir", "sass", "source"]
        await driver.press("less_than_sign")
        assert panes.shown == ["ttgir", "source", "sass"]
        await driver.until(lambda: config.read().panes == tuple(panes.in_order()))
    async with opened(matmul_request, settings=config.read()) as driver:
        assert driver.bench.panes.shown == ["ttgir", "source", "sass"]


async def test_the_configuration_chooses_panes(matmul_request: Request) -> None:
    settings = Config(panes=("sass", "ptx", "nonsense"), shown=("sass", "ptx", "nonsense"))
    async with opened(matmul_request, settings=settings) as driver:
        panes = driver.bench.panes
        assert panes.shown == ["sass", "ptx"], "the source alone is there at the start, and goes"
        assert panes.current == "sass"
        assert driver.view("sass").has_focus
        await driver.press("S")
        assert panes.current == "source"
        await driver.press("S")
        await driver.until(lambda: config.read().shown[:2] == ("sass", "ptx"))


async def test_what_the_configuration_says_in_vain_is_told(matmul_request: Request) -> None:
    settings = Config(theme="no such", keys={"serach": "f3", "code.down": "z"}, unknown=("colour",))
    async with opened(matmul_request, settings=settings) as driver:
        told = " ".join(notice.message for notice in driver.app._notifications)
        assert "colour is no setting" in told
        assert "keys.serach" in told
        assert "no theme no such" in told
        assert "code.down" not in told


async def test_one_pane_can_have_all_the_room(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.press("G", "G", "G", "z")
        panes = driver.bench.panes
        assert panes.shown == [panes.current]
        assert panes.panes[panes.current].size.width > 150
        await driver.press("escape")
        assert len(panes.shown) > 1


async def test_raw_text_and_back_on_the_same_line(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.go_to("ttgir", "ttng.warp_group_dot")
        pane = driver.bench.panes.panes["ttgir"]
        line = pane.row
        assert not any("loc(" in line for line in driver.view("ttgir").lines)
        await driver.press("w")
        assert pane.row == line
        assert any("loc(" in line for line in driver.view("ttgir").lines)
        assert "raw" in str(pane.border_title)
        assert pane.text is not None
        assert list(driver.view("ttgir").lines) == driver.bench.compilation.text("ttgir").splitlines()  # type: ignore[union-attr]
        await driver.press("w")
        assert pane.row == line
        assert not any("loc(" in line for line in driver.view("ttgir").lines)


async def test_wrap(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.press("G", "G", "W")
        view = driver.bench.panes.pane.view  # type: ignore[union-attr]
        assert view.wrap
        await driver.press("W")
        assert not view.wrap


async def test_a_pane_that_appears_shows_what_is_lit(matmul_request: Request) -> None:
    async with opened(matmul_request, NARROW) as driver:
        await driver.go_to("source", "tl.store(")
        assert driver.bench.panes.shown == ["source"]
        await driver.pilot.resize_terminal(*WIDE)
        await driver.until(lambda: len(driver.bench.panes.shown) == 3)
        for name in ("ttgir", "sass"):
            view = driver.view(name)
            assert view.marks
            await driver.until(lambda view=view: any(view._visible(row) for row in view.marks))  # type: ignore[misc]


async def test_a_row_that_is_gone_to_is_seen_in_a_pane_that_appears(matmul_request: Request) -> None:
    """Rows that share its source line are lit above it: the pane must not scroll to those."""
    async with opened(matmul_request, NARROW) as driver:
        view = driver.view("sass")
        driver.bench.panes.use("sass")
        sass = driver.bench.panes.panes["sass"]
        assert sass.text is not None
        row = max(row for row, line in enumerate(sass.text.raw_lines) if "HGMMA" in line)
        sass.go_to(row)
        await driver.pilot.pause()
        await driver.pilot.pause()
        assert sass.row == row
        assert view._visible(view.cursor_row)
