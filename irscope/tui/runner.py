"""Runs one request at a time in a thread of its own and posts what happens as messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from textual.message import Message

from irscope.model import Failure, Stage
from irscope.request import Event, Finished, IrscopeError, Request, StageFinished
from irscope.tui.stage_text import StageText


@dataclass
class Happened(Message):
    """A step of the request that runs, with the texts that it brought, ready to be shown."""

    run: int
    event: Event
    texts: dict[str, StageText] = field(default_factory=dict)


@dataclass
class Ended(Message):
    """The request that ran is over; ``failure`` is set where it has no compilation to show."""

    run: int
    failure: Failure | None = None
    exit_code: int = 0
    cancelled: bool = False


class Runner:
    """The compilation in progress, if there is one.

    The thread is a daemon and the compiler a process: leaving irscope never waits for either.
    """

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post
        self._cancel = threading.Event()
        #: Counts the requests, so that messages of one that was given up are told apart.
        self.run = 0
        self.running = False

    def start(self, request: Request) -> None:
        self.stop()
        self.running = True
        self._cancel = threading.Event()
        threading.Thread(
            target=self._work, args=(self.run, request, self._cancel), name="irscope-session", daemon=True
        ).start()

    def stop(self) -> None:
        """Give up what runs; nothing more is heard of it."""
        self.run += 1
        self._cancel.set()
        self.running = False

    def is_current(self, message: Happened | Ended) -> bool:
        return message.run == self.run

    def _work(self, run: int, request: Request, cancel: threading.Event) -> None:
        # Here, so that the first paint does not wait for these imports.
        from irscope import session
        from irscope.client import Cancelled

        known: dict[str, StageText] = {}

        def tell(event: Event) -> None:
            texts: dict[str, StageText] = {}
            if isinstance(event, StageFinished):
                texts = prepare({event.stage.name: event.stage}, known)
            elif isinstance(event, Finished):
                texts = prepare(event.compilation.stages, known)
            known.update(texts)
            self._post(Happened(run, event, texts))

        try:
            session.open_begun(request, tell, cancel)
        except IrscopeError as error:
            self._post(Ended(run, error.failure, error.exit_code))
        except Cancelled:
            self._post(Ended(run, cancelled=True))
        except Exception as error:
            # A defect of irscope's must be seen, not end as a clock that runs for ever.
            import traceback

            failure = Failure("internal", f"{type(error).__name__}: {error}", detail=traceback.format_exc())
            self._post(Ended(run, failure, 1))
        else:
            self._post(Ended(run))


def prepare(stages: Mapping[str, Stage], known: Mapping[str, StageText]) -> dict[str, StageText]:
    """Texts of stages, cleaned; those that are known already are not made anew."""
    texts = {}
    for name, stage in stages.items():
        text = known.get(name)
        if text is None or text.origin is not stage:
            text = StageText(name, text_of(stage), origin=stage)
            text.lines(raw=False)
        texts[name] = text
    return texts


def text_of(stage: Stage) -> str:
    """What a pane shows of a stage: its text, or a description of what the binary holds."""
    if stage.text is not None:
        return stage.text
    if stage.data is None:
        return ""
    try:
        if stage.name == "hsaco":
            from irscope.ir import hsaco

            return hsaco.describe(hsaco.read(stage.data))
        from irscope.ir import cubin

        return cubin.describe(cubin.read(stage.data))
    except ValueError as error:
        return f"{stage.name}: {len(stage.data)} bytes that cannot be read as one: {error}"
