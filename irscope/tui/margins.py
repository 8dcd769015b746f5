"""Columns on screen: what turns them on, which of them is chosen, and where its highest rows are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from irscope.tui.columns import Table, next_place, places
from irscope.tui.stage_pane import StagePane
from irscope.tui.stages import SOURCE, describe

if TYPE_CHECKING:
    from irscope.tui.code_facts import CodeFacts
    from irscope.tui.workbench import Workbench


class Margins:
    """The columns of every pane. What they need is found out in a thread, when it is first asked for."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.on = False
        self._facts: CodeFacts | None = None
        self._tables: dict[str, Table] = {}
        #: By text, the name of the column that its rows are ranked by.
        self._chosen: dict[str, str] = {}
        #: Text and row that the last step through the ranking led to.
        self._visited: tuple[str | None, int | None] = (None, None)
        #: Where jumps were followed from: pane and row.
        self._jumped_from: list[tuple[str, int]] = []
        self._lock = asyncio.Lock()

    # What is known

    def renew(self) -> None:
        """Another compilation is in view, or its edges are known by now."""
        if self._facts is None:
            return
        found = self._bench.compilation
        if found is None or found.stages is not self._facts.compilation.stages:
            self._jumped_from.clear()
        self._facts, self._tables = None, {}
        if self.on:
            self._begin(self._show_all)

    def _begin(self, job: Callable[[CodeFacts], Awaitable[None]]) -> None:
        """Do something with the facts of the compilation in view, beside the keys."""
        found = self._bench.compilation
        if found is None:
            self._bench.notify("nothing is compiled yet")
            return
        if self._facts is None or self._facts.compilation is not found:
            # The analyses load with it: not before the first frame, which needs none of them.
            from irscope.tui.code_facts import CodeFacts

            self._facts, self._tables = CodeFacts(found), {}
        facts = self._facts

        async def carried_out() -> None:
            try:
                await job(facts)
            except Exception as error:
                # The texts are on screen and readable: code that no reader of ours expected must not end that.
                self._bench.notify(f"{type(error).__name__}: {error}", title="Not analysed", severity="error")

        self._bench.run_worker(carried_out(), group="columns")

    async def _ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        """One question at a time: the next one has what the last one found out."""
        async with self._lock:
            return await asyncio.to_thread(question, *arguments)

    async def _table(self, facts: CodeFacts, view: str) -> Table:
        if facts is not self._facts:
            table: Table = await self._ask(facts.table, view)
            return table
        if view not in self._tables:
            table = await self._ask(facts.table, view)
            if facts is self._facts:
                self._tables[view] = table
            return table
        return self._tables[view]

    def _known(self, view: str) -> Table | None:
        """Its table where it is there already, and of the compilation in view."""
        current = self._facts is not None and self._facts.compilation is self._bench.compilation
        return self._tables.get(view) if current else None

    # On and off

    def toggle(self) -> None:
        if self.on:
            self._turn_off()
            for pane in self._bench.panes.all_panes():
                pane.show_columns({}, {})
        else:
            self._turn_on()

    def _turn_on(self) -> None:
        if not self.on and self._bench.compilation is not None:
            self.on = True
            self._bench.panes.have_figures(True)
            self._begin(self._show_all)

    def _turn_off(self) -> None:
        self.on = False
        self._bench.panes.have_figures(False)

    async def _show_all(self, facts: CodeFacts) -> None:
        """Columns for every pane, those on screen first."""
        if await self._ask(lambda: facts.machine) is None:
            self._turn_off()
            self._bench.notify("no columns: there is no machine code")
            return
        shown = self._bench.panes.shown
        for pane in sorted(self._bench.panes.all_panes(), key=lambda pane: pane.stage not in shown):
            tables = {name: await self._table(facts, name) for name in pane.texts}
            if not self.on or facts is not self._facts:
                return
            pane.show_columns(tables, self._chosen)
        section = await self._ask(facts.section)
        if section is not None and facts is self._facts:
            self._bench.figure_column.add(section)
            self._bench.figure_lines.add(section)

    # Rows by what they cost

    def choose(self, name: str | None = None) -> None:
        """Rank the rows of the pane in use by a column: that of the name, or the next."""
        pane = self._bench.panes.pane
        if pane is None or pane.current is None:
            return
        self._turn_on()
        table = self._known(pane.current)
        column = table.column(self._chosen.get(pane.current)) if table is not None else None
        if table is None or column is None:
            return
        names = table.ranked
        self._use(pane, name or names[(names.index(column.name) + 1) % len(names)])

    def _use(self, pane: StagePane, name: str) -> None:
        if pane.current is not None:
            self._chosen[pane.current] = name
            pane.show_columns(pane.tables, self._chosen)
            column = pane.tables[pane.current].column(name) if pane.current in pane.tables else None
            if column is not None:
                pane.tell(f"{column.name}: {column.meaning}")

    def next_highest(self, step: int) -> None:
        """Go to the row that has the next highest figure in the chosen column (-1: the one above it)."""
        pane = self._bench.panes.pane
        if pane is None or pane.current is None:
            return
        self._turn_on()
        table = self._known(pane.current)
        if table is not None:
            self._step(pane, table, step)
        else:
            self._begin(lambda facts: self._step_when_known(facts, pane, step))

    async def _step_when_known(self, facts: CodeFacts, pane: StagePane, step: int) -> None:
        if pane.current is not None:
            self._step(pane, await self._table(facts, pane.current), step)

    def _step(self, pane: StagePane, table: Table, step: int) -> None:
        column = table.column(self._chosen.get(pane.current or ""))
        ranking = [row for row in places(column) if pane.keeps(row)] if column is not None else []
        # Where the cursor came by other ways, the highest comes first.
        at = next_place(ranking, pane.row if self._visited == (pane.current, pane.row) else None, step)
        if at is None or column is None:
            self._bench.notify(table.note or f"no figures for {describe(pane.stage).title}")
            return
        pane.go_to(ranking[at])
        self._visited = (pane.current, ranking[at])
        pane.tell(f"{at + 1} of {len(ranking)}")

    def hottest(self) -> None:
        """The list of the rows that cost most."""
        pane = self._bench.panes.pane
        if pane is not None:
            self._begin(lambda facts: self._list(facts, pane))

    async def _list(self, facts: CodeFacts, pane: StagePane) -> None:
        if pane.current is None or pane.text is None:
            return
        view = pane.current
        table = await self._table(facts, view)
        column = table.column(self._chosen.get(view))
        if column is None:
            self._bench.notify(table.note or f"no figures for {describe(pane.stage).title}")
            return
        from irscope.tui.hottest import HottestLines

        title = pane.text.title or describe(pane.stage).title
        screen = HottestLines(title, table, column, pane.text.raw_lines)
        answer = await self._bench.app.push_screen_wait(screen)
        if answer is not None and view in pane.texts:
            name, row = answer
            self._turn_on()
            pane.show_text(view)
            self._use(pane, name)
            pane.go_to(row)

    # Machine code

    def peak(self) -> None:
        """Go to the next instruction where most registers are live."""
        self._begin(self._to_peak)

    async def _to_peak(self, facts: CodeFacts) -> None:
        rows: list[int] = await self._ask(lambda: facts.peak_rows)
        code = facts.machine
        if not rows or code is None or facts.live is None:
            self._bench.notify(facts.no_live or "there is no machine code")
            return
        pane = self._bench.panes.panes[code.stage]
        entered = self._bench.panes.current == code.stage
        self._bench.panes.use(code.stage)
        here = pane.row if pane.row is not None else -1
        at = next((at for at, row in enumerate(rows) if entered and row > here), 0)
        pane.go_to(rows[at])
        words = f"peak, {at + 1} of {len(rows)}: {facts.live.peak} live registers"
        pane.tell(words)
        if not self.on:
            self._bench.notify(words)

    def held(self) -> None:
        """The list of the lines whose values are live at the instruction under the cursor, elsewhere at the peak."""
        pane = self._bench.panes.pane
        row = pane.row if pane is not None and pane.stage in ("sass", "amdgcn") else None
        self._begin(lambda facts: self._list_held(facts, row))

    async def _list_held(self, facts: CodeFacts, row: int | None) -> None:
        at, table = await self._ask(facts.held, row)
        column, source = table.column(None), self._bench.source.texts.get(SOURCE)
        if column is None or source is None:
            self._bench.notify(table.note or "no line is known to have made what is live here")
            return
        from irscope.tui.hottest import HottestLines

        title = f"live at line {at + 1} of the {'SASS' if facts.compilation.target.backend == 'cuda' else 'AMDGCN'}"
        answer = await self._bench.app.push_screen_wait(HottestLines(title, table, column, source.raw_lines))
        if answer is not None:
            self._bench.panes.use(SOURCE)
            self._bench.source.show_text(SOURCE)
            self._bench.source.go_to(answer[1])

    def loops(self) -> None:
        """The tree of loops, with the curve of live registers."""
        self._begin(self._list_loops)

    async def _list_loops(self, facts: CodeFacts) -> None:
        tree = await self._ask(lambda: facts.loops)
        if tree is None:
            self._bench.notify("no loops: there is no machine code")
            return
        from irscope.tui.loop_list import LoopList

        row = await self._bench.app.push_screen_wait(LoopList(tree))
        if row is not None:
            self._bench.panes.use(tree.stage)
            self._bench.panes.panes[tree.stage].go_to(row)

    def list_figures(self) -> None:
        """Every figure that is shown, with where it comes from."""
        from irscope.tui.figure_list import FigureList

        tables = [table for pane in self._bench.panes.all_panes() for table in pane.tables.values()]
        columns = {column.name: column for table in tables for column in table.columns}
        self._bench.app.push_screen(FigureList(self._bench.figure_column.shown, list(columns.values())))

    def follow_jump(self) -> None:
        """Go to where the instruction under the cursor jumps."""
        self._begin(self._to_target)

    async def _to_target(self, facts: CodeFacts) -> None:
        pane = self._bench.panes.pane
        row = pane.row if pane is not None else None
        if pane is None or row is None:
            return
        targets = await self._ask(facts.targets, row)
        if targets:
            self._jumped_from.append((pane.stage, row))
            pane.go_to(targets[0])
        if not targets or len(targets) > 1:
            self._bench.notify(f"the first of {len(targets)} targets" if targets else "this row jumps nowhere")

    def jump_back(self) -> None:
        """Go back to where the last jump was followed from."""
        if not self._jumped_from:
            self._bench.notify("no jump was followed")
            return
        stage, row = self._jumped_from.pop()
        self._bench.panes.use(stage)
        pane = self._bench.panes.pane
        if pane is not None:
            pane.go_to(row)
