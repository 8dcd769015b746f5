"""The screen: strip, panes, figures and lines, and the compilation that they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import DescendantFocus, Resize, ScreenResume
from textual.geometry import Region, Size
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip

from irscope.tui import boxes
from irscope.tui.breadcrumb import Breadcrumb
from irscope.tui.change_bar import ChangeBar
from irscope.tui.covered import CoveredRow, covered_lines
from irscope.tui.dock import Dock
from irscope.tui.error_panel import ErrorPanel
from irscope.tui.figures import FigureColumn, FigureLines, Section
from irscope.tui.finder import Finder
from irscope.tui.following import Following
from irscope.tui.header import STOPPED, Header, words_of, words_of_request
from irscope.tui.launch_dock import LaunchDock
from irscope.tui.margins import Margins
from irscope.tui.pane_row import PaneRow
from irscope.tui.pane_tabs import PaneTabs
from irscope.tui.pipeline_strip import Box, PipelineStrip, State
from irscope.tui.prompt import Prompt
from irscope.tui.source_files import SourceFiles
from irscope.tui.stage_pane import StagePane
from irscope.tui.stage_text import StageText
from irscope.tui.stages import LOG, SOURCE, describe, sequence

if TYPE_CHECKING:
    from irscope.lineage import Lineages
    from irscope.model import Compilation, Failure, Kernel, Stage
    from irscope.request import Request
    from irscope.tui.linking import Links
    from irscope.tui.verdict_panel import VerdictPanel

#: From this width on, the figures have a column of their own.
WIDE = 130
#: Below this height, rows are for text: panes show no horizontal scroll bar.
LOW = 30


@dataclass
class Linked(Message):
    """The stages of a compilation are joined."""

    compilation: Compilation
    links: Links


@dataclass
class Figured(Message):
    """The figures of a compilation are known."""

    compilation: Compilation
    figures: list[Section]


class Workbench(Screen[None], inherit_bindings=False):
    """Shows one compilation. Its keys are the app's, so that the list of actions is all there is."""

    class Ready(Message):
        """The first picture is on screen."""

    def __init__(self, request: Request, order: Iterable[str], wanted: Iterable[str]) -> None:
        super().__init__(id="workbench")
        self._first = request
        #: The compilation in view; a partial one only while there is no better.
        self.compilation: Compilation | None = None
        #: Why a later attempt than the one in view failed.
        self.failed_since: Failure | None = None
        #: Where the compilation came from in words; empty where it was compiled just now.
        self.origin = ""
        self.device: str | None = None
        self.finder = Finder()
        self.header = Header()
        self.strip = PipelineStrip()
        self.tabs = PaneTabs()
        self.change_bar = ChangeBar()
        self.panes = PaneRow(list(order), list(wanted))
        self.sources = SourceFiles(self.panes)
        self.figure_column = FigureColumn()
        self.error = ErrorPanel()
        self.figure_lines = FigureLines()
        self.breadcrumb = Breadcrumb()
        self.following = Following(self, self.panes, self.sources, self.tabs, self.breadcrumb)
        self.prompt = Prompt()
        self.dock = LaunchDock(self)
        self.verdicts: Dock[VerdictPanel] = Dock(self, "verdicts", _verdict_panel)
        self.margins = Margins(self)
        self._completed = False

    def compose(self) -> ComposeResult:
        narrow = self.app.size.width < WIDE
        self._fit(self.app.size)
        yield self.header
        yield self.strip
        if narrow:
            yield self.tabs
        with CoveredRow(id="body"):
            yield self.panes
            yield self.figure_column
        with Vertical(id="below"):
            if narrow:
                yield self.figure_lines
            yield self.breadcrumb

    def render_lines(self, crop: Region) -> list[Strip]:
        return covered_lines(self, crop)

    def on_screen_resume(self, event: ScreenResume) -> None:
        if not self._completed:
            # All that is there has been styled a moment ago, when it was mounted.
            event.refresh_styles = False

    async def on_mount(self) -> None:
        """Show what there is before anything is compiled: the file."""
        self.header.show(*words_of_request(self._first))
        self._show_waiting((SOURCE,))
        await self.panes.set_available((SOURCE,))
        self.following.heed()
        self.sources.show_file(self._first.path)
        # Plain at first: the colours of Python take longer than the frame that they would delay.
        self.source.view.set_language("text")
        self.source.view.focus()
        self.call_after_refresh(self.post_message, self.Ready())

    async def complete(self) -> None:
        """What the first frame did not wait for: the colours of the source, what it does not show, and the footer."""
        if self._completed:
            return
        self._completed = True
        from textual.widgets import Footer

        if self.source.text is not None:
            self.source.view.set_language(self.source.text.language)
        below = self.query_one("#below")
        with self.app.batch_update():
            if not self.tabs.is_attached:
                await self.mount(self.tabs, after=self.strip)
                await below.mount(self.figure_lines, before=self.breadcrumb)
            await self.mount(self.change_bar, after=self.tabs)
            await below.mount(self.error, before=self.figure_lines)
            await below.mount(self.prompt, Footer(show_command_palette=False, compact=True))

    @property
    def source(self) -> StagePane:
        return self.sources.pane

    @property
    def links(self) -> Links:
        return self.following.links

    @property
    def stale(self) -> bool:
        """What is in view is older than what was tried last."""
        return self.failed_since is not None

    # The size of the screen

    @on(Resize)
    def _resized(self, event: Resize) -> None:
        self._fit(event.size)
        self.call_after_refresh(self.reveal)

    def _fit(self, size: Size) -> None:
        self.set_class(size.width < WIDE, "narrow")
        self.set_class(size.height < LOW, "low")

    def reveal(self) -> None:
        """Where there is less room than before: the cursor and what is lit stay in view."""
        for name in self.panes.shown:
            pane = self.panes.panes.get(name)
            if pane is not None and pane is self.panes.pane:
                pane.view.scroll_to_row(pane.view.cursor_row, centre=False)
            elif pane is not None and not pane.locked:
                pane.view.scroll_to_marks()

    # A compilation, as it comes

    def begin(self) -> None:
        """Something is going to be compiled; what was said of the last attempt is over."""
        self.error.close()
        self.change_bar.close()
        self.breadcrumb.begin("opening")
        if self.compilation is None:
            self.header.show(self.header.left, [])

    def show_kernel(self, kernel: Kernel) -> None:
        """Put the cursor on the kernel, unless the user has moved it already."""
        if kernel.line is not None and not self.source.row:
            self.source.go_to(kernel.line - 1)

    async def plan(self, pipeline: Iterable[str]) -> None:
        """These stages are going to be made; where no compilation is in view, their panes wait for them."""
        names = sequence(pipeline)
        self._show_waiting(names)
        if self.compilation is None:
            await self._have_panes(names)
            self._note_missing("waiting for {}", discard=True)

    def add_stage(self, stage: Stage, texts: Mapping[str, StageText]) -> None:
        """A stage is done; it goes on screen at once, unless a whole compilation is in view."""
        self.strip.update(stage.name, state=State.DONE, seconds=stage.seconds, size=boxes.size_of(stage))
        pane = self.panes.panes.get(stage.name)
        if self.compilation is None and pane is not None:
            pane.set_texts(dict(texts))
            self.app.refresh_bindings()

    async def show(self, found: Compilation, texts: Mapping[str, StageText], *, origin: str) -> None:
        """Show a compilation in place of the one in view."""
        first = self.compilation is None
        self.compilation, self.failed_since, self.origin = found, None, origin
        self.following.forget()
        await self._have_panes(sequence(found.pipeline, found.stages))
        for name, pane in self.panes.panes.items():
            if name in texts:
                pane.set_texts({name: texts[name]})
            elif name not in (SOURCE, LOG):
                pane.set_texts({}, _why_empty(name, found))
        self.sources.show(found)
        if first:
            self.show_kernel(found.kernel)
        self._show_log(found.failure, found.log, found.warnings)
        self._show_state()
        if found.failure is not None:
            self.error.show(found.failure, stale=False)
            self.sources.show_place(found.failure, enter=False)
        self._link(found)

    def keep(self, failure: Failure, log: str) -> None:
        """The compilation in view stays there, marked stale; the error says why."""
        self.failed_since = failure
        self._show_state()
        self._show_log(failure, log, ())
        self.error.show(failure, stale=True)

    def show_unanswered(self, failure: Failure) -> None:
        """There is no compilation at all."""
        self.error.show(failure, stale=False)
        self._show_log(failure, failure.detail or "", ())

    def end(self) -> None:
        """Nothing compiles any more: the strip tells of the compilation in view again."""
        self.breadcrumb.end()
        self.strip.stop()
        self._show_state()
        if self.compilation is None:
            self._note_missing("there is no {} yet: R compiles, o chooses what")
        self.update_tabs()

    def stopped(self) -> None:
        """The user stopped the compiler: a compilation stays in view as it was, else the stages reached do."""
        self.end()
        if self.compilation is None:
            self.header.show(self.header.left, [STOPPED])
            self._note_missing("{} was not reached when the compiler was stopped: R compiles again")

    @work(thread=True, exclusive=True, group="link")
    def _link(self, compilation: Compilation) -> None:
        """Index the stages and work out the figures beside the UI; both take a moment on long texts."""
        from irscope.tui.linking import figures_of, link

        try:
            links = link(compilation)
            self.post_message(Linked(compilation, links))
            self.post_message(Figured(compilation, figures_of(compilation, links)))
        except Exception as error:
            # The texts are on screen and readable: a file that no reader of ours expected must not end that.
            self.notify(f"{type(error).__name__}: {error}", title="Not analysed", severity="error")

    @on(Linked)
    def _linked(self, message: Linked) -> None:
        if message.compilation is self.compilation:
            self.following.use(message.links)
            self.margins.renew()
            if self.strip.at_rest:
                self._show_state()

    def show_tracing(self, words: str) -> None:
        """How far the exact edges are, or that nothing traces any more."""
        self.header.tell(words)

    def take_edges(self, found: Compilation, lineages: Lineages | None) -> None:
        """The compilation in view, now that its edges are known, or why there are none."""
        if found.edges:
            self.compilation = found
        self.links.join(found.edges, lineages)
        # Why stages are joined by their source lines, where the breadcrumb says that they are.
        self.breadcrumb.tooltip = self.links.reason
        self.following.use(self.links)
        self.margins.renew()

    @on(Figured)
    def _figured(self, message: Figured) -> None:
        if self.compilation is not None and message.compilation.stages is self.compilation.stages:
            # Its edges may have come meanwhile.
            self.figure_column.show(message.figures)
            self.figure_lines.show(message.figures)

    # What is shown of it

    def _show_waiting(self, names: Iterable[str]) -> None:
        self.strip.show([*boxes.waiting(names), self._gpu_box])

    def _show_state(self) -> None:
        """Strip and header tell of the compilation in view, if there is one."""
        found = self.compilation
        if found is None:
            return
        failure = self.failed_since or found.failure
        stages = boxes.of_compilation(found, self.links, stored=bool(self.origin), failure=failure)
        self.strip.show([*stages, self._gpu_box])
        self.header.show(*words_of(found, stale=self.stale, origin=self.origin))
        self.set_class(self.stale, "stale")

    def show_device(self, device: str | None) -> None:
        self.device = device
        self.show_gpu()

    @property
    def _gpu_box(self) -> Box:
        return self.dock.box or boxes.of_device(self.device)

    def show_gpu(self) -> None:
        """The strip's last box tells of a launch, or of the GPU that there is."""
        self.strip.put(self._gpu_box)

    def step(self, by: int) -> None:
        """Go to the next pane; after the last one comes the panel below them, where one is open."""
        if not any(dock.step(by) for dock in self.docks):
            self.panes.step(by)

    @property
    def docks(self) -> tuple[Dock[Any], ...]:
        """What may be below the panes; one of them at most is open."""
        return (self.dock, self.verdicts)

    @property
    def dock_in_use(self) -> Dock[Any] | None:
        return next((dock for dock in self.docks if dock.in_use), None)

    async def _have_panes(self, names: Iterable[str]) -> None:
        await self.panes.set_available((*names, LOG))
        self.following.heed()

    def _note_missing(self, note: str, *, discard: bool = False) -> None:
        """Say why panes are empty (``{}`` is the stage); ``discard`` empties those of an earlier attempt."""
        for name, pane in self.panes.panes.items():
            if name != SOURCE and (discard or not pane.texts):
                pane.set_texts({}, note.format(describe(name).title))

    def _show_log(self, failure: Failure | None, log: str, warnings: Iterable[str]) -> None:
        pane = self.panes.panes.get(LOG)
        if pane is None:
            return
        parts = [*warnings, log]
        if failure is not None:
            parts = [str(failure), failure.detail or "", *parts]
        text = "\n".join(part for part in parts if part.strip())
        texts = {LOG: StageText(LOG, text)} if text.strip() else {}
        pane.set_texts(texts, "neither the compiler nor the file printed anything")

    def update_tabs(self) -> None:
        shown = self.panes.shown
        self.tabs.show(self.panes.in_order(), shown, self.panes.current)
        self.set_class(len(shown) < len(self.panes.available), "hidden-panes")
        self.strip.mark(self.panes.current)

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        parent = event.widget.parent
        if isinstance(parent, StagePane):
            self.panes.noticed_focus(parent.stage)

    @on(PaneRow.Arranged)
    def _arranged(self, event: PaneRow.Arranged) -> None:
        self.update_tabs()
        self.following.light(follow=event.entered)
        if event.entered and self.panes.pane is not None:
            self.panes.pane.enter()
        self.app.refresh_bindings()

    # What actions ask for

    def focus_pane(self) -> None:
        if self.panes.pane is not None:
            self.set_focus(self.panes.pane.view)

    def search(self, pattern: str, *, everywhere: bool) -> str:
        """Show where a pattern is, in the pane in use or in all; how much was found, in words."""
        pane = self.panes.pane
        self.finder.clear(list(self.panes.all_panes()))
        if pane is None:
            return ""
        found = self.finder.begin(
            pattern, list(self.panes.all_panes()) if everywhere else [pane], everywhere=everywhere
        )
        self.app.refresh_bindings()
        return found

    def next_hit(self, step: int) -> bool:
        pane = self.panes.pane
        return pane is not None and self.finder.step(step, list(self.panes.all_panes()), pane, self.panes.use)

    def clear_search(self) -> None:
        self.finder.clear(list(self.panes.all_panes()))
        self.app.refresh_bindings()

    def go_to_line(self, line: int) -> None:
        """Put the cursor on a line, from 1, of the stage in use."""
        pane = self.panes.pane
        if pane is not None and pane.text is not None:
            pane.go_to(max(0, min(line, len(pane.text.raw_lines)) - 1))


def _verdict_panel() -> VerdictPanel:
    from irscope.tui.verdict_panel import VerdictPanel

    return VerdictPanel()


def _why_empty(name: str, compilation: Compilation) -> str:
    title = describe(name).title
    if compilation.failure is not None:
        return f"{title} was not reached: the error below says why"
    return " ".join([f"there is no {title} in this compilation", *compilation.warnings])
