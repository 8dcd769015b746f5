"""How wide the accesses to global memory are that each load and store became, and what keeps them narrow.

The width is what the assembly says. The reason is told by the rules that Triton itself chooses the width by
(`irscope.analysis.alignment`), and only where they predict the very width that is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from irscope.analysis.alignment import Alignment, Assumption
from irscope.analysis.axes import Axes, pointee_bits, shape_of
from irscope.analysis.verdicts import accesses, layouts
from irscope.analysis.verdicts.accesses import Access
from irscope.analysis.verdicts.model import Tone, Verdict
from irscope.analysis.verdicts.program import Placed, Program, count, joined, of_chain, sentence_case
from irscope.ir import ssa
from irscope.ir.lines import Chain
from irscope.ir.ssa import Function

RULE = "vectorization"
FULL_BITS = 128
#: What Triton specializes an integer or a pointer to.
_MULTIPLE = 16

_WORDS = {"tt.load": "load", "tt.store": "store", "tt.descriptor_load": "load", "tt.descriptor_store": "store"}
_AFTERWARDS = ("load", "store", "async_copy", "async_tma_copy", "atomic")


@dataclass(frozen=True, slots=True)
class _Reason:
    tone: Tone
    because: str
    advice: str | None = None


def vectorization(program: Program) -> Iterator[Verdict]:
    lines = program.lines(program.assembly)
    if not lines:
        return
    read = accesses.of_amdgcn if program.assembly == "amdgcn" else accesses.of_ptx
    by_chain: dict[Chain, list[Access]] = {}
    locations = program.locations(program.assembly)
    for access in read(lines):
        by_chain.setdefault(locations[access.row], []).append(access)
    entry = program.entry(program.first)
    seen: set[Chain] = set()
    for placed in program.operations(program.first):
        operation = placed.operation
        chain = program.chain(program.first, operation.row)
        if operation.name not in _WORDS or chain in seen or not chain or not operation.operands:
            continue
        seen.add(chain)
        if operation.name in ("tt.load", "tt.store") and "tensor<" not in operation.type:
            continue  # One value: there is nothing to put together.
        found = of_chain(by_chain, chain)
        if found:
            yield _verdict(program, entry, placed, chain, found)


def _verdict(
    program: Program, entry: Function | None, placed: Placed, chain: Chain, found: Sequence[Access]
) -> Verdict:
    operation = placed.operation
    word = _WORDS[operation.name]
    evidence = (
        *program.source(chain, f"the {word}"),
        program.row(program.first, operation.row),
        *program.rows(program.assembly, [access.row for access in found]),
    )
    where = f"{sentence_case(program.line_of(chain))}: the {word}{_of(program, entry, placed)}"
    if all(access.way == "tile" for access in found):
        return Verdict(RULE, "good", f"{where} goes by TMA, a whole tile at a time.", None, evidence)
    widths = sorted({access.bits for access in found if access.bits is not None})
    names = joined([_count_of(found, name) for name in dict.fromkeys(access.name for access in found)])
    if widths[0] >= FULL_BITS:
        return Verdict(RULE, "good", f"{where} goes {widths[0]} bits at a time ({names}).", None, evidence)
    copied = all(access.way == "copy" for access in found)
    reason = _reason(program, entry, placed, chain, widths[0], copied)
    between = f"{widths[0]}" if len(widths) == 1 else f"{widths[0]} to {widths[-1]}"
    sentence = f"{where} goes {between} bits at a time ({names}): {reason.because}."
    shown = [*evidence]
    for other in program.at("ttgir", chain, lambda name: any(part in name for part in _AFTERWARDS))[:1]:
        if other.operation is not operation:
            shown.insert(2, program.row("ttgir", other.operation.row))
    return Verdict(RULE, reason.tone, sentence, reason.advice, tuple(shown))


def _count_of(found: Sequence[Access], name: str) -> str:
    return f"{sum(access.name == name for access in found)} x {name}"


def _of(program: Program, entry: Function | None, placed: Placed) -> str:
    """`` of a_ptr``: the parameter that the address begins with, where there is one."""
    if entry is None or not program.is_in_entry(placed.operation):
        return ""
    names = ssa.parameter_names(entry, program.compilation.specialization.signature)
    address = placed.operation.operands[0]
    bases = Alignment(entry, [address]).bases(address)
    return f" of {names[bases[0]]}" if len(bases) == 1 else ""


def _reason(program: Program, entry: Function | None, placed: Placed, chain: Chain, bits: int, copied: bool) -> _Reason:
    """Why no more than ``bits`` at a time."""
    operation = placed.operation
    if entry is None or not program.is_in_entry(operation):
        return _Reason("unknown", "why is not looked at in a function that is not inlined")
    if operation.name not in ("tt.load", "tt.store"):
        return _Reason("unknown", "why is not known: this target has no TMA, and Triton wrote the addresses itself")
    if operation.name == "tt.load":
        address, mask = operation.operands[0], operation.operands[1:2]
    else:
        address, mask = operation.operands[0], operation.operands[2:3]
    element = max(pointee_bits(operation.type) or 0, 8)
    alignment = Alignment(entry, [address, *mask])
    axes = alignment.axes(address)
    if axes is None:
        return _Reason("unknown", "why is not known: the address could not be followed")
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

    def reason(self, axes: Axes, shape: tuple[int, ...], chain: Chain) -> _Reason:
        by_address = axes.aligned_elements(self.element) * self.element
        by_mask = self._mask_bits({}, axes.fastest)
        threads = self._threads()
        each = math.prod(shape) // threads if threads else None
        by_tile = None if each is None else max(each, 1) * self.element
        layout, by_layout = self._layout(chain, axes.fastest)
        limits = [limit for limit in (by_address, by_mask, by_tile, by_layout) if limit is not None]
        would = min(*limits, FULL_BITS)
        if would < self.bits:
            # LLVM joins loads and stores, never copies into shared memory.
            because = (
                f"irscope's reading of its address and mask allows {would} only"
                if self.copied
                else f"Triton's own rules allow {would}, and LLVM put several together"
            )
            return _Reason("unknown", f"{because}; what keeps it from more is not known")
        if would > self.bits:
            return _Reason("unknown", f"why is not certain, as Triton's own rules would allow {would}")
        if by_address == self.bits:
            return self._about_address(axes)
        if by_mask == self.bits:
            return self._about_mask(axes)
        if by_tile == self.bits and each is not None:
            return _Reason(
                "note",
                f"a tile of {count(math.prod(shape), 'element')} gives each of {threads} threads no more than "
                f"{max(each, 1)}",
                "A larger block, or fewer warps, gives a thread more neighbours to take at once.",
            )
        return _Reason(
            "note",
            f"its layout {layout} gives a thread no more than {count(self.bits // self.element, 'neighbour')} to "
            "take at once, although its address and its mask allow more",
        )

    def _threads(self) -> int | None:
        warps = self.program.option("num_warps")
        return warps * self.program.compilation.target.warp_size if isinstance(warps, int) else None

    def _layout(self, chain: Chain, axis: int) -> tuple[str, int | None]:
        """The layout of what the operation became, and the bits that it lets a thread take at once."""
        aliases = self.program.layouts
        for other in self.program.at("ttgir", chain, lambda name: any(part in name for part in _AFTERWARDS)):
            # An asynchronous copy has its addresses' layout first, and then that of shared memory.
            layout = layouts.tensor_layout(other.operation.type.partition(" -> ")[0])
            found = None if layout is None else layouts.neighbours(layout, axis, aliases)
            if layout is not None and found is not None:
                return layouts.short(layout, aliases), found * self.element
        return "", None

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

    def _about_address(self, axes: Axes) -> _Reason:
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
            return _Reason(
                "bad",
                f"nothing says that {stride} is 1{besides}, so neighbours may lie apart in memory",
                f"Pass such values, which Triton specializes (here: {self._given([stride], 1, multiples)}).",
            )
        if self.alignment.from_memory(self.address):
            return _Reason("note", "its addresses follow from loaded data")
        if (alike := axes.constancy[axes.fastest]) > 1 and axes.contiguity[axes.fastest] == 1:
            return _Reason("note", f"{alike} neighbouring elements of the tile are one and the same in memory")
        if max(axes.contiguity) == 1:
            return _Reason(
                "bad", "neighbouring elements of the tile lie apart in memory, or are not known to lie together"
            )
        if axes.contiguity[axes.fastest] * self.element == self.bits:
            return _Reason(
                "note", f"no more than {count(self.bits // self.element, 'element')} follow one another in memory"
            )
        return _Reason("bad", f"the addresses are known to be multiples of {count(self.bits // 8, 'byte')} and no more")

    def _about_mask(self, axes: Axes) -> _Reason:
        def bits(assumptions: dict[int, Assumption]) -> int:
            return self._mask_bits(assumptions, axes.fastest) or 0

        assert self.mask is not None
        multiples = self._arguments(bits, self.mask)
        if multiples:
            named = self._unspecialized("bad", multiples)
            return replace(named, because=f"its mask may change from one element to the next, as {named.because}")
        if self.alignment.from_memory(self.mask):
            return _Reason("note", "its mask follows from loaded data")
        alike = count(self.bits // self.element, "element")
        return _Reason("bad", f"its mask is only known to be the same for {alike} in a row")

    def _unspecialized(self, tone: Tone, names: list[str]) -> _Reason:
        pointers = [name for name in names if self._type(name).startswith("!tt.ptr")]
        others = [name for name in names if name not in pointers]
        parts = [f"that {joined(pointers)} {_is(pointers)} aligned to {_MULTIPLE} bytes"] if pointers else []
        parts += [f"that {joined(others)} {_is(others)} {_multiple(others)}"] if others else []
        return _Reason(
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
