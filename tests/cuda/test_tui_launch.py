"""One session of the TUI on a GPU: what goes wrong in a launch is said in a line, and the next launch is good."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

sys.path.insert(0, str(Path(__file__).parents[1] / "tui"))

from driving import Driver, opened  # noqa: E402

from irscope.launch.model import Launch  # noqa: E402
from irscope.model import Failure  # noqa: E402
from irscope.request import Request  # noqa: E402
from irscope.tui.pipeline_strip import GPU, State  # noqa: E402

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason=f"torch {torch.__version__} sees no CUDA device"),
    pytest.mark.timeout(900),
]

KERNELS = Path(__file__).parent / "tui_kernels.py"
SIZE = (160, 50)
#: What a kernel that never ends may take: a worker that starts on a busy machine must fit in.
SECONDS = 40.0


async def in_view(driver: Driver, kernel: str) -> None:
    driver.app.compiling.start(Request(KERNELS, kernel))
    await driver.until(lambda: not driver.app.compiling.running)
    assert not driver.bench.error.display


async def launched(driver: Driver, **changes: object) -> None:
    """Launch what is in view, by the key, or with settings as the form gives them; wait for its end."""
    before = driver.app.launching.count
    if changes:
        request = driver.app.launching.request_in_view()
        assert request is not None
        timeout = changes.pop("timeout", None)
        changed = replace(request, compile=replace(request.compile, timeout=timeout), **changes)  # type: ignore[arg-type]
        await driver.app.launching.start(changed, keep=False)
    else:
        await driver.press("L")
    # A whole launch may take longer than a compilation: measuring what the GPU reaches is part of the first one.
    for _ in range(6):
        try:
            await driver.until(lambda: driver.app.launching.count > before and not driver.app.launching.running)
            return
        except AssertionError:
            continue
    raise AssertionError("the launch did not end")


def text(driver: Driver) -> str:
    assert driver.bench.dock.panel is not None
    return driver.bench.dock.panel.text


def box(driver: Driver) -> tuple[State, str]:
    found = driver.bench.strip.box(GPU)
    assert found is not None
    return found.state, found.size


def failed(driver: Driver) -> Failure:
    """The failure on the panel: one line, and something to try."""
    assert driver.bench.dock.panel is not None
    failure = driver.bench.dock.panel.shown.failure
    assert failure is not None, text(driver)
    assert "\n" not in failure.message
    assert failure.message in text(driver).replace("\n", " ") or failure.message in text(driver)
    assert failure.hint
    assert box(driver) == (State.FAILED, "failed")
    return failure


async def good(driver: Driver) -> Launch:
    """The next launch works: timed, all written, and irscope's figures are the driver's."""
    await in_view(driver, "good_kernel")
    await launched(driver)
    assert driver.bench.dock.panel is not None
    assert driver.bench.dock.panel.shown.failure is None, text(driver)
    launch = driver.app.launching.launch
    assert launch is not None
    assert launch.timing is not None
    assert launch.timing.median > 0
    (output,) = launch.outputs
    assert (output.name, output.minimum, output.maximum) == ("out_ptr", 3.0, 3.0)
    assert output.written == output.elements
    assert launch.disagreements == ()
    state, size = box(driver)
    assert state is State.DONE
    assert size.endswith(("µs", "ms"))
    return launch


async def test_what_goes_wrong_costs_one_launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRSCOPE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    async with opened(Request(KERNELS, "good_kernel"), SIZE) as driver:
        await good(driver)

        await in_view(driver, "beyond_kernel")
        await launched(driver, entry="beyond")
        failure = failed(driver)
        assert failure.kind == "fault"
        assert "compute-sanitizer" in (failure.hint or "")
        driver.app.action_copy_launch()
        assert "compute-sanitizer" in driver.app.clipboard
        assert "--entry beyond" in driver.app.clipboard, "the main block launches another kernel"
        await good(driver)

        await in_view(driver, "endless_kernel")
        await launched(driver, entry="endless", timeout=SECONDS)
        failure = failed(driver)
        assert failure.kind == "timeout"
        assert f"{SECONDS:g} s" in failure.message
        await good(driver)

        await in_view(driver, "good_kernel")
        inputs = {"x_ptr": "zeros:50000000000:fp32", "n": "50000000000"}
        await launched(driver, source="inputs", inputs=inputs, grid="1")
        assert failed(driver).kind == "memory"
        await good(driver)

        await in_view(driver, "greedy_kernel")
        await launched(driver, entry="greedy")
        failure = failed(driver)
        assert failure.kind == "resources"
        assert "shared memory" in failure.message
        last = await good(driver)

        # All good ones are the history of the same kernel, with their ratios.
        kept = driver.app.launching.history()
        assert len([launch for launch in kept if launch.kernel == "good_kernel"]) >= 5
        assert kept[-1].when == last.when
        assert "now is" in text(driver)


async def test_another_option_is_two_keys_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRSCOPE_CONFIG_DIR", str(tmp_path))
    async with opened(Request(KERNELS, "good_kernel"), SIZE) as driver:
        await launched(driver)
        await driver.press("o")
        await driver.until(lambda: driver.app.screen is not driver.bench)
        await driver.pilot.pause()
        from textual.widgets import Input

        from irscope.tui.form import OptionsForm, Row

        form = driver.app.screen
        assert isinstance(form, OptionsForm)
        row = next(row for row in form.query(Row) if row.field.name == "num_warps")
        row.query_one(Input).value = "8"
        await driver.press("f5")
        await driver.until(lambda: driver.app.compiling.count > 1 and not driver.app.compiling.running)
        await launched(driver)
        launch = driver.app.launching.launch
        assert launch is not None
        assert launch.specialization.options["num_warps"] == 8
        assert "num_warps=4" in text(driver).rpartition("earlier launches")[2]


async def test_cancel_while_the_kernel_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRSCOPE_CONFIG_DIR", str(tmp_path))
    async with opened(Request(KERNELS, "endless_kernel"), SIZE) as driver:
        request = driver.app.launching.request_in_view()
        assert request is not None
        await driver.app.launching.start(replace(request, entry="endless"), keep=False)
        await driver.until(lambda: driver.bench.dock.panel.shown.launch is not None)  # type: ignore[union-attr]
        await driver.press("escape")
        assert not driver.app.launching.running
        assert "cancelled" in text(driver)
        await good(driver)
