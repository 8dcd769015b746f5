"""Keys that are typed while a screen is on its way: they are for that screen, not for what is below it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from textual.app import App
from textual.events import Key
from textual.timer import Timer

_LOOK_SECONDS = 0.02
#: Longer than any screen takes; keys must not be lost where one never comes.
_AT_MOST_SECONDS = 3.0


class HeldKeys:
    """Keeps keys until a screen is ready for them, or is known not to come, then has them pressed in their order."""

    def __init__(self, app: App[Any], ready: Callable[[], bool], press: Callable[[Key], Awaitable[None]]) -> None:
        self._app = app
        self._ready = ready
        self._press = press
        self._keys: deque[Key] = deque()
        self._timer: Timer | None = None
        self._end = 0.0

    def begin(self) -> None:
        """A screen was asked for."""
        self._end = monotonic() + _AT_MOST_SECONDS
        if self._timer is None:
            self._timer = self._app.set_interval(_LOOK_SECONDS, self._look)

    def take(self, key: Key) -> bool:
        """Keep a key for later; false where there is nothing to wait for."""
        if self._timer is None:
            return False
        self._keys.append(key)
        return True

    async def _look(self) -> None:
        if self._timer is None or not (self._ready() or monotonic() > self._end):
            return
        self._timer.stop()
        self._timer = None
        # One of them may ask for a screen itself: what comes after it waits again.
        while self._keys and self._timer is None:
            await self._press(self._keys.popleft())
