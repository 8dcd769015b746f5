"""How often operations of a kernel run in one launch, from its Triton IR and the launch's numbers.

Of the kernel only what decides that is kept: the scalar integer arithmetic behind bounds of loops and conditions
around the operations that are counted. That slice is written as a Python function, with what is known before a
program starts already worked out, and called for the programs that may differ: a grid of a million programs is
then counted within a second, which a walk over the IR for each program would not do. Its text is made of integers,
operators and our own names alone; no name or string of the IR gets into it.

A value that is not known (loaded, floating point, of an operation that is not among those below) is ``None``, and
arithmetic with ``None`` raises `TypeError`: where the count needs such a value, there is no count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from irscope.analysis.integers import CONSTANT, GLOBALS, expression_of, folded, width_of, wrapped
from irscope.ir.ssa import Block, Function, Operation, Region, parameter_names

#: Operations of the slice, over all programs, each about 40 ns: less than a second, after which there is no answer.
_LIMIT = 16_000_000

DATA = "how often it runs depends on loaded data"
SIZE = "too many different programs or iterations to count"
FORM = "it runs in a form of control flow that is not counted"


_AXIS = re.compile(r"tt\.get_(?:program_id|num_programs) ([xyz])")


class Uncertain(Exception):
    """There is no count; the message says why."""


def count(
    functions: Mapping[str, Function],
    kernel: Function,
    weights: Mapping[int, tuple[int, int]],
    arguments: Mapping[str, int],
    grid: Sequence[int],
    signature: Mapping[str, object] | None = None,
) -> list[int]:
    """Sums over one launch, by number of counter.

    ``weights`` says, by ``id`` of an `Operation`, to which counter each run of it adds how much. Raises `Uncertain`.
    """
    grid = [*grid, 1, 1, 1][:3]
    counters = 1 + max(counter for counter, _ in weights.values())
    names = parameter_names(kernel, signature)
    values = {
        parameter.value: int(arguments[name])
        for name, parameter in zip(names, kernel.parameters, strict=True)
        if isinstance(arguments.get(name), int)
    }
    writer = _Writer(functions, weights, counters, grid)
    try:
        writer.function(kernel, values)
    except (LookupError, ValueError, RecursionError) as failure:  # Text that was cut off, or edited.
        raise Uncertain(FORM) from failure
    left = _LIMIT

    def spend(operations: int) -> None:
        nonlocal left
        left -= operations
        if left < 0:
            raise Uncertain(SIZE)

    space: dict[str, object] = {**GLOBALS, "spend": spend}
    axes = [range(extent) if axis in writer.axes else range(1) for axis, extent in enumerate(grid)]
    alike = 1
    for axis, extent in enumerate(grid):
        alike *= 1 if axis in writer.axes else extent
    spend(len(axes[0]) * len(axes[1]) * len(axes[2]) * writer.costs[kernel.name])
    try:
        exec(compile(writer.text(kernel), "<slice>", "exec"), space)
        launch = space["launch"]
        assert callable(launch)
        totals = launch(*axes)
    except (TypeError, ZeroDivisionError, ValueError) as failure:  # ``None`` in arithmetic; a step of 0.
        raise Uncertain(DATA) from failure
    except (SyntaxError, NameError, RecursionError, MemoryError, OverflowError) as failure:
        # Nested deeper than Python can, or not in an order in which values are there when they are used.
        raise Uncertain(FORM) from failure
    return [total * alike for total in totals]


def _yielded(region: Region) -> list[int]:
    operations = region.blocks[-1].operations
    return operations[-1].operands if operations else []


class _Slice:
    """Of one function: the operations with something to count inside, and the values that decide about them."""

    def __init__(self, function: Function, counts: Callable[[Operation], Iterable[int] | None]) -> None:
        """``counts`` gives, for an operation to count, those of its operands that matter; ``None`` for others."""
        #: By value: what makes it, the region of it whose argument it is (``None``: a result), and its number.
        self._makers: dict[int, tuple[Operation | None, int | None, int, str]] = {}
        self._branches = [operation for block in function.body.blocks for operation in block.operations[-1:]]
        self.busy: set[int] = set()
        self.needed: set[int] = set()
        self._pending: list[int] = []
        self._visit(function.body, None, 0, counts)
        if self.busy and len(function.body.blocks) > 1:
            self._pending.extend(self._conditions())
        while self._pending:
            value = self._pending.pop()
            if value not in self.needed:
                self.needed.add(value)
                self._pending.extend(self._sources(value))

    def _visit(
        self, region: Region, parent: Operation | None, number: int, counts: Callable[[Operation], Iterable[int] | None]
    ) -> bool:
        busy = False
        for block in region.blocks:
            for position, argument in enumerate(block.arguments):
                self._makers[argument] = (parent, number, position, block.label)
            for operation in block.operations:
                for position, result in enumerate(operation.results):
                    self._makers[result] = (operation, None, position, "")
                inside = [self._visit(inner, operation, place, counts) for place, inner in enumerate(operation.regions)]
                own = counts(operation)
                if own is not None or any(inside):
                    busy = True
                    self.busy.add(id(operation))
                    self._pending.extend(own or ())
                    self._pending.extend(_control(operation))
        return busy

    def _conditions(self) -> Iterator[int]:
        return (branch.operands[0] for branch in self._branches if branch.name == "cf.cond_br")

    def _sources(self, value: int) -> list[int]:
        """What a value is made of, and what decides that."""
        operation, number, position, label = self._makers.get(value, (None, None, 0, ""))
        if operation is None:
            handed = [values for branch in self._branches for to, values in branch.successors if to == label]
            return [values[position] for values in handed] + (list(self._conditions()) if handed else [])
        name = operation.name
        if number is None:
            if name == "scf.for":
                return self._carried(operation, position)
            if name == "scf.if":
                return _control(operation) + [_yielded(region)[position] for region in operation.regions]
            if name == "scf.while":
                return [*_control(operation), _yielded(operation.regions[0])[1 + position]]
            return operation.operands if expression_of(operation) is not None else []
        if name == "scf.for":
            return _control(operation) if position == 0 else self._carried(operation, position - 1)
        if name == "scf.while" and number == 0:
            return [*_control(operation), operation.operands[position], _yielded(operation.regions[1])[position]]
        if name == "scf.while":
            return [*_control(operation), _yielded(operation.regions[0])[1 + position]]
        return operation.operands[position : position + 1] if name == "ttg.warp_specialize" else []

    def _carried(self, loop: Operation, position: int) -> list[int]:
        argument = loop.regions[0].blocks[0].arguments[1 + position]
        return [*_control(loop), argument, loop.operands[3 + position], _yielded(loop.regions[0])[position]]


def _control(operation: Operation) -> list[int]:
    """The operands that decide how often an operation's regions run."""
    if operation.name == "scf.for":
        return operation.operands[:3]
    if operation.name == "scf.if":
        return operation.operands[:1]
    return _yielded(operation.regions[0])[:1] if operation.name == "scf.while" else []


