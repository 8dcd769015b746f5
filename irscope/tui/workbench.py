"""The screen: strip, panes, figures and lines, and the compilation that they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from weakref import WeakSet

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus, Resize
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer

from irscope.model import Compilation, Failure, Kernel, Stage
from irscope.request import Request
from irscope.tui.breadcrumb import Breadcrumb
from irscope.tui.change_bar import ChangeBar
from irscope.tui.error_panel import ErrorPanel
from irscope.tui.figures import FigureColumn, FigureLines, Section
from irscope.tui.finder import Finder
from irscope.tui.header import Header, words_of, words_of_request
from irscope.tui.linking import Links, base_name, crumbs, figures_of, link, source_path, source_texts
from irscope.tui.pane_row import PaneRow
from irscope.tui.pane_tabs import PaneTabs
from irscope.tui.pipeline_strip import GPU, PipelineStrip, State
from irscope.tui.prompt import Prompt
from irscope.tui.stage_pane import StagePane
from irscope.tui.stage_text import StageText
from irscope.tui.stages import LOG, SOURCE, describe, sequence

#: From this width on, the figures have a column of their own.
WIDE = 130
#: Below this height, rows are for text: panes show no horizontal scroll bar.
LOW = 30
#: Beyond it, a file that a location names is no source that anybody reads.
_MAX_SOURCE_BYTES = 4 << 20


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
        self.stale = False
        #: Where the compilation came from in words; empty where it was compiled just now.
        self.origin = ""
        self.device: str | None = None
        self.links = Links()
        self.finder = Finder()
        self._heeded: WeakSet[StagePane] = WeakSet()
        #: Where the cursor was moved to last: view and row.
        self._origin: tuple[str, int] | None = None
        self.header = Header()
        self.strip = PipelineStrip()
        self.tabs = PaneTabs()
        self.change_bar = ChangeBar()
        self.panes = PaneRow(list(order), list(wanted))
        self.figure_column = FigureColumn()
        self.error = ErrorPanel()
        self.figure_lines = FigureLines()
        self.breadcrumb = Breadcrumb()
        self.prompt = Prompt()

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.strip
        yield self.tabs
        yield self.change_bar
        with Horizontal(id="body"):
            yield self.panes
            yield self.figure_column
        with Vertical(id="below"):
            yield self.error
            yield self.figure_lines
            yield self.breadcrumb
            yield self.prompt

    @on(Resize)
    def _resized(self, event: Resize) -> None:
        self.set_class(event.size.width < WIDE, "narrow")
        self.set_class(event.size.height < LOW, "low")
        self.call_after_refresh(self._reveal)

    def _reveal(self) -> None:
        """Where there is less room than before: the cursor and what is lit stay in view."""
        for name in self.panes.shown:
            pane = self.panes.panes.get(name)
            if pane is not None and pane is self.panes.pane:
                pane.view.scroll_to_row(pane.view.cursor_row, centre=False)
            elif pane is not None and not pane.locked:
                pane.view.scroll_to_marks()

    @property
    def source(self) -> StagePane:
        return self.panes.panes[SOURCE]

    async def on_mount(self) -> None:
        """Show what there is before anything is compiled: the file."""
        request = self._first
        self.header.show(*words_of_request(request))
        self.strip.show((SOURCE, GPU))
        await self.panes.set_available((SOURCE,))
        self._heed()
        path = request.path
        if path.suffix == ".py" and path.is_file():
            self.source.set_texts({SOURCE: read_source(str(path)) or StageText(SOURCE, "", title=path.name)})
        else:
            self.source.set_texts({}, f"opening {path} ...")
        # Plain at first: the colours of Python take longer than the frame that they would delay.
        self.source.view.set_language("text")
        self.source.view.focus()
        self.call_after_refresh(self.post_message, self.Ready())

    async def complete(self) -> None:
        """What the first frame did not wait for: the colours of the source, and the footer, which is built often."""
        if self.source.text is not None:
            self.source.view.set_language(self.source.text.language)
        await self.query_one("#below").mount(Footer(show_command_palette=False, compact=True))

    # A compilation, as it comes

    def show_kernel(self, kernel: Kernel) -> None:
        """Put the cursor on the kernel, unless the user has moved it already."""
        if kernel.line is not None and not self.source.row:
            self.source.go_to(kernel.line - 1)

    async def plan(self, pipeline: Iterable[str]) -> None:
        """These stages are going to be made."""
        names = sequence(pipeline)
        self._show_strip(names)
        if self.compilation is None:
            await self._show_panes(names)

    def add_stage(self, stage: Stage, texts: Mapping[str, StageText]) -> None:
        """A stage is done; it goes on screen at once, unless a whole compilation is in view."""
        self.strip.update(stage.name, state=State.DONE, seconds=stage.seconds, size=_size(stage))
        pane = self.panes.panes.get(stage.name)
        if self.compilation is None and pane is not None:
            pane.set_texts(dict(texts))
            self.app.refresh_bindings()

    async def show(self, found: Compilation, texts: Mapping[str, StageText], *, origin: str) -> None:
        """Show a compilation in place of the one in view."""
        self.compilation, self.stale, self.origin = found, False, origin
        self.links = Links()
        await self._show_panes(sequence(found.pipeline, found.stages))
        for name, pane in self.panes.panes.items():
            if name in texts:
                pane.set_texts({name: texts[name]})
            elif name not in (SOURCE, LOG):
                pane.set_texts({}, _why_empty(name, found))
        sources = {key: StageText(SOURCE, text, title=title) for key, title, text in source_texts(found)}
        self.source.set_texts(_kept(self.source.texts, sources), "no source file is known")
        if not sources:
            self.panes.do_without(SOURCE)
        self._show_log(found.failure, found.log, found.warnings)
        self._show_stage_states()
        self._show_header()
        if found.failure is not None:
            self.error.show(found.failure, stale=False)
            self.show_place(found.failure, enter=False)
        self._link(found)

    def keep(self, failure: Failure, log: str) -> None:
        """The compilation in view stays there, marked stale; the error says why."""
        self.stale = True
        self._show_stage_states()
        self.strip.update(failure.stage or SOURCE, state=State.FAILED)
        self._show_header()
        self._show_log(failure, log, ())
        self.error.show(failure, stale=True)

    def restore(self) -> None:
        """Nothing compiles any more: the strip tells of the compilation in view again."""
        self.breadcrumb.end()
        if self.compilation is None:
            self.strip.stop()
            for pane in self.panes.all_panes():
                if not pane.texts:
                    pane.set_texts({}, "nothing is compiled yet: R compiles, o chooses what")
        elif not self.stale:
            self._show_stage_states()
        self.update_tabs()

    def show_unanswered(self, failure: Failure) -> None:
        """There is no compilation at all."""
        self.error.show(failure, stale=False)
        self._show_log(failure, failure.detail or "", ())

    @work(thread=True, exclusive=True, group="link")
    def _link(self, compilation: Compilation) -> None:
        """Index the stages and work out the figures beside the UI; both take a moment on long texts."""
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
            self.links = message.links
            if not self.stale:
                self._show_stage_states()
            if self.panes.pane is not None:
                self._follow(self.panes.pane)

    @on(Figured)
    def _figured(self, message: Figured) -> None:
        if message.compilation is self.compilation:
            self.figure_column.show(message.figures)
            self.figure_lines.show(message.figures)

    # What is shown of it

    def _show_strip(self, names: Iterable[str]) -> None:
        self.strip.show((*names, GPU))
        self.strip.update(SOURCE, state=State.DONE if self.source.texts else State.ABSENT)
        self._show_device()

    def _show_device(self) -> None:
        if self.device is None:
            self.strip.update(GPU, state=State.ABSENT, size="none here", brief="none")
        else:
            self.strip.update(GPU, state=State.DONE, size=self.device, brief="ready")

    def _show_stage_states(self) -> None:
        found = self.compilation
        if found is None:
            return
        self._show_strip(sequence(found.pipeline, found.stages))
        done = State.STORED if self.origin else State.DONE
        for stage in found.stages.values():
            operations = self.links.indices.get(stage.name)
            size = _size(stage)
            if operations is not None:
                size = f"{operations.operation_count} {describe(stage.name).unit}"
            self.strip.update(stage.name, state=done, seconds=stage.seconds, size=size)
        if found.failure is not None:
            unreached = (name for name in found.pipeline if name not in found.stages)
            self.strip.update(found.failure.stage or next(unreached, SOURCE), state=State.FAILED)

    async def _show_panes(self, names: Iterable[str]) -> None:
        await self.panes.set_available((*names, LOG))
        self._heed()
        for name, pane in self.panes.panes.items():
            if not pane.texts:
                pane.set_texts({}, f"waiting for {describe(name).title}")

    def _show_header(self) -> None:
        if self.compilation is not None:
            self.header.show(*words_of(self.compilation, stale=self.stale, origin=self.origin))
        self.set_class(self.stale, "stale")

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

    # The cursor, and what it lights up

    def _heed(self) -> None:
        """Follow the cursor of every pane, in the same frame in which it moves."""
        for pane in self.panes.all_panes():
            if pane not in self._heeded:
                self._heeded.add(pane)
                self.watch(pane.view, "visited", partial(self._cursor_moved, pane), init=False)

    def _cursor_moved(self, pane: StagePane) -> None:
        pane.moved()
        if pane is self.panes.pane:
            self._follow(pane)

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        parent = event.widget.parent
        if isinstance(parent, StagePane):
            self.panes.noticed_focus(parent.stage)

    @on(PaneRow.Arranged)
    def _arranged(self, event: PaneRow.Arranged) -> None:
        self.update_tabs()
        self._light(follow=event.entered)
        if event.entered and self.panes.pane is not None:
            self.panes.pane.enter()
        self.app.refresh_bindings()

    def _follow(self, pane: StagePane) -> None:
        """The cursor of this pane says from now on what is lit, wherever the focus goes."""
        row = pane.row
        self._origin = None if pane.current is None or row is None else (pane.current, row)
        if self._origin is not None and pane.stage != SOURCE and not self.source.locked:
            self._open_source(*self._origin)
        self._light(follow=True, origin=pane)

    def _light(self, *, follow: bool, origin: StagePane | None = None) -> None:
        """Light up in every pane what came from where the cursor was moved to last."""
        view, row = self._origin or (SOURCE, None)
        related = self.links.related(view, row)
        for pane in self.panes.all_panes():
            pane.light(related, follow=follow and pane is not origin)
        self.tabs.count({name: self.links.operations(name, rows.rows) for name, rows in related.items()})
        self.breadcrumb.show(crumbs(self.links, view, row, related, self._line(view, row)))

    def _open_source(self, view: str, row: int) -> None:
        """Bring the file on screen in which the row was written, a helper's file too."""
        place = self.links.correlation.location(view, row)
        if place is not None and self.open_file(place.file) is not None:
            self.source.show_text(self._key(place.file))

    def open_file(self, path: str) -> StageText | None:
        """A file's text for the source pane: as it was compiled, else as it is on this machine's disk."""
        key = self._key(path)
        if key not in self.source.texts and (found := read_source(path)) is not None:
            self.source.texts[key] = found
        return self.source.texts.get(key)

    def _key(self, path: str) -> str:
        """Name of a file's text in the source pane."""
        return SOURCE if self.compilation is not None and path == source_path(self.compilation) else path

    def _line(self, view: str, row: int | None) -> str:
        """The source line that the row belongs to, or the row's own text."""
        if row is None:
            return ""
        place = self.links.correlation.location(view, row)
        text = self.source.texts.get(self._key(place.file)) if place is not None else None
        if place is not None and text is not None and place.line <= len(text.raw_lines):
            return text.raw_lines[place.line - 1]
        pane = next((pane for pane in self.panes.all_panes() if view in pane.texts), None)
        lines = pane.texts[view].raw_lines if pane is not None else []
        return lines[row] if row < len(lines) else ""

    # What actions ask for

    def focus_pane(self) -> None:
        if self.panes.pane is not None:
            self.set_focus(self.panes.pane.view)

    def show_device(self, device: str | None) -> None:
        self.device = device
        self._show_device()

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

    def next_place(self, step: int) -> None:
        """Go on to the next lit place in the pane in use; where it has but one, in all the others."""
        pane = self.panes.pane
        if pane is None:
            return
        if pane.places > 1:
            pane.view.next_mark(step)
        else:
            for name in self.panes.shown:
                if name != pane.stage and not self.panes.panes[name].locked:
                    self.panes.panes[name].view.next_mark(step)

    def show_file(self, number: int) -> None:
        """Show one of the files of the source pane."""
        names = list(self.source.texts)
        self.source.show_text(names[number])
        self.panes.use(SOURCE)

    def show_place(self, failure: Failure, *, enter: bool = True) -> None:
        """Put the cursor where an error is, in the file as it is now; ``enter`` brings the pane into use."""
        if failure.file is None or failure.line is None:
            return
        key, now = self._key(failure.file), read_source(failure.file)
        compiled = self.source.texts.get(key)
        if now is not None and (compiled is None or compiled.text != now.text):
            # What is in view was compiled from an earlier text: the file of now goes beside it.
            now.title += " (now)"
            key = f"now:{failure.file}"
            self.source.texts[key] = now
            self.source.current = None
        self.source.show_text(key)
        if enter:
            self.panes.use(SOURCE)
        self.source.go_to(failure.line - 1)


def read_source(path: str) -> StageText | None:
    """A source file as it is on disk; ``None`` where it cannot be read, or is too large to be one."""
    file = Path(path)
    try:
        if not file.is_file() or file.stat().st_size > _MAX_SOURCE_BYTES:
            return None
        return StageText(SOURCE, file.read_text(encoding="utf-8", errors="replace"), title=base_name(path))
    except OSError:
        return None


def _size(stage: Stage) -> str:
    if stage.data is not None:
        return f"{stage.bytes / 1024:.0f} KB"
    return f"{stage.lines} lines"


def _why_empty(name: str, compilation: Compilation) -> str:
    title = describe(name).title
    if compilation.failure is not None:
        return f"{title} was not reached: the error below says why"
    return " ".join([f"there is no {title} in this compilation", *compilation.warnings])


def _kept(before: Mapping[str, StageText], now: dict[str, StageText]) -> dict[str, StageText]:
    """The new texts, with those before where nothing changed: a pane does not load the same text twice."""
    same = {key for key, text in now.items() if key in before and before[key].text == text.text}
    return {key: before[key] if key in same else text for key, text in now.items()}
