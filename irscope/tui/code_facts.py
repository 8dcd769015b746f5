"""What is known of a compilation's machine code, each part found out when it is first asked for.

To ask takes from milliseconds to a second (nvdisasm), so it is done in a thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from irscope import tools
from irscope.analysis import sass
from irscope.analysis.cost import Costs, costs, known_live_registers
from irscope.analysis.machine import Machine, machine
from irscope.analysis.origins import Joining
from irscope.analysis.sass import LiveRegisters
from irscope.model import Compilation
from irscope.tui.code_tables import amd_table, cost_table, sass_table
from irscope.tui.columns import Column, Table
from irscope.tui.figures import Figure, Section, about
from irscope.tui.loop_text import LoopTree, loop_tree
from irscope.tui.source_names import source_path
from irscope.tui.stages import SOURCE


class CodeFacts:
    """Of one compilation; for views without figures, and where there is no machine code, the tables are empty."""

    def __init__(self, compilation: Compilation) -> None:
        self.compilation = compilation

    @cached_property
    def machine(self) -> Machine | None:
        """The instructions with their rows, jumps and loops."""
        return machine(self.compilation)

    @cached_property
    def _live(self) -> tuple[LiveRegisters | None, str | None]:
        return known_live_registers(self.compilation)

    @property
    def live(self) -> LiveRegisters | None:
        return self._live[0]

    @cached_property
    def _costs(self) -> Costs | None:
        return costs(self.compilation, self.live)

    def table(self, view: str) -> Table:
        """The columns of a view: a stage, ``source``, or the path of another source file."""
        code, found = self.machine, self._costs
        if code is None or found is None:
            return Table((), "there is no machine code")
        if view == code.stage:
            return self._of_machine(code, found)
        if view in self.compilation.stages:
            if self.compilation.stages[view].text is None:
                return Table(())
            of_stage = found.stage(view)
            return cost_table(of_stage.rows, self._note(of_stage.join), self._warp)
        path = source_path(self.compilation) if view == SOURCE else view
        rows = {line - 1: cost for (file, line), cost in found.by_source.items() if file == path}
        return cost_table(rows, self._note(found.lines.join), self._warp)

    @property
    def _warp(self) -> str:
        return "wave" if self.compilation.target.backend == "hip" else "warp"

    def _note(self, join: str) -> str:
        return "" if join == "exact" else "joined by source line" if join == "source" else join

    def _of_machine(self, code: Machine, found: Costs) -> Table:
        read = sass.read(self.compilation)
        if read is not None:
            return sass_table(code.rows, code.flow, self.live, read.controls, self.refused or "")
        moved = cost_table(found.rows(code.stage), "", self._warp).columns
        return amd_table(code.rows, code.flow, self.live, moved, self.no_live or "")

    @property
    def no_live(self) -> str | None:
        """Why nobody knows the live registers; ``None`` where they are known."""
        return self._live[1]

    @cached_property
    def refused(self) -> str | None:
        """Why nvdisasm does not tell live registers, in one line; ``None`` where it does, or was not asked."""
        if self.compilation.target.backend != "cuda" or (self.live is not None and self.live.origin == "nvdisasm"):
            return None
        asked = "nvdisasm refuses this cubin" if any(tools.candidates("nvdisasm")) else "there is no nvdisasm"
        return self.no_live or f"{asked}: these are irscope's own"

    @property
    def peak_rows(self) -> list[int]:
        """Rows of the machine code where most general registers are live: the first of each run of instructions."""
        code, live = self.machine, self.live
        if code is None or live is None:
            return []
        reached = live.peak_instructions
        return [code.rows[number] for number in reached if number - 1 not in reached]

    def section(self) -> Section | None:
        """What the figures pane says of live registers; ``None`` where the backend has none to tell of."""
        if self.machine is None:
            return None
        if self.live is None:
            return Section("live registers", (Figure("live registers", "-"),), self.refused or self.no_live or "")
        counts = [self.live.count(number) for number in range(len(self.live.live))]
        told = about("live_registers", self.compilation, self.live.origin)
        nvidia = self.machine.stage == "sass"
        peaks = [
            Figure("peak, general" if nvidia else "peak, VGPRs", str(self.live.peak), "bold", "live peak", told),
            Figure(
                "peak, uniform" if nvidia else "peak, SGPRs", _highest(count.uniform for count in counts), about=told
            ),
        ]
        if nvidia:
            peaks.append(Figure("peak, predicates", _highest(count.predicate for count in counts), about=told))
        return Section("live registers", tuple(peaks), self.refused or "")

    def held(self, row: int | None) -> tuple[int | None, Table]:
        """Whose values are live at an instruction: the kernel's lines with a count of general registers each.

        Where ``row`` is ``None``, or no instruction is there, it is where most are live. The row that it is, too.
        """
        code, live = self.machine, self.live
        if code is None or live is None:
            return None, Table((), self.no_live or "there is no machine code")
        peaks = self.peak_rows
        at = row if row in self._numbers else peaks[0] if peaks else None
        if at is None:
            return None, Table((), "no general register is live")
        origins = Joining(self.compilation, code).lines().of
        path = source_path(self.compilation)
        counts: Counter[int] = Counter()
        for definitions in live.values(code.flow, self._numbers[at]).values():
            # What a helper in another file made counts at the line that called it.
            counts.update({line - 1 for number in definitions for file, line in origins[number].all if file == path})
        cells = {line: str(count) for line, count in counts.items()}
        return at, Table((Column("regs", "registers that hold what the line made", cells, dict(counts)),))

    @cached_property
    def loops(self) -> LoopTree | None:
        """The loops as a tree, with the curve of live registers; ``None`` where there is no machine code."""
        code = self.machine
        return None if code is None else loop_tree(self.compilation, code, self.live, self.no_live)

    def targets(self, row: int) -> tuple[int, ...]:
        """Rows that the instruction at a row may jump to."""
        code = self.machine
        if code is None or row not in self._numbers:
            return ()
        goes_to = code.flow.targets.get(self._numbers[row], ())
        return tuple(code.rows[number] for number in goes_to if number < len(code.rows))

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {} if self.machine is None else {row: number for number, row in enumerate(self.machine.rows)}


def _highest(counts: Iterable[int]) -> str:
    return str(max(counts, default=0))
