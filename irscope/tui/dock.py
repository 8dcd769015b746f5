"""What is docked below the panes: one panel at a time, which can have the room of the panes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from textual.widget import Widget

if TYPE_CHECKING:
    from irscope.tui.workbench import Workbench

P = TypeVar("P", bound=Widget)


class Dock(Generic[P]):
    """Opens and closes one panel, and gives it the room of the panes."""

    def __init__(self, bench: Workbench, name: str, make: Callable[[], P]) -> None:
        """``make`` is called when the panel is first needed; ``name`` distinguishes it in the style sheet."""
        self._bench = bench
        self._make = make
        #: The class of the screen while the panel has the room of the panes.
        self._alone = f"{name}-alone"
        self.panel: P | None = None

    async def have_panel(self) -> P:
        if self.panel is None:
            self.panel = self._make()
            self.panel.display = False
            await self._bench.mount(self.panel, before="#below")
        return self.panel

    @property
    def is_open(self) -> bool:
        return self.panel is not None and self.panel.display

    @property
    def in_use(self) -> bool:
        """The panel, or what is in it, has the focus."""
        return self.panel is not None and self.panel.has_focus_within

    @property
    def alone(self) -> bool:
        """It has the room of the panes."""
        return self._bench.has_class(self._alone)

    def open(self, *, focus: bool) -> None:
        """Show the panel in place of any other."""
        assert self.panel is not None
        for other in self._bench.docks:
            if other is not self:
                other.hide()
        self.panel.display = True
        self.panel.scroll_home(animate=False)
        if focus:
            self.focus()
        self._bench.call_after_refresh(self._bench.reveal)
        self._bench.app.refresh_bindings()

    def focus(self) -> None:
        if self.panel is not None:
            self._bench.set_focus(self.panel)

    def hide(self) -> None:
        """Take it off the screen; where the focus goes is for who does it."""
        if self.panel is not None:
            self.panel.display = False
            self._bench.remove_class(self._alone)

    def close(self) -> None:
        self.hide()
        self._bench.focus_pane()

    def zoom(self) -> None:
        """Take the room of the panes, or give it back."""
        self._bench.toggle_class(self._alone)

    def leave(self) -> None:
        """What escape does: one step back."""
        if self.alone:
            self.zoom()
        else:
            self.close()

    def step(self, by: int) -> bool:
        """Whether going to the next pane, or the one before, enters or leaves the panel; then that is done."""
        panes = self._bench.panes
        shown = panes.shown
        if self.panel is None or not self.is_open:
            return False
        if self.in_use:
            if not self.alone:
                panes.use(shown[0 if by > 0 else -1])
            return True
        if panes.current != shown[-1 if by > 0 else 0]:
            return False
        self.focus()
        return True
