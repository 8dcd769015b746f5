"""The list of captured launches in the app: what it shows, what choosing one compiles, capturing now."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from driving import NARROW, WIDE, Driver, opened
from samples import SAMPLES
from textual.widgets import OptionList, Select, Static

from irscope import captures
from irscope.model import Target
from irscope.request import Request
from irscope.tui import capture_text
from irscope.tui.capture_list import CaptureList
from irscope.tui.form import OptionsForm, Row

SM_90 = Target.parse("sm_90")
KERNELS = """\
import triton
import triton.language as tl


@triton.jit
def scale_kernel(x_ptr, n, factor, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(x_ptr + offsets, x * factor, mask=offsets < n)


@triton.jit
def fill_kernel(x_ptr, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), 0.0)


def scale(x, block):
    scale_kernel[(triton.cdiv(x.numel(), block),)](x, x.numel(), 2.0, block, num_warps=2)


"""
TWICE = """\
if __name__ == "__main__":
    import torch
    scale(torch.empty(1000, device="cuda"), 128)
    scale(torch.empty(64, 64, device="cuda", dtype=torch.float16), 512)
    scale(torch.empty(64, 64, device="cuda", dtype=torch.float16), 512)
"""
FAILS = """\
if __name__ == "__main__":
    import torch
    weights = open("no such weights")
    scale(torch.empty(1000, device="cuda"), 128)
"""
WAITS = """\
if __name__ == "__main__":
    import threading
    import torch
    scale(torch.empty(1000, device="cuda"), 128)
    threading.Event().wait()
