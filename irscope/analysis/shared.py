"""A map of a kernel's shared memory: every buffer with its place, its owner in TTGIR, and when it is in use.

Triton decides the offsets on the way from TTGIR to LLVM IR and notes them as ``allocation.offset`` on the operations
(`irscope.worker.allocation` gets at them). Sizes it notes only since 3.9, and not those of ``ttg.local_alloc``: the
others come from asking it to place that operation alone. Rows are those of the raw TTGIR text, from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from irscope import ir
from irscope.analysis.allocated import FILE, Owner, owners
from irscope.analysis.lifetimes import Lifetimes, Span
from irscope.ir import ssa
from irscope.ir.lines import UNMAPPED, Chain, CleanText

Kind = Literal["data", "barrier", "scratch"]

_TOTAL = re.compile(r"\bttg\.shared = (\d+)")
_COLUMNS = re.compile(r"\bttg\.tensor_memory_size = (\d+)")
_COLUMN = re.compile(r"\btensor_memory_col_offset = (\d+)")
_LANE = re.compile(r"\btensor_memory_row_offset = (\d+)")
_NAME = re.compile(r"\s*%([A-Za-z_][\w$.-]*?)(?:_\d+)?(?::\d+)? = ")
_MEMORY = re.compile(r"!ttg\.memdesc<(.*)>$")


@dataclass(frozen=True, slots=True)
class Buffer:
    """One stretch of shared memory and the operation that it is for.

    ``data`` is what ``ttg.local_alloc`` asks for, a ``barrier`` is one of those that is made an mbarrier, ``scratch``
    is what an operation needs while it runs (layout conversion, reduction, scan, ...).
    """

    #: In bytes from the start of the block's shared memory; ``None`` where nothing tells.
    offset: int | None
    #: ``None`` where nothing tells.
    bytes: int | None
    kind: Kind
    #: The operation, ``ttg.local_alloc`` or the one whose scratch it is.
    operation: str
    #: The Python name that the operation's result has in the text, where it has one.
    name: str | None
    #: What is stored: shape, element type and layout of a buffer of data, the type of a scratch's operation.
    type: str
    row: int
    #: Where in the Python files the operation comes from.
    source: Chain
    #: The rows of its function in which it is in use. One stretch, unless warps are specialized.
    live: tuple[Span, ...]
    #: For a buffer of a function that is not inlined: the rows of the calls, the kernel's own first.
    calls: tuple[int, ...] = ()

    @property
    def end(self) -> int | None:
        return None if self.offset is None or self.bytes is None else self.offset + self.bytes

    def shares_space_with(self, other: Buffer) -> bool:
        """Whether some byte belongs to both. False where an offset or a size is not known."""
        if self.offset is None or other.offset is None or self.end is None or other.end is None:
            return False
        return self.offset < other.end and other.offset < self.end

    def is_live_with(self, other: Buffer) -> bool:
        """Whether there is a row in which both are in use."""
        depth = 0
        while depth < min(len(self.calls), len(other.calls)) and self.calls[depth] == other.calls[depth]:
            depth += 1
        return any(one.overlaps(two) for one in self._live_in(depth) for two in other._live_in(depth))

    def _live_in(self, depth: int) -> tuple[Span, ...]:
        """Rows of the function that is so many calls inside the kernel."""
        return (Span(self.calls[depth], self.calls[depth]),) if depth < len(self.calls) else self.live


@dataclass(frozen=True, slots=True)
class TensorMemory:
    """A buffer in Blackwell's tensor memory, which is no shared memory: columns of 32 bits in 128 lanes."""

    first_column: int
    first_lane: int
    type: str
    row: int
    source: Chain


