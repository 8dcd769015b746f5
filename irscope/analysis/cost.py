"""What each line of Python, and each row of a stage, costs in machine instructions.

Counts are static: instructions as they stand in the code, with the loops they are in; how often a loop runs is not
known. An instruction that came from several rows (the compiler merged them, or source locations tell them not apart)
counts at each of them, and for none of them as its own. So of every stage: the rows' own instructions, those of several
rows and those of none are together all that the kernel has.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic

from irscope.analysis import amd, amd_registers, sass
from irscope.analysis.live import LiveRegisters
from irscope.analysis.machine import Machine, machine
from irscope.analysis.origins import Join, Joining, Key, Origins, Place
from irscope.analysis.sass.mix import Mix
from irscope.ir.nvinfo import DamagedCubin
from irscope.model import Compilation
from irscope.request import IrscopeError

_CONVERSION = re.compile(r"\b(?:ttg|triton_gpu)\.convert_layout\b")
#: The memories that a copy without registers moves data in.
_GLOBAL = ("global", "global to shared", "shared to global")
_SHARED = ("shared", "global to shared", "shared to global")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of some instructions. Bytes of memory are those that a warp moves when each executes once, all lanes active."""

    mix: Mix
    #: Of the kernel's instructions.
    share: float
    #: How many of them are inside a loop, and inside how many loops the innermost of them is.
    in_loops: int
    loop_depth: int
    #: Copies between the two memories count in both; ``None`` where an instruction does not say how much (TMA).
    global_bytes: int | None
    shared_bytes: int | None
    #: The highest number of live general registers of a thread; ``None`` where nobody knows it.
    registers: int | None
    #: Of one thread, by its spill code, stored and loaded.
    spill_bytes: int | None
    #: ``ttg.convert_layout`` operations that they came from; ``None`` without TTGIR.
    convert_layouts: int | None
    #: Instructions that these became, and what they move through shared memory; ``None`` where the origin is by
    #: source location, which does not tell them from the rest of their line.
    convert_layout_instructions: int | None
    convert_layout_shared_bytes: int | None

    @property
    def instructions(self) -> int:
        return self.mix.instructions

    @property
    def kinds(self) -> Mapping[str, int]:
        """Instructions by kind."""
        return self.mix.kinds

    @property
    def spills(self) -> int | None:
        """Instructions of spill code; ``None`` where nothing tells them from the program's own local memory."""
        return self.mix.spills


class RowCost:
    """Of one line or row; the figures are made when they are first asked for."""

    def __init__(self, meter: Callable[[tuple[int, ...]], Cost], numbers: list[int], own: list[int]) -> None:
        self._meter = meter
        #: Numbers of the instructions that came from here (of Python, with what the line calls), ascending; and of
        #: those that came from here alone (of Python, from the line itself).
        self.numbers = tuple(numbers)
        self.own_numbers = tuple(own)

    @cached_property
    def cost(self) -> Cost:
        return self._meter(self.numbers)

    @cached_property
    def own(self) -> Cost:
        return self._meter(self.own_numbers)


@dataclass(frozen=True, slots=True)
class StageCosts(Generic[Key]):
    """Of every row of one stage, or line of Python, that any instruction came from."""

    join: Join
    #: Why it is not exact.
    reason: str | None
    #: By row, from 0, or by file and line, ascending.
    rows: Mapping[Key, RowCost]
    #: Instructions that came from several rows, and those of which none is known.
    several: Cost
    unattributed: Cost
    #: How many instructions are joined by source location: all, or those that exact edges do not reach.
    located: int