class _Writer:
    """Writes slices of functions as Python."""

    def __init__(
        self, functions: Mapping[str, Function], weights: Mapping[int, tuple[int, int]], counters: int, grid: list[int]
    ) -> None:
        self._functions = functions
        self._weights = weights
        self._counters = counters
        self._grid = grid
        self._slices: dict[str, _Slice | None] = {}
        self._done: list[str] = []
        #: Axes of the grid along which programs may differ.
        self.axes: set[int] = set()
        #: By function: its name in Python, and how many operations one run is, loops not counted.
        self.names: dict[str, str] = {}
        self.costs: dict[str, int] = {}
        self._lines: list[str] = []
        self._depth = 1
        self._slice: _Slice
        #: By value: an integer, a variable or ``None``, as Python.
        self._text: dict[int, str] = {}
        #: How often the code now being written runs, beyond the Python loops around it.
        self._times = "1"

    def text(self, kernel: Function) -> str:
        """All of it, with ``launch``, which takes the program ids of each axis."""
        counters = [f"n{number}" for number in range(self._counters)]
        sums = [f"   n{number} += r[{number}]" for number in range(self._counters)]
        launch = [
            "def launch(xs, ys, zs):",
            f" {' = '.join(counters)} = 0",
            " for z in zs:",
            "  for y in ys:",
            "   for x in xs:",
            f"    r = {self.names[kernel.name]}(x, y, z)",
            *(" " + line for line in sums),
            f" return ({', '.join(counters)},)",
        ]
        return "\n".join([*self._done, *launch])

    def _slice_of(self, function: Function) -> _Slice:
        if function.name not in self._slices:
            self._slices[function.name] = None  # A recursion ends here.
            self._slices[function.name] = _Slice(function, self._counts)
        found = self._slices[function.name]
        if found is None or not function.complete:
            raise Uncertain(FORM)
        return found

    def _counts(self, operation: Operation) -> Iterable[int] | None:
        if id(operation) in self._weights:
            return ()
        function = self._called(operation)
        if function is None:
            return None
        inside = self._slice_of(function)
        if not inside.busy:
            return None
        pairs = zip(operation.operands, function.parameters, strict=True)
        return [operand for operand, parameter in pairs if parameter.value in inside.needed]

    def _called(self, operation: Operation) -> Function | None:
        return self._functions.get(operation.symbol or "") if operation.name in ("tt.call", "call") else None

    def function(self, function: Function, values: Mapping[int, int] | None = None) -> str:
        """Write a function and those it calls, once. ``values``: of the kernel's parameters, where known."""
        if function.name in self.names:
            return self.names[function.name]
        part = self._slice_of(function)
        outer = self._lines, self._depth, self._text, self._times, getattr(self, "_slice", part)
        self._lines, self._depth, self._text, self._times, self._slice = [], 1, {}, "1", part
        parameters = []
        for parameter in function.parameters:
            if values is None:
                self._text[parameter.value] = f"v{parameter.value}"
                parameters.append(f"v{parameter.value}")
            elif parameter.value in values and (width := width_of(parameter.type)) is not None:
                self._text[parameter.value] = folded(wrapped(str(values[parameter.value]), width))
        counters = [f"n{number}" for number in range(self._counters)]
        self._line("")
        self._line(" = ".join(counters) + " = 0")
        result = f"return ({', '.join(counters)},)"
        if len(function.body.blocks) == 1:
            self._block(function.body.blocks[0])
            self._line(result)
        else:
            self._blocks(function.body.blocks, result)
        name = self.names[function.name] = f"f{len(self.names)}"
        cost = self.costs[function.name] = len(self._lines)
        if values is None:
            self._lines[0] = f" spend({cost})"
        self._done.append(f"def {name}({', '.join(['p0', 'p1', 'p2', *parameters])}):")
        self._done.extend(self._lines)
        self._lines, self._depth, self._text, self._times, self._slice = outer
        return name

    def _line(self, text: str) -> None:
        self._lines.append(" " * self._depth + text)

    def _atom(self, value: int) -> str:
        return self._text.get(value, "None")

    def _assign(self, targets: Sequence[int], sources: Sequence[int]) -> None:
        """All at once, as a block's arguments change; only those that matter."""
        pairs = [(a, b) for a, b in zip(targets, sources, strict=False) if a in self._slice.needed]
        if pairs:
            self._line(f"{', '.join(f'v{a}' for a, _ in pairs)} = {', '.join(self._atom(b) for _, b in pairs)}")
            self._text.update((a, f"v{a}") for a, _ in pairs)

    def _blocks(self, blocks: list[Block], result: str) -> None:
        """Blocks with branches between them: one is chosen each time around."""
        numbers = {block.label: number for number, block in enumerate(blocks)}
        self._text.update((a, f"v{a}") for block in blocks[1:] for a in block.arguments if a in self._slice.needed)
        self._line("b = 0")
        self._line("while True:")
        self._depth += 1
        self._line("spend(4)")
        for number, block in enumerate(blocks):
            self._line(f"if b == {number}:")
            self._depth += 1
            self._block(block)
            last = block.operations[-1] if block.operations else None
            if last is None or last.name not in ("tt.return", "cf.br", "cf.cond_br"):
                raise Uncertain(FORM)
            conditions = [""]
            if last.name == "cf.cond_br":
                conditions = [f"if {self._atom(last.operands[0])} > 0:", "else:"]
            for condition, (label, handed) in zip(conditions, last.successors, strict=False):
                if condition:
                    self._line(condition)
                self._depth += bool(condition)
                self._assign(blocks[numbers[label]].arguments, handed)
                self._line(f"b = {numbers[label]}")
                self._line("continue")
                self._depth -= bool(condition)
            if not last.successors:
                self._line(result)
            self._depth -= 1
        self._depth -= 1

    def _block(self, block: Block) -> None:
        for operation in block.operations:
            self._operation(operation)

    def _operation(self, operation: Operation) -> None:
        busy = id(operation) in self._slice.busy
        if not busy and not any(result in self._slice.needed for result in operation.results):
            return
        name = operation.name
        weight = self._weights.get(id(operation))
        function = self._called(operation)
        if weight is not None:
            self._line(f"n{weight[0]} += {self._times} * {weight[1]}")
        elif function is not None and busy:
            call = self.function(function)
            self._line(f"r = {call}({', '.join(['p0', 'p1', 'p2', *map(self._atom, operation.operands)])})")
            for number in range(self._counters):
                self._line(f"n{number} += {self._times} * r[{number}]")
        elif name == "scf.for":
            self._for(operation)
        elif name == "scf.if":
            self._if(operation)
        elif name == "scf.while":
            self._while(operation)
        elif name == "ttg.warp_specialize":
            # Each partition runs once, at the same time as the others.
            for region in operation.regions:
                self._assign(region.blocks[0].arguments, operation.operands)
                self._block(region.blocks[0])
        elif busy:
            raise Uncertain(FORM)
        else:
            self._scalar(operation)

    def _scalar(self, operation: Operation) -> None:
        value = operation.results[0]
        constant = CONSTANT.match(operation.text)
        axis = _AXIS.match(operation.text)
        if constant:
            self._text[value] = str({"true": 1, "false": 0}.get(constant[1], constant[1]))
            if self._text[value][0] == "-":
                self._text[value] = f"({self._text[value]})"
        elif axis and operation.name == "tt.get_num_programs":
            self._text[value] = str(self._grid["xyz".index(axis[1])])
        elif axis:
            self.axes.add("xyz".index(axis[1]))
            self._text[value] = f"p{'xyz'.index(axis[1])}"
        else:
            template = expression_of(operation)
            atoms = [self._atom(operand) for operand in operation.operands]
            unknown = atoms[:1] if operation.name == "arith.select" else atoms
            if template is None or "None" in unknown:
                return
            expression = template.format(*atoms)
            if any(atom[0] in "vp" for atom in atoms):
                self._line(f"v{value} = {expression}")
                self._text[value] = f"v{value}"
            else:
                self._text[value] = folded(expression)

    def _for(self, loop: Operation) -> None:
        if loop.text.startswith("scf.for unsigned"):
            raise Uncertain(FORM)
        block = loop.regions[0].blocks[0]
        bounds = [self._atom(value) for value in loop.operands[:3]]
        trips = f"len(range({', '.join(bounds)}))"
        if not any(argument in self._slice.needed for argument in block.arguments):
            # Each iteration does the same: once, times their number.
            times = f"{self._times} * {trips}"
            if all(text[0] not in "vpmN" for text in [self._times, *bounds]):
                outer, self._times = self._times, folded(times)
                if self._times != "0":
                    self._block(block)
                self._times = outer
                return
            outer, self._times = self._times, f"m{loop.row}"
            self._line(f"{self._times} = {times}")
            self._line(f"if {self._times}:")
            self._depth += 1
            self._line("pass")
            self._block(block)
            self._depth -= 1
            self._times = outer
            return
        self._assign(block.arguments[1:], loop.operands[3:])
        spend = len(self._lines)
        self._line("")
        self._line(f"for v{block.arguments[0]} in range({', '.join(bounds)}):")
        self._text[block.arguments[0]] = f"v{block.arguments[0]}"
        self._depth += 1
        self._line("pass")
        self._block(block)
        self._assign(block.arguments[1:], _yielded(loop.regions[0]))
        self._depth -= 1
        self._lines[spend] = " " * self._depth + f"spend({len(self._lines) - spend} * {trips})"
        self._assign(loop.results, block.arguments[1:])

    def _if(self, operation: Operation) -> None:
        condition = self._atom(operation.operands[0])
        regions = operation.regions
        if condition[0] not in "vpN":
            chosen = regions[:1] if condition != "0" else regions[1:]
            for region in chosen:
                self._block(region.blocks[0])
                pairs = zip(operation.results, _yielded(region), strict=False)
                self._text.update((result, self._atom(value)) for result, value in pairs)
            return
        for keyword, region in zip((f"if {condition} > 0:", "else:"), regions, strict=False):
            self._line(keyword)
            self._depth += 1
            self._line("pass")
            self._block(region.blocks[0])
            self._assign(operation.results, _yielded(region))
            self._depth -= 1

    def _while(self, loop: Operation) -> None:
        before, after = (region.blocks[0] for region in loop.regions)
        self._assign(before.arguments, loop.operands)
        self._line("while True:")
        self._depth += 1
        spend = len(self._lines)
        self._line("")
        self._block(before)
        condition, *passed = _yielded(loop.regions[0])
        self._assign(loop.results, passed)
        self._line(f"if not {self._atom(condition)} > 0: break")
        self._assign(after.arguments, passed)
        self._block(after)
        self._assign(before.arguments, _yielded(loop.regions[1]))
        self._lines[spend] = " " * self._depth + f"spend({len(self._lines) - spend})"
        self._depth -= 1