@dataclass(frozen=True, slots=True)
class SharedMemory:
    """The shared memory of one block (AMD: its LDS)."""

    #: By offset, then by row.
    buffers: tuple[Buffer, ...]
    #: Bytes of a block, as Triton places these buffers; ``None`` where it was not asked.
    total: int | None
    #: ``shared`` in the metadata of the kernel's compile, in bytes; ``None`` where there is no metadata.
    metadata_total: int | None
    tensor_memory: tuple[TensorMemory, ...] = ()
    tensor_memory_columns: int | None = None
    #: Why this is not the whole map, in one line; ``None``: it is.
    incomplete: str | None = None

    def sharing(self, buffer: Buffer) -> tuple[Buffer, ...]:
        """The other buffers that have some byte of this one."""
        return tuple(other for other in self.buffers if other is not buffer and buffer.shares_space_with(other))

    def live_at(self, row: int) -> tuple[Buffer, ...]:
        """The buffers in use in a row of TTGIR, a call's own ones included."""
        return tuple(
            buffer for buffer in self.buffers if row in buffer.calls or any(row in span for span in buffer.live)
        )

    def clashes(self) -> list[tuple[Buffer, Buffer]]:
        """Pairs that share bytes and are in use at the same time: a correct map has none."""
        return [
            (one, other)
            for number, one in enumerate(self.buffers)
            for other in self.buffers[number + 1 :]
            if one.shares_space_with(other) and one.is_live_with(other)
        ]


def without_locations(ttgir: str) -> CleanText:
    """The text to ask the worker about."""
    return ir.clean("ttgir", ttgir)


def shared_memory(ttgir: str, allocated: str, sizes: Mapping[str, int], metadata: Mapping[str, Any]) -> SharedMemory:
    """The map, from TTGIR, what the worker made of `without_locations` of it, and the sizes of `owners` alone."""
    clean = without_locations(ttgir)
    chains = ir.index("ttgir", ttgir).chains
    functions = ssa.functions("\n".join(clean.lines))
    found = owners(allocated)
    lives = {name: Lifetimes(function, clean.lines) for name, function in functions.items()}
    frames: dict[str, list[Buffer]] = {}
    calls: dict[str, list[tuple[str, Buffer]]] = {}
    for owner in found:
        life = lives.get(owner.function)
        for buffer in _buffers(owner, clean, chains, functions.get(owner.function), life, sizes):
            if owner.operation == "tt.call" and owner.callee:
                calls.setdefault(owner.function, []).append((owner.callee, buffer))
            else:
                frames.setdefault(owner.function, []).append(buffer)
    entry = ssa.entry(functions)
    buffers = list(_placed(entry.name, frames, calls)) if entry is not None else []
    total = _number(_TOTAL, allocated)
    told = metadata.get("shared")
    least = metadata.get("min_shared_mem")
    if total is not None and isinstance(least, int):
        total = max(total, least)
    incomplete = None
    if total is None:
        incomplete = "Triton did not say how much it allocates"
    elif told is not None and told != total:
        incomplete = f"Triton's metadata say {told} bytes, and its allocation, run again, {total}"
    elif unknown := sorted({buffer.operation for buffer in buffers if buffer.bytes is None}):
        incomplete = f"this Triton does not tell the size of what {', '.join(unknown)} needs"
    return SharedMemory(
        buffers=_in_order(buffers),
        total=total,
        metadata_total=told,
        tensor_memory=tuple(_tensor_memory(allocated, clean, chains)),
        tensor_memory_columns=_number(_COLUMNS, allocated),
        incomplete=incomplete,
    )


def from_ttgir_alone(ttgir: str, metadata: Mapping[str, Any], reason: str) -> SharedMemory:
    """What TTGIR itself tells, with no Triton to ask: which buffers there are and when they are in use.

    ``reason`` is why there is no more, in one line.
    """
    clean = without_locations(ttgir)
    chains = ir.index("ttgir", ttgir).chains
    entry = ssa.entry(ssa.functions("\n".join(clean.lines)))
    buffers: list[Buffer] = []
    if entry is not None:
        life = Lifetimes(entry, clean.lines)
        for operation in life.operations:
            if operation.name == "ttg.local_alloc":
                owner = Owner(entry.name, operation.name, operation.type, operation.row, (None,), None, None, None)
                buffers.extend(_buffers(owner, clean, chains, entry, life, {}))
    return SharedMemory(_in_order(buffers), None, metadata.get("shared"), incomplete=reason)


