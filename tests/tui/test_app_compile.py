"""Compiling in the TUI, with the real compiler: stages as they come, failures, changes on disk, leaving."""

import threading
from pathlib import Path
from typing import Any

import pytest
from driving import NARROW, WIDE, Driver, opened

from irscope import config, session
from irscope.config import Config
from irscope.model import Compilation, Target
from irscope.request import Request
from irscope.tui.app import IrscopeApp
from irscope.tui.pipeline_strip import State
from irscope.tui.preferences import DEFAULT_THEME

SM_80 = Target.parse("sm_80")


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def states(driver: Driver) -> dict[str, State]:
    return {box.name: box.state for box in driver.bench.strip.boxes}


async def test_the_file_is_there_before_the_compiler_is(add_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_begin = threading.Event()
    open_now = session.open

    def open_later(request: Request, *rest: Any) -> Compilation:
        assert may_begin.wait(60)
        return open_now(request, *rest)

    monkeypatch.setattr(session, "open", open_later)
    app = IrscopeApp(Request(add_file, target=SM_80))
    async with app.run_test(size=WIDE) as pilot:
        driver = Driver(app, pilot)
        assert "tl.store(out_ptr" in driver.text("source")
        assert app.bench.compilation is None
        seen: list[str] = []
        start = app.bench.strip.start
        monkeypatch.setattr(app.bench.strip, "start", lambda name: (seen.append(name), start(name)))
        may_begin.set()
        await driver.until(lambda: app.bench.compilation is not None)
        await driver.settled()
        assert seen == ["ttir", "ttgir", "llir", "ptx", "cubin", "sass"]
        assert all(states(driver)[name] is State.DONE for name in ("ttir", "ttgir", "llir", "ptx", "sass", "cubin"))
        assert "add" in driver.header()
        assert "sm_80" in driver.header()
        resources = "regs " + driver.figures().split("regs ")[1].split()[0]
        assert resources.removeprefix("regs ").isdigit()
    async with opened(Request(add_file, target=SM_80)) as driver:
        assert "from the store" in driver.header()
        assert states(driver)["ptx"] is State.STORED


async def test_a_failed_recompile_keeps_the_old_result(add_file: Path) -> None:
    async with opened(Request(add_file, target=SM_80)) as driver:
        before = driver.bench.compilation
        change(add_file, "x + y", "x + unknown_name")
        await driver.press("R")
        await driver.until(lambda: not driver.app.compiling.running)
        await driver.until(lambda: driver.bench.error.display)
        assert driver.bench.compilation is before
        assert "STALE" in driver.header()
        failure = driver.bench.error.failure
        assert failure is not None
        assert "unknown_name" in failure.message
        assert driver.view("sass").lines
        await driver.press("e")
        view = driver.view("source")
        assert "unknown_name" in view.lines[view.cursor_row]
        await driver.press("escape")
        assert not driver.bench.error.display
        change(add_file, "x + unknown_name", "x * y")
        await driver.press("R")
        await driver.until(lambda: not driver.app.compiling.running and not driver.bench.stale)
        assert "STALE" not in driver.header()
        assert any("mul" in line for line in driver.view("ttgir").lines)


@pytest.mark.parametrize(("wrong", "stages"), [("x + (", set()), ("x + tl.nothing(y)", set())])
async def test_a_first_failure_shows_the_error_and_its_line(add_file: Path, wrong: str, stages: set[str]) -> None:
    change(add_file, "x + y", wrong)
    async with opened(Request(add_file, target=SM_80), NARROW) as driver:
        assert driver.bench.error.failure is not None
        assert driver.bench.error.failure.line == 11
        assert driver.view("source").cursor_row == 10
        assert State.FAILED in states(driver).values()
        found = driver.bench.compilation
        assert found is not None
        assert set(found.stages) == stages


async def test_a_change_on_disk_is_offered(add_file: Path) -> None:
    async with opened(Request(add_file, target=SM_80)) as driver:
        change(add_file, "x + y", "x - y")
        await driver.until(lambda: driver.bench.change_bar.display)
        await driver.pilot.click("#changed", offset=(str(driver.bench.change_bar.render()).index("recompile"), 0))
        await driver.until(lambda: driver.app.compiling.count > 1 and not driver.app.compiling.running)
        assert not driver.bench.change_bar.display
        assert any("arith.subf" in line for line in driver.view("ttgir").lines)


async def test_watch_compiles_by_itself(add_file: Path) -> None:
    async with opened(Request(add_file, target=SM_80), watch=True) as driver:
        change(add_file, "x + y", "x - y")
        await driver.until(lambda: any("arith.subf" in line for line in driver.view("ttgir").lines))
        assert not driver.bench.change_bar.display


async def test_escape_stops_the_compiler(add_file: Path) -> None:
    async with opened(Request(add_file, target=SM_80)) as driver:
        before = driver.bench.compilation
        await driver.press("R", "escape")
        assert not driver.app.compiling.running
        assert driver.bench.compilation is before
        assert "STALE" not in driver.header()
        await driver.press("R")
        await driver.until(lambda: not driver.app.compiling.running)
        assert driver.bench.compilation is not before


async def test_the_form_changes_what_is_compiled(add_file: Path) -> None:
    async with opened(Request(add_file, target=SM_80)) as driver:
        from irscope.tui.form import OptionsForm, Row

        await driver.press("o")
        await driver.until(lambda: isinstance(driver.app.screen, OptionsForm) and driver.app.screen.query(Row))
        rows = {row.field.name: row for row in driver.app.screen.query(Row)}
        assert rows["BLOCK"].answer == "128"
        assert rows["x_ptr"].answer.startswith("*fp32")
        rows["BLOCK"].query_one("Input").value = "256"  # type: ignore[attr-defined]
        rows["num_warps"].query_one("Input").value = "8"  # type: ignore[attr-defined]
        await driver.press("f5")
        await driver.until(lambda: driver.app.compiling.count > 1 and not driver.app.compiling.running)
        assert "BLOCK=256" in driver.header()
        assert "warps 8" in driver.header()
        assert any("256" in line and "tensor<256x" in line for line in driver.view("ttgir").lines)
        # A wrong target is said in the form; escape leaves it.
        await driver.press("o")
        await driver.until(lambda: isinstance(driver.app.screen, OptionsForm))
        await driver.pilot.pause()
        driver.app.screen.query_one("#form-target").value = "sm_x"  # type: ignore[attr-defined]
        await driver.press("f5")
        assert isinstance(driver.app.screen, OptionsForm)
        await driver.press("escape")
        assert driver.app.screen is driver.bench


async def test_a_theme_is_switched_and_kept(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        assert driver.app.theme == DEFAULT_THEME
        await driver.press("t")
        chosen = driver.app.theme
        assert chosen != DEFAULT_THEME
        await driver.until(lambda: config.read().theme == chosen)


async def test_no_color_refuses_ansi_themes(matmul_request: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    ansi = next(name for name in IrscopeApp(matmul_request).available_themes if "ansi" in name)
    async with opened(matmul_request, settings=Config(theme=ansi)) as driver:
        assert driver.app.theme == DEFAULT_THEME
        driver.app.theme = ansi
        await driver.until(lambda: driver.app.theme == DEFAULT_THEME)
        assert not config.path().exists()


async def test_leaving_ends_with_zero(add_file: Path) -> None:
    async with opened(Request(add_file, target=SM_80)) as driver:
        await driver.press("R", "q")
    assert driver.app.return_code == 0


async def test_a_directory_asks_which_kernel() -> None:
    from irscope.tui.form import OptionsForm

    app = IrscopeApp(Request(Path(__file__).parents[2] / "sample_kernels"))
    async with app.run_test(size=WIDE) as pilot:
        driver = Driver(app, pilot)
        await driver.until(lambda: isinstance(app.screen, OptionsForm))
        await driver.press("escape")
        assert app.screen is app.bench
