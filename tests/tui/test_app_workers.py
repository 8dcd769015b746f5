"""What the TUI shows of workers that are stopped, killed, or too slow; the next compilation works."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from driving import NARROW, WIDE, Driver, opened

from irscope.model import Failure, Target
from irscope.request import Request
from irscope.tui.app import IrscopeApp
from irscope.tui.pipeline_strip import State

SM_80 = Target.parse("sm_80")
KERNELS = Path(__file__).parents[1] / "kernels"
CUDA_STAGES = ("ttir", "ttgir", "llir", "ptx", "sass", "cubin")


def prepend(file: Path, code: str) -> str:
    """Put code before all else in a file; its text as it was."""
    good = file.read_text(encoding="utf-8")
    file.write_text(code + good, encoding="utf-8")
    return good


def state(driver: Driver, stage: str) -> State:
    box = driver.bench.strip.box(stage)
    assert box is not None
    return box.state


def states(driver: Driver) -> set[State]:
    return {box.state for box in driver.bench.strip.boxes}


def shown_failure(driver: Driver) -> Failure:
    """The failure in the error panel: one line, and the log has the rest."""
    assert driver.bench.error.display
    failure = driver.bench.error.failure
    assert failure is not None
    assert "\n" not in failure.message
    assert failure.message in str(driver.app.query_one("#error-text").render())
    log = driver.bench.panes.panes.get("log")
    if log is not None:
        assert log.text is not None
        assert failure.message in log.text.text
    return failure


async def compiles_now(driver: Driver) -> None:
    await driver.press("R")
    await driver.until(lambda: not driver.app.compiling.running)
    assert not driver.bench.error.display
    assert "STALE" not in driver.header()
    assert all(state(driver, stage) is State.DONE for stage in CUDA_STAGES)
    assert all(driver.bench.panes.panes[stage].text is not None for stage in CUDA_STAGES)


def workers() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        # One that ends as it is looked at is no worker any more.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if any("worker" in part for part in child.cmdline()):
                found.append(child)
    return found


def stop_when(driver: Driver, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    """Press escape, so to speak, in the very moment in which a stage is begun."""
    start: Callable[[str], None] = driver.bench.strip.start

    def start_and_stop(name: str) -> None:
        start(name)
        if name == stage:
            monkeypatch.setattr(driver.bench.strip, "start", start)
            driver.app.action_leave()

    monkeypatch.setattr(driver.bench.strip, "start", start_and_stop)


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_first_compilation_that_is_stopped_shows_what_it_reached(
    add_file: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    app = IrscopeApp(Request(add_file, target=SM_80, fresh=True))
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, pilot)
        stop_when(driver, monkeypatch, "llir")
        await driver.until(lambda: app.compiling.count and not app.compiling.running)
        panes = app.bench.panes.panes
        for stage in ("ttir", "ttgir"):
            assert state(driver, stage) is State.DONE
            assert panes[stage].text is not None
        assert state(driver, "llir") is State.STOPPED
        for stage in ("ptx", "sass", "cubin"):
            assert state(driver, stage) is State.ABSENT
        for stage in ("llir", "ptx", "sass", "cubin"):
            assert panes[stage].text is None
            assert "stopped" in panes[stage].note
        assert "STOPPED" in driver.header()
        assert "■" in driver.strip()
        await compiles_now(driver)
        assert "STOPPED" not in driver.header()


async def test_what_a_stopped_compilation_reached_makes_room_for_the_next(
    add_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = IrscopeApp(Request(add_file, target=SM_80, fresh=True))
    async with app.run_test(size=WIDE) as pilot:
        driver = Driver(app, pilot)
        stop_when(driver, monkeypatch, "ptx")
        await driver.until(lambda: app.compiling.count and not app.compiling.running)
        stop_when(driver, monkeypatch, "ttgir")
        await driver.press("R")
        await driver.until(lambda: not app.compiling.running)
        panes = app.bench.panes.panes
        assert {name for name in CUDA_STAGES if panes[name].text is not None} == {"ttir"}
        assert {name for name in CUDA_STAGES if state(driver, name) is State.DONE} == {"ttir"}


async def test_a_stopped_recompilation_leaves_what_was_in_view(add_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(Request(add_file, target=SM_80)) as driver:
        good = prepend(add_file, "def (\n")
        await driver.press("R")
        await driver.until(lambda: not driver.app.compiling.running)
        assert "STALE" in driver.header()
        add_file.write_text(good, encoding="utf-8")
        stop_when(driver, monkeypatch, "llir")
        await driver.press("R")
        await driver.until(lambda: not driver.app.compiling.running)
        # It is stale still, and nothing goes on.
        assert "STALE" in driver.header()
        assert not states(driver) & {State.COMPILING, State.WAITING, State.STOPPED}
        assert all(driver.bench.panes.panes[stage].text is not None for stage in CUDA_STAGES)
        await compiles_now(driver)


async def test_a_worker_that_aborts(add_file: Path) -> None:
    good = prepend(add_file, "import os\nprint('last words', flush=True)\nos.abort()\n")
    async with opened(Request(add_file, target=SM_80), NARROW) as driver:
        failure = shown_failure(driver)
        assert failure.kind == "worker"
        assert "abort" in failure.message
        assert "last words" in (failure.detail or "")
        add_file.write_text(good, encoding="utf-8")
        await compiles_now(driver)


async def test_a_worker_that_is_killed(add_file: Path) -> None:
    async with opened(Request(add_file, target=SM_80)) as driver:
        before = driver.bench.compilation
        good = prepend(add_file, "print('about to hang', flush=True)\nwhile True:\n    pass\n")
        await driver.press("R")
        await driver.until(workers)
        for worker in workers():
            worker.kill()
        await driver.until(lambda: not driver.app.compiling.running)
        failure = shown_failure(driver)
        assert failure.kind == "worker"
        assert "killed" in failure.message or "ended" in failure.message
        assert driver.bench.compilation is before
        assert "STALE" in driver.header()
        add_file.write_text(good, encoding="utf-8")
        await compiles_now(driver)


async def test_a_worker_that_passes_the_time_limit(add_file: Path) -> None:
    good = prepend(add_file, "print('about to hang', flush=True)\nwhile True:\n    pass\n")
    async with opened(Request(add_file, target=SM_80, timeout=3)) as driver:
        failure = shown_failure(driver)
        assert failure.kind == "timeout"
        assert "3 s" in failure.message
        assert "--timeout" in (failure.hint or "")
        add_file.write_text(good, encoding="utf-8")
        # As much time as it needs, on a busy machine too.
        driver.app.compiling.request = replace(driver.app.compiling.request, timeout=None)
        await compiles_now(driver)


async def test_a_stage_that_passes_the_time_limit_is_marked(add_file: Path) -> None:
    request = Request(KERNELS / "hangs_in_compile.py", target=SM_80, timeout=5)
    async with opened(request) as driver:
        failure = shown_failure(driver)
        assert failure.kind == "timeout"
        assert State.FAILED in states(driver)
        assert not states(driver) & {State.COMPILING, State.WAITING}
        driver.app.compiling.request = Request(add_file, target=SM_80)
        await compiles_now(driver)