"""


def asks(folder: Path, main: str, *, with_torch: bool = False) -> Request:
    file = folder / "kernels.py"
    file.write_text("import torch\n" * with_torch + KERNELS + main, encoding="utf-8")
    return Request(file, "scale_kernel", SM_90)


async def listed(driver: Driver, key: str = "V") -> CaptureList:
    await driver.press(key)
    await driver.until(lambda: isinstance(driver.app.screen, CaptureList) and driver.app.screen.is_mounted)
    screen = driver.app.screen
    assert isinstance(screen, CaptureList)
    await driver.pilot.pause()
    return screen


async def captured(driver: Driver, key: str = "E") -> CaptureList:
    screen = await listed(driver, key)
    await driver.until(lambda: not screen.running)
    await driver.pilot.pause()
    return screen


def rows(screen: CaptureList) -> Sequence[str]:
    return [str(option.prompt) for option in screen.query_one(OptionList).options]


def words(screen: CaptureList, part: str) -> str:
    return str(screen.query_one(f"#capture-{part}", Static).render())


def provenance(driver: Driver) -> set[str]:
    assert driver.bench.compilation is not None
    return set(driver.bench.compilation.specialization.provenance.values())


def entries(driver: Driver) -> dict[str, str]:
    assert driver.bench.compilation is not None
    return dict(driver.bench.compilation.specialization.entries)


@pytest.mark.parametrize("size", [NARROW, pytest.param(WIDE, marks=pytest.mark.sweep)])
async def test_choosing_a_launch_compiles_it(tmp_path: Path, size: tuple[int, int]) -> None:
    request = asks(tmp_path, TWICE, with_torch=True)
    async with opened(request, size) as driver:
        assert provenance(driver) == {"captured"} and entries(driver)["BLOCK"] == "128"
        screen = await listed(driver)
        first, second = rows(screen)
        assert "in use" in first and "grid 8" in first and "kernels.py:19" in first
        assert "in use" not in second and "2x" in second and "fp16[64,64]" in second
        await driver.press("j")
        await driver.until(lambda: "*fp16:16, i32:16, fp32, 512" in words(screen, "detail"))
        await driver.press("k", "j", "enter")
        await driver.until(lambda: driver.app.compiling.count == 2)
        await driver.settled()
        assert provenance(driver) == {"captured"} and entries(driver)["BLOCK"] == "512"
        screen = await listed(driver)
        assert ["in use" in row for row in rows(screen)] == [False, True]
        assert screen.query_one(OptionList).highlighted == 1
        await driver.press("escape")
        assert driver.app.screen is driver.bench
        await driver.press("o")
        await driver.until(lambda: isinstance(driver.app.screen, OptionsForm) and driver.app.screen.query(Row))
        notes = {row.field.name: row.note for row in driver.app.screen.query(Row)}
        assert all("captured: kernels.py:19" in notes[name] for name in ("x_ptr", "n", "BLOCK", "num_warps"))


async def test_an_empty_list_says_why_and_captures(tmp_path: Path) -> None:
    request = asks(tmp_path, TWICE)
    async with opened(request, NARROW) as driver:
        assert "captured" not in provenance(driver)
        screen = await listed(driver)
        assert rows(screen) == [] and "line 18" in words(screen, "note") and "c runs" in words(screen, "note")
        await driver.press("enter", "j")
        assert driver.app.screen is screen
        await captured(driver, "c")
        assert len(rows(screen)) == 2 and not any("in use" in row for row in rows(screen))
        await driver.press("j", "enter")
        await driver.until(lambda: driver.app.compiling.count == 2)
        await driver.settled()
        assert provenance(driver) == {"captured"} and entries(driver)["BLOCK"] == "512"
        # It stays the one in use when the file changes: what it launches is looked for anew.
        request.path.write_text(request.path.read_text(encoding="utf-8").replace("512", "256"), encoding="utf-8")
        await driver.press("R")
        await driver.until(lambda: driver.app.compiling.count == 3)
        await driver.settled()
        assert provenance(driver) == {"captured"} and entries(driver)["BLOCK"] == "256"


async def test_code_that_fails_is_one_line(tmp_path: Path) -> None:
    request = asks(tmp_path, FAILS)
    async with opened(request) as driver:
        screen = await captured(driver)
        assert "kernels.py:23" in words(screen, "note") and "no such weights" in words(screen, "note")
        assert rows(screen) == [] and "\n" not in words(screen, "note").strip()
        await driver.press("escape")
        assert driver.app.screen is driver.bench


async def test_escape_stops_a_capture_and_then_closes(tmp_path: Path) -> None:
    request = asks(tmp_path, WAITS)
    async with opened(request) as driver:
        screen = await listed(driver, "E")
        await driver.until(lambda: rows(screen))
        assert "running" in words(screen, "note")
        await driver.press("enter", "c")
        assert driver.app.screen is screen and screen.running
        await driver.press("escape")
        assert driver.app.screen is screen and not screen.running
        # What was launched until then is kept, as something that is not whole: nobody waits for it twice.
        await driver.until(lambda: "ended early: it was stopped" in words(screen, "note"))
        assert len(rows(screen)) == 1
        await driver.press("escape")
        assert driver.app.screen is driver.bench
        await listed(driver, "E")
        await driver.press("q")
        assert driver.app.screen is driver.bench
    (kept,) = captures.kept(request.path)
    assert not kept.complete and len(kept.launches) == 1


async def test_what_was_said_and_saved_is_left_aside(tmp_path: Path) -> None:
    request = asks(tmp_path, TWICE, with_torch=True)
    saved = tmp_path / "kernels.irscope.toml"
    saved.write_text('[scale_kernel.parameters]\nx_ptr = "*bf16:16"\n', encoding="utf-8")
    said = Request(request.path, request.kernel, SM_90, constants={"BLOCK": "1024"}, options={"num_warps": "8"})
    async with opened(said) as driver:
        assert provenance(driver) == {"given", "saved", "captured"}
        await listed(driver)
        await driver.press("enter")
        await driver.until(lambda: driver.app.compiling.count == 2)
        await driver.settled()
        assert provenance(driver) == {"captured"}
        left = next(iter(driver.app._notifications)).message
        assert all(name in left for name in ("BLOCK", "num_warps", saved.name))
        found = driver.bench.compilation
        assert found is not None and found.specialization.options["num_warps"] == 2


async def test_another_kernel_of_the_form_begins_with_its_first_launch(tmp_path: Path) -> None:
    main = TWICE + '    fill_kernel[(1,)](torch.empty(128, device="cuda"), 128)\n'
    request = asks(tmp_path, main, with_torch=True)
    async with opened(Request(request.path, request.kernel, SM_90, captured=1)) as driver:
        assert entries(driver)["BLOCK"] == "512"
        await driver.press("o")
        await driver.until(lambda: isinstance(driver.app.screen, OptionsForm) and driver.app.screen.query(Row))
        form = driver.app.screen
        assert isinstance(form, OptionsForm)
        form.query_one("#form-kernel", Select).value = 1
        await driver.until(lambda: {row.field.name for row in form.query(Row)}.isdisjoint({"factor"}))
        await driver.press("f5")
        await driver.until(lambda: driver.app.compiling.count == 2)
        await driver.settled()
        found = driver.bench.compilation
        assert found is not None and found.kernel.name == "fill_kernel" and provenance(driver) == {"captured"}


async def test_without_the_file_there_is_nothing_to_run() -> None:
    async with opened(Request(SAMPLES.parent / "tests" / "tui" / "data" / "vector_add.irscope")) as driver:
        await driver.press("V")
        await driver.until(lambda: driver.app._notifications)
        assert "no Python file" in next(iter(driver.app._notifications)).message


@pytest.mark.parametrize(
    ("main", "with_torch", "capture", "reason"),
    [
        ("", True, "auto", "does not lead"),
        (TWICE, False, "auto", "imports torch only where it needs it"),
        (TWICE, True, "auto", "not been run yet"),
        (TWICE, True, "never", "--no-capture"),
    ],
)
def test_why_there_is_none(tmp_path: Path, main: str, with_torch: bool, capture: str, reason: str) -> None:
    request = asks(tmp_path, main, with_torch=with_torch)
    why = capture_text.why_none(Request(request.path, request.kernel, capture=capture))  # type: ignore[arg-type]
    assert reason in why and "scale (line" in why
    assert "no launch of fill_kernel" in capture_text.why_none(Request(request.path, "fill_kernel"))


def test_what_ran_and_launched_nothing_is_why(tmp_path: Path) -> None:
    request = asks(tmp_path, TWICE)
    found = captures.run(request.path, SM_90)
    assert "ran and launched no fill_kernel" in capture_text.why_none(Request(request.path, "fill_kernel"))
    # What differs comes first.
    texts = capture_text.rows(found.launches, None)
    assert all(text.index("BLOCK=") < text.index("factor=") for text in texts)