def _in_order(buffers: Sequence[Buffer]) -> tuple[Buffer, ...]:
    return tuple(sorted(buffers, key=lambda buffer: (buffer.offset or 0, buffer.row)))


def _buffers(owner: Owner, clean: CleanText, chains: Sequence[Chain], function: ssa.Function | None,
             life: Lifetimes | None, sizes: Mapping[str, int]) -> Iterator[Buffer]:  # fmt: skip
    row = owner.row if owner.row is not None and owner.row < len(clean.lines) else None
    if owner.operation == "tt.func" and function is not None:
        row = next((row for row, line in enumerate(clean.lines) if line.strip() == function.header), None)
    raw = 0 if row is None else clean.raw_row(row)
    operation = None
    if life is not None:
        operation = next((op for op in life.operations if op.row == row and op.name == owner.operation), None)
    kind: Kind = "data" if owner.operation == "ttg.local_alloc" else "scratch"
    if life is None or operation is None or row is None:
        # Of the function itself, or made by a later pass: nothing tells less than the whole function.
        live = _whole(function, clean) if function is not None else ()
    elif kind == "data":
        live = life.of_allocation(operation)
        kind = "barrier" if life.initialized_as_barrier(operation) else kind
    else:
        live = life.of_scratch(operation)
    size = owner.bytes if owner.bytes is not None else sizes.get(owner.alone or "")
    memory = _MEMORY.match(owner.type)
    named = None if row is None else _NAME.match(clean.lines[row])
    for offset in owner.offsets:
        yield Buffer(
            offset=offset,
            bytes=None if size is None else size // len(owner.offsets),
            kind=kind,
            operation=owner.operation,
            name=named[1] if named else None,
            type=memory[1] if memory else owner.type,
            row=raw,
            source=chains[raw] if row is not None else UNMAPPED,
            live=tuple(Span(clean.raw_row(span.first), clean.raw_row(span.last)) for span in live),
        )


def _whole(function: ssa.Function, clean: CleanText) -> tuple[Span, ...]:
    rows = [operation.row for operation in function.body.operations()]
    return (Span(min(rows), max(rows)),) if rows else ()


def _placed(function: str, frames: Mapping[str, list[Buffer]], calls: Mapping[str, list[tuple[str, Buffer]]],
            depth: int = 0) -> Iterator[Buffer]:  # fmt: skip
    """The buffers of a function and of those it calls, whose offsets count from where the call puts them."""
    yield from frames.get(function, ())
    for callee, call in calls.get(function, ()) if depth < 50 else ():
        for buffer in _placed(callee, frames, calls, depth + 1):
            offset = None if buffer.offset is None or call.offset is None else call.offset + buffer.offset
            yield replace(buffer, offset=offset, calls=(call.row, *buffer.calls))


def _tensor_memory(allocated: str, clean: CleanText, chains: Sequence[Chain]) -> Iterator[TensorMemory]:
    if "ttng.tmem_alloc" not in allocated:
        return
    index = ir.index("ttgir", allocated)
    for line, chain in zip(index.lines, index.chains, strict=True):
        column, lane = _COLUMN.search(line), _LANE.search(line)
        if column is None or lane is None or not chain or not chain[0].file.endswith(FILE):
            continue
        raw = clean.raw_row(chain[0].line - 1)
        type_ = _MEMORY.search(clean.lines[chain[0].line - 1])
        yield TensorMemory(int(column[1]), int(lane[1]), type_[1] if type_ else "", raw, chains[raw])


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return None if found is None else int(found[1])
