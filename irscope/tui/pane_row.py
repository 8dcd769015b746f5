"""The panes side by side: which there are, in what order, and which of them fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import events
from textual.containers import Horizontal
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from irscope.tui.covered import covered_lines
from irscope.tui.stage_pane import StagePane
from irscope.tui.stages import DEFAULT_SHOWN, SOURCE

#: Columns that a pane needs, its border included.
PANE_COLUMNS = 44
#: The same with figures beside the lines, so that the text is not squeezed between them.
PANE_COLUMNS_WITH_FIGURES = 52


class PaneRow(Horizontal):
    """Shows the most wanted panes, as many as fit, in the user's order.

    ``wanted`` lists the panes that are switched on, the most recently used first: a smaller terminal
    hides the least recently used one, and a larger one brings it back.
    """

    class Arranged(Message):
        """Other panes are on screen than before, or another one is in use.

        ``entered``: by a key, so that the view may move; under a mouse pointer it must not.
        """

        def __init__(self, *, entered: bool) -> None:
            super().__init__()
            self.entered = entered

    def __init__(self, order: Sequence[str] = (), wanted: Sequence[str] = ()) -> None:
        super().__init__(id="panes")
        self.available: tuple[str, ...] = ()
        self.order: list[str] = list(order)
        self.wanted: list[str] = list(wanted) or list(DEFAULT_SHOWN)
        self.current = SOURCE
        self.maximised = False
        self._pane_columns = PANE_COLUMNS
        self.panes: dict[str, StagePane] = {}

    def render_lines(self, crop: Region) -> list[Strip]:
        return covered_lines(self, crop)

    @property
    def fit(self) -> int:
        return max(1, self.size.width // self._pane_columns)

    def have_figures(self, on: bool) -> None:
        """There are figures beside the lines from now on, or none: each pane needs more room, or less."""
        columns = PANE_COLUMNS_WITH_FIGURES if on else PANE_COLUMNS
        if columns != self._pane_columns:
            self._pane_columns = columns
            self._want(self.current)
            self.lay_out()

    @property
    def shown(self) -> list[str]:
        """The panes on screen, left to right."""
        if self.maximised:
            return [self.current]
        chosen = [name for name in self.wanted if name in self.available][: self.fit]
        return [name for name in self.in_order() if name in chosen] or [self.current]

    @property
    def pane(self) -> StagePane | None:
        """The pane in use."""
        return self.panes.get(self.current)

    def in_order(self) -> list[str]:
        """All panes that there are, left to right."""
        known = [name for name in self.order if name in self.available]
        # A stage that the user never moved stands after the stage that precedes it in the pipeline.
        for position, name in enumerate(self.available):
            if name not in known:
                before = self.available[position - 1] if position else None
                known.insert(known.index(before) + 1 if before in known else 0, name)
        return known

    async def set_available(self, names: Sequence[str]) -> None:
        """Have a pane for each of these stages, in this order where the user chose none."""
        if tuple(names) == self.available:
            return
        self.available = tuple(names)
        for name in [name for name in self.panes if name not in names]:
            await self.panes.pop(name).remove()
        had_focus = self.pane is not None and self.pane.view.has_focus
        if self.current not in names or self.current not in self.wanted:
            # The source stands alone until there are stages; who switched it off sees it no longer than that.
            self.current = next((name for name in self.wanted if name in names), names[0])
        new = [StagePane(name) for name in names if name not in self.panes]
        for pane in new:
            pane.display = False
            self.panes[pane.stage] = pane
        await self.mount_all(new)
        self._sort()
        self.lay_out(focus=had_focus)

    def _sort(self) -> None:
        for position, name in enumerate(self.in_order()):
            if self.children[position] is not self.panes[name]:
                self.move_child(self.panes[name], before=position)

    def lay_out(self, *, focus: bool = False, entered: bool = False) -> None:
        """Put on screen what should be there; the pane in use is always among them."""
        if self.current in self.available and self.current not in self.shown:
            self.current = self.shown[0]
        shown = self.shown
        for name, pane in self.panes.items():
            pane.set_class(name == self.current, "current")
            if pane.display != (name in shown):
                pane.display = pane.appeared = name in shown
            if name in shown:
                pane.load()
        if focus and (pane_in_use := self.pane) is not None:
            self.screen.set_focus(pane_in_use.view)
        self.post_message(self.Arranged(entered=entered))

    def on_resize(self, event: events.Resize) -> None:
        had_focus = self.pane is not None and self.pane.view.has_focus
        if self.current in self.wanted:
            self._want(self.current)
        self.lay_out(focus=had_focus)

    def use(self, name: str) -> None:
        """Show a pane and put the focus into it."""
        if name in self.available:
            self._want(name)
            self.current = name
            self.lay_out(focus=True, entered=True)

    def noticed_focus(self, name: str) -> None:
        """The user clicked into a pane, or tabbed to it."""
        if name in self.available and name != self.current:
            self._want(name)
            self.current = name
            self.lay_out()

    def _want(self, name: str) -> None:
        if name in self.wanted:
            self.wanted.remove(name)
        self.wanted.insert(0, name)

    def do_without(self, name: str) -> None:
        """Take a pane that has nothing to show off the screen; the first of the others comes into use."""
        if name in self.shown and len(self.available) > 1:
            self.wanted = [other for other in self.wanted if other != name]
            self.use(next((other for other in self.wanted if other in self.available), self.available[1]))

    def toggle(self, name: str) -> None:
        """Hide a pane that is on screen (not the last one), show one that is not."""
        shown = self.shown
        if name not in shown:
            self.maximised = False
            self.use(name)
        elif len(shown) > 1:
            # What did not fit stays off: hiding a pane is to make room, not to bring in another.
            self.wanted = [other for other in self.wanted if other in shown and other != name]
            if self.current == name:
                self.current = self.wanted[0]
            self.lay_out(focus=True)

    def step(self, by: int) -> None:
        """Go to the next pane on screen; where one alone fits, to the next that there is."""
        names = self.shown if len(self.shown) > 1 else self.in_order()
        if self.current in names:
            self.use(names[(names.index(self.current) + by) % len(names)])

    def move(self, by: int) -> None:
        """Move the pane in use past its neighbour on screen."""
        shown, order = self.shown, self.in_order()
        if len(shown) < 2:
            shown = order
        target = shown.index(self.current) + by
        if 0 <= target < len(shown):
            neighbour = shown[target]
            order.remove(self.current)
            order.insert(order.index(neighbour) + (by > 0), self.current)
            self.order = order + [name for name in self.order if name not in order]
            self._sort()
            self.lay_out(focus=True)

    def maximise(self) -> None:
        self.maximised = not self.maximised
        self.lay_out(focus=True)

    def all_panes(self) -> Iterable[StagePane]:
        return (self.panes[name] for name in self.in_order() if name in self.panes)
