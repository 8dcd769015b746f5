"""The tree of loops in the app, with the curve of live registers above it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from driving import NARROW, Driver, opened
from samples import SAMPLES
from textual.widgets import OptionList

from irscope.analysis.machine import machine
from irscope.model import Compilation, Target
from irscope.request import Request
from irscope.tui.code_facts import CodeFacts
from irscope.tui.loop_list import LoopList
from irscope.tui.loop_text import BlockRow, LoopRow, LoopTree, curve_lines, tree_lines

Compile = Callable[[str, str], Compilation]


def tree(compilation: Compilation) -> LoopTree:
    found = CodeFacts(compilation).loops
    assert found is not None
    return found


async def listed(driver: Driver) -> LoopList:
    await driver.press("r")
    await driver.until(lambda: isinstance(driver.app.screen, LoopList))
    screen = driver.app.screen
    assert isinstance(screen, LoopList)
    await driver.pilot.pause()
    return screen


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "gfx942"])
@pytest.mark.parametrize("sample", ["flash_attention", "matmul"])
def test_every_loop_is_in_the_tree(compiled_sample: Compile, sample: str, target: str) -> None:
    found = compiled_sample(f"{SAMPLES / sample}.py::{sample}_kernel", target)
    code = machine(found)
    assert code is not None
    shown = tree(found)
    assert sorted(row.number for row in shown.loops) == [loop.number for loop in code.flow.loops]
    numbers = {row: number for number, row in enumerate(code.rows)}
    for row in shown.loops:
        loop = code.flow.loops[row.number]
        assert row.instructions == len(list(code.flow.instructions_of(loop)))
        assert code.flow.block_of[numbers[row.head]] == loop.header
        # Its end jumps to its head, or stands right before it.
        assert numbers[row.head] in (*code.flow.targets.get(numbers[row.end], ()), numbers[row.end] + 1)
        if loop.parent is not None:
            names = [other.number for other in shown.loops]
            assert names.index(loop.parent) < names.index(row.number)
    source = (SAMPLES / f"{sample}.py").read_text(encoding="utf-8").splitlines()
    for row in (row for row in shown.loops if row.place):
        file, _, line = row.place.rpartition(":")
        assert file == f"{sample}.py" and source[int(line) - 1].strip() == row.statement
        assert row.statement.startswith(("for ", "while "))
    assert any(row.place for row in shown.loops)


def test_inner_loops_are_indented(compiled_sample: Compile) -> None:
    found = compiled_sample(f"{SAMPLES.parent / 'tests' / 'kernels' / 'loops.py'}::", "sm_90")
    shown = tree(found)
    lines = dict(zip([row.number for row in shown.loops], tree_lines(shown, shown.loops), strict=True))
    depths = {row.number: row.depth for row in shown.loops}
    assert max(depths.values()) > 1
    for number, text in lines.items():
        assert text.index("loop") == 3 * (depths[number] - 1)


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "gfx942"])
def test_every_block_is_in_the_tree_below_its_innermost_loop(compiled_sample: Compile, target: str) -> None:
    found = compiled_sample(f"{SAMPLES.parent / 'tests' / 'kernels' / 'loops.py'}::", target)
    code = machine(found)
    assert code is not None
    shown = tree(found)
    blocks = [part for part in shown.parts if isinstance(part, BlockRow)]
    assert sorted(block.number for block in blocks) == list(range(len(code.flow.blocks)))
    assert sum(block.instructions for block in blocks) == shown.count
    around: list[LoopRow] = []
    for part, line in zip(shown.parts, tree_lines(shown, shown.parts), strict=True):
        if isinstance(part, LoopRow):
            around = [*around[: part.depth - 1], part]
            continue
        block = code.flow.blocks[part.number]
        innermost = code.flow.loop_of(block.first)
        assert (None if innermost is None else innermost.number) == (
            around[part.depth - 1].number if part.depth else None
        )
        assert line.index("block") == 3 * part.depth
        # A block that a jump ends leads to where the jump goes.
        for to in code.flow.targets.get(block.last, ()) if part.reached else ():
            assert code.rows[to] in part.next and str(code.rows[to] + 1) in line.split("then line ")[1]


@pytest.mark.parametrize("width", [10, 40, 72, 200, 5000])
def test_the_curve_fits_and_marks_its_peak(matmul: Compilation, width: int) -> None:
    shown = tree(matmul)
    assert shown.live is not None
    bars, mark, *loops = curve_lines(shown, width)
    assert len(bars) <= width
    assert (f"{max(shown.live)} live registers" in mark) == (width > 10) and len(mark) <= width
    step = -(-shown.count // width)
    assert mark.index("▲") == shown.live.index(max(shown.live)) // step
    assert bars[mark.index("▲")] == "█"
    (loop,) = loops
    assert loop.index(loop.strip()[0]) == shown.loops[0].first // step


def test_without_live_registers_it_says_why(matmul: Compilation) -> None:
    unknown = replace(tree(matmul), live=None, reason="nobody knows")
    assert curve_lines(unknown, 72) == ["nobody knows"]
    assert curve_lines(replace(unknown, reason=""), 72) == []


async def test_enter_leads_to_the_head_and_its_jump_back_is_followed(matmul_request: Request) -> None:
    for size in (NARROW, (200, 50)):
        async with opened(matmul_request, size) as driver:
            screen = await listed(driver)
            row = screen.found.loops[0]
            shown = screen.query_one("#loop-tree", OptionList).get_option_at_index(0).prompt
            assert f"lines {row.head + 1} to {row.end + 1}" in str(shown)
            await driver.press("enter")
            sass = driver.bench.panes.panes["sass"]
            await driver.until(lambda sass=sass, row=row: sass.row == row.head)  # type: ignore[misc]
            assert driver.view("sass").has_focus
            head = driver.view("sass").lines[driver.view("sass").cursor_row]
            await driver.until(lambda driver=driver, head=head: head.strip() in driver.text("sass"))  # type: ignore[misc]
            screen = await listed(driver)
            await driver.press("e")
            await driver.until(lambda sass=sass, row=row: sass.row == row.end)  # type: ignore[misc]
            await driver.press("enter")
            await driver.until(lambda sass=sass, row=row: sass.row == row.head)  # type: ignore[misc]
            await listed(driver)
            await driver.press("escape")
            assert driver.app.screen is driver.bench and sass.row == row.head


async def test_a_kernel_without_loops_says_so() -> None:
    async with opened(Request(SAMPLES / "vector_add.py", None, Target.parse("sm_90"))) as driver:
        screen = await listed(driver)
        assert "no loops" in str(screen.get_child_by_id("loops").border_title)
        block = screen.shown[0]
        assert isinstance(block, BlockRow)
        # Without loops the blocks are all there is.
        await driver.press("b", "e")
        await driver.until(lambda: driver.bench.panes.panes["sass"].row == block.end)


async def test_blocks_are_shown_and_left_out_at_the_same_place(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        screen = await listed(driver)
        rows = screen.query_one("#loop-tree", OptionList)
        loop = screen.found.loops[0]
        assert rows.option_count == len(screen.found.loops)
        await driver.press("b")
        assert rows.option_count == len(screen.found.parts) > len(screen.found.loops)
        assert rows.highlighted == screen.found.parts.index(loop)
        await driver.press("j")
        block = screen.shown[rows.highlighted or 0]
        assert isinstance(block, BlockRow) and block.depth == loop.depth
        await driver.press("b")
        assert rows.highlighted == 0
        await driver.press("b", "j", "enter")
        sass = driver.bench.panes.panes["sass"]
        await driver.until(lambda: sass.row == loop.head)


async def test_without_machine_code_there_is_no_list() -> None:
    async with opened(Request(SAMPLES.parent / "tests" / "tui" / "data" / "compile_error.irscope")) as driver:
        await driver.press("r")
        await driver.until(lambda: driver.app._notifications)
        assert "no machine code" in next(iter(driver.app._notifications)).message
