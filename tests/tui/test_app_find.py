"""Search in a pane and in all, go to a line, copy and save."""

from pathlib import Path

from driving import NARROW, opened

from irscope import bundle
from irscope.request import Request


async def test_search_in_a_pane(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.press("A", "A")
        driver.bench.panes.use("sass")
        await driver.press("slash")
        await driver.type("hgmma")
        text = driver.bench.compilation.text("sass")  # type: ignore[union-attr]
        assert f"{text.count('HGMMA')} hits" in str(driver.app.query_one("#prompt-remark").render())
        await driver.press("enter")
        assert not driver.bench.prompt.display
        view = driver.view("sass")
        hits = [row for row, line in enumerate(view.lines) if "HGMMA" in line]
        assert view.cursor_row == hits[0]
        await driver.press("n")
        assert view.cursor_row == hits[1]
        await driver.press("N")
        assert view.cursor_row == hits[0]
        # What the search found lights up the rest, as any move of the cursor does.
        related = driver.bench.links.related("sass", driver.bench.panes.panes["sass"].row or 0)["source"]
        rows = {*related.rows, *related.exact}
        assert rows and driver.view("source").mark_count == len(rows)
        await driver.press("escape")
        assert not driver.bench.finder.active


async def test_search_in_all_panes(matmul_request: Request) -> None:
    async with opened(matmul_request, NARROW) as driver:
        await driver.press("f")
        await driver.type("hgmma")
        await driver.press("enter")
        texts = {pane.stage: pane.text for pane in driver.bench.panes.all_panes()}
        hits = {
            name: sum(line.lower().count("hgmma") for line in text.lines(raw=False))
            for name, text in texts.items()
            if text is not None
        }
        seen = dict.fromkeys(hits, 0)
        for _ in range(sum(hits.values())):
            seen[driver.bench.panes.current] += 1
            assert (
                "hgmma"
                in driver.view(driver.bench.panes.current)
                .lines[driver.view(driver.bench.panes.current).cursor_row]
                .lower()
            )
            await driver.press("n")
        assert seen == hits
        assert sum(map(bool, hits.values())) > 1


async def test_no_hit_is_said(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.press("slash")
        await driver.type("nosuchthing")
        await driver.press("enter")
        assert driver.bench.prompt.display
        assert "no hit" in str(driver.app.query_one("#prompt-remark").render())
        await driver.press("escape")
        assert not driver.bench.prompt.display
        assert driver.view("source").has_focus


async def test_go_to_a_line(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        driver.bench.panes.use("ttgir")
        await driver.press("colon")
        await driver.type("60")
        await driver.press("enter")
        pane = driver.bench.panes.panes["ttgir"]
        assert pane.row == 59
        await driver.press("colon")
        await driver.type("99999")
        await driver.press("enter")
        assert driver.view("ttgir").cursor_row == len(driver.view("ttgir").lines) - 1
        await driver.press("colon")
        await driver.type("x")
        await driver.press("enter")
        assert driver.bench.prompt.display


async def test_copy_takes_the_line_or_the_selection(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.go_to("source", "acc = tl.dot")
        await driver.press("y")
        assert driver.app.clipboard == "        acc = tl.dot(a, b, acc)"
        view = driver.view("source")
        await driver.pilot.click(view, offset=(24, 3), times=3)
        await driver.pilot.pause()
        chosen = view.selected_text()
        assert chosen
        await driver.press("y")
        assert driver.app.clipboard == chosen


async def test_a_stage_is_written_as_the_compiler_left_it(matmul_request: Request, tmp_path: Path) -> None:
    async with opened(matmul_request) as driver:
        stages = driver.bench.compilation.stages  # type: ignore[union-attr]
        for name in ("ttgir", "cubin"):
            driver.bench.panes.use(name)
            await driver.press("s")
            field = driver.bench.prompt.query_one("#prompt-input")
            assert field.value == f"matmul_kernel.{name}"  # type: ignore[attr-defined]
            field.value = str(tmp_path / "out" / f"k.{name}")  # type: ignore[attr-defined]
            await driver.press("enter")
            assert not driver.bench.prompt.display
        assert (tmp_path / "out" / "k.ttgir").read_bytes() == stages["ttgir"].text.encode()  # type: ignore[union-attr]
        assert (tmp_path / "out" / "k.cubin").read_bytes() == stages["cubin"].data


async def test_the_bundle_and_a_picture_are_written(matmul_request: Request, tmp_path: Path) -> None:
    async with opened(matmul_request) as driver:
        for key, name in (("b", "all.irscope"), ("f12", "screen.svg")):
            await driver.press(key)
            driver.bench.prompt.query_one("#prompt-input").value = str(tmp_path / name)  # type: ignore[attr-defined]
            await driver.press("enter")
        assert bundle.read(tmp_path / "all.irscope").stages == driver.bench.compilation.stages  # type: ignore[union-attr]
        picture = (tmp_path / "screen.svg").read_text(encoding="utf-8")
        assert "<svg" in picture
        assert "write" not in picture, "the question where to write it is no part of the picture"
    async with opened(Request(tmp_path / "all.irscope")) as driver:
        assert "from a file" in driver.header()
        assert driver.bench.panes.in_order()[:3] == ["source", "ttir", "ttgir"]


async def test_a_file_that_is_there_is_not_lost_without_a_word(matmul_request: Request, tmp_path: Path) -> None:
    async with opened(matmul_request) as driver:
        kept, other = tmp_path / "kept.ttgir", tmp_path / "other.ttgir"
        for file in (kept, other):
            file.write_text("mine", encoding="utf-8")
        driver.bench.panes.use("ttgir")
        await driver.press("s")
        field, remark = driver.bench.prompt.query_one("#prompt-input"), driver.app.query_one("#prompt-remark")
        for file in (kept, other):
            # Another name in between: what was said of the first does not hold for it.
            field.value = str(file)  # type: ignore[attr-defined]
            await driver.press("enter")
            assert "there already" in str(remark.render())
            assert file.read_text(encoding="utf-8") == "mine"
        await driver.press("enter")
        assert not driver.bench.prompt.display
        assert other.read_text(encoding="utf-8") == driver.bench.compilation.stages["ttgir"].text  # type: ignore[union-attr]
        assert kept.read_text(encoding="utf-8") == "mine"


async def test_what_cannot_be_written_is_said(matmul_request: Request, tmp_path: Path) -> None:
    async with opened(matmul_request) as driver:
        (tmp_path / "file").write_text("", encoding="utf-8")
        await driver.press("s")
        driver.bench.prompt.query_one("#prompt-input").value = str(tmp_path / "file" / "x")  # type: ignore[attr-defined]
        await driver.press("enter")
        assert driver.bench.prompt.display
        remark = str(driver.app.query_one("#prompt-remark").render())
        assert str(tmp_path / "file") in remark
        assert "[Errno" not in remark
