"""Answers requests in threads, whose news whoever shows them takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from irscope.events import Event, Finished, StageFinished
from irscope.model import Failure, Stage
from irscope.request import IrscopeError, Request

if TYPE_CHECKING:
    from irscope.tui.stage_text import StageText


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a request that runs, with the texts that it brought, ready to be shown."""

    event: Event
    texts: Mapping[str, StageText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """The request is over; ``failure`` is set where there is no compilation to show."""

    failure: Failure | None = None
    exit_code: int = 0


News: TypeAlias = "Step | End"


class Run:
    """A request that a thread answers from now on; whoever listens, however late, hears all from the start.

    The thread is a daemon and the compiler a process: leaving irscope never waits for either.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self._cancel = threading.Event()
        self._lock = threading.Lock()
        self._unheard: list[News] = []
        self._listener: Callable[[Run, News], object] | None = None
        threading.Thread(target=self._work, name="irscope-session", daemon=True).start()

    def listen(self, listener: Callable[[Run, News], object]) -> None:
        """Tell ``listener`` what has happened and, from the thread, what will. It must not block."""
        with self._lock:
            for news in self._unheard:
                listener(self, news)
            self._unheard.clear()
            self._listener = listener

    def stop(self) -> None:
        """Give up; there is no `End` then."""
        self._cancel.set()

    def _tell(self, news: News) -> None:
        with self._lock:
            if self._listener is None:
                self._unheard.append(news)
            else:
                self._listener(self, news)

    def _work(self) -> None:
        # Loaded once the first frame is on screen, and beside what the UI does then.
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
            self._tell(Step(event, texts))

        try:
            session.open(self.request, tell, self._cancel)
        except IrscopeError as error:
            self._tell(End(error.failure, error.exit_code))
        except Cancelled:
            pass
        except Exception as error:
            # A defect of irscope's must be seen, not end as a clock that runs for ever.
            import traceback

            failure = Failure("internal", f"{type(error).__name__}: {error}", detail=traceback.format_exc())
            self._tell(End(failure, 1))
        else:
            self._tell(End())


def prepare(stages: Mapping[str, Stage], known: Mapping[str, StageText]) -> dict[str, StageText]:
    """Texts of stages, cleaned; those that are known already are not made anew."""
    # Here, so that it is loaded by the thread while the compiler works.
    from irscope.tui.stage_text import StageText

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
