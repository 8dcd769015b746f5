"""The terminal UI of irscope: the app carries out every action, on the screen or by what compiles."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.events import Event, Key, Paste
from textual.screen import Screen

from irscope import config
from irscope.config import Config
from irscope.request import Request
from irscope.tui import actions
from irscope.tui.actions import Where
from irscope.tui.answering import Answering
from irscope.tui.held_keys import HeldKeys
from irscope.tui.pipeline_strip import GPU
from irscope.tui.preferences import Preferences
from irscope.tui.prompt import Ask, Prompt
from irscope.tui.stage_pane import StagePane
from irscope.tui.stages import LETTERS, SOURCE, describe
from irscope.tui.workbench import Linked, Workbench

if TYPE_CHECKING:
    from irscope.tui.compiling import Compiling, Told
    from irscope.tui.judging import Judged, Judging
    from irscope.tui.launch_run import LaunchTold
    from irscope.tui.launching import Launching
    from irscope.tui.specializing import Specializing
    from irscope.tui.tracing import Traced, Tracing
    from irscope.tui.verdict_panel import VerdictPanel

_WATCH_SECONDS = 1.0
#: Groups of the workers that open screens.
_OPENING = ("form", "columns")


class IrscopeApp(App[int], inherit_bindings=False):
    """Shows one compilation and makes the next; all that a user can do is in `irscope.tui.actions`.

    Args:
        watch: compile again whenever a source file changes.
    """

    TITLE = "irscope"
    CSS_PATH = "irscope.tcss"
    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings())

    def __init__(self, request: Request, *, watch: bool = False, settings: Config | None = None) -> None:
        super().__init__()
        settings = settings or Config()
        self.bench = Workbench(request, settings.panes, settings.shown)
        self.answering = Answering(self)
        self._request = request
        self.held_keys = HeldKeys(self, self._takes_keys, self.on_event)
        self.watch_files = watch
        self.preferences = Preferences(self, settings)
        self.preferences.use_theme()
        #: The theme's variables that the styles are parsed with at the start.
        self._first_variables: Mapping[str, str] | None = self.get_css_variables()
        self.stylesheet.set_variables(dict(self._first_variables))
        # A pane's own letter for its end is one of ours.
        self.set_keymap({"code.last_letter": "ctrl+end", **settings.keys})

    def refresh_css(self, animate: bool = True) -> None:
        """Parse all styles anew, but for the once that Textual does so at the start without a reason."""
        first, self._first_variables = self._first_variables, None
        if first != self.get_css_variables():
            super().refresh_css(animate)

    # The first frame does not wait for what these need.

    @cached_property
    def compiling(self) -> Compiling:
        from irscope.tui.compiling import Compiling

        return Compiling(self, self._request)

    @cached_property
    def launching(self) -> Launching:
        from irscope.tui.launching import Launching

        return Launching(self)

    @cached_property
    def tracing(self) -> Tracing:
        from irscope.tui.tracing import Tracing

        return Tracing(self)

    @cached_property
    def judging(self) -> Judging:
        from irscope.tui.judging import Judging

        return Judging(self)

    @cached_property
    def specializing(self) -> Specializing:
        from irscope.tui.specializing import Specializing

        return Specializing(self)

    def get_default_screen(self) -> Screen[None]:
        return self.bench

    @on(Workbench.Ready)
    async def _begin(self) -> None:
        await self.bench.complete()
        self.compiling.start(self.compiling.request)
        self._look_for_devices()
        for problem in self.preferences.problems:
            self.notify(problem, severity="warning", title="Configuration")
        self.set_interval(_WATCH_SECONDS, self._look_for_changes)
        self.theme_changed_signal.subscribe(self, lambda _theme: self.preferences.theme_changed())

    def on_unmount(self) -> None:
        self.tracing.stop()
        self.judging.stop()
        self.compiling.stop()
        self.launching.stop()

    async def on_told(self, message: Told) -> None:
        await self.compiling.heard(message)
        if not self.compiling.running:
            await self.launching.introduce()

    @on(Linked)
    def _linked(self, message: Linked) -> None:
        # From here on a reader can work with the stages, and the compiler is free.
        request = self.compiling.request_of(message.compilation)
        if request is not None:
            self.tracing.start(message.compilation, request, message.links)
        self.judging.renew_if_open()

    def on_traced(self, message: Traced) -> None:
        self.tracing.heard(message)

    def on_judged(self, message: Judged) -> None:
        self.judging.heard(message)

    async def on_launch_told(self, message: LaunchTold) -> None:
        await self.launching.heard(message)

    @work(exclusive=True, group="devices")
    async def _look_for_devices(self) -> None:
        from irscope import devices

        self.bench.show_device(await asyncio.to_thread(devices.describe))

    @work(exclusive=True, group="watch")
    async def _look_for_changes(self) -> None:
        changed = await asyncio.to_thread(self.compiling.watcher.look)
        if not changed:
            return
        if self.watch_files:
            self.compiling.start(replace(self.compiling.request, fresh=False))
        else:
            self.bench.change_bar.offer(changed[0])

    # Keys, and which actions apply

    async def on_event(self, event: Event) -> None:
        """Carry out a key of the workbench's before the next one is looked at.

        Textual itself passes a key from widget to widget and does what it is bound to at the end of that; of keys
        that come in a burst, those after ``/`` would get to the pane, as the prompt is not open yet.
        """
        if isinstance(event, Key) and not event.is_forwarded and self.held_keys.take(event):
            return
        if isinstance(event, Key | Paste) and not event.is_forwarded and self.screen is self.bench:
            self.app_focus = True
            await self.bench.complete()
            if await (self._press(event) if isinstance(event, Key) else self._paste(event)):
                return
        await super().on_event(event)

    async def _press(self, key: Key) -> bool:
        prompt = self.bench.prompt
        if prompt.has_keys and key.is_printable and key.character is not None:
            prompt.type(key.character)
            return True
        bound = self.bench.active_bindings.get(key.key)
        if bound is None or not bound.enabled or not await self.run_action(bound.binding.action, bound.node):
            return False
        action = actions.find(bound.binding.action.partition("(")[0])
        if action is not None and action.opens:
            self.held_keys.begin()
        return True

    def _takes_keys(self) -> bool:
        """The screen that was asked for is there, or nobody is about to open one any more."""
        if self.screen is not self.bench:
            return self.screen.focused is not None
        return not any(worker.group in _OPENING and not worker.is_finished for worker in self.workers)

    async def _paste(self, paste: Paste) -> bool:
        prompt = self.bench.prompt
        if prompt.has_keys and paste.text:
            prompt.type(paste.text.splitlines()[0])
            return True
        return False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        known = actions.find(action)
        return True if known is None else self.applies(known.where)

    def applies(self, where: Where) -> bool:
        bench = self.bench
        match where:
            case Where.PANE:
                return bench.panes.pane is not None and bench.panes.pane.text is not None
            case Where.MACHINE:
                return bench.panes.current in ("sass", "amdgcn") and not bench.dock.in_use
            case Where.SEARCH:
                return bench.finder.active
            case Where.RESULT:
                return bench.compilation is not None
            case Where.ERROR:
                return bench.error.failure is not None and bench.error.failure.line is not None
            case Where.LAUNCHED:
                return bench.dock.is_open and bool(self.launching.differences)
            case Where.FILES:
                return SOURCE in bench.panes.panes and len(bench.source.texts) > 1
            case Where.LEAVE:
                return self._what_to_leave() is not None
            case _:
                return True

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette's list: every action that applies, and the choice of any theme."""
        for action in actions.ACTIONS:
            if action.id != "command_palette" and self.applies(action.where):
                yield SystemCommand(action.palette_title, action.tooltip, self._runs(action.command))
        yield SystemCommand("Choose a theme", "Pick any of the themes, and keep it", self.action_change_theme)

    def _runs(self, command: str) -> Callable[[], Awaitable[bool]]:
        return lambda: self.run_action(command)

    # Find

    def action_search(self) -> None:
        self.answering.ask(Ask.SEARCH, self.bench.finder.pattern)

    def action_search_all(self) -> None:
        self.answering.ask(Ask.SEARCH_ALL, self.bench.finder.pattern)

    def action_go_to_line(self) -> None:
        self.answering.ask(Ask.LINE)

    def action_next_hit(self, step: int = 1) -> None:
        if not self.bench.next_hit(step):
            self.notify(f"no hit for {self.bench.finder.pattern}")

    def action_previous_hit(self) -> None:
        self.action_next_hit(-1)

    @on(Prompt.Changed)
    def _prompt_changed(self) -> None:
        self.answering.changed()

    def action_close_prompt(self) -> None:
        self.answering.close()

    def action_answer(self) -> None:
        self.answering.answer()

    # Correlation

    def action_next_place(self, step: int = 1) -> None:
        self.bench.following.next_place(step)

    def action_previous_place(self) -> None:
        self.action_next_place(-1)

    def action_lock_pane(self) -> None:
        self._pane.toggle_lock()

    def action_next_file(self) -> None:
        self.bench.sources.show_next()

    def action_show_file(self, number: int) -> None:
        self.bench.sources.show_number(number)

    # Costs

    def action_columns(self) -> None:
        self.bench.margins.toggle()

    def action_choose_column(self, name: str | None = None) -> None:
        self.bench.margins.choose(name)

    def action_next_highest(self) -> None:
        self.bench.margins.next_highest(1)

    def action_previous_highest(self) -> None:
        self.bench.margins.next_highest(-1)

    def action_hottest(self) -> None:
        self.bench.margins.hottest()

    def action_peak(self) -> None:
        self.bench.margins.peak()

    def action_held(self) -> None:
        self.bench.margins.held()

    def action_loops(self) -> None:
        self.bench.margins.loops()

    def action_figures(self) -> None:
        self.bench.margins.list_figures()

    def action_follow_jump(self) -> None:
        self.bench.margins.follow_jump()

    def action_jump_back(self) -> None:
        self.bench.margins.jump_back()

    # Compile

    @work(exclusive=True, group="form")
    async def action_options(self) -> None:
        await self.specializing.choose_options()

    def action_save_spec(self) -> None:
        self.specializing.keep()

    def action_toggle_saved(self) -> None:
        self.specializing.toggle_saved()

    @work(exclusive=True, group="form")
    async def action_captures(self) -> None:
        await self.specializing.choose_captured()

    @work(exclusive=True, group="form")
    async def action_capture(self) -> None:
        await self.specializing.choose_captured(at_once=True)

    def action_recompile(self) -> None:
        self.compiling.start(replace(self.compiling.request, fresh=True))

    def action_dismiss_change(self) -> None:
        self.bench.change_bar.close()

    def action_go_to_error(self) -> None:
        if self.bench.error.failure is not None:
            self.bench.sources.show_place(self.bench.error.failure)

    def _what_to_leave(self) -> Callable[[], None] | None:
        """What escape does now: the first of these that there is."""
        bench = self.bench
        if bench.prompt.display:
            return self.action_close_prompt
        if self.compiling.running:
            return self._cancel
        if self.launching.running:
            return self.launching.cancel
        if (dock := bench.dock_in_use) is not None:
            return dock.leave
        if bench.error.display:
            return self._close_error
        if bench.change_bar.display:
            return bench.change_bar.close
        if bench.panes.maximised:
            return bench.panes.maximise
        if bench.finder.active:
            return bench.clear_search
        return next((dock.close for dock in bench.docks if dock.is_open), None)

    def action_leave(self) -> None:
        leave = self._what_to_leave()
        if leave is not None:
            leave()
            self.refresh_bindings()

    def _cancel(self) -> None:
        self.compiling.cancel()
        self.notify("stopped; R compiles again")
        self._trace_again()

    def _trace_again(self) -> None:
        """The edges of what is in view, which the compile that was stopped has cut short."""
        found = self.bench.compilation
        request = None if found is None else self.compiling.request_of(found)
        if found is not None and found.edges is None and request is not None and self.bench.links.indices:
            self.tracing.start(found, request, self.bench.links)

    def _close_error(self) -> None:
        self.bench.error.close()
        self.bench.focus_pane()

    # Verdicts

    async def action_verdicts(self) -> None:
        await self.judging.toggle()

    def on_verdict_panel_led(self, message: VerdictPanel.Led) -> None:
        self.judging.lead_to(message.place)

    # Launch

    async def action_launch(self) -> None:
        await self.launching.launch_in_view()

    async def action_launch_check(self) -> None:
        await self.launching.check_in_view()

    @work(exclusive=True, group="form")
    async def action_launch_inputs(self) -> None:
        await self.launching.ask_and_launch()

    async def action_launch_results(self) -> None:
        if self.bench.dock.is_open:
            self.bench.dock.close()
        elif self.launching.launch is not None:
            self.bench.dock.open(focus=True)
        elif not await self.launching.show_history():
            self.notify("this kernel was not launched yet; L launches it")

    def action_view_launched(self) -> None:
        self.launching.view_launched()

    def action_copy_launch(self) -> None:
        assert self.bench.dock.panel is not None
        self._copy(self.bench.dock.panel.to_copy)

    # Panes

    @property
    def _pane(self) -> StagePane:
        pane = self.bench.panes.pane
        assert pane is not None, "actions on a pane apply only where there is one"
        return pane

    def action_raw(self) -> None:
        self._pane.toggle_raw()

    def action_wrap(self) -> None:
        self._pane.view.wrap = not self._pane.view.wrap

    def action_maximise(self) -> None:
        if (dock := self.bench.dock_in_use) is not None:
            dock.zoom()
        else:
            self.bench.panes.maximise()

    def action_next_pane(self) -> None:
        self.bench.step(1)

    def action_previous_pane(self) -> None:
        self.bench.step(-1)

    def action_move_pane_left(self) -> None:
        self.bench.panes.move(-1)
        self.preferences.keep_panes(self.bench.panes)

    def action_move_pane_right(self) -> None:
        self.bench.panes.move(1)
        self.preferences.keep_panes(self.bench.panes)

    def action_toggle_pane(self, letter: str) -> None:
        available = self.bench.panes.available
        name = next((name for name in LETTERS[letter] if name in available), None)
        if name is None:
            self.notify(f"this pipeline has no {describe(LETTERS[letter][0]).title}")
        else:
            self.action_tab(name)

    def action_tab(self, name: str) -> None:
        """Show a pane, or hide it where it is shown."""
        self.bench.panes.toggle(name)
        self.preferences.keep_panes(self.bench.panes)

    async def action_show_box(self, number: int) -> None:
        boxes = self.bench.strip.boxes
        if number > len(boxes):
            return
        name = boxes[number - 1].name
        if name == GPU:
            await self.action_launch()
        else:
            self.bench.panes.use(name)

    # Save

    def action_copy(self) -> None:
        if (dock := self.bench.dock_in_use) is not None:
            assert dock.panel is not None
            self._copy(dock.panel.to_copy)
            return
        view = self._pane.view
        text = view.selected_text() or (view.lines[view.cursor_row] if view.lines else "")
        self._copy(text)

    def _copy(self, text: str) -> None:
        self.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self.notify(
            f"copied {lines} line{'s' if lines > 1 else ''}; if your terminal does not take it, s writes a file"
        )

    def action_save_stage(self) -> None:
        self.answering.ask_path(Ask.SAVE_STAGE, self._pane.stage)

    def action_save_bundle(self) -> None:
        self.answering.ask_path(Ask.SAVE_BUNDLE, "irscope")

    def action_screenshot_file(self) -> None:
        self.answering.ask_picture()

    # Program

    def action_help(self) -> None:
        from irscope.tui.help import HelpScreen

        self.push_screen(HelpScreen(self.preferences.settings.keys, str(config.path())))

    def action_next_theme(self) -> None:
        self.theme = self.preferences.next_theme()


def run(request: Request, *, watch: bool = False) -> int:
    """Open the TUI; the exit code of the process (0, or that of a request that nothing can be shown for)."""
    problem = ""
    try:
        settings = config.read()
    except config.InvalidConfig as error:
        settings, problem = Config(), str(error)
    app = IrscopeApp(request, watch=watch, settings=settings)
    if problem:
        app.preferences.problems.append(problem)
    # What is loaded now stays: the collector need not walk it again while somebody scrolls.
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 50)
    app.run()
    return app.return_code or 0
