"""Where launches are on the screen: the panel below the panes, and the last box of the strip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irscope.tui.dock import Dock
from irscope.tui.pipeline_strip import Box

if TYPE_CHECKING:
    from irscope.tui.launch_panel import LaunchPanel
    from irscope.tui.workbench import Workbench


class LaunchDock(Dock["LaunchPanel"]):
    """The launch panel, which is there from the first launch on, and what the strip says of it."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench, "launch", _panel)
        #: What the strip says of a launch; ``None``: it tells of the GPU.
        self.box: Box | None = None

    def show_box(self, box: Box | None) -> None:
        self.box = box
        self._bench.show_gpu()


def _panel() -> LaunchPanel:
    from irscope.tui.launch_panel import LaunchPanel

    return LaunchPanel()
