"""What the app launches: the launch of the kernel in view, and what every step of it puts on screen."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from irscope import session
from irscope.events import Event, WorkerStarted
from irscope.model import Compilation, Failure, Kernel, Specialization, Target
from irscope.request import IrscopeError, Request
from irscope.tui.form_values import MAIN_OPTIONS, type_in_view
from irscope.tui.launch_run import Ended, LaunchRun, LaunchTold
from irscope.tui.pipeline_strip import GPU, Box, State

if TYPE_CHECKING:
    from irscope.launch.model import Launch, LaunchRequest, Site
    from irscope.tui.app import IrscopeApp
    from irscope.tui.launch_panel import LaunchPanel


class Launching:
    """Runs one launch at a time, and keeps what the user said about how, by kernel."""

    def __init__(self, app: IrscopeApp) -> None:
        self._app = app
        self._bench = app.bench
        self._run: LaunchRun | None = None
        self._settings: dict[tuple[str, str | None], LaunchRequest] = {}
        #: The file's own launches as far as they are known, by file and kernel.
        self.sites: dict[tuple[str, str | None], tuple[Site, ...]] = {}
        #: A compilation of a bundle's whose launches were shown already.
        self._introduced: Compilation | None = None
        #: The request that shows what ran, and that before it.
        self._viewed: tuple[Request, Request] | None = None
        #: How many launches there were.
        self.count = 0

    @property
    def running(self) -> bool:
        return self._run is not None

    @property
    def panel(self) -> LaunchPanel | None:
        return self._bench.dock.panel

    @property
    def launch(self) -> Launch | None:
        """The launch in view."""
        return self.panel.shown.launch if self.panel is not None else None

    @property
    def differences(self) -> tuple[str, ...]:
        """In what the launch in view was compiled otherwise than what is in the panes."""
        return self.panel.shown.differences if self.panel is not None and self._bench.dock.is_open else ()

    @property
    def _asked(self) -> Request:
        """What the user asked to compile.

        Where what ran was compiled to be looked at, that is what was asked for before: the next launch is as the
        last one was, and takes what the file's own code gives.
        """
        asked = self._app.compiling.request
        if self._viewed is not None and replace(asked, fresh=False) == self._viewed[0]:
            return self._viewed[1]
        return asked

    def request_in_view(self) -> LaunchRequest | None:
        """The launch of the kernel in view, with its options and what was said of its last launch.

        ``None`` where no kernel of a Python file is in view.
        """
        from irscope.launch.model import LaunchRequest

        asked, found = self._asked, self._bench.compilation
        if asked.path.suffix != ".py" and found is not None:
            chosen = found.specialization
            said = [name for name in names_of(found.kernel, constexpr=False) if chosen.provenance.get(name) == "given"]
            asked = replace(
                given(asked, found.kernel, chosen),
                path=Path(found.kernel.file),
                arguments={name: type_in_view(name, chosen) for name in said},
            )
        elif asked.kernel is None and found is not None:
            asked = replace(asked, kernel=found.kernel.name)
        if asked.path.suffix != ".py":
            return None
        if asked.kernel is None:
            # Nothing is compiled yet; where the file cannot be read, the launch says so.
            with contextlib.suppress(IrscopeError):
                asked = session.with_kernel(asked)
        kept = self._settings.get(key_of(asked)) or LaunchRequest(asked)
        return replace(kept, compile=replace(asked, timeout=kept.compile.timeout or asked.timeout))

    def request_to_launch(self) -> LaunchRequest | None:
        """The launch of the kernel in view; ``None`` after saying why there can be none now."""
        if self.running:
            self._app.notify("a launch is running; escape cancels it", severity="warning")
            return None
        request = self.request_in_view()
        if request is None:
            self._app.notify("there is no kernel in view; o chooses one", severity="warning")
        return request

    async def launch_in_view(self) -> None:
        request = self.request_to_launch()
        if request is not None:
            await self.start(request)

    async def check_in_view(self) -> None:
        """Launch and check in Triton's interpreter, this once; without a GPU, run there alone."""
        request = self.request_to_launch()
        if request is None:
            return
        if self._bench.device is None:
            await self.start(replace(request, interpret=True), keep=False)
        else:
            await self.start(replace(request, check="interpreter", interpret=False), keep=False)

    async def ask_and_launch(self) -> None:
        """Launch as the form is answered; call it from a worker of Textual's, which may wait for a screen."""
        from irscope.tui.launch_form import LaunchForm

        request = self.request_to_launch()
        if request is None:
            return
        if self._bench.device is None:
            request = replace(request, interpret=True)
        sites = self.sites.get(key_of(request.compile), ())
        answer = await self._app.push_screen_wait(LaunchForm(request, self._bench.compilation, self.launch, sites))
        if answer is not None:
            await self.start(answer)

    async def start(self, request: LaunchRequest, *, keep: bool = True) -> None:
        """Launch; the panel shows it from now on. ``keep``: the next launch of the kernel is like it."""
        asked = request.compile
        if keep:
            self._settings[key_of(asked)] = request
        self.count += 1
        panel = await self._bench.dock.have_panel()
        panel.change(
            kernel=asked.kernel or asked.path.name,
            launch=None,
            earlier=self.history(),
            failure=None,
            phase="starting",
            started=monotonic(),
            differences=(),
            note="",
        )
        self._bench.dock.open(focus=True)
        self._bench.dock.show_box(Box(GPU, State.COMPILING, size="launching", brief="launching", started=monotonic()))
        self._run = LaunchRun(self._app, request)
        self._app.refresh_bindings()

    def stop(self) -> None:
        """Irscope is being left."""
        if self._run is not None:
            self._run.stop()
            self._run.wait()
            self._run = None

    def cancel(self) -> None:
        """Give up what runs, and say so on screen."""
        if self._run is None:
            return
        self._run.stop()
        self._run = None
        assert self.panel is not None
        self.panel.change(phase=None, note="cancelled; L launches again")
        launch = self.launch
        self._bench.dock.show_box(box_of(launch) if launch is not None else None)

    async def heard(self, message: LaunchTold) -> None:
        if message.run is not self._run:
            return
        if isinstance(message.news, Ended):
            self._end(message.news.failure)
        else:
            self._step(message.run.request.compile, message.news)

    def _step(self, asked: Request, event: Event) -> None:
        from irscope.launch.run import LaunchFinished, Phase, Prepared, SitesFound, Timed

        panel = self.panel
        assert panel is not None
        match event:
            case WorkerStarted():
                panel.change(phase="loading Triton and torch")
            case Phase():
                counted = f", {event.done or 0} of {event.total}" if event.total else ""
                panel.change(phase=f"{event.name}{counted}")
            case SitesFound(sites=sites):
                self.sites[key_of(asked)] = sites
            case Prepared(launch=launch):
                panel.change(launch=launch)
            case Timed(launch=launch):
                panel.change(launch=launch)
            case LaunchFinished(launch=launch):
                panel.change(launch=launch)
                if launch.sites:
                    self.sites[key_of(asked)] = launch.sites
        if isinstance(event, Prepared | Timed | LaunchFinished):
            self.compare()

    def _end(self, failure: Failure | None) -> None:
        self._run = None
        panel = self.panel
        assert panel is not None
        panel.change(phase=None, failure=failure)
        if failure is None:
            assert panel.shown.launch is not None
            self._bench.dock.show_box(box_of(panel.shown.launch))
        elif self._bench.device is None and failure.kind == "missing":
            self._bench.dock.show_box(None)
        else:
            self._bench.dock.show_box(Box(GPU, State.FAILED, size="failed", brief="failed"))
        self._app.refresh_bindings()

    # What is in view beside what was launched

    def compare(self) -> None:
        """Say whether what was launched is what is in view."""
        from irscope.tui import launch_text

        panel, found = self.panel, self._bench.compilation
        if panel is None:
            return
        launch = panel.shown.launch
        differences: tuple[str, ...] = ()
        if launch is not None and found is not None and found.failure is None and found.kernel.name == launch.kernel:
            differences = tuple(launch_text.differences(launch, found.kernel, found.specialization, str(found.target)))
        if differences != panel.shown.differences:
            panel.change(differences=differences)
            self._app.refresh_bindings()

    def view_launched(self) -> None:
        """Compile and show what was launched, as if the user had given it."""
        launch, found = self.launch, self._bench.compilation
        if launch is None or found is None:
            return
        asked = self._app.compiling.request
        ran, kernel = launch.specialization, found.kernel
        types = {name: type_in_view(name, ran) for name in names_of(kernel, constexpr=False)}
        made = replace(
            given(asked, kernel, ran),
            path=Path(launch.file),
            target=Target.parse(launch.device.arch) if launch.device is not None else found.target,
            arguments={name: text for name, text in types.items() if text},
        )
        self._viewed = (made, self._asked)
        self._app.compiling.start(made)

    # The history

    def history(self) -> tuple[Launch, ...]:
        """The launches of the kernel in view, oldest first: those kept here, and those that its bundle brought."""
        from irscope.launch import history

        found, request = self._bench.compilation, self.request_in_view()
        if found is not None:
            return history.of(found)
        if request is None or request.compile.kernel is None:
            return ()
        return history.load(str(request.compile.path), request.compile.kernel)

    async def show_history(self, *, focus: bool = True) -> bool:
        """Show the last launch of the kernel in view, and those before; whether there is one."""
        kept = self.history()
        if not kept:
            return False
        panel = await self._bench.dock.have_panel()
        panel.change(kernel=kept[-1].kernel, launch=kept[-1], earlier=kept[:-1], failure=None, differences=(), note="")
        self._bench.dock.open(focus=focus)
        self.compare()
        return True

    async def introduce(self) -> None:
        """A compilation came into view: what a bundle says of its launches is shown with it."""
        found = self._bench.compilation
        if self.running:
            return
        launch = self.launch
        self.compare()
        if launch is None or found is None or found.kernel.name != launch.kernel or self.differences:
            self._bench.dock.show_box(None)
        else:
            self._bench.dock.show_box(box_of(launch))
        if found is not None and found.launches and found is not self._introduced:
            self._introduced = found
            self._bench.dock.show_box(box_of(found.launches[-1]))
            if not self._bench.has_class("low"):
                await self.show_history(focus=False)


def given(base: Request, kernel: Kernel, chosen: Specialization) -> Request:
    """A request for a kernel's very constants and main options, as if the user had given them; not for its types."""
    constants = [name for name in names_of(kernel, constexpr=True) if name in chosen.constexprs]
    options = {name: str(chosen.options[name]) for name in MAIN_OPTIONS if chosen.options.get(name) is not None}
    return replace(
        base,
        kernel=kernel.name,
        signature=None,
        arguments={},
        constants={name: repr(chosen.constexprs[name]) for name in constants},
        options={**base.options, **options},
        configuration=None,
        fresh=False,
    )


def names_of(kernel: Kernel, *, constexpr: bool) -> list[str]:
    return [parameter.name for parameter in kernel.parameters if parameter.constexpr is constexpr]


def key_of(request: Request) -> tuple[str, str | None]:
    return str(request.path.absolute()), request.kernel


def box_of(launch: Launch) -> Box | None:
    """The strip's last box after a launch; ``None`` where nothing was timed on a GPU."""
    from irscope.tui.launch_text import brief_time

    if launch.timing is None:
        return None
    words = brief_time(launch.timing.median)
    return Box(GPU, State.DONE, size=words, brief=words)
