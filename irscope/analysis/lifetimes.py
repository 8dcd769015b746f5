"""When each buffer of shared memory is in use: the rows of TTGIR between its first and its last mention.

As Triton's own allocation counts it: a buffer is one stretch of the text, from where the memory is allocated to the
last use of it or of a view of it, and what is used in a loop but comes from outside is needed to the loop's end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from irscope.ir import flow
from irscope.ir.ssa import Function, Operation, Region

_LOOPS = frozenset({"scf.for", "scf.while", "ttg.warp_specialize"})


@dataclass(frozen=True, slots=True)
class Span:
    """Rows from 0, both included."""

    first: int
    last: int

    def __contains__(self, row: int) -> bool:
        return self.first <= row <= self.last

    def overlaps(self, other: Span) -> bool:
        return self.first <= other.last and other.first <= self.last


class Lifetimes:
    """Rows in which the shared memory of one function is in use."""

    def __init__(self, function: Function, lines: list[str]) -> None:
        self._lines = lines
        self.operations = list(function.body.operations())
        #: By value: the allocations (their values) it may be a view of.
        self._sources: dict[int, set[int]] = {}
        self._rows: dict[int, set[int]] = {}
        self._loops = [self.span(op) for op in self.operations if op.name in _LOOPS]
        self._loops += _backward_branches(function.body)
        self._follow(function.body)
        self._note_rows(function.body)
        self._partitions = [_spans(op, self.span(op)) for op in self.operations if op.name == "ttg.warp_specialize"]

    def span(self, operation: Operation) -> Span:
        """The rows of an operation, with those of its regions and the bracket that closes them."""
        last = operation.row
        for region in operation.regions:
            last = max([last, *(self.span(inner).last for inner in region.operations())])
        if operation.regions:
            while last + 1 < len(self._lines) and not self._lines[last].lstrip().startswith("}"):
                last += 1
        return Span(operation.row, last)

    def of_allocation(self, operation: Operation) -> tuple[Span, ...]:
        """Rows in which the memory that ``ttg.local_alloc`` gives is in use."""
        value = operation.results[0]
        first = last = operation.row
        for alias, sources in self._sources.items():
            if value in sources:
                rows = self._rows.get(alias, set())
                defined = min(rows, default=operation.row)
                first = min(first, defined)
                last = max([last, *(self._until(defined, row) for row in rows)])
        return self._with_other_partitions(operation, Span(first, last))

    def of_scratch(self, operation: Operation) -> tuple[Span, ...]:
        """Rows of an operation that needs memory only while it runs."""
        if operation.name == "ttg.warp_specialize":
            # What it hands to its warps: they take it before they begin.
            return (Span(operation.row, operation.row),)
        return self._with_other_partitions(operation, self.span(operation))

    def initialized_as_barrier(self, operation: Operation) -> bool:
        """Whether some view of an allocation is made an mbarrier."""
        value = operation.results[0]
        return any(
            op.name.endswith("init_barrier") and any(value in self._sources.get(used, ()) for used in op.operands)
            for op in self.operations
        )

    def _until(self, defined: int, used: int) -> int:
        ends = [loop.last for loop in self._loops if used in loop and defined not in loop]
        return max([used, *ends])

    def _with_other_partitions(self, operation: Operation, own: Span) -> tuple[Span, ...]:
        """Warps that are specialized run at the same time: what one of them uses is in use in the others' rows too."""
        for partitions in self._partitions:
            if any(operation.row in part for part in partitions):
                return (own, *(part for part in partitions if operation.row not in part))
        return (own,)

    def _note_rows(self, region: Region) -> None:
        """The rows of each value that may be memory: of its definition, and of its uses."""
        for operation in region.operations():
            for value in operation.operands:
                if value in self._sources:
                    self._rows.setdefault(value, set()).add(operation.row)
            for value in operation.results:
                if value in self._sources:
                    self._rows.setdefault(value, set()).add(operation.row)
            for inner in operation.regions:
                for block in inner.blocks:
                    for value in block.arguments:
                        if value in self._sources:
                            self._rows.setdefault(value, set()).add(operation.row)

    def _follow(self, body: Region) -> None:
        """Find every value that is a view of an allocation. Loops hand values on to themselves: until it settles."""
        handed: list[tuple[int, int]] = list(flow.edges(body))
        for operation in self.operations:
            if operation.name == "ttg.local_alloc":
                for value in operation.results:
                    self._sources[value] = {value}
            else:
                handed.extend(_views(operation))
        changed = True
        while changed:
            changed = False
            for source, value in handed:
                found = self._sources.get(source)
                if found and not found <= self._sources.get(value, set()):
                    self._sources[value] = self._sources.get(value, set()) | found
                    changed = True


def _views(operation: Operation) -> Iterator[tuple[int, int]]:
    """Operand and result of an operation that hands memory on, as a view of it or as it is."""
    _, arrow, after = operation.text.rpartition(" -> ")
    results = after if arrow else operation.text.rpartition(" : ")[2]
    if operation.regions or "memdesc<" not in results:
        return
    if not arrow and len(operation.results) == len(operation.operands):
        yield from zip(operation.operands, operation.results, strict=True)
        return
    for operand in operation.operands:
        for result in operation.results:
            yield operand, result


def _backward_branches(region: Region) -> Iterator[Span]:
    """Loops that are branches to a block further up, as rows."""
    starts = {block.label: block.operations[0].row for block in region.blocks if block.operations}
    for block in region.blocks:
        for operation in block.operations:
            for label, _ in operation.successors:
                if starts.get(label, operation.row + 1) <= operation.row:
                    yield Span(starts[label], operation.row)


def _spans(operation: Operation, whole: Span) -> list[Span]:
    """The rows of each region of an operation."""
    rows = [min(inner.row for inner in region.operations()) for region in operation.regions if any(region.operations())]
    ends = [row - 1 for row in rows[1:]] + [whole.last]
    return [Span(first, last) for first, last in zip(rows, ends, strict=True)]
