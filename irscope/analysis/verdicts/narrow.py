"""What keeps an access to global memory narrow: its address, its mask, the size of its tile, or a layout.

The rules are those that Triton itself chooses the width by (`irscope.analysis.alignment`); a reason is told only where
they predict the very width that is there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from irscope.analysis.alignment import Alignment, Assumption
from irscope.analysis.axes import Axes, pointee_bits, shape_of
from irscope.analysis.verdicts import layouts
from irscope.analysis.verdicts.model import Tone
from irscope.analysis.verdicts.program import Placed, Program, count, joined
from irscope.ir import ssa
from irscope.ir.lines import Chain
from irscope.ir.ssa import Function

FULL_BITS = 128
#: What Triton specializes an integer or a pointer to.
_MULTIPLE = 16

#: Parts of the names of what a load or a store becomes in the TTGIR.
BECOMES = ("load", "store", "async_copy", "async_tma_copy", "atomic")
#: The layout of what an asynchronous copy writes.
_INTO = re.compile(r"-> (?:!ttg\.memdesc)?<(?:\d+x)+\w+, (#[\w$.-]+),")


@dataclass(frozen=True, slots=True)
class Reason:
    tone: Tone
    because: str
    advice: str | None = None


def why_narrow(
    program: Program, entry: Function | None, placed: Placed, chain: Chain, bits: int, copied: bool
) -> Reason:
    """Why no more than ``bits`` at a time."""
    operation = placed.operation
    if entry is None or not program.is_in_entry(operation):
        return Reason("unknown", "why is not looked at in a function that is not inlined")
    if operation.name not in ("tt.load", "tt.store"):
        return Reason("unknown", "why is not known: this target has no TMA, and Triton wrote the addresses itself")
    if operation.name == "tt.load":
        address, mask = operation.operands[0], operation.operands[1:2]
    else:
        address, mask = operation.operands[0], operation.operands[2:3]
    element = max(pointee_bits(operation.type) or 0, 8)
    alignment = Alignment(entry, [address, *mask])
    axes = alignment.axes(address)
    if axes is None:
        return Reason("unknown", "why is not known: the address could not be followed")
    judge = _Judge(program, entry, alignment, address, mask[0] if mask else None, element, bits, copied)
    return judge.reason(axes, shape_of(operation.type), chain)


@dataclass(slots=True)
class _Judge:
    program: Program
    entry: Function
    alignment: Alignment
    address: int
    mask: int | None
    element: int
    bits: int
    #: By cp.async, into shared memory.
    copied: bool

    def reason(self, axes: Axes, shape: tuple[int, ...], chain: Chain) -> Reason:
        by_address = axes.aligned_elements(self.element) * self.element
        by_mask = self._mask_bits({}, axes.fastest)
        threads = self._threads()
        each = math.prod(shape) // threads if threads else None
        by_tile = None if each is None else max(each, 1) * self.element
        by_layouts = self._layouts(chain, axes.fastest)
        least = min(by_layouts, key=lambda layout: by_layouts[layout], default="")
        by_layout = by_layouts.get(least)
        if by_tile is not None and by_layout is not None and by_layout > by_tile:
            by_tile = None  # Threads share elements: those of another operation's layout.
        limits = [limit for limit in (by_address, by_mask, by_tile, by_layout) if limit is not None]
        would = min(*limits, FULL_BITS)
        if would < self.bits:
            # LLVM joins loads and stores, never copies into shared memory.
            because = (
                f"irscope's reading of its address and mask allows {would} only"
                if self.copied
                else f"Triton's own rules allow {would}, and LLVM put several together"
            )
            if not self.copied and by_layout == self.bits:
                return Reason("note", f"{because}: no more than the {self._neighbours} that a thread has in {least}")
            return Reason("unknown", f"{because}; what keeps it from more is not known")
        if would > self.bits:
            return Reason("unknown", f"why is not certain, as Triton's own rules would allow {would}")
        if len(set(by_layouts.values())) > 1 and by_layout == self.bits < min(by_address, by_mask or FULL_BITS):
            each_one = joined([f"{bits} bits in {layout}" for layout, bits in by_layouts.items()])
            return Reason("note", f"each of its uses needs another layout, and Triton loads it for each: {each_one}")
        if by_address == self.bits:
            return self._about_address(axes)
        if by_mask == self.bits:
            return self._about_mask(axes)
        if by_tile == self.bits and each is not None:
            return Reason(
                "note",
                f"a tile of {count(math.prod(shape), 'element')} gives each of {threads} threads no more than "
                f"{max(each, 1)}",
                "A larger block, or fewer warps, gives a thread more neighbours to take at once.",
            )
        if shared := self._across(chain, axes.fastest):
            return Reason(
                "note",
                f"shared memory holds it along the other axis ({shared}), so that a copy can take no more than "
                f"{self._neighbours}, although its address and its mask allow more",
            )
        return Reason(
            "note",
            f"its layout {least} gives a thread no more than {self._neighbours} to take at once, although its address "
            "and its mask allow more",
        )

    @property
    def _neighbours(self) -> str:
        return count(self.bits // self.element, "neighbour")

    def _threads(self) -> int | None:
        warps = self.program.option("num_warps")
        return warps * self.program.compilation.target.warp_size if isinstance(warps, int) else None

    def _layouts(self, chain: Chain, axis: int) -> dict[str, int]:
        """By layout of what the operation became, the bits that it lets a thread take at once."""
        aliases = self.program.layouts
        found: dict[str, int] = {}
        for other in self.program.at("ttgir", chain, lambda name: any(part in name for part in BECOMES)):
            # An asynchronous copy has its addresses' layout first, and then that of shared memory. AMD's buffer
            # operations have one pointer for all, and then the layout.
            before, _, after = other.operation.type.partition(" -> ")
            layout = layouts.tensor_layout(before if "tensor<" in before else after)
            together = None if layout is None else layouts.neighbours(layout, axis, aliases)
            if layout is not None and together is not None:
                found[layouts.short(layout, aliases)] = together * self.element
        return found

    def _across(self, chain: Chain, axis: int) -> str | None:
        """The layout in shared memory of what is copied there, where its neighbours are not those in global memory."""
        for other in self.program.at("ttgir", chain, lambda name: name == "ttg.async_copy_global_to_local"):
            found = _INTO.search(other.operation.text)
            if found and layouts.first_axis(found[1], self.program.layouts) not in (None, axis):
                return found[1]
        return None

    def _address_bits(self, assumptions: dict[int, Assumption]) -> int:
        axes = self.alignment.axes(self.address, assumptions)
        return self.element * (axes.aligned_elements(self.element) if axes else 1)

    def _mask_bits(self, assumptions: dict[int, Assumption], axis: int) -> int | None:
        if self.mask is None:
            return None
        axes = self.alignment.axes(self.mask, assumptions)
        if axes is None or axis >= axes.rank:
            return None
        return axes.constancy[axis] * self.element

    def _about_address(self, axes: Axes) -> Reason:
        multiples = self._arguments(self._address_bits, self.address)
        if multiples:
            named = self._unspecialized("bad", multiples)
            if all(self._type(name).startswith("!tt.ptr") for name in multiples):
                return named
            hint = f", or say so of what is computed from it: tl.multiple_of(..., {_MULTIPLE})."
            return replace(named, advice=f"{(named.advice or '').rstrip('.')}{hint}")
        stride, multiples = self._stride()
        if stride:
            besides = f" and {joined(multiples)} {_multiple(multiples)}" if multiples else ""
            return Reason(
                "bad",
                f"nothing says that {stride} is 1{besides}, so neighbours may lie apart in memory",
                f"Pass such values, which Triton specializes (here: {self._given([stride], 1, multiples)}).",
            )
        if self.alignment.from_memory(self.address):
            return Reason("note", "its addresses follow from loaded data")
        if (alike := axes.constancy[axes.fastest]) > 1 and axes.contiguity[axes.fastest] == 1:
            return Reason("note", f"{alike} neighbouring elements of the tile are one and the same in memory")
        if max(axes.contiguity) == 1:
            return Reason(
                "bad", "neighbouring elements of the tile lie apart in memory, or are not known to lie together"
            )
        if axes.contiguity[axes.fastest] * self.element == self.bits:
            return Reason(
                "note", f"no more than {count(self.bits // self.element, 'element')} follow one another in memory"
            )
        return Reason("bad", f"the addresses are known to be multiples of {count(self.bits // 8, 'byte')} and no more")

    def _about_mask(self, axes: Axes) -> Reason:
        def bits(assumptions: dict[int, Assumption]) -> int:
            return self._mask_bits(assumptions, axes.fastest) or 0

        assert self.mask is not None
        multiples = self._arguments(bits, self.mask)
        if multiples:
            named = self._unspecialized("bad", multiples)
            return replace(named, because=f"its mask may change from one element to the next, as {named.because}")
        if self.alignment.from_memory(self.mask):
            return Reason("note", "its mask follows from loaded data")
        alike = count(self.bits // self.element, "element")
        return Reason("bad", f"its mask is only known to be the same for {alike} in a row")

    def _unspecialized(self, tone: Tone, names: list[str]) -> Reason:
        pointers = [name for name in names if self._type(name).startswith("!tt.ptr")]
        others = [name for name in names if name not in pointers]
        parts = [f"that {joined(pointers)} {_is(pointers)} aligned to {_MULTIPLE} bytes"] if pointers else []
        parts += [f"that {joined(others)} {_is(others)} {_multiple(others)}"] if others else []
        return Reason(
            tone,
            f"nothing says {' or '.join(parts)}",
            f"Pass such {'values' if others else 'tensors'}, which Triton specializes "
            f"(here: {self._given([], 1, names)}).",
        )

    def _given(self, ones: Sequence[str], one: int, multiples: Sequence[str]) -> str:
        """The options of irscope that specialize arguments so."""
        types = self.program.compilation.specialization.signature
        wanted = [*((name, one) for name in ones), *((name, _MULTIPLE) for name in multiples)]
        return " ".join(f"--arg {name}={types.get(name, 'i32')}:{value}" for name, value in wanted)

    def _stride(self) -> tuple[str | None, list[str]]:
        """The integer that would have to be 1, the last of several, and what would have to be a multiple besides."""
        names = ssa.parameter_names(self.entry, self.program.compilation.specialization.signature)
        candidates = self.alignment.parameters(self.address)
        best: tuple[int, int] | None = None
        for number in candidates:
            if self.entry.parameters[number].type in ("i32", "i64"):
                width = self._address_bits(self._if_one(number, candidates))
                if width > self.bits and (best is None or width >= best[0]):
                    best = width, number
        if best is None:
            return None, []
        width, one = best
        width = min(width, FULL_BITS)
        needed = [number for number in candidates if number != one]
        for number in candidates:
            fewer = [other for other in needed if other != number]
            if self._address_bits(self._if_one(one, fewer)) >= width:
                needed = fewer
        return names[one], [names[number] for number in needed]

    def _if_one(self, one: int, multiples: Sequence[int]) -> dict[int, Assumption]:
        return {**dict.fromkeys(multiples, Assumption(_MULTIPLE)), one: Assumption(value=1)}

    def _type(self, name: str) -> str:
        names = ssa.parameter_names(self.entry, self.program.compilation.specialization.signature)
        return self.entry.parameters[names.index(name)].type

    def _arguments(self, width: Callable[[dict[int, Assumption]], int], value: int) -> list[str]:
        """The fewest arguments that would have to be multiples for wider accesses; none where that does not help."""
        names = ssa.parameter_names(self.entry, self.program.compilation.specialization.signature)
        candidates = self.alignment.parameters(value)
        assumption = Assumption(_MULTIPLE)
        for number in candidates:
            if width({number: assumption}) > self.bits:
                return [names[number]]
        needed = list(candidates)
        if width(dict.fromkeys(needed, assumption)) <= self.bits:
            return []
        for number in candidates:
            fewer = [other for other in needed if other != number]
            if width(dict.fromkeys(fewer, assumption)) > self.bits:
                needed = fewer
        return [names[number] for number in needed]


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _multiple(names: Sequence[str]) -> str:
    return f"a multiple of {_MULTIPLE}" if len(names) == 1 else f"multiples of {_MULTIPLE}"
