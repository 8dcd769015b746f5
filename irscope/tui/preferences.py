"""What the user chose and the configuration file keeps: the theme, which panes there are, and their order."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace

from textual.app import App

from irscope import config
from irscope.config import Config
from irscope.tui.actions import ACTIONS
from irscope.tui.pane_row import PaneRow
from irscope.tui.themes import THEMES

DEFAULT_THEME = "irscope-dark"


class Preferences:
    """The configuration in force; a change is written to the file beside the UI."""

    def __init__(self, app: App[int], settings: Config) -> None:
        self._app = app
        self.settings = settings
        #: What is to be said once there is a screen to say it on.
        self.problems = [f"{name} is no setting" for name in settings.unknown]
        self.problems += [f"keys.{name}: there is no such action" for name in settings.keys if not is_bound(name)]

    def use_theme(self) -> None:
        """Put the theme of the configuration to use, or ours where that cannot be had."""
        for theme in THEMES:
            self._app.register_theme(theme)
        wanted = self.settings.theme or DEFAULT_THEME
        problem = self.why_not_theme(wanted)
        if problem is not None:
            self.problems.append(problem)
        self._app.theme = DEFAULT_THEME if problem else wanted

    def why_not_theme(self, name: str) -> str | None:
        if name not in self._app.available_themes:
            return f"there is no theme {name}"
        if os.environ.get("NO_COLOR") and "ansi" in name:
            return f"{name} is unreadable under NO_COLOR"
        return None

    def next_theme(self) -> str:
        names = [theme.name for theme in THEMES]
        at = names.index(self._app.theme) if self._app.theme in names else -1
        return names[(at + 1) % len(names)]

    def theme_changed(self) -> None:
        """Keep the theme that is in use now, unless nothing could be read with it."""
        theme = self._app.theme
        problem = self.why_not_theme(theme)
        if problem is not None:
            self._app.notify(problem, severity="warning")
            # Known as the one in use, so that the file keeps what the user has there.
            self.settings = replace(self.settings, theme=DEFAULT_THEME)
            self._app.theme = DEFAULT_THEME
        elif theme != self.settings.theme:
            self.settings = replace(self.settings, theme=theme)
            self._keep({"theme": theme})

    def keep_panes(self, panes: PaneRow) -> None:
        self._keep({"panes": panes.in_order(), "shown": list(panes.wanted)})

    def _keep(self, changes: Mapping[str, str | list[str]]) -> None:
        self._app.run_worker(self._write(changes), exclusive=True, group="config")

    async def _write(self, changes: Mapping[str, str | list[str]]) -> None:
        """A configuration file that cannot be written is worth a remark, no more."""
        try:
            await asyncio.to_thread(config.write, changes)
        except (OSError, config.InvalidConfig) as error:
            self._app.notify(f"not kept: {error}", severity="warning")


def is_bound(name: str) -> bool:
    """Whether ``[keys]`` may name it: an action of the app's, or a move in a pane (``code.page_down``)."""
    return any(name == action.id for action in ACTIONS) or name.startswith("code.")