class Costs:
    """Of one compilation. Each stage is read when it is first asked about."""

    def __init__(self, compilation: Compilation, code: Machine, live: LiveRegisters | None) -> None:
        self.code = code
        self._live = live.general if live is not None else None
        self._joining = Joining(compilation, code)
        self._has_ttgir = bool(compilation.text("ttgir"))
        self._known: dict[tuple[int, ...], Cost] = {}
        self._stages: dict[str, StageCosts[int]] = {}

    @cached_property
    def total(self) -> Cost:
        return self._cost(tuple(range(len(self.code.rows))))

    @cached_property
    def lines(self) -> StageCosts[Place]:
        """By line of Python."""
        return self._gathered(self._joining.lines())

    @property
    def by_source(self) -> Mapping[Place, RowCost]:
        """By file and line (from 1)."""
        return self.lines.rows

    def stage(self, stage: str) -> StageCosts[int]:
        """By row of a text stage: ``ttir``, ``ttgir``, any other down to the machine code."""
        if stage not in self._stages:
            self._stages[stage] = self._gathered(self._joining.rows(stage))
        return self._stages[stage]

    def rows(self, stage: str) -> Mapping[int, RowCost]:
        """By row, from 0."""
        return self.stage(stage).rows

    def _gathered(self, origins: Origins[Key]) -> StageCosts[Key]:
        everything: defaultdict[Key, list[int]] = defaultdict(list)
        own: defaultdict[Key, list[int]] = defaultdict(list)
        several: list[int] = []
        unattributed: list[int] = []
        for number, origin in enumerate(origins.of):
            for key in origin.all:
                everything[key].append(number)
            if origin.own is not None:
                own[origin.own].append(number)
            else:
                (several if origin.all else unattributed).append(number)
        rows = {key: RowCost(self._cost, everything[key], own.get(key, [])) for key in sorted(everything)}
        return StageCosts(
            origins.join, origins.reason, rows, self._cost(tuple(several)), self._cost(tuple(unattributed)),
            origins.located,
        )  # fmt: skip

    def _cost(self, numbers: tuple[int, ...]) -> Cost:
        found = self._known.get(numbers)
        if found is None:
            found = self._known[numbers] = self._measured(numbers)
        return found

    def _measured(self, numbers: tuple[int, ...]) -> Cost:
        mix = self.code.part(numbers)
        depths = [self.code.depths[number] for number in numbers]
        spills, live = self.code.spills, self._live
        converting = self._converting
        converted = [number for number in numbers if number in self._converted] if self._tells_conversions else None
        return Cost(
            mix,
            len(numbers) / len(self.code.rows) if self.code.rows else 0.0,
            sum(depth > 0 for depth in depths),
            max(depths, default=0),
            _bytes(mix, _GLOBAL),
            _bytes(mix, _SHARED),
            max(live[number] for number in numbers) if live is not None and numbers else None,
            sum(spills.get(number, 0) for number in numbers) if spills is not None else None,
            len({row for number in numbers for row in converting[number]}) if converting is not None else None,
            len(converted) if converted is not None else None,
            _bytes(self.code.part(converted), _SHARED) if converted is not None else None,
        )

    @cached_property
    def _ttgir(self) -> Origins[int] | None:
        return self._joining.rows("ttgir") if self._has_ttgir else None

    @property
    def _tells_conversions(self) -> bool:
        """Whether the instructions of a layout conversion are known apart from the rest of their line."""
        return self._ttgir is not None and self._ttgir.join != "source"

    @cached_property
    def _converted(self) -> frozenset[int]:
        """Instructions that came from layout conversions alone."""
        if self._ttgir is None or self._converting is None:
            return frozenset()
        both = zip(self._ttgir.of, self._converting, strict=True)
        return frozenset(number for number, (origin, rows) in enumerate(both) if rows and rows == origin.all)

    @cached_property
    def _converting(self) -> Sequence[tuple[int, ...]] | None:
        """By instruction, the layout conversions that it came from, as rows of the TTGIR."""
        if self._ttgir is None:
            return None
        index = self._joining.index("ttgir")
        rows = {row for row, line in enumerate(index.lines) if index.operations[row] and _CONVERSION.search(line)}
        return [tuple([row for row in origin.all if row in rows]) for origin in self._ttgir.of]


def _bytes(mix: Mix, spaces: Iterable[str]) -> int | None:
    total = 0
    for each in mix.accesses:
        if each.space in spaces:
            if each.bytes_per_warp is None:
                return None
            total += each.bytes_per_warp
    return total


def costs(compilation: Compilation, live: LiveRegisters | None = None) -> Costs | None:
    """Costs by line and by row; ``None`` where there is no machine code.

    Exact where the compilation has its edges (`irscope.exact`), else by source location.

    Args:
        live: Live registers, see `known_live_registers`; without them no cost has any.

    Raises:
        ValueError: the cubin is damaged.
    """
    code = machine(compilation)
    return Costs(compilation, code, live) if code is not None else None


def known_live_registers(compilation: Compilation) -> tuple[LiveRegisters | None, str | None]:
    """Live registers, or why there are none. May run nvdisasm, for up to half a second."""
    try:
        other = amd.read(compilation)
        return sass.live_registers(compilation) if other is None else amd_registers.live_registers(other), None
    except IrscopeError as error:
        return None, error.failure.message
    except DamagedCubin as damage:
        return None, str(damage)
