"""The terminal UI of irscope: the app compiles what is asked for and carries out every action."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from irscope import config
from irscope.config import Config
from irscope.model import Compilation, Failure
from irscope.request import (
    Event,
    Finished,
    KernelFound,
    Request,
    Specialized,
    StageFinished,
    StageStarted,
    WorkerStarted,
)
from irscope.tui import actions
from irscope.tui.actions import Where
from irscope.tui.header import words_of_request
from irscope.tui.pipeline_strip import GPU
from irscope.tui.prompt import Ask, Prompt
from irscope.tui.runner import Ended, Happened, Runner
from irscope.tui.saving import as_path, suggested_name, write_stage
from irscope.tui.stage_pane import StagePane
from irscope.tui.stage_text import StageText
from irscope.tui.stages import LETTERS, SOURCE, describe
from irscope.tui.themes import THEMES
from irscope.tui.watcher import Watcher
from irscope.tui.workbench import Workbench

DEFAULT_THEME = "irscope-dark"
_WATCH_SECONDS = 1.0


class IrscopeApp(App[int], inherit_bindings=False):
    """Shows one compilation and makes the next; all that a user can do is in `irscope.tui.actions`."""

    TITLE = "irscope"
    CSS_PATH = "irscope.tcss"
    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings())

    def __init__(self, request: Request, *, watch: bool = False, settings: Config | None = None) -> None:
        super().__init__()
        self.settings = settings or Config()
        self.request = request
        self.watch_files = watch
        self.bench = Workbench(request, self.settings.panes, self.settings.shown)
        #: What is to be said once there is a screen to say it on.
        self.problems: list[str] = []
        self.runner = Runner(self.post_message)
        self.watcher = Watcher()
        for theme in THEMES:
            self.register_theme(theme)
        wanted = self.settings.theme or DEFAULT_THEME
        if problem := self.why_not_theme(wanted):
            self.problems.append(problem)
        self.theme = DEFAULT_THEME if problem else wanted
        # A pane's own letter for its end is one of ours.
        self.set_keymap({"code.last_letter": "ctrl+end", **self.settings.keys})

    def get_default_screen(self) -> Screen[None]:
        return self.bench

    @on(Workbench.Ready)
    async def _begin(self) -> None:
        await self.bench.complete()
        self.compile(self.request)
        self._look_for_devices()
        for problem in self.problems:
            self.notify(problem, severity="warning", title="Configuration")
        self.set_interval(_WATCH_SECONDS, self._look_for_changes)
        self.theme_changed_signal.subscribe(self, lambda _theme: self._theme_changed())

    def on_unmount(self) -> None:
        self.runner.stop()

    # Compiling

    def compile(self, request: Request) -> None:
        """Answer a request; what is in view stays until there is something better."""
        self.request = request
        self.bench.error.close()
        self.bench.change_bar.close()
        self.bench.breadcrumb.begin("opening")
        self.runner.start(request)
        self.refresh_bindings()

    @on(Happened)
    async def _happened(self, message: Happened) -> None:
        if self.runner.is_current(message):
            await self._follow(message.event, message.texts)

    async def _follow(self, event: Event, texts: dict[str, StageText]) -> None:
        bench = self.bench
        match event:
            case WorkerStarted():
                bench.breadcrumb.begin("loading Triton")
            case KernelFound(kernel=kernel) if bench.compilation is None:
                bench.header.show(*words_of_request(replace(self.request, kernel=kernel.name)))
                bench.show_kernel(kernel)
            case Specialized():
                await bench.plan(event.pipeline)
            case StageStarted(name=name):
                bench.strip.start(name)
                bench.breadcrumb.begin(f"compiling {describe(name).title}")
            case StageFinished(stage=stage):
                bench.add_stage(stage, texts)
            case Finished():
                await self._finished(event.compilation, texts, stored=event.stored)

    async def _finished(self, found: Compilation, texts: dict[str, StageText], *, stored: bool) -> None:
        self.watcher.watch(found.sources)
        before = self.bench.compilation
        if found.failure is not None and before is not None and before.failure is None:
            self.bench.keep(found.failure, found.log)
        else:
            came_from = "from the store" if self.request.path.suffix == ".py" else "from a file"
            await self.bench.show(found, texts, origin=came_from if stored else "")

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        if not self.runner.is_current(message):
            return
        self.runner.running = False
        self.bench.restore()
        if message.failure is not None:
            self._unanswered(message.failure, message.exit_code)
        self.refresh_bindings()

    def _unanswered(self, failure: Failure, exit_code: int) -> None:
        """There is no compilation to show for the request."""
        if self.bench.compilation is not None:
            self.bench.keep(failure, failure.detail or "")
        elif self.request.path.is_dir() and self.request.kernel is None:
            self.action_options()
        elif failure.kind == "usage" and not (self.request.path.suffix == ".py" and self.request.path.is_file()):
            self.exit(exit_code, return_code=exit_code, message=f"irscope: {failure}")
        else:
            self.bench.show_unanswered(failure)

    @work(exclusive=True, group="devices")
    async def _look_for_devices(self) -> None:
        from irscope import devices

        self.bench.show_device(await asyncio.to_thread(devices.describe))

    @work(exclusive=True, group="watch")
    async def _look_for_changes(self) -> None:
        changed = await asyncio.to_thread(self.watcher.look)
        if not changed:
            return
        if self.watch_files:
            self.compile(replace(self.request, fresh=False))
        else:
            self.bench.change_bar.offer(changed[0])

    # Which actions apply

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        known = actions.find(action)
        return True if known is None else self.applies(known.where)

    def applies(self, where: Where) -> bool:
        bench = self.bench
        match where:
            case Where.PANE:
                return bench.panes.pane is not None and bench.panes.pane.text is not None
            case Where.SEARCH:
                return bench.finder.active
            case Where.RESULT:
                return bench.compilation is not None
            case Where.ERROR:
                return bench.error.failure is not None and bench.error.failure.line is not None
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
        self.bench.prompt.open(Ask.SEARCH, self.bench.finder.pattern)

    def action_search_all(self) -> None:
        self.bench.prompt.open(Ask.SEARCH_ALL, self.bench.finder.pattern)

    def action_go_to_line(self) -> None:
        self.bench.prompt.open(Ask.LINE)

    def action_next_hit(self, step: int = 1) -> None:
        if not self.bench.next_hit(step):
            self.notify(f"no hit for {self.bench.finder.pattern}")

    def action_previous_hit(self) -> None:
        self.action_next_hit(-1)

    @on(Prompt.Changed)
    def _prompt_changed(self, event: Prompt.Changed) -> None:
        if event.ask in (Ask.SEARCH, Ask.SEARCH_ALL):
            found = self.bench.search(event.text, everywhere=event.ask is Ask.SEARCH_ALL)
            self.bench.prompt.remark(found, bad=found == "no hit")

    @on(Prompt.Closed)
    def _prompt_closed(self, event: Prompt.Closed) -> None:
        if event.ask in (Ask.SEARCH, Ask.SEARCH_ALL):
            self.bench.clear_search()
        self.bench.focus_pane()

    @on(Prompt.Submitted)
    def _prompt_submitted(self, event: Prompt.Submitted) -> None:
        problem = self._answered(event.ask, event.text)
        if problem:
            self.bench.prompt.remark(problem, bad=True)
            return
        self.bench.prompt.close()
        self.bench.focus_pane()

    def _answered(self, ask: Ask, text: str) -> str:
        """Do what was asked; why it cannot be done, or nothing."""
        match ask:
            case Ask.SEARCH | Ask.SEARCH_ALL:
                found = self.bench.search(text, everywhere=ask is Ask.SEARCH_ALL)
                if text and not self.bench.next_hit(1):
                    return found
                self.refresh_bindings()
            case Ask.LINE:
                if not text.strip().isdigit():
                    return "a number"
                self.bench.go_to_line(int(text))
            case _:
                return self._save(ask, text)
        return ""

    # Correlation

    def action_next_place(self, step: int = 1) -> None:
        self.bench.next_place(step)

    def action_previous_place(self) -> None:
        self.bench.next_place(-1)

    def action_lock_pane(self) -> None:
        self._pane.toggle_lock()

    def action_next_file(self) -> None:
        names = list(self.bench.source.texts)
        here = self.bench.source.current
        self.bench.show_file((names.index(here) + 1) % len(names) if here in names else 0)

    def action_show_file(self, number: int) -> None:
        self.bench.show_file(number)

    # Compile

    @work(exclusive=True, group="form")
    async def action_options(self) -> None:
        from irscope import session
        from irscope.request import IrscopeError
        from irscope.tui.form import OptionsForm

        found = self.bench.compilation
        path = self.request.path
        if found is not None and path.suffix != ".py" and not path.is_dir():
            path = Path(found.kernel.file)
        try:
            kernels = await asyncio.to_thread(session.kernels, path) if path.exists() else []
        except IrscopeError as error:
            self.notify(str(error.failure), severity="error", title="This file cannot be read")
            return
        if not kernels:
            self.notify(f"no kernel in {path.name} to compile anew", severity="warning")
            return
        request = await self.push_screen_wait(OptionsForm(self.request, kernels, found))
        if request is not None:
            self.compile(request)

    def action_recompile(self) -> None:
        self.compile(replace(self.request, fresh=True))

    def action_dismiss_change(self) -> None:
        self.bench.change_bar.close()

    def action_go_to_error(self) -> None:
        if self.bench.error.failure is not None:
            self.bench.show_place(self.bench.error.failure)

    def _what_to_leave(self) -> Callable[[], None] | None:
        """What escape does now: the first of these that there is."""
        bench = self.bench
        if bench.prompt.display:
            return bench.prompt.action_close
        if self.runner.running:
            return self._cancel
        if bench.error.display:
            return self._close_error
        if bench.change_bar.display:
            return bench.change_bar.close
        if bench.panes.maximised:
            return bench.panes.maximise
        return bench.clear_search if bench.finder.active else None

    def action_leave(self) -> None:
        leave = self._what_to_leave()
        if leave is not None:
            leave()
            self.refresh_bindings()

    def _cancel(self) -> None:
        self.runner.stop()
        self.bench.restore()
        self.notify("stopped; R compiles again")

    def _close_error(self) -> None:
        self.bench.error.close()
        self.bench.focus_pane()

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
        self.bench.panes.maximise()

    def action_next_pane(self) -> None:
        self.bench.panes.step(1)

    def action_previous_pane(self) -> None:
        self.bench.panes.step(-1)

    def action_move_pane_left(self) -> None:
        self.bench.panes.move(-1)
        self._keep_panes()

    def action_move_pane_right(self) -> None:
        self.bench.panes.move(1)
        self._keep_panes()

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
        self._keep_panes()

    def action_show_box(self, number: int) -> None:
        boxes = self.bench.strip.boxes
        if number > len(boxes):
            return
        name = boxes[number - 1].name
        if name == GPU:
            self.notify(self.bench.device or "there is no CUDA device on this machine", title="GPU")
        else:
            self.bench.panes.use(name)

    # Save

    def action_copy(self) -> None:
        view = self._pane.view
        text = view.selected_text() or (view.lines[view.cursor_row] if view.lines else "")
        self.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self.notify(
            f"copied {lines} line{'s' if lines > 1 else ''}; if your terminal does not take it, s writes a file"
        )

    def action_save_stage(self) -> None:
        self.bench.prompt.open(Ask.SAVE_STAGE, suggested_name(self.bench.compilation, self._pane.stage))

    def action_save_bundle(self) -> None:
        assert self.bench.compilation is not None
        self.bench.prompt.open(Ask.SAVE_BUNDLE, suggested_name(self.bench.compilation, "irscope"))

    def action_screenshot_file(self) -> None:
        self.bench.prompt.open(Ask.SCREENSHOT, suggested_name(self.bench.compilation, "svg"))

    def _save(self, ask: Ask, answer: str) -> str:
        """Write a file; why it could not be written, or nothing."""
        if not answer.strip():
            return "a path"
        path, found = as_path(answer), self.bench.compilation
        try:
            if ask is Ask.SAVE_BUNDLE and found is not None:
                from irscope import session

                session.save(found, path)
            elif ask is Ask.SCREENSHOT:
                path.write_text(self.export_screenshot(), encoding="utf-8")
            else:
                pane = self._pane
                stage = found.stages.get(pane.stage) if found else None
                write_stage(path, stage, pane.text.text if pane.text else "")
        except OSError as error:
            return str(error)
        self.notify(f"wrote {path.absolute()}")
        return ""

    # Program

    def action_help(self) -> None:
        from irscope.tui.help import HelpScreen

        self.push_screen(HelpScreen(self.settings.keys, str(config.path())))

    def action_next_theme(self) -> None:
        names = [theme.name for theme in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]

    def why_not_theme(self, name: str) -> str | None:
        if name not in self.available_themes:
            return f"there is no theme {name}"
        if os.environ.get("NO_COLOR") and "ansi" in name:
            return f"{name} is unreadable under NO_COLOR"
        return None

    def _theme_changed(self) -> None:
        problem = self.why_not_theme(self.theme)
        if problem is not None:
            self.notify(problem, severity="warning")
            # Known as the one in use, so that the file keeps what the user has there.
            self.settings = replace(self.settings, theme=DEFAULT_THEME)
            self.theme = DEFAULT_THEME
        elif self.theme != self.settings.theme:
            self.settings = replace(self.settings, theme=self.theme)
            self._keep({"theme": self.theme})

    def _keep_panes(self) -> None:
        panes = self.bench.panes
        self._keep({"panes": panes.in_order(), "shown": list(panes.wanted)})

    @work(exclusive=True, group="config")
    async def _keep(self, changes: Mapping[str, str | list[str]]) -> None:
        """Write to the configuration file; a file that cannot be written is worth a remark, no more."""
        try:
            await asyncio.to_thread(config.write, changes)
        except (OSError, config.InvalidConfig) as error:
            self.notify(f"not kept: {error}", severity="warning")


def run(request: Request, *, watch: bool = False) -> int:
    """Open the TUI; the exit code of the process (0, or that of a request that nothing can be shown for)."""
    problem = ""
    try:
        settings = config.read()
    except config.InvalidConfig as error:
        settings, problem = Config(), str(error)
    app = IrscopeApp(request, watch=watch, settings=settings)
    if problem:
        app.problems.append(problem)
    # What is loaded now stays: the collector need not walk it again while somebody scrolls.
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 50)
    app.run()
    return app.return_code or 0
