"""Launches in the TUI on a machine without a GPU: what cannot be is said, and the interpreter really runs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from driving import NARROW, WIDE, Driver, opened
from textual.widgets import Input, Label, Select

from irscope import bundle, devices
from irscope.launch import run
from irscope.launch.model import Launch
from irscope.model import Target
from irscope.request import Request
from irscope.tui.launch_form import LaunchForm
from irscope.tui.pipeline_strip import GPU, State

pytest.importorskip("torch")

ADD = """\
import torch
import triton
import triton.language as tl


@triton.jit
def add(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x + y, mask=mask)


def call(n, dtype=torch.float32):
    x = torch.full((n,), 1.25, device="cuda", dtype=dtype)
    out = torch.empty_like(x)
    add[(triton.cdiv(n, 128),)](x, x, out, n, BLOCK=int("128"))  # which is not read off, but run


def other():
    call(300, torch.float16)


if __name__ == "__main__":
    call(1000)
    call(2000)
"""
HANGS = "print('about to hang', flush=True)\nwhile True:\n    pass\n"


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """As on a machine without one; with a history of each test's own."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("IRSCOPE_CACHE_DIR", str(tmp_path / "cache"))
    devices.devices.cache_clear()
    yield
    devices.devices.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def no_worker_left() -> Iterator[None]:
    yield
    run.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "add.py"
    path.write_text(ADD, encoding="utf-8")
    return path


@pytest.fixture
def request_(file: Path) -> Request:
    return Request(file, "add", Target.parse("sm_90"))


def panel_text(driver: Driver) -> str:
    panel = driver.bench.dock.panel
    assert panel is not None
    assert panel.display
    return panel.text.replace("\u00a0", " ")


async def over(driver: Driver) -> None:
    await driver.until(lambda: driver.app.launching.count and not driver.app.launching.running)


async def interpreted(driver: Driver) -> Launch:
    """Run the kernel in the interpreter by its key, to its good end."""
    before = driver.app.launching.count
    await driver.press("c")
    await driver.until(lambda: driver.app.launching.count > before and not driver.app.launching.running)
    launch = driver.app.launching.launch
    assert launch is not None, panel_text(driver)
    assert driver.bench.dock.panel is not None
    assert driver.bench.dock.panel.shown.failure is None
    return launch


def interpreters() -> list[psutil.Process]:
    """Workers that run Triton's interpreter."""
    found = []
    for child in psutil.Process().children():
        try:
            if "TRITON_INTERPRET" in child.environ() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
        except psutil.Error:  # it ends as we look
            continue
    return found


def notices(driver: Driver) -> list[str]:
    return [notification.message for notification in driver.app._notifications]


async def test_no_gpu_is_said_and_the_interpreter_offered(request_: Request) -> None:
    async with opened(request_, NARROW) as driver:
        await driver.press("L")
        await over(driver)
        assert "there is no CUDA device on this machine" in panel_text(driver)
        assert "c runs it in Triton's interpreter" in panel_text(driver)
        await driver.press("y")
        assert driver.app.clipboard == "irscope launch --interpret"
        box = driver.bench.strip.box(GPU)
        assert box is not None
        assert box.state is State.ABSENT


@pytest.mark.sweep
async def test_the_box_of_the_strip_launches(request_: Request) -> None:
    async with opened(request_) as driver:
        assert driver.bench.dock.panel is None
        await driver.press(str(len(driver.bench.strip.boxes)))
        await over(driver)
        assert "there is no CUDA device" in panel_text(driver)


@pytest.mark.parametrize("size", [NARROW, (120, 40), WIDE])
async def test_the_interpreter_runs_the_files_own_launch(request_: Request, size: tuple[int, int]) -> None:
    async with opened(request_, size) as driver:
        launch = await interpreted(driver)
        assert (launch.source, launch.grid[0]) == ("file", 8)
        (output,) = launch.outputs
        assert (output.name, output.minimum, output.maximum, output.written) == ("out_ptr", 2.5, 2.5, 1000)
        text = panel_text(driver)
        assert "8 of 8 programs" in text
        assert "✓ out_ptr" in text
        assert "in call" in text
        await driver.press("escape")
        assert driver.bench.dock.panel is not None
        assert not driver.bench.dock.panel.display
        assert driver.bench.panes.pane is not None
        assert driver.bench.panes.pane.view.has_focus
        await driver.press("m")
        assert "8 of 8 programs" in panel_text(driver)


async def test_what_ran_can_be_compiled_and_shown(request_: Request) -> None:
    async with opened(replace(request_, capture="never")) as driver:
        assert "BLOCK=128" not in driver.header()
        await interpreted(driver)
        assert "BLOCK 128" in panel_text(driver)
        await driver.press("v")
        await driver.until(lambda: not driver.app.compiling.running and "BLOCK=128" in driver.header())
        await driver.until(lambda: not driver.app.launching.differences)
        found = driver.bench.compilation
        assert found is not None
        assert found.failure is None
        # 1000 is not divisible by 16, which is what was launched and not what is compiled without a launch.
        assert "tt.divisibility" not in found.specialization.attributes.get("n", {})
        assert "shows what ran" not in panel_text(driver)
        # The next one is launched as this one was, and not with what it gave as the user's own words.
        launch = await interpreted(driver)
        assert launch.specialization.provenance["BLOCK"] == "captured"
        assert not launch.warnings


