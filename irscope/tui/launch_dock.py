"""Where launches are on the screen: the panel below the panes, and the last box of the strip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irscope.tui.pipeline_strip import Box

if TYPE_CHECKING:
    from irscope.tui.launch_panel import LaunchPanel
    from irscope.tui.workbench import Workbench

#: The class of the screen while the panel has the room of the panes.
_ALONE = "launch-alone"


class LaunchDock:
    """Opens and closes the launch panel, and gives it the room of the panes."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        #: There from the first launch on.
        self.panel: LaunchPanel | None = None
        #: What the strip says of a launch; ``None``: it tells of the GPU.
        self.box: Box | None = None

    def show_box(self, box: Box | None) -> None:
        self.box = box
        self._bench.show_gpu()

    async def have_panel(self) -> LaunchPanel:
        if self.panel is None:
            from irscope.tui.launch_panel import LaunchPanel

            self.panel = LaunchPanel()
            self.panel.display = False
            await self._bench.mount(self.panel, before="#below")
        return self.panel

    @property
    def is_open(self) -> bool:
        return self.panel is not None and self.panel.display

    @property
    def in_use(self) -> bool:
        """The panel has the focus."""
        return self.panel is not None and self.panel.has_focus

    @property
    def alone(self) -> bool:
        """It has the room of the panes."""
        return self._bench.has_class(_ALONE)

    def open(self, *, focus: bool) -> None:
        assert self.panel is not None
        self.panel.display = True
        self.panel.scroll_home(animate=False)
        if focus:
            self._bench.set_focus(self.panel)
        self._bench.app.refresh_bindings()

    def close(self) -> None:
        assert self.panel is not None
        self.panel.display = False
        self._bench.remove_class(_ALONE)
        self._bench.focus_pane()

    def zoom(self) -> None:
        """Take the room of the panes, or give it back."""
        self._bench.toggle_class(_ALONE)

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
        self._bench.set_focus(self.panel)
        return True
