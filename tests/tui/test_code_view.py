"""The pane: what its lines say, what keys and mouse do, and that only what changed is painted."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyte
import pytest
from pygments.token import Name, String
from rich.cells import cell_len
from rich.console import Console
from textual.app import App, ComposeResult
from textual.color import Color
from textual.containers import Vertical
from textual.geometry import Offset
from textual.strip import Strip
from textual.theme import Theme

from irscope.tui.code_view import CodeView
from irscope.tui.document import Document
from irscope.tui.highlight import PALETTES, Highlighter, Layer, palette_for
from irscope.tui.ruler import Ruler, Sign
from irscope.tui.search import Search
from irscope.tui.strips import Frame, Gutter, Look, Overlay, Painter
from irscope.tui.terse import TerseStrip
from irscope.tui.themes import THEMES
from irscope.tui.wrapping import Wrapped

LINES = [f"line {row}: add {row % 7}" for row in range(300)]
PYTHON = ["def f(x):", '    """Two', '    lines."""', "    return x  # 日本"]


def painter(lines: Sequence[str], **gutter: object) -> Painter:
    highlighter = Highlighter(PALETTES["dark"], Color.parse("#000000"))
    return Painter(Document(lines), highlighter, Gutter(2, **gutter))  # type: ignore[arg-type]


def painted(lines: Sequence[str], row: int = 0, column: int = 0, width: int = 20, **gutter: object) -> str:
    return painter(lines, **gutter).strip(Look(row, 0, Layer.TEXT, False, Sign.NOTHING), Frame(column, width)).text


# -- Without an application


def test_line_has_number_text_and_ruler() -> None:
    assert painted(["ret;"], width=6) == " 1  ret;   "


def test_numbers_of_the_raw_text() -> None:
    assert painted(["a", "b"], row=1, width=3, numbers=[7, 42]) == "42  b   "


def test_annotation_beside_the_number() -> None:
    assert painted(["a"], width=1, annotate=lambda row: "17%", annotation_width=4) == " 17%  1  a "
    assert painted(["a"], width=1, annotate=lambda row: None, annotation_width=2) == "    1  a "


@pytest.mark.parametrize("column", range(12))
@pytest.mark.parametrize("text", ["a日本b🙂c", "e\u0301e\u0301\u200b日", "👩\u200d💻x日", "\tx\x1b[31m\u202e日"])
def test_width_is_kept_wherever_a_line_is_cut(text: str, column: int) -> None:
    for width in range(1, 9):
        line = painted([text], column=column, width=width)
        assert cell_len(line) == 4 + width + 1, (line, width)


def test_half_of_a_wide_character_is_blank() -> None:
    assert painted(["日本"], column=1, width=4) == " 1   本  "
    assert painted(["日本"], width=3) == " 1  日  "


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert painted(["a\x1b[2Jb\x00\x7f\u202e"], width=9) == " 1  a␛[2Jb␀␡� "


def test_tabs_and_back() -> None:
    document = Document(["\tld\tx"])
    assert document.shown(0) == "    ld  x"
    assert [document.to_shown(0, raw) for raw in range(6)] == [0, 4, 5, 6, 8, 9]
    assert [document.to_raw(0, shown) for shown in range(10)] == [0, 0, 0, 0, 1, 2, 3, 3, 4, 5]


def test_only_the_visible_part_of_a_long_line_is_lexed() -> None:
    document = Document(["add " * 50_000], "ptx")
    assert document.runs(0, 80)[-1].end < 2000
    assert document.runs(0, 3000)[-1].end >= 3000


def test_python_is_lexed_as_a_whole() -> None:
    document = Document(PYTHON, "python")
    assert [run.token in String for run in document.runs(1, 80)] == [True]
    assert [run.token in String for run in document.runs(2, 80)] == [True]
    assert document.runs(0, 80)[1].token is Name.Function
    for row, line in enumerate(PYTHON):
        assert document.runs(row, 80)[-1].end == len(line)


def test_mark_has_a_glyph_and_a_background() -> None:
    strips = {
        layer: painter(["a"]).strip(Look(0, 0, layer, False, Sign.NOTHING), Frame(0, 3))
        for layer in (Layer.TEXT, Layer.NEAR, Layer.EXACT)
    }
    assert [strip.text for strip in strips.values()] == [" 1  a   ", " 1 ▏a   ", " 1 ▌a   "]
    assert len({background(strip) for strip in strips.values()}) == 3


def background(strip: Strip, segment: int = 0) -> object:
    style = list(strip)[segment].style
    assert style is not None
    return style.bgcolor


@pytest.mark.parametrize("width", range(2, 12))
@pytest.mark.parametrize("text", ["", "abcdefghijklmnop", "a日本b日本c", "🙂" * 7])
def test_wrapped_lines_have_all_of_the_text(text: str, width: int) -> None:
    document = Document([text, "next"])
    lines = Wrapped(document, width)
    pieces = painter([text, "next"])
    shown = ""
    for line in lines.lines_of(0):
        row, column = lines.row_at(line)
        assert row == 0
        assert lines.line_of(0, column) == line
        strip = pieces.strip(Look(0, column, Layer.TEXT, False, Sign.NOTHING), Frame(0, width))
        assert strip.cell_length == cell_len(strip.text) == 4 + width + 1
        shown += strip.text[4:].rstrip()
    assert shown == text
    assert lines.row_at(lines.count - 1)[0] == 1


def test_ruler_scales_and_exact_covers_near() -> None:
    ruler = Ruler(1000, 10)
    assert ruler.update({Sign.NEAR: [0, 250, 999], Sign.EXACT: [251]}) == [0, 2, 9]
    assert ruler.sign(2) is Sign.EXACT
    assert ruler.line_at(2) == 251
    assert ruler.line_at(5) == 500
    assert ruler.update({}) == [0, 2, 9]


def test_search_counts_and_walks_round() -> None:
    search = Search(["Add add", "none", "add"], "add")
    assert (search.count, search.rows) == (3, [0, 2])
    assert search.next(0, -1, 1) == (0, 0)
    assert search.next(0, 0, 1) == (0, 4)
    assert search.next(0, 4, 1) == (2, 0)
    assert search.next(2, 0, 1) == (0, 0)
    assert search.next(0, 0, -1) == (2, 0)


@pytest.mark.parametrize(
    ("pattern", "regex", "case", "count"),
    [
        ("Add", False, "smart", 1),
        ("ADD", False, "insensitive", 2),
        ("a.d", False, "smart", 0),
        ("a.d", True, "smart", 2),
        ("x*", True, "smart", 0),
        ("É", False, "insensitive", 1),
    ],
)
def test_search_cases(pattern: str, regex: bool, case: str, count: int) -> None:
    assert Search(["Add add é"], pattern, regex=regex, case=case).count == count  # type: ignore[arg-type]


def test_palettes_tell_layers_apart_with_256_colours() -> None:
    from rich.color import ColorSystem

    for theme in THEMES:
        assert theme.surface
        highlighter = Highlighter(palette_for(theme), Color.parse(theme.surface))
        layers = [Layer.TEXT, Layer.NEAR, Layer.EXACT, Layer.CURSOR, Layer.HIT, Layer.SELECTION]
        seen = {
            style.bgcolor.downgrade(ColorSystem.EIGHT_BIT).number
            for layer in layers
            if (style := highlighter.style(Name, layer)).bgcolor is not None
        }
        assert len(seen) == len(layers), theme.name


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_a_terse_line_looks_the_same_and_costs_less(theme: Theme) -> None:
    console = Console(color_system="truecolor")
    highlighter = Highlighter(palette_for(theme), Color.parse(theme.surface or ""))
    paint = Painter(Document(PYTHON, "python"), highlighter, Gutter(2))
    for layer in (Layer.TEXT, Layer.NEAR, Layer.EXACT, Layer.CURSOR_EXACT):
        for row in range(len(PYTHON)):
            overlays = (Overlay(2, 5, Layer.CURRENT_HIT), Overlay(6, 8, Layer.SPAN)) if row % 2 else ()
            strip = paint.strip(Look(row, 0, layer, row == 0, Sign.NEAR, overlays), Frame(0, 30))
            usual, terse = strip.render(console), TerseStrip(strip, strip.cell_length).render(console)
            assert on_terminal(terse) == on_terminal(usual)
            assert len(terse) < len(usual)


def on_terminal(sequence: str) -> tuple[list[object], object]:
    """The cells of a terminal after this, and how the next character would look."""
    screen = pyte.Screen(60, 1)
    pyte.Stream(screen).feed(sequence)
    return [screen.buffer[0][column] for column in range(60)], screen.cursor.attrs


def test_every_colour_of_a_palette_is_one() -> None:
    for palette in PALETTES.values():
        highlighter = Highlighter(palette, Color.parse("#101010"))
        for layer in Layer:
            assert highlighter.style(Name.Function, layer).color is not None
            assert not highlighter.style(Name.Function, Layer.TEXT).underline


# -- In an application


class Panes(App[None]):
    CSS = "Vertical { border: round white; }"

    def __init__(self, lines: Sequence[str] = LINES, count: int = 1) -> None:
        super().__init__()
        self.text, self.count = lines, count
        self.moves: list[int] = []
        self.visits: list[int] = []

    def compose(self) -> ComposeResult:
        for number in range(self.count):
            with Vertical():
                yield CodeView(id=f"view-{number}")

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        for view in self.query(CodeView):
            view.load(self.text)
            self.watch(view, "visited", self.visit, init=False)

    def visit(self, row: int) -> None:
        self.visits.append(row)

    def on_code_view_cursor_moved(self, message: CodeView.CursorMoved) -> None:
        self.moves.append(message.row)

    @property
    def view(self) -> CodeView:
        return self.query_one("#view-0", CodeView)


def screen_text(view: CodeView) -> list[str]:
    return [view.render_line(y).text for y in range(view.scrollable_size.height)]


async def test_keys_move_the_cursor_and_tell() -> None:
    app = Panes()
    async with app.run_test(size=(60, 22)) as pilot:
        view = app.view
        assert view.scrollable_size.height == 20
        for key, row in [
            ("down", 1), ("j", 2), ("up", 1), ("k", 0), ("pagedown", 20), ("ctrl+d", 30), ("ctrl+u", 20),
            ("pageup", 0), ("G", 299), ("home", 0), ("end", 299), ("g", 0),
        ]:  # fmt: skip
            await pilot.press(key)
            await pilot.pause()
            assert view.cursor_row == row, key
            assert app.moves[-1] == app.visits[-1] == row, key
            assert any(line.lstrip().startswith(f"{row + 1} ") for line in screen_text(view)), key
        await pilot.press("up")
        assert len(app.moves) == 12, "a move that moves nothing is told to nobody"


async def test_program_moves_are_not_told() -> None:
    app = Panes()
    async with app.run_test(size=(60, 22)) as pilot:
        app.view.go_to(200)
        app.view.scroll_to_row(10)
        app.view.cursor_row = 5
        app.view.set_marks([1, 2])
        app.view.scroll_to_marks()
        await pilot.pause()
        assert app.moves == []
        app.view.go_to(7, notify=True)
        await pilot.pause()
        assert app.moves == [7]


async def test_rows_are_held_within_the_text() -> None:
    app = Panes()
    async with app.run_test() as pilot:
        app.view.go_to(10_000)
        app.view.set_marks([-1, 0, 299, 300], exact=[5000])
        await pilot.pause()
        assert app.view.cursor_row == 299
        assert app.view.marks == {0, 299}
        assert app.view.mark_count == 2


async def test_marks_repaint_only_rows_that_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Panes()
    async with app.run_test(size=(60, 42)) as pilot:
        view = app.view
        view.set_marks([3, 4, 100], exact=[4])
        await pilot.pause()
        lines = screen_text(view)
        assert "▏" in lines[3]
        assert "▌" in lines[4]
        refreshed: list[int] = []
        refresh = view.refresh
        monkeypatch.setattr(
            view,
            "refresh",
            lambda *regions, **rest: (
                refreshed.extend(y for region in regions for y in region.line_range),
                refresh(*regions, **rest),
            )[1],
        )
        view.set_marks([3, 4, 100, 20], exact=[4])
        assert sorted(set(refreshed)) == [view._ruler.cell_of(20), 20]
        refreshed.clear()
        view.set_marks([3, 4, 100, 20], exact=[4])
        assert refreshed == []


async def test_scroll_to_marks_takes_the_nearest_exact_one_and_leaves_the_cursor() -> None:
    app = Panes()
    async with app.run_test(size=(60, 22)) as pilot:
        view = app.view
        view.set_marks([40, 150, 290], exact=[150, 290])
        view.scroll_to_marks()
        await pilot.pause()
        assert 150 - 20 < view.scroll_offset.y <= 150
        assert view.cursor_row == 0
        top = view.scroll_offset.y
        view.scroll_to_marks()
        assert view.scroll_offset.y == top


async def test_scroll_to_marks_goes_where_most_of_them_are() -> None:
    app = Panes()
    async with app.run_test(size=(60, 22)) as pilot:
        view = app.view
        # A hoisted constant is in view; what the line became is further down, once thick and twice thin.
        view.set_marks([5, 120, 150, 152, 154, 160, 250, 251])
        view.scroll_to_marks()
        await pilot.pause()
        assert view.scroll_offset.y <= 150
        assert view.scroll_offset.y + 20 > 160
        # Half as many as elsewhere: it stays.
        view.set_marks([150, 151, 10, 11, 12, 13])
        top = view.scroll_offset.y
        view.scroll_to_marks()
        assert view.scroll_offset.y == top
        view.set_marks([150, 10, 11, 12])
        view.scroll_to_marks()
        await pilot.pause()
        assert view.scroll_offset.y < 10


async def test_next_mark_goes_from_place_to_place_and_round() -> None:
    app = Panes()
    async with app.run_test(size=(60, 22)):
        view = app.view
        view.set_marks([10, 11, 12, 100, 200, 201])
        assert [view.next_mark() for _ in range(4)] == [10, 100, 200, 10]
        assert view.next_mark(-1) == 200
        assert view.cursor_row == 0
        view.set_marks([])
        assert view.next_mark() is None


async def test_ruler_shows_marks_and_a_click_goes_there() -> None:
    app = Panes()
    async with app.run_test(size=(60, 22)) as pilot:
        view = app.view
        view.set_marks([225], exact=[225])
        await pilot.pause()
        column = view.scrollable_size.width - 1
        assert [line[column] for line in screen_text(view)].index("━") == 15
        await pilot.click(view, offset=(column, 15))
        await pilot.pause()
        assert view.scroll_offset.y <= 225 < view.scroll_offset.y + 20
        assert view.cursor_row == 0


async def test_search_highlights_and_walks() -> None:
    app = Panes()
    async with app.run_test(size=(60, 22)) as pilot:
        view = app.view
        assert view.search("add 3") == sum("add 3" in line for line in LINES)
        assert view.next_hit() == 3
        assert view.next_hit() == 10
        assert view.next_hit(-1) == 3
        assert view.next_hit(-1) == max(row for row, line in enumerate(LINES) if "add 3" in line)
        await pilot.pause()
        assert app.moves[-1] == view.cursor_row
        hits = [
            segment.text
            for y in range(20)
            for segment in view._canvas.painter.strip(view._looks([y])[0], view._frame())  # type: ignore[arg-type]
            if segment.style and segment.style.bgcolor in
            (view._canvas.painter.highlighter.style(Name, Layer.HIT).bgcolor,
             view._canvas.painter.highlighter.style(Name, Layer.CURRENT_HIT).bgcolor)
        ]  # fmt: skip
        assert set(hits) == {"add 3"}
        with pytest.raises(re.error):
            view.search("(", regex=True)
        view.clear_search()
        assert view.hit_count == 0
        assert view.next_hit() is None


async def test_hit_far_to_the_right_scrolls_there() -> None:
    app = Panes(["x" * 5000 + "needle"])
    async with app.run_test(size=(60, 22)) as pilot:
        app.view.search("needle")
        app.view.next_hit()
        await pilot.pause()
        assert "needle" in screen_text(app.view)[0]


async def test_horizontal_scroll_leaves_the_gutter() -> None:
    app = Panes(["0123456789" * 20])
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("right", "l")
        await pilot.pause()
        assert screen_text(app.view)[0].startswith(" 1  6789")
        await pilot.press("left", "h", "h")
        await pilot.pause()
        assert screen_text(app.view)[0].startswith(" 1  0123")


async def test_wrap_with_cursor_marks_search_and_click() -> None:
    app = Panes(["a" * 100, "b" * 10, "c" * 200 + "needle", "d"])
    async with app.run_test(size=(40, 12)) as pilot:
        view = app.view
        view.wrap = True
        await pilot.pause()
        text_width = view.scrollable_size.width - 5
        lines = screen_text(view)
        assert lines[0].startswith(" 1  aaa")
        assert lines[1].startswith("    aaa")
        rows = [line[:3].strip() for line in lines]
        second = rows.index("2")
        assert second == -(-100 // text_width)
        view.set_marks([1])
        await pilot.pause()
        assert screen_text(view)[second].startswith(" 2 ▏b")
        await pilot.click(view, offset=(10, second))
        await pilot.pause()
        assert view.cursor_row == 1
        view.search("needle")
        view.next_hit()
        await pilot.pause()
        assert any("needle" in line for line in screen_text(view))
        view.wrap = False
        await pilot.pause()
        assert [line[:2] for line in screen_text(view)[:4]] == [" 1", " 2", " 3", " 4"]


async def test_wrap_follows_the_width() -> None:
    app = Panes(["a" * 100])
    async with app.run_test(size=(40, 12)) as pilot:
        app.view.wrap = True
        await pilot.pause()
        narrow = app.view.virtual_size.height
        await pilot.resize_terminal(120, 12)
        await pilot.pause()
        assert app.view.virtual_size.height == 1 < narrow


async def test_a_cursor_in_view_stays_there_when_the_space_gets_less() -> None:
    app = Panes([f"row {row}" for row in range(40)])
    async with app.run_test(size=(40, 12)) as pilot:
        last = len(screen_text(app.view)) - 1
        app.view.go_to(last)
        await pilot.pause()
        assert f"row {last}" in screen_text(app.view)[-1]
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert f"row {last}" in screen_text(app.view)[-1]
        # One that is elsewhere is left alone.
        app.view.scroll_to_row(0)
        await pilot.pause()
        await pilot.resize_terminal(40, 8)
        await pilot.pause()
        assert "row 0" in screen_text(app.view)[0]


@pytest.mark.parametrize("width", [20, 80, 240])
async def test_widths(width: int) -> None:
    app = Panes()
    async with app.run_test(size=(width, 12)) as pilot:
        await pilot.press("down")
        await pilot.pause()
        # The border has two cells of the width, the scroll bar one.
        assert {cell_len(line) for line in screen_text(app.view)} == {width - 3}


@pytest.mark.parametrize("lines", [[], [""], ["\t"]])
async def test_hardly_any_text(lines: list[str]) -> None:
    app = Panes(lines)
    async with app.run_test(size=(30, 8)) as pilot:
        view = app.view
        view.search("x")
        view.set_marks([0, 1])
        for wrap in (True, False):
            view.wrap = wrap
            await pilot.press("down", "pagedown", "end", "home", "right", "pageup")
            await pilot.click(view, offset=(5, 3))
            view.scroll_to_marks()
            view.next_hit()
            await pilot.pause()
            assert view.cursor_row == 0
            assert {cell_len(line) for line in screen_text(view)} == {28}


async def test_load_begins_anew() -> None:
    app = Panes()
    async with app.run_test(size=(60, 22)) as pilot:
        view = app.view
        view.go_to(250)
        view.set_marks([3])
        view.search("add")
        view.load(["one", "two"], numbers=[10, 200], language="python")
        await pilot.pause()
        assert (view.cursor_row, view.scroll_offset.y, view.mark_count, view.hit_count) == (0, 0, 0, 0)
        assert [line[:8].rstrip() for line in screen_text(view)[:3]] == [" 10  one", "200  two", ""]
        with pytest.raises(ValueError, match="1 numbers for 2 lines"):
            view.load(["one", "two"], numbers=[1])


async def test_go_to_before_there_is_a_screen() -> None:
    view = CodeView()

    class Early(App[None]):
        def compose(self) -> ComposeResult:
            view.load(LINES)
            view.go_to(200)
            yield view

    async with Early().run_test(size=(60, 22)) as pilot:
        await pilot.pause()
        assert any("line 200:" in line for line in screen_text(view))


async def test_click_moves_the_cursor_and_drag_selects() -> None:
    app = Panes(["\tadd x", "second", "third"])
    async with app.run_test(size=(40, 12)) as pilot:
        view = app.view
        await pilot.click(view, offset=(6, 1))
        await pilot.pause()
        assert (view.cursor_row, app.moves) == (1, [1])
        assert view.selected_text() is None
        await pilot.mouse_down(view, offset=(4, 0))
        await pilot.hover(view, offset=(7, 1))
        await pilot.mouse_up(view, offset=(7, 1))
        await pilot.pause()
        assert view.selected_text() == "\tadd x\nseco"
        assert view.cursor_row == 1, "the end of a selection is no click"
        assert app.screen.get_selected_text() == "\tadd x\nseco"
        await pilot.click(view, offset=(9, 0), times=2)
        await pilot.pause()
        assert view.selected_text() == "add"


async def test_pointer_finds_characters_under_scroll_and_wide_characters() -> None:
    app = Panes(["日本abc" + "x" * 100, ""])
    async with app.run_test(size=(40, 12)) as pilot:
        compositor = app.screen._compositor
        await pilot.pause()
        region = app.view.region

        def at(x: int, y: int) -> Offset | None:
            return compositor.get_widget_and_offset_at(region.x + x, region.y + y)[1]

        assert at(0, 0) == Offset(0, 0)
        assert at(4, 0) == Offset(0, 0)
        assert at(6, 0) == Offset(1, 0)
        assert at(8, 0) == Offset(2, 0)
        assert at(20, 1) == Offset(0, 1)
        await pilot.press("right")
        await pilot.pause()
        assert at(4, 0) == Offset(6, 0)


async def test_mouse_wheel_scrolls_and_leaves_the_cursor() -> None:
    app = Panes()
    async with app.run_test(size=(60, 22)) as pilot:
        from textual.events import MouseScrollDown

        view = app.view
        wheel = {"x": 5, "y": 5, "delta_x": 0, "delta_y": 0, "button": 0, "shift": False, "meta": False, "ctrl": False}
        app.screen._forward_event(MouseScrollDown(widget=view, **wheel))  # type: ignore[arg-type]
        await pilot.pause()
        assert view.scroll_offset.y > 0
        assert view.cursor_row == 0
        assert app.moves == []


async def test_theme_switch_changes_the_colours() -> None:
    app = Panes()
    async with app.run_test(size=(60, 12)) as pilot:
        seen = set()
        for theme in [*THEMES, "nord", "textual-light"]:
            app.theme = theme if isinstance(theme, str) else theme.name
            await pilot.pause()
            strip = app.view.render_line(3)
            assert background(strip) == app.view.background_colors[1].rich_color
            seen.add(background(strip))
        assert len(seen) == 5


async def test_no_colour_leaves_the_glyphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Panes()
    async with app.run_test(size=(60, 12)) as pilot:
        app.view.set_marks([1, 2], exact=[2])
        await pilot.pause()
        strips = app.view.render_lines(app.view.size.region)
        assert "▏" in strips[1].text
        assert "▌" in strips[2].text
        colours = {
            color.triplet
            for strip in strips
            for segment in strip
            if segment.style
            for color in (segment.style.color, segment.style.bgcolor)
            if color is not None and color.triplet is not None
        }
        assert colours
        assert all(red == green == blue for red, green, blue in colours)


async def test_spans_set_off_an_expression() -> None:
    app = Panes(["    x = tl.load(p)"])
    async with app.run_test(size=(60, 12)) as pilot:
        app.view.set_spans([(0, 8, 18)])
        await pilot.pause()
        strip = app.view.render_lines(app.view.size.region)[0]
        assert "".join(s.text for s in strip if s.style and s.style.underline) == "tl.load(p)"
        app.view.set_spans()
        await pilot.pause()
        strip = app.view.render_lines(app.view.size.region)[0]
        assert not any(s.style and s.style.underline for s in strip)


async def test_cursor_is_visible_without_focus_and_differs() -> None:
    app = Panes(count=2)
    async with app.run_test(size=(60, 22)) as pilot:
        app.view.focus()
        await pilot.pause()
        focused, resting = (view.render_lines(view.size.region) for view in app.query(CodeView))
        assert background(focused[0]) != background(resting[0]) != background(resting[1])


async def test_dimmed_by_the_parents_style() -> None:
    app = Panes()
    async with app.run_test(size=(60, 12)) as pilot:
        plain = next(iter(app.view.render_lines(app.view.size.region)[3])).style
        app.query_one(Vertical).styles.opacity = 0.5
        await pilot.pause()
        dim = next(iter(app.view.render_lines(app.view.size.region)[3])).style
        assert plain is not None
        assert dim is not None
        assert plain.color != dim.color
