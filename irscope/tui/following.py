"""Correlation on screen: the cursor of one pane says what is lit in all of them, and they follow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakSet

from textual.screen import Screen

from irscope.tui.breadcrumb import Breadcrumb
from irscope.tui.pane_row import PaneRow
from irscope.tui.pane_tabs import PaneTabs
from irscope.tui.source_files import SourceFiles
from irscope.tui.stage_pane import StagePane
from irscope.tui.stages import SOURCE

if TYPE_CHECKING:
    from irscope.tui.linking import Links


class Following:
    """Knows where the cursor was moved to last, and lights up what belongs to that row."""

    def __init__(
        self, screen: Screen[None], panes: PaneRow, sources: SourceFiles, tabs: PaneTabs, breadcrumb: Breadcrumb
    ) -> None:
        self._screen = screen
        self._panes = panes
        self._sources = sources
        self._tabs = tabs
        self._breadcrumb = breadcrumb
        self._heeded: WeakSet[StagePane] = WeakSet()
        #: Where the cursor was moved to last: view and row.
        self._origin: tuple[str, int] | None = None

        self._links: Links | None = None

    @property
    def links(self) -> Links:
        """The stages in view, joined; none until there are some."""
        if self._links is None:
            # The first frame does not wait for what this needs.
            from irscope.tui.linking import Links

            self._links = Links()
        return self._links

    def forget(self) -> None:
        """Nothing is joined any more: other stages are in view."""
        self._links = None

    def heed(self) -> None:
        """Follow the cursor of every pane, in the same frame in which it moves."""
        for pane in self._panes.all_panes():
            if pane not in self._heeded:
                self._heeded.add(pane)
                self._screen.watch(pane.view, "visited", partial(self._cursor_moved, pane), init=False)

    def _cursor_moved(self, pane: StagePane) -> None:
        pane.moved()
        if pane is self._panes.pane:
            self.follow(pane)

    def use(self, links: Links) -> None:
        """The stages are joined in another way from now on."""
        self._links = links
        if self._panes.pane is not None:
            self.follow(self._panes.pane)

    def follow(self, pane: StagePane) -> None:
        """The cursor of this pane says from now on what is lit, wherever the focus goes."""
        row = pane.row
        self._origin = None if pane.current is None or row is None else (pane.current, row)
        if self._origin is not None and pane.stage != SOURCE and not self._sources.pane.locked:
            place = self.links.correlation.location(*self._origin)
            if place is not None:
                # A helper's file too.
                self._sources.open(place.file)
        self.light(follow=True)

    def light(self, *, follow: bool) -> None:
        """Light up in every pane what came from where the cursor was moved to last.

        Panes scroll to it with ``follow``, those that have just appeared in any case, and never the one that leads.
        """
        from irscope.tui.linking import crumbs

        view, row = self._origin or (SOURCE, None)
        related = self.links.related(view, row)
        for pane in self._panes.all_panes():
            leads = self._origin == (pane.current, pane.row)
            pane.light(related, follow=(follow or pane.appeared) and not leads)
        self._tabs.count({name: self.links.count(name, rows) for name, rows in related.items()})
        self._light_expression(view, row)
        self._breadcrumb.show(
            crumbs(self.links, view, row, related, self._line(view, row)), self.links.by_line(related)
        )

    def _light_expression(self, view: str, row: int | None) -> None:
        """Set off the very expression that a stage's row came from, and the calls that inlined it."""
        from irscope.tui.linking import parts

        pane = self._sources.pane
        lineage = self.links.lineage(view, row)
        spans = [] if lineage.span is None else [lineage.span, *lineage.calls]
        lines = pane.text.raw_lines if pane.text is not None else []
        pane.view.set_spans(
            [
                part
                for span in spans
                if self._sources.key(span.file) == pane.current and not span.is_empty
                for part in parts(span, lines)
            ]
        )

    def next_place(self, step: int) -> None:
        """Go on to the next lit place in the pane in use; where it has but one, in all the others."""
        pane = self._panes.pane
        if pane is None:
            return
        if pane.places > 1:
            pane.view.next_mark(step)
            return
        for name in self._panes.shown:
            other = self._panes.panes[name]
            if other is not pane and not other.locked:
                other.view.next_mark(step)

    def _line(self, view: str, row: int | None) -> str:
        """The source line that the row belongs to, or the row's own text."""
        if row is None:
            return ""
        place = self.links.correlation.location(view, row)
        text = self._sources.text(place.file) if place is not None else None
        if place is not None and text is not None and place.line <= len(text.raw_lines):
            return text.raw_lines[place.line - 1]
        own = next((pane.texts[view] for pane in self._panes.all_panes() if view in pane.texts), None)
        lines = [] if own is None else own.lines(raw=False)
        shown = row if own is None else own.shown_row(row, raw=False)
        return lines[shown] if shown < len(lines) else ""
