"""Keys that come in a burst, as from a paste, a macro or a slow connection: each goes where it would go alone."""

from pathlib import Path

import pytest
from driving import Driver, opened
from textual.command import CommandPalette
from textual.events import Key, Paste
from textual.screen import Screen
from textual.widgets import Input, OptionList

from irscope.request import Request
from irscope.tui.figure_list import FigureList
from irscope.tui.form import OptionsForm
from irscope.tui.help import HelpScreen
from irscope.tui.hottest import HottestLines
from irscope.tui.launch_form import LaunchForm
from irscope.tui.loop_list import LoopList

NAMES = {":": "colon", "/": "slash", "\r": "enter", "\x1b": "escape", "?": "question_mark", "\t": "tab"}


async def burst(driver: Driver, text: str) -> None:
    """Type all of it before the app gets to look at the first key."""
    for letter in text:
        driver.app.post_message(Key(NAMES.get(letter, letter), letter))
    await driver.pilot.pause()


async def test_a_line_number_goes_to_the_prompt(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        driver.bench.panes.use("ttgir")
        await driver.pilot.pause()
        pane = driver.bench.panes.panes["ttgir"]
        await burst(driver, ":83\r")
        assert pane.row == 82
        assert not driver.bench.prompt.display
        assert driver.bench.panes.current == "ttgir"


async def test_what_follows_the_answer_goes_to_the_pane(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await burst(driver, "jj:40\rjjk")
        assert driver.view("source").cursor_row == 40
        assert driver.view("source").has_focus


async def test_letters_of_a_search_switch_nothing(matmul_request: Request) -> None:
    """``t`` changes the theme, ``o`` opens the form, ``q`` leaves: not while they are typed into the prompt."""
    async with opened(matmul_request) as driver:
        theme, shown = driver.app.theme, driver.bench.panes.shown
        await burst(driver, "/tl.dot\r")
        view = driver.view("source")
        assert "tl.dot" in view.lines[view.cursor_row]
        await burst(driver, "/Aotqz")
        assert driver.bench.prompt.text.endswith("Aotqz")
        assert (driver.app.theme, driver.bench.panes.shown) == (theme, shown)
        assert driver.app.screen is driver.bench


async def test_a_search_that_is_given_up_at_once_leaves_nothing(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await burst(driver, "/tl\x1b")
        await driver.pilot.pause()
        assert not driver.bench.prompt.display
        assert not driver.bench.finder.active
        assert driver.view("source").has_focus


@pytest.mark.parametrize("keys", ["::\x1b", "/a\x1b:9\r"])
async def test_one_prompt_after_another(matmul_request: Request, keys: str) -> None:
    async with opened(matmul_request) as driver:
        await burst(driver, keys)
        assert not driver.bench.prompt.display
        assert driver.view("source").has_focus


async def test_pasted_text_goes_to_the_prompt_before_the_next_key(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        driver.app.post_message(Key("colon", ":"))
        driver.app.post_message(Paste("57\n"))
        driver.app.post_message(Key("enter", "\r"))
        await driver.pilot.pause()
        assert driver.view("source").cursor_row == 56


async def test_the_prompt_is_edited_as_any_input(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.press("colon", "1", "3", "2", "backspace", "home", "4", "end", "7", "left", "delete")
        assert driver.bench.prompt.text == "413"
        await driver.press("shift+home", "5")
        assert driver.bench.prompt.text == "5"
        await driver.press("enter")
        assert driver.view("source").cursor_row == 4


@pytest.mark.parametrize(
    ("key", "screen"),
    [("o", OptionsForm), ("i", LaunchForm), ("H", HottestLines), ("u", HottestLines), ("r", LoopList),
     ("F", FigureList), ("?", HelpScreen), ("p", CommandPalette)],
)  # fmt: skip
async def test_keys_after_a_screen_was_asked_for_are_for_that(
    matmul_request: Request, key: str, screen: type[Screen[object]]
) -> None:
    async with opened(matmul_request) as driver:
        row, theme = driver.view("source").cursor_row, driver.app.theme
        await burst(driver, f"{key}jjt")
        await driver.until(lambda: isinstance(driver.app.screen, screen))
        await driver.until(lambda: driver.app.screen.focused is not None)
        await driver.pilot.pause()
        assert driver.view("source").cursor_row == row
        assert driver.app.theme == theme
        if screen is CommandPalette:
            await driver.until(lambda: driver.app.screen.query_one(Input).value == "jjt")
        elif screen is FigureList:
            await driver.until(lambda: driver.app.screen.get_child_by_id("text-panel").scroll_offset.y == 2)
        elif screen is HottestLines:
            await driver.until(lambda: driver.app.screen.query_one(OptionList).highlighted == 2)


async def test_a_screen_that_is_asked_for_and_left_in_one_burst(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        row = driver.view("source").cursor_row
        await burst(driver, "rj\x1bjj")
        await driver.until(lambda: driver.app.screen is driver.bench and driver.view("source").cursor_row == row + 2)


async def test_keys_are_not_lost_where_no_screen_comes(add_file: Path) -> None:
    bundle = Path(__file__).parent / "data" / "compile_error.irscope"
    async with opened(Request(bundle)) as driver:
        row = driver.view("source").cursor_row
        await burst(driver, "rkk")
        await driver.until(lambda: driver.view("source").cursor_row == row - 2)
        assert driver.app.screen is driver.bench
