"""How many neighbouring elements of an address or a mask are known to lie together, and what would change that.

Triton chooses the width of loads and stores by an analysis of axes (`irscope.analysis.axes`). It is applied here to
Triton IR as text, so that a reader can be told why an access is narrow, and what would widen it: the analysis is run
again as if an argument were specialized.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from irscope.analysis.axes import READS, Axes, joined, power_of_two, transfer, unknown
from irscope.ir.flow import edges
from irscope.ir.ssa import Function, Operation

_ROUNDS = 16
_HEADER_ARGUMENT = re.compile(r"%[\w$.-]+: ")


@dataclass(frozen=True, slots=True)
class Assumption:
    """An argument as if it were specialized: to a multiple of ``divisibility``, or to the number ``value``."""

    divisibility: int = 1
    value: int | None = None


class Alignment:
    """The analysis of some values of one function."""

    def __init__(self, function: Function, wanted: list[int]) -> None:
        """``wanted`` are the values that will be asked for; only what they follow from is looked at."""
        self._function = function
        self._edges = list(edges(function.body))
        self._makers = {result: operation for operation in function.body.operations() for result in operation.results}
        self._sources = _sources(function)
        self._hints = _parameter_hints(function)
        reached = self._reached(wanted)
        self._operations = [
            operation
            for operation in function.body.operations()
            if operation.regions or any(result in reached for result in operation.results)
        ]

    def parameters(self, value: int) -> list[int]:
        """Positions of the function's parameters that a value follows from."""
        reached = self._reached([value])
        return [number for number, parameter in enumerate(self._function.parameters) if parameter.value in reached]

    def bases(self, address: int) -> list[int]:
        """Positions of the parameters that an address begins with: what is added to them is left aside."""
        makers = self._makers
        reached: set[int] = set()
        waiting = [address]
        while waiting:
            value = waiting.pop()
            if value not in reached:
                reached.add(value)
                maker = makers.get(value)
                if maker is not None and maker.name == "tt.addptr":
                    waiting += maker.operands[:1]
                elif maker is None or maker.name not in READS:
                    waiting += self._sources.get(value, ())
        memory = enumerate(self._function.parameters)
        return [number for number, parameter in memory if parameter.value in reached and parameter.is_memory]

    def operations(self, value: int) -> list[Operation]:
        """The operations that a value follows from, in the order of the text."""
        reached = self._reached([value])
        return [
            operation
            for operation in self._function.body.operations()
            if any(result in reached for result in operation.results)
        ]

    def from_memory(self, value: int) -> list[Operation]:
        """The loads that a value follows from: none where it is arithmetic on arguments and indices alone."""
        return [operation for operation in self.operations(value) if operation.name in READS]

    def axes(self, value: int, assumptions: Mapping[int, Assumption] | None = None) -> Axes | None:
        """What is known of a value; ``assumptions`` by a parameter's position. ``None`` where nothing can be said."""
        known: list[Axes | None] = [None] * self._function.values
        for number, parameter in enumerate(self._function.parameters):
            assumed = (assumptions or {}).get(number, Assumption())
            if assumed.value is not None:
                known[parameter.value] = Axes((1,), (power_of_two(assumed.value),), (1,), assumed.value)
            else:
                divisibility = max(self._hints.get(number, 1), assumed.divisibility)
                known[parameter.value] = Axes((1,), (divisibility,), (1,))
        for _ in range(_ROUNDS):
            before = list(known)
            for operation in self._operations:
                if operation.regions or operation.name.startswith("cf."):
                    self._join(known)
                    if operation.name == "scf.for" and operation.regions:
                        self._induction(operation, known)
                if operation.name[:4] != "scf." and operation.name != "ttg.warp_specialize":
                    axes = transfer(operation, known)
                    for result in operation.results:
                        known[result] = axes
            self._join(known)
            if known == before:
                return known[value]
        return None

    def _join(self, known: list[Axes | None]) -> None:
        for source, target in self._edges:
            maker = self._makers.get(target)
            if maker is not None and maker.name[:4] != "scf." and maker.name != "ttg.warp_specialize":
                continue  # The result of a reduction is no element of it.
            found = known[source]
            if found is not None:
                known[target] = joined(known[target], found)

    def _induction(self, loop: Operation, known: list[Axes | None]) -> None:
        if len(loop.operands) < 3 or not loop.regions[0].blocks[0].arguments:
            return  # A damaged text.
        first, step = (known[value] or unknown(1) for value in (loop.operands[0], loop.operands[2]))
        argument = loop.regions[0].blocks[0].arguments[0]
        known[argument] = Axes((1,), (math.gcd(first.divisibility[0], step.divisibility[0]),), (1,))

    def _reached(self, wanted: list[int]) -> set[int]:
        """All values that some follow from."""
        reached: set[int] = set()
        waiting = list(wanted)
        while waiting:
            value = waiting.pop()
            if value not in reached:
                reached.add(value)
                waiting += self._sources.get(value, ())
        return reached


def _sources(function: Function) -> dict[int, list[int]]:
    """By value, those that it directly follows from."""
    sources: dict[int, list[int]] = {}
    for source, target in edges(function.body):
        sources.setdefault(target, []).append(source)
    for operation in function.body.operations():
        if operation.name == "scf.for" and operation.regions:
            for argument in operation.regions[0].blocks[0].arguments[:1]:
                sources.setdefault(argument, []).extend(operation.operands[:3])
        else:
            for result in operation.results:
                sources.setdefault(result, []).extend(operation.operands)
    return sources


def _parameter_hints(function: Function) -> dict[int, int]:
    """By position, the divisibility that a parameter was specialized to."""
    starts = [match.end() for match in _HEADER_ARGUMENT.finditer(function.header)]
    hints = {}
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(function.header)], strict=True)):
        found = re.search(r"tt\.divisibility = (\d+)", function.header[start:end])
        if found:
            hints[number] = int(found[1])
    return hints