async def test_constants_of_the_compilation_are_those_of_the_launch(request_: Request) -> None:
    async with opened(replace(request_, constants={"BLOCK": "256"})) as driver:
        launch = await interpreted(driver)
        assert launch.specialization.constexprs["BLOCK"] == 256


@pytest.mark.sweep
async def test_zoom_and_the_way_there(request_: Request) -> None:
    async with opened(request_) as driver:
        await interpreted(driver)
        assert driver.bench.dock.in_use
        height = driver.bench.dock.panel.size.height  # type: ignore[union-attr]
        await driver.press("z")
        assert driver.bench.dock.panel.size.height > height  # type: ignore[union-attr]
        assert not driver.bench.panes.region
        await driver.press("escape")
        assert driver.bench.dock.panel.size.height == height  # type: ignore[union-attr]
        shown = driver.bench.panes.shown
        for name in shown:
            await driver.press("tab")
            assert driver.bench.panes.panes[name].view.has_focus
        await driver.press("tab")
        assert driver.bench.dock.in_use


@pytest.mark.sweep
async def test_the_scroll_bar_is_where_the_text_is(request_: Request) -> None:
    """While a launch has nothing to show there is no bar, and after it the text is at its start again."""
    async with opened(request_, NARROW) as driver:
        await interpreted(driver)
        panel = driver.bench.dock.panel
        assert panel is not None
        await driver.press("G")
        assert panel.scroll_y == panel.vertical_scrollbar.position > 0
        await interpreted(driver)
        assert panel.show_vertical_scrollbar
        assert panel.scroll_y == panel.vertical_scrollbar.position == 0


# Cancelled, failed, and in one another's way


async def test_cancel_then_a_good_launch(file: Path, request_: Request) -> None:
    async with opened(request_) as driver:
        file.write_text(HANGS + ADD, encoding="utf-8")
        await driver.press("c")
        await driver.until(lambda: driver.app.launching.running and interpreters())
        assert "escape cancels" in panel_text(driver)
        await driver.press("c")
        assert any("escape cancels" in notice for notice in notices(driver))
        await driver.press("escape")
        assert not driver.app.launching.running
        assert "cancelled" in panel_text(driver)
        await driver.until(lambda: not interpreters())
        file.write_text(ADD, encoding="utf-8")
        await interpreted(driver)


async def test_leaving_stops_the_worker(file: Path, request_: Request) -> None:
    async with opened(request_) as driver:
        file.write_text(HANGS + ADD, encoding="utf-8")
        await driver.press("c")
        await driver.until(interpreters)
    assert not interpreters()


async def test_a_failure_then_a_good_launch(file: Path, request_: Request) -> None:
    async with opened(request_) as driver:
        file.write_text(ADD.replace("call(1000)", "raise ValueError('no such size')"), encoding="utf-8")
        await driver.press("c")
        await over(driver)
        text = panel_text(driver)
        assert "✗" in text
        assert "no such size" in text
        assert driver.bench.strip.box(GPU).state is State.FAILED  # type: ignore[union-attr]
        file.write_text(ADD, encoding="utf-8")
        await interpreted(driver)
        assert "no such size" not in panel_text(driver)
        assert driver.bench.strip.box(GPU).state is not State.FAILED  # type: ignore[union-attr]


async def test_a_hang_passes_its_time_limit(file: Path, request_: Request) -> None:
    async with opened(request_) as driver:
        file.write_text(HANGS + ADD, encoding="utf-8")
        request = driver.app.launching.request_in_view()
        assert request is not None
        await driver.app.launching.start(
            replace(request, interpret=True, compile=replace(request.compile, timeout=2)), keep=False
        )
        await over(driver)
        assert "within 2 s" in panel_text(driver)
        assert "about to hang" in panel_text(driver)
        file.write_text(ADD, encoding="utf-8")
        await interpreted(driver)


# The form


def form(driver: Driver) -> LaunchForm:
    screen = driver.app.screen
    assert isinstance(screen, LaunchForm)
    return screen


async def open_form(driver: Driver) -> LaunchForm:
    await driver.press("i")
    await driver.until(lambda: isinstance(driver.app.screen, LaunchForm))
    await driver.pilot.pause()
    return form(driver)


def fill(asked: LaunchForm, **answers: str) -> None:
    for key, text in answers.items():
        asked.row(key if key in asked.answers else f"input:{key}").query_one(Input).value = text


def complaint(asked: LaunchForm, key: str) -> str:
    note = asked.row(key).query_one(".row-note", Label)
    return str(note.render()) if note.has_class("bad") else ""


async def test_the_form_lists_the_files_launches_without_a_gpu(request_: Request) -> None:
    async with opened(request_, (120, 40)) as driver:
        asked = await open_form(driver)
        await driver.press("f6")
        await driver.until(lambda: len(asked.row("number").question.choices) > 1)
        offered = [words for _, words in asked.row("number").question.choices]
        assert any("1000" in words for words in offered) and any("2000" in words for words in offered), offered


