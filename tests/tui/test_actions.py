"""The list of actions: every one has a key of its own, a method, and a place in help and palette."""

from collections import Counter

import pytest
from driving import NARROW, opened
from textual.keys import format_key

from irscope.config import Config
from irscope.request import Request
from irscope.tui.actions import ACTIONS, Where
from irscope.tui.app import IrscopeApp
from irscope.tui.code_view import CodeView
from irscope.tui.help import HelpScreen, keys_in_use

ALL_KEYS = [key for action in ACTIONS for key in action.keys.split(",")]


def test_no_two_actions_share_a_key() -> None:
    assert [key for key, count in Counter(ALL_KEYS).items() if count > 1] == []
    assert [name for name, count in Counter(action.id for action in ACTIONS).items() if count > 1] == []


def test_no_key_of_the_pane_is_taken() -> None:
    moved_away = {"code.last_letter"}
    of_the_pane = {
        key
        for binding in CodeView.BINDINGS
        if binding.id not in moved_away
        for key in binding.key.split(",")  # type: ignore[union-attr]
    }
    assert of_the_pane.isdisjoint(ALL_KEYS)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_has_a_method_and_a_plain_key(action: object) -> None:
    assert callable(getattr(IrscopeApp, f"action_{action.command.partition('(')[0]}"))  # type: ignore[attr-defined]
    assert any("ctrl" not in key and "alt" not in key for key in action.keys.split(","))  # type: ignore[attr-defined]
    assert action.tooltip  # type: ignore[attr-defined]


async def test_every_key_runs_its_action(matmul_request: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    async def note(self: IrscopeApp, action: object, *rest: object, **named: object) -> bool:
        ran.append(str(action))
        return True

    async with opened(matmul_request) as driver:
        monkeypatch.setattr(IrscopeApp, "applies", lambda self, where: True)
        monkeypatch.setattr(IrscopeApp, "run_action", note)
        for action in ACTIONS:
            for key in action.keys.split(","):
                ran.clear()
                await driver.pilot.press(key)
                assert any(action.command in command for command in ran), (action.id, key, ran)


async def test_help_and_palette_have_every_action(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        driver.bench.search("tl", everywhere=False)
        titles = {command.title for command in driver.app.get_system_commands(driver.app.screen)}
        for action in ACTIONS:
            if action.id != "command_palette" and driver.app.applies(action.where):
                assert action.palette_title in titles
            assert (
                action.palette_title in titles
                or action.where in (Where.ERROR, Where.FILES, Where.LEAVE, Where.LAUNCHED, Where.MACHINE)
                or (action.id == "command_palette")
            )
        await driver.press("f1")
        assert isinstance(driver.app.screen, HelpScreen)
        await driver.press("escape")
        assert driver.app.screen is driver.bench


def test_help_shows_the_users_own_keys() -> None:
    keys = keys_in_use({"search": "f3"})
    assert keys["search"] == format_key("f3")
    assert set(keys) == {action.id for action in ACTIONS}


async def test_the_configuration_changes_keys(matmul_request: Request) -> None:
    async with opened(matmul_request, settings=Config(keys={"search": "f3"})) as driver:
        await driver.press("slash")
        assert not driver.bench.prompt.display
        await driver.press("f3")
        assert driver.bench.prompt.display


async def test_the_footer_shows_what_applies(matmul_request: Request) -> None:
    async with opened(matmul_request, NARROW) as driver:

        def shown() -> set[str]:
            return {
                active.binding.id or ""
                for active in driver.app.screen.active_bindings.values()
                if active.binding.show and active.enabled
            }

        assert {"search", "options", "recompile", "help", "quit"} <= shown()
        assert not {"next_hit", "go_to_error", "leave"} & shown()
        driver.bench.search("tl", everywhere=False)
        await driver.pilot.pause()
        assert {"next_hit", "leave"} <= shown()


async def test_the_palette_runs_an_action(matmul_request: Request) -> None:
    async with opened(matmul_request) as driver:
        await driver.press("p")
        await driver.type("search all")
        await driver.pilot.pause(0.5)
        await driver.press("enter")
        await driver.until(lambda: driver.bench.prompt.display)
