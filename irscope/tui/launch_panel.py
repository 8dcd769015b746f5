"""The launch panel, below the panes: what a launch is doing, and what came back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, ScrollableContainer
from textual.content import Content
from textual.events import Resize
from textual.timer import Timer
from textual.widgets import Static

from irscope.launch.model import Launch
from irscope.model import Failure
from irscope.tui import launch_text
from irscope.tui.pipeline_strip import SPINNER

_CLOCK_SECONDS = 0.1
#: What the lower edge offers: actions of the app's, with their keys.
_KEYS = (
    ("launch", "L launch"),
    ("launch_inputs", "i inputs"),
    ("launch_check", "c check"),
    ("copy_launch", "y copy"),
    ("maximise", "z zoom"),
    ("launch_results", "m close"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the panel tells of; each step of a launch replaces some of it."""

    kernel: str = ""
    launch: Launch | None = None
    earlier: tuple[Launch, ...] = ()
    failure: Failure | None = None
    #: What runs at present, since when; ``None`` where nothing does.
    phase: str | None = None
    started: float = 0.0
    #: How the launched specialization differs from the one in view.
    differences: tuple[str, ...] = ()
    note: str = ""


class LaunchPanel(ScrollableContainer):
    """Shows one launch. What its keys do are actions of the app's; here is only how it scrolls."""

    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", show=False),
        Binding("j", "scroll_down", show=False),
        Binding("h", "scroll_left", show=False),
        Binding("l", "scroll_right", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="launch")
        self.shown = Shown()
        self._state = Static(id="launch-state")
        self._tables = [Static(classes="launch-table"), Static(classes="launch-table")]
        self._notes = Static(id="launch-notes")
        self._clock: Timer | None = None
        self._laid_out: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield self._state
        with Horizontal(id="launch-tables"):
            yield from self._tables
        yield self._notes

    def on_mount(self) -> None:
        self._clock = self.set_interval(_CLOCK_SECONDS, self._show_state, pause=True)
        self.border_subtitle = "  ".join(f"[@click=app.{action}]{words}[/]" for action, words in _KEYS)
        self._update()

    def on_resize(self, event: Resize) -> None:
        self._show_tables()

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Textual leaves a scroll bar where it was when it went, as it does while a launch has nothing to show yet."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def change(self, **changes: object) -> None:
        """Replace fields of what is shown."""
        self.shown = replace(self.shown, **changes)  # type: ignore[arg-type]
        self._update()

    @property
    def running(self) -> bool:
        return self.shown.phase is not None

    def _update(self) -> None:
        if self._clock is None:
            return
        if self.running:
            self._clock.resume()
        else:
            self._clock.pause()
        self.border_title = f"launch {self.shown.kernel}".rstrip()
        self.set_class(self.shown.failure is not None, "failed")
        self._show_state()
        self._show_tables()

    def _show_state(self) -> None:
        shown = self.shown
        lines = []
        if shown.phase is not None:
            seconds = monotonic() - shown.started
            spinner = SPINNER[int(monotonic() / _CLOCK_SECONDS) % len(SPINNER)]
            lines.append(
                Content.assemble(
                    (f"{spinner} {shown.phase}", "bold $warning"),
                    f"   {seconds:.1f} s   ",
                    launch_text.button("escape cancels", "leave"),
                )
            )
        if shown.note:
            lines.append(Content(shown.note))
        if shown.failure is not None:
            lines.append(launch_text.failure_of(shown.failure))
            if shown.failure.kind == "missing":
                lines.append(Content.assemble(launch_text.button("c runs it in Triton's interpreter", "launch_check")))
        if shown.launch is not None:
            lines += [
                line
                for line in (launch_text.headline(shown.launch, shown.earlier), launch_text.heading(shown.launch))
                if line
            ]
        if shown.differences:
            first, *others = shown.differences
            more = f" and {len(others)} more" if others else ""
            view = launch_text.button("v shows what ran", "view_launched")
            lines.append(Content.assemble(launch_text.ODD, f"not what is in view: {first}{more}  ", view))
        self._state.update(Content("\n").join(lines))

    def _show_tables(self) -> None:
        # The scroll bar comes once there is too much to show, and takes its cells from the text.
        shown, width = self.shown, self.size.width - self.styles.scrollbar_size_vertical
        if self._clock is None or (shown, width) == self._laid_out:
            return
        self._laid_out = (shown, width)
        if shown.launch is not None:
            tables = launch_text.columns(shown.launch, shown.earlier, width)
            notes = launch_text.notes_of(shown.launch)
        else:
            tables = [launch_text.table_of_kept(shown.earlier)]
            notes = Content()
        self._notes.update(notes)
        self._notes.display = bool(notes)
        self.query_one("#launch-tables").display = any(tables)
        for at, widget in enumerate(self._tables):
            widget.display = at < len(tables) and bool(tables[at])
            if widget.display:
                widget.update(tables[at])

    @property
    def text(self) -> str:
        """All that is on it, for copying and for tests."""
        widgets = (self._state, *self._tables, self._notes)
        return "\n\n".join(text for widget in widgets if widget.display and (text := str(widget.render()).strip()))

    @property
    def to_copy(self) -> str:
        """The command that a failure's hint gives, else everything."""
        failure = self.shown.failure
        return launch_text.command_in(failure.hint) if failure is not None and failure.hint else self.text
