"""The pipeline along the top: one box a stage, with its state, time and size. It is the map of the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from time import monotonic

from textual.content import Content
from textual.events import MouseMove
from textual.timer import Timer
from textual.widget import Widget

from irscope.explain.figures import source
from irscope.tui.stages import describe

GPU = "gpu"
_CLOCK_SECONDS = 0.1
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class State(Enum):
    """What has become of a stage: a glyph (never colour alone) and a style."""

    WAITING = ("·", "$text-muted")
    COMPILING = ("", "$warning")
    DONE = ("✓", "$success")
    STORED = ("↺", "$success")
    FAILED = ("✗", "$error")
    #: It was being made when the compiler was stopped.
    STOPPED = ("■", "$warning")
    ABSENT = (" ", "$text-muted")

    @property
    def glyph(self) -> str:
        return str(self.value[0])

    @property
    def style(self) -> str:
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the strip."""

    name: str
    state: State = State.WAITING
    seconds: float | None = None
    #: What it measures, written out: "146 ops", "37 KB".
    size: str = ""
    started: float | None = None
    #: The size in fewer characters; shown even where sizes are not, if there is one.
    brief: str = ""


def duration(seconds: float) -> str:
    """Seconds in a unit that needs few digits: "9 µs", "14 ms", "1.2 s"."""
    if seconds < 0.0005:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds:.1f} s"


class PipelineStrip(Widget):
    """One line that always fits: it leaves out sizes, then times, then the long names."""

    DEFAULT_CLASSES = "line"

    def __init__(self) -> None:
        super().__init__(id="pipeline")
        self.boxes: tuple[Box, ...] = ()
        #: The stage whose pane is in use.
        self.current: str | None = None
        self._clock: Timer | None = None

    def on_mount(self) -> None:
        self._clock = self.set_interval(_CLOCK_SECONDS, self.refresh, pause=True)

    def show(self, boxes: Iterable[Box]) -> None:
        self._set(tuple(boxes))

    def update(self, name: str, **changes: object) -> None:
        """Change fields of one box; a stage without a box is passed over."""
        self._set(tuple(replace(box, **changes) if box.name == name else box for box in self.boxes))  # type: ignore[arg-type]

    def put(self, box: Box) -> None:
        """Put a box in place of the one with its name."""
        self._set(tuple(box if other.name == box.name else other for other in self.boxes))

    @property
    def at_rest(self) -> bool:
        """No stage is being made, or about to be. (A launch is none.)"""
        return not any(box.state in (State.COMPILING, State.WAITING) for box in self.boxes if box.name != GPU)

    def start(self, name: str) -> None:
        self.update(name, state=State.COMPILING, started=monotonic())

    def stop(self) -> None:
        """The compiler was stopped: what it was at is marked, and nothing waits any more."""
        ended = {State.COMPILING: State.STOPPED, State.WAITING: State.ABSENT}
        stopped = (
            box if box.name == GPU else replace(box, state=ended.get(box.state, box.state)) for box in self.boxes
        )
        self._set(tuple(stopped))

    def mark(self, name: str | None) -> None:
        if name != self.current:
            self.current = name
            self.refresh()

    def box(self, name: str) -> Box | None:
        return next((box for box in self.boxes if box.name == name), None)

    def _set(self, boxes: tuple[Box, ...]) -> None:
        self.boxes = boxes
        if self._clock is not None:
            if any(box.state is State.COMPILING for box in boxes):
                self._clock.resume()
            else:
                self._clock.pause()
        self.refresh()

    def render(self) -> Content:
        return self._line(self._level)

    @property
    def _level(self) -> _Level:
        """The most that fits, or else the least there is."""
        fitting = (level for level in _LEVELS if self._line(level).cell_length <= self.size.width)
        return next(fitting, _LEVELS[-1])

    def on_mouse_move(self, event: MouseMove) -> None:
        """Say of the box under the pointer what its numbers are and where they come from."""
        level = self._level
        boxes = (box for number, box in enumerate(self.boxes, 1) if event.x < self._line(level, number).cell_length)
        box = next(boxes, None)
        self.tooltip = None if box is None else _about(box)

    def _line(self, level: _Level, count: int | None = None) -> Content:
        """The boxes, or the first ``count`` of them."""
        parts: list[Content | tuple[str, str]] = []
        for number, box in enumerate(self.boxes[:count], 1):
            if parts:
                parts.append((level.arrow, "$text-muted"))
            click = f"@click=app.show_box({number})"
            current = box.name == self.current
            if level.numbered and box.name != GPU:
                parts.append((f"{number} ", f"$text-muted {click}"))
            title = describe(box.name)
            name = "GPU" if box.name == GPU else title.short if level.short else title.title
            parts.append((name, f"bold {'underline ' if current else ''}{click}"))
            parts.append((level.tail(box), f"{box.state.style} {click}"))
        return Content.assemble(*parts)


def _about(box: Box) -> str | None:
    if box.name == GPU:
        return "this machine's GPU, from its driver (NVML); after a launch, what it measured"
    words = [describe(box.name).title]
    if box.size:
        made_of = "the binary's own size" if box.size.endswith("KB") else f"from {source('operations')}"
        words.append(f"{box.size}: {made_of}")
    if box.seconds is not None:
        words.append(f"{duration(box.seconds)}: from {source('seconds')}")
    return "\n".join(words) if len(words) > 1 else None


@dataclass(frozen=True, slots=True)
class _Level:
    """How much one line says."""

    arrow: str
    tail: Callable[[Box], str]
    short: bool = False
    numbered: bool = True


def _glyph(box: Box) -> str:
    if box.state is State.COMPILING:
        return SPINNER[int(monotonic() / _CLOCK_SECONDS) % len(SPINNER)]
    return box.state.glyph.strip()


def _time(box: Box) -> str:
    if box.state is State.COMPILING and box.started is not None:
        return f"{monotonic() - box.started:.1f} s"
    return "" if box.seconds is None else duration(box.seconds)


def _words(*words: str) -> str:
    return "".join(f" {word}" for word in words if word)


def _everything(box: Box) -> str:
    return _words(_glyph(box), box.size, _time(box))


def _glyph_and_time(box: Box) -> str:
    return _words(_glyph(box), box.brief, _time(box))


def _clock_only(box: Box) -> str:
    return _words(_glyph(box), box.brief, _time(box) if box.state is State.COMPILING else "")


def _close(box: Box) -> str:
    return _glyph(box) + _words(box.brief, _time(box) if box.state is State.COMPILING else "")


_LEVELS = (
    _Level("  ─>  ", _everything),
    _Level(" ─> ", _everything),
    _Level(" ─> ", _glyph_and_time),
    _Level(" > ", _glyph_and_time, short=True),
    _Level(">", _glyph_and_time, short=True, numbered=False),
    _Level(" > ", _clock_only, short=True),
    _Level(" > ", _close, short=True, numbered=False),
    _Level(">", _close, short=True, numbered=False),
)
