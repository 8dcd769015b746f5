"""Pictures of the whole screen, at three sizes and of what opens on it.

They show bundles that are kept beside the tests (see ``make_snapshot_data.py``), so that neither Triton nor the
machine makes a difference. After a change that should be seen: ``pytest tests/tui/test_pictures.py
--snapshot-update``, and look at what came of it.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from driving import Driver
from textual.pilot import Pilot

from irscope import config, devices
from irscope.request import Request
from irscope.tui.app import IrscopeApp
from irscope.tui.form import OptionsForm, Row

DATA = Path(__file__).parent / "data"
VECTOR_ADD, COMPILE_ERROR = DATA / "vector_add.irscope", DATA / "compile_error.irscope"

Compare = Callable[..., bool]
Steps = Callable[[Driver], Awaitable[None]]


@pytest.fixture(autouse=True)
def a_machine_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU, a terminal with colours, and no path of this machine on screen."""
    monkeypatch.setattr(devices, "describe", lambda: None)
    monkeypatch.setattr(config, "path", lambda: Path("config.toml"))
    monkeypatch.setenv("COLORTERM", "truecolor")


async def open_form(driver: Driver) -> None:
    found = driver.bench.compilation
    assert found is not None
    # As the key does, but for reading the kernel's file, which lies where no machine has it.
    driver.app.push_screen(OptionsForm(driver.app.compiling.request, [found.kernel], found))
    await driver.until(lambda: isinstance(driver.app.screen, OptionsForm) and driver.app.screen.query(Row))


async def look_at_a_load(driver: Driver) -> None:
    await driver.go_to("source", "tl.load(x_ptr")


async def look_at_help(driver: Driver) -> None:
    await driver.press("f1")


async def look_at_the_error(driver: Driver) -> None:
    await driver.press("e")


@pytest.mark.parametrize(
    ("bundle", "size", "steps"),
    [
        pytest.param(VECTOR_ADD, (80, 24), look_at_a_load, id="80x24"),
        pytest.param(VECTOR_ADD, (120, 40), look_at_a_load, id="120x40"),
        pytest.param(VECTOR_ADD, (240, 60), look_at_a_load, id="240x60"),
        pytest.param(COMPILE_ERROR, (120, 40), look_at_the_error, id="error"),
        pytest.param(VECTOR_ADD, (120, 40), look_at_help, id="help"),
        pytest.param(VECTOR_ADD, (120, 40), open_form, id="form"),
    ],
)
def test_picture(snap_compare: Compare, bundle: Path, size: tuple[int, int], steps: Steps) -> None:
    async def arrive(pilot: Pilot[Any]) -> None:
        driver = Driver(app, pilot)
        await driver.until(lambda: app.compiling.count)
        await driver.settled()
        await steps(driver)
        await pilot.pause()

    app = IrscopeApp(Request(bundle))
    assert snap_compare(app, terminal_size=size, run_before=arrive)
