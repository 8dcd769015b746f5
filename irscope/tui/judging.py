"""Verdicts, occupancy and the map of shared memory of the compilation in view, worked out beside the UI."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from irscope.client import Cancelled
from irscope.model import Compilation
from irscope.request import IrscopeError
from irscope.tui.stages import SOURCE, describe
from irscope.tui.verdict_text import Diagnosis

if TYPE_CHECKING:
    from irscope.analysis.verdicts.model import Evidence
    from irscope.tui.app import IrscopeApp
    from irscope.tui.verdict_panel import VerdictPanel


@dataclass
class Judged(Message):
    """More is known of a compilation; posted by the thread that works it out."""

    judgement: Judgement
    diagnosis: Diagnosis


class Judgement:
    """A thread that works out what there is to say of one compilation, what is quick first."""

    def __init__(self, app: IrscopeApp, compilation: Compilation, python: Path | None) -> None:
        self.compilation = compilation
        self._app = app
        self._python = python
        self._cancel = threading.Event()
        self._known = Diagnosis(unfinished=True)
        threading.Thread(target=self._work, name="irscope-verdicts", daemon=True).start()

    def stop(self) -> None:
        self._cancel.set()

    def _work(self) -> None:
        for step in (self._occupancy, self._verdicts, self._slower_verdicts, self._shared):
            if self._cancel.is_set():
                return
            self._try(step)
            if step is not self._shared:
                self._tell()
        self._known = replace(self._known, unfinished=False)
        self._tell()

    def _tell(self) -> None:
        if not self._cancel.is_set():
            self._app.post_message(Judged(self, self._known))

    def _try(self, step: Callable[[], None]) -> None:
        """One step; what goes wrong in it is told among the rest, which stays."""
        try:
            step()
        except Cancelled:
            self._cancel.set()
        except IrscopeError as error:
            self._problem(str(error.failure))
        except Exception as error:
            self._problem(f"{type(error).__name__}: {error}")

    def _problem(self, words: str) -> None:
        self._known = replace(self._known, problems=(*self._known.problems, words))

    def _occupancy(self) -> None:
        from irscope.analysis.figures import occupancy_changes, theoretical_occupancy
        from irscope.analysis.resources import resources

        found = self.compilation
        used = resources(found)
        occupancy = theoretical_occupancy(found, used)
        changes = occupancy_changes(found, used)
        self._known = replace(self._known, occupancy=occupancy, changes=[str(change) for change in changes])

    def _verdicts(self) -> None:
        from irscope.analysis.verdicts import verdicts

        self._known = replace(self._known, verdicts=verdicts(self.compilation))

    def _slower_verdicts(self) -> None:
        from irscope.analysis.verdicts import verdicts

        self._known = replace(self._known, verdicts=verdicts(self.compilation, slower=True))

    def _shared(self) -> None:
        from irscope.allocation import shared_memory

        self._known = replace(self._known, shared=shared_memory(self.compilation, self._python, cancel=self._cancel))


class Judging:
    """Has one compilation judged at a time, when somebody looks, and keeps the answer while it is in view."""

    def __init__(self, app: IrscopeApp) -> None:
        self._app = app
        self._bench = app.bench
        self._judgement: Judgement | None = None

    def stop(self) -> None:
        if self._judgement is not None:
            self._judgement.stop()
            self._judgement = None

    @property
    def panel(self) -> VerdictPanel | None:
        return self._bench.verdicts.panel

    async def toggle(self) -> None:
        """Open the panel, or close it."""
        dock = self._bench.verdicts
        if dock.is_open:
            dock.close()
            return
        await dock.have_panel()
        self.renew()
        dock.open(focus=True)

    def renew(self) -> None:
        """Judge the compilation in view, unless that is under way or done."""
        found, panel = self._bench.compilation, self.panel
        if found is None or panel is None:
            return
        # Edges that came since change nothing of it.
        if self._judgement is not None and self._judgement.compilation.stages is found.stages:
            return
        self.stop()
        panel.show(found.kernel.name, Diagnosis(unfinished=True))
        self._judgement = Judgement(self._app, found, self._app.compiling.request.python)

    def renew_if_open(self) -> None:
        if self._bench.verdicts.is_open:
            self.renew()

    def heard(self, message: Judged) -> None:
        if message.judgement is self._judgement and self.panel is not None:
            self.panel.show(message.judgement.compilation.kernel.name, message.diagnosis)

    def lead_to(self, place: Evidence) -> None:
        """Put the cursor on a place, in a pane that is shown for it; the panel stays in use."""
        bench, dock = self._bench, self._bench.verdicts
        name = place.stage if place.stage in bench.panes.panes else SOURCE
        if name not in bench.panes.available:
            self._app.notify(f"there is no {describe(name).title} to show", severity="warning")
            return
        if dock.alone:
            dock.zoom()
        if name == SOURCE and place.stage != SOURCE:
            bench.sources.open(place.stage)
        elif name == SOURCE:
            bench.source.show_text(SOURCE)
        bench.panes.use(name)
        bench.panes.panes[name].go_to(place.row)
        dock.focus()
