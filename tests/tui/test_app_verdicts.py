"""The verdict panel: what it says of a kernel, and the way from each entry to its rows."""

from pathlib import Path

import pytest
from driving import NARROW, Driver, opened

from irscope.allocation import shared_memory
from irscope.analysis.occupancy import nearest_changes
from irscope.analysis.resources import resources
from irscope.analysis.verdicts import verdicts
from irscope.model import Compilation, Occupancy, Target
from irscope.request import Request
from irscope.tui.verdict_panel import VerdictPanel
from irscope.tui.verdict_text import GLYPHS, Diagnosis, counted, entries, place_words

DATA = Path(__file__).parent / "data"


async def open_panel(driver: Driver) -> VerdictPanel:
    await driver.press("a")
    await driver.until(lambda: driver.app.judging.panel and not driver.app.judging.panel.diagnosis.unfinished)
    panel = driver.app.judging.panel
    assert panel is not None
    return panel


def entry_with(panel: VerdictPanel, words: str) -> int:
    return next(at for at, entry in enumerate(panel.entries) if words in entry.text.plain)


async def test_every_verdict_is_there_with_its_glyph_and_advice(matmul: Compilation, matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        panel = await open_panel(driver)
        said = panel.to_copy
        for verdict in verdicts(matmul, slower=True):
            assert f"{GLYPHS[verdict.tone][0]}{verdict.sentence}" in said
            assert verdict.advice is None or f"try: {verdict.advice}" in said
        tones = [verdict.tone for verdict in verdicts(matmul, slower=True)]
        assert f"{tones.count('good')} good" in str(panel.border_title)
        # Those that ask for something come first.
        order = [text[0] for text in (entry.text.plain for entry in panel.entries) if text[0] in "✗?!✓"]
        assert order == sorted(order, key="✗?!✓".index)


async def test_occupancy_and_shared_memory(matmul: Compilation, matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        panel = await open_panel(driver)
        said = panel.to_copy
        changes = nearest_changes(resources(matmul), matmul.target, matmul.metadata["num_warps"])
        assert changes
        assert all(str(change) in said for change in changes)
        memory = shared_memory(matmul)
        assert len(memory.buffers) > 1
        assert "shared memory: 98 304 bytes a block" in said
        rows = said.splitlines()[-len(memory.buffers) :]
        for row, buffer in zip(rows, memory.buffers, strict=True):
            assert buffer.operation.rpartition(".")[2] in row
            assert f"{buffer.live[0].first + 1}-{buffer.live[0].last + 1}" in row
            assert row.count("█") == pytest.approx(32 * (buffer.bytes or 0) / (memory.total or 1), abs=1)
            assert ("shares with" in row) == bool(memory.sharing(buffer))


async def test_enter_leads_from_place_to_place(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        panel = await open_panel(driver)
        at = entry_with(panel, "tensor cores")
        panel.highlighted = at
        places = panel.entries[at].places
        assert len(places) > 2
        for place in (*places, places[0]):
            await driver.press("enter")
            await driver.until(lambda place=place: driver.bench.panes.current == place.stage)
            pane = driver.bench.panes.panes[place.stage]
            assert pane.display
            await driver.until(lambda pane=pane, place=place: pane.row == place.row)
            # The panel stays in use: the same key goes on.
            assert driver.bench.verdicts.in_use
        assert place_words(places[1]) in str(panel.border_subtitle)


async def test_a_buffer_leads_to_its_operation(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        panel = await open_panel(driver)
        panel.highlighted = entry_with(panel, "convert_layout ")
        await driver.press("enter")
        await driver.until(lambda: driver.bench.panes.current == "ttgir")
        view = driver.view("ttgir")
        await driver.until(lambda: "ttg.convert_layout" in view.lines[view.cursor_row])


async def test_the_same_key_and_escape_close_it(matmul_request: Request) -> None:
    async with opened(matmul_request, NARROW) as driver:
        panel = await open_panel(driver)
        assert driver.bench.verdicts.in_use
        await driver.press("z")
        assert driver.bench.verdicts.alone
        # A place is looked at beside the panel.
        panel.highlighted = entry_with(panel, "tensor cores")
        await driver.press("enter")
        await driver.until(lambda: not driver.bench.verdicts.alone)
        await driver.press("escape")
        assert not panel.display
        assert driver.bench.panes.pane is not None
        assert driver.bench.panes.pane.view.has_focus
        await driver.press("a")
        assert panel.display
        await driver.press("a")
        assert not panel.display


async def test_it_is_worked_out_once_for_each_compilation(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        panel = await open_panel(driver)
        known = panel.diagnosis
        await driver.press("a", "a")
        assert panel.diagnosis is known
        # Another compilation in view: the open panel tells of that.
        driver.app.compiling.start(Request(matmul_request.path, "matmul_kernel", Target.parse("sm_80")))
        await driver.settled()
        await driver.until(lambda: panel.diagnosis is not known and not panel.diagnosis.unfinished)
        assert "wgmma" not in panel.to_copy
        assert "tensor cores" in panel.to_copy


async def test_a_bundle_says_what_it_can() -> None:
    async with opened(Request(DATA / "vector_add.irscope"), NARROW) as driver:
        panel = await open_panel(driver)
        assert panel.diagnosis.verdicts
        assert "occupancy" in panel.to_copy


async def test_a_step_that_fails_is_told_and_the_rest_stays(
    matmul_request: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    from irscope import allocation

    def fail(*_arguments: object, **_options: object) -> None:
        raise ValueError("no such buffer")

    monkeypatch.setattr(allocation, "shared_memory", fail)
    async with opened(matmul_request) as driver:
        panel = await open_panel(driver)
        assert "ValueError: no such buffer" in panel.to_copy
        assert "tensor cores" in panel.to_copy


def test_nothing_known_says_nothing() -> None:
    assert entries(Diagnosis()) == []
    assert entries(Diagnosis(occupancy=Occupancy())) == []
    assert counted([]) == ""