async def test_the_form_makes_inputs_and_complains_where_it_cannot(request_: Request) -> None:
    async with opened(request_, (120, 40)) as driver:
        asked = await open_form(driver)
        fill(asked, x_ptr="random:10", n="many", grid="cdiv(n,", seed="-1", timeout="soon", out_ptr="full:64x")
        asked.row("seed").enter()
        await driver.press("enter")
        assert driver.app.screen is asked
        assert "randn" in complaint(asked, "input:x_ptr")
        for key in ("input:n", "input:out_ptr", "grid", "seed", "timeout"):
            assert complaint(asked, key), key
        assert not complaint(asked, "device")
        assert asked.row("input:x_ptr").query_one(Input).has_focus

        fill(
            asked, x_ptr="full:3.0:512", y_ptr="ones", n="512", grid="cdiv(n, BLOCK)", seed="7", timeout="", out_ptr=""
        )
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.bench)
        await over(driver)
        launch = driver.app.launching.launch
        assert launch is not None, panel_text(driver)
        assert (launch.source, launch.seed) == ("inputs", 7)
        assert {argument.name: argument.shape for argument in launch.arguments}["x_ptr"] == (512,)
        assert launch.outputs[0].maximum == 4.0
        # What was said stays said.
        again = await open_form(driver)
        assert again.answers["input:x_ptr"] == "full:3.0:512"
        assert again.answers["seed"] == "7"


async def test_the_form_chooses_among_the_files_launches(request_: Request) -> None:
    async with opened(request_) as driver:
        asked = await open_form(driver)
        fill(asked, number="1", entry="nothing of that name")
        await driver.press("f5")
        assert complaint(asked, "entry")
        fill(asked, entry="")
        await driver.press("f5")
        await over(driver)
        launch = driver.app.launching.launch
        assert launch is not None, panel_text(driver)
        assert launch.outputs[0].shape == (2000,)
        again = await open_form(driver)
        choice = again.row("number").query_one(Select)
        assert choice.value == "1"
        assert "grid 16" in again.row("number").question.choices[1][1]
        await driver.press("escape")
        assert driver.app.screen is driver.bench


@pytest.mark.sweep
async def test_the_form_runs_another_function(request_: Request) -> None:
    async with opened(request_) as driver:
        asked = await open_form(driver)
        fill(asked, entry="other")
        await driver.press("f5")
        await over(driver)
        launch = driver.app.launching.launch
        assert launch is not None, panel_text(driver)
        assert (launch.outputs[0].type, launch.outputs[0].shape) == ("fp16", (300,))


# The history


@pytest.mark.sweep
async def test_a_bundle_brings_its_launches(request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = tmp_path / "add.irscope"
    async with opened(request_) as driver:
        await interpreted(driver)
        await interpreted(driver)
        await driver.press("escape", "b")
        driver.bench.prompt.field.value = str(saved)
        await driver.press("enter")
        await driver.until(saved.exists)
    assert len(bundle.read(saved).launches) == 2
    # As on another machine, which knows nothing of these.
    monkeypatch.setenv("IRSCOPE_CACHE_DIR", str(tmp_path / "elsewhere"))
    async with opened(Request(saved)) as driver:
        await driver.until(lambda: driver.bench.dock.panel is not None and driver.bench.dock.panel.display)
        assert "8 of 8 programs" in panel_text(driver)
        assert not driver.bench.dock.in_use
        await driver.press("escape")
        assert not driver.bench.dock.panel.display  # type: ignore[union-attr]
        await driver.press("m")
        assert "out_ptr" in panel_text(driver)
    async with opened(Request(saved), NARROW) as driver:
        # There the panes need the room; the key shows it.
        await driver.pilot.pause()
        await driver.press("m")
        assert "out_ptr" in panel_text(driver)


async def test_a_kernel_without_launches_says_so(request_: Request) -> None:
    async with opened(request_) as driver:
        await driver.press("m")
        assert any("L launches it" in notice for notice in notices(driver))


@pytest.mark.sweep
async def test_the_panel_works_with_the_mouse(request_: Request) -> None:
    async with opened(request_, (120, 40)) as driver:
        await driver.press("L")
        await over(driver)

        async def click(words: str) -> None:
            panel = driver.bench.dock.panel
            assert panel is not None
            row = panel.region.bottom - 1
            line = "".join(segment.text for segment in driver.bench._compositor.render_strips()[row])
            await driver.pilot.click(offset=(line.index(words) + 1, row))
            await driver.pilot.pause()

        await click("i inputs")
        await driver.until(lambda: isinstance(driver.app.screen, LaunchForm))
        await driver.press("escape")
        await click("L launch")
        await driver.until(lambda: driver.app.launching.count == 2 and not driver.app.launching.running)
        await click("z zoom")
        assert not driver.bench.panes.region
        await click("m close")
        assert not driver.bench.dock.panel.display  # type: ignore[union-attr]
        assert driver.bench.panes.region
