"""A launch in a thread: what it says comes as messages."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from irscope.client import Cancelled
from irscope.events import Event
from irscope.model import Failure
from irscope.request import IrscopeError

if TYPE_CHECKING:
    from irscope.launch.model import LaunchRequest
    from irscope.tui.app import IrscopeApp

#: How long leaving irscope waits for a launch's worker to be stopped, in seconds.
_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A launch is over; why, where it did not come to its end."""

    failure: Failure | None = None


@dataclass
class LaunchTold(Message):
    """A launch has something to say; posted by its thread."""

    run: LaunchRun
    news: Event | Ended


class LaunchRun:
    """A launch in a thread of its own, from now on."""

    def __init__(self, app: IrscopeApp, request: LaunchRequest) -> None:
        self.request = request
        self._app = app
        self._cancel = threading.Event()
        # A daemon: where the worker does not end in time, leaving irscope does not wait for it, but ends it.
        self._thread = threading.Thread(target=self._work, name="irscope-launch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give up: the worker is stopped, and nothing more is said."""
        self._cancel.set()

    def wait(self) -> None:
        self._thread.join(_PATIENCE_SECONDS)

    def _tell(self, news: Event | Ended) -> None:
        if not self._cancel.is_set():
            self._app.post_message(LaunchTold(self, news))

    def _work(self) -> None:
        from irscope.launch import run

        try:
            reason = None if self.request.interpret else run.why_not()
            if reason is not None:
                raise IrscopeError(reason)
            run.launch(self.request, self._tell, self._cancel)
        except IrscopeError as error:
            self._tell(Ended(error.failure))
        except Cancelled:
            pass
        except Exception as error:
            # A defect of irscope's must be seen, not end as a clock that runs for ever.
            import traceback

            failure = Failure("internal", f"{type(error).__name__}: {error}", detail=traceback.format_exc())
            self._tell(Ended(failure))
        else:
            self._tell(Ended())
