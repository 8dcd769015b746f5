"""A search over one pane or over all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from irscope.tui.stage_pane import StagePane


class Finder:
    """What is searched for, and where the next hit is."""

    def __init__(self) -> None:
        self.pattern = ""
        self.everywhere = False
        self._counts: dict[str, int] = {}

    @property
    def active(self) -> bool:
        return bool(self.pattern)

    def begin(self, pattern: str, panes: Sequence[StagePane], *, everywhere: bool) -> str:
        """Search the panes; what was found, in words."""
        self.pattern, self.everywhere = pattern, everywhere
        self._counts = {pane.stage: pane.find(pattern) for pane in panes}
        if not pattern:
            return ""
        total, where = sum(self._counts.values()), sum(map(bool, self._counts.values()))
        hits = "no hit" if not total else "1 hit" if total == 1 else f"{total:,} hits"
        return f"{hits} in {where} panes" if everywhere and where > 1 else hits

    def clear(self, panes: Sequence[StagePane]) -> None:
        self.pattern, self._counts = "", {}
        for pane in panes:
            pane.find("")

    def step(self, by: int, panes: Sequence[StagePane], current: StagePane, use: Callable[[str], None]) -> bool:
        """Go to the next hit (-1: the one before), from pane to pane if all are searched; false if there is none."""
        if not self.everywhere:
            if current.stage not in self._counts:
                # Another pane is in use since: the search moves there.
                self._counts = {current.stage: current.find(self.pattern)}
            return current.view.next_hit(by) is not None
        before = current.view.cursor_row
        row = current.view.next_hit(by) if self._counts.get(current.stage) else None
        others = self._after(panes, current, by)
        wrapped = row is None or (row < before if by > 0 else row > before)
        if wrapped and others:
            target = others[0]
            current.view.go_to(before)
            use(target.stage)
            target.find(self.pattern)
            # Backwards too: the hit before the first row's first column is, round the end, the last one.
            target.view.cursor_row = 0
            return target.view.next_hit(by) is not None
        return row is not None

    def _after(self, panes: Sequence[StagePane], current: StagePane, by: int) -> list[StagePane]:
        """The other panes that have hits, in the direction of the search from the one in use."""
        ordered = list(panes)
        at = ordered.index(current)
        around = ordered[at + 1 :] + ordered[:at]
        if by < 0:
            around.reverse()
        return [pane for pane in around if self._counts.get(pane.stage)]
