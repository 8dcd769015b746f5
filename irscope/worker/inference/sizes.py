"""Sizes that must agree are solved together: constexprs for which the kernel's shapes fit. One entry: `agree`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .shape_values import Conflict, OutOfSteps
from .shapes import conflicts

#: Readings of the kernel in one search, whatever the time.
MAX_READINGS = 400
#: How far apart what compiles and what is merely nice are.
HARD = 100

SIZES = (16, 32, 64, 128, 256, 8, 4, 2, 1, 512, 1024)


@dataclass(frozen=True)
class Size:
    value: Any
    #: The line that wants it.
    evidence: str


def agree(
    function: Any,
    constants: Mapping[str, Any],
    free: Collection[str],
    resolve: Callable[[Any, str], Any],
    types: Mapping[str, str] | None = None,
    seconds: float = 0.1,
) -> dict[str, Size]:
    """Values of ``free`` constexprs that make the kernel's shapes fit, those alone that differ from ``constants``.

    ``constants`` has a value for every constexpr, ``types`` the signature of run-time parameters, and
    ``resolve(function, name)`` gives the jit function that a name means. What cannot be mended stays as it is.
    """
    if not free:
        return {}
    search = _Search(function, dict(constants), frozenset(free), resolve, dict(types or {}), time.monotonic() + seconds)
    return search.run()


class _Search:
    """From the guesses on to the neighbour with the fewest conflicts, never twice to the same values."""

    def __init__(
        self, function: Any, constants: dict[str, Any], free: frozenset[str], resolve: Callable[[Any, str], Any],
        types: dict[str, str], end: float,
    ) -> None:  # fmt: skip
        self.function = function
        self.guessed = constants
        self.free = free
        self.resolve = resolve
        self.types = types
        self.end = end
        self.trees: dict[int, Any] = {}
        self.readings = 0

    def conflicts(self, constants: Mapping[str, Any]) -> list[Conflict]:
        self.readings += 1
        return conflicts(self.function, constants, self.types, self.resolve, self.trees)

    def run(self) -> dict[str, Size]:
        reasons: dict[str, str] = {}
        try:
            current, found = self.guessed, self.conflicts(self.guessed)
            best, least = current, self.cost(current, found)
            seen = {key(current)}
            while found and time.monotonic() < self.end and self.readings < MAX_READINGS:
                following = self.next(current, found, seen)
                if following is None:
                    break
                before = current
                current, found, conflict = following
                why = f"{'sizes that must agree' if len(conflict.sizes) > 1 else 'what compiles'}: {conflict.what}"
                reasons |= {name: why for name in conflict.names if current[name] != before[name]}
                seen.add(key(current))
                if (cost := self.cost(current, found)) < least:
                    best, least = current, cost
        except (OutOfSteps, RecursionError):
            return {}
        return {
            name: Size(best[name], reasons.get(name, "sizes that must agree: with the others"))
            for name in sorted(self.free)
            if best[name] != self.guessed[name]
        }

    def next(
        self, current: dict[str, Any], found: list[Conflict], seen: set[str]
    ) -> tuple[dict[str, Any], list[Conflict], Conflict] | None:
        """The best of the values that mend one of the conflicts, the first that can be mended at all."""
        for conflict in sorted(found, key=lambda conflict: conflict.soft):
            tried: list[tuple[tuple[int, int, float], dict[str, Any], list[Conflict]]] = []
            for candidate in self.candidates(current, conflict):
                if key(candidate) in seen:
                    continue
                if time.monotonic() > self.end and tried:
                    break
                left = self.conflicts(candidate)
                tried.append((self.cost(candidate, left), candidate, left))
                if not left:
                    break
            if tried:
                _, candidate, left = min(tried, key=lambda entry: entry[0])
                return candidate, left, conflict
        return None

    def candidates(self, current: dict[str, Any], conflict: Conflict) -> Iterator[dict[str, Any]]:
        names = sorted(conflict.names & self.free)
        if conflict.most is not None:
            # The larger one has more to give.
            names.sort(key=lambda name: -current[name] if isinstance(current[name], int) else 0)
        for name in names:
            value = current[name]
            for literal in conflict.literals:
                if (type(literal) is not int or type(value) not in (int, bool)) and literal != value:
                    yield {**current, name: literal}
            if isinstance(value, bool):
                yield {**current, name: not value}
            elif isinstance(value, int):
                for other in dict.fromkeys(self.sizes_for(name, value, current, conflict)):
                    if other != value and other > 0:
                        yield {**current, name: other}

    def sizes_for(self, name: str, value: int, current: Mapping[str, Any], conflict: Conflict) -> Iterator[int]:
        """First what mends this conflict if the size is proportional to the constexpr, then usual sizes."""
        if conflict.most is not None:
            yield from (value >> shift for shift in range(1, value.bit_length()))
            return
        numbers = [size.value for size in conflict.sizes if type(size.value) is int and size.value > 0]
        wanted = [*numbers, *([conflict.least] if conflict.least else [])]
        for size in conflict.sizes:
            if name in size.names and type(size.value) is int and size.value > 0:
                for target in wanted:
                    if value * target % size.value == 0:
                        yield value * target // size.value
        if len(conflict.sizes) == 1 and conflict.least is None:
            yield 1 << max(value - 1, 0).bit_length()
            yield 1 << max(value.bit_length() - 1, 0)
            yield from (literal for literal in conflict.literals if type(literal) is int)
            yield from (current[other] for other in sorted(conflict.names) if type(current[other]) is int)
            yield from SIZES
        elif conflict.soft or conflict.least:
            yield from SIZES[:5]

    def cost(self, constants: Mapping[str, Any], found: list[Conflict]) -> tuple[int, int, float]:
        """Conflicts, then how many guesses are given up, then how far from them."""
        changed = [name for name in self.free if constants[name] != self.guessed[name]]
        return (
            sum(1 if conflict.soft else HARD for conflict in found),
            len(changed),
            sum(distance(constants[name], self.guessed[name]) for name in changed),
        )


def distance(one: Any, other: Any) -> float:
    if isinstance(one, bool) or not isinstance(one, int) or not isinstance(other, int) or min(one, other) <= 0:
        return 1.0
    return max(one, other) / min(one, other)


def key(constants: Mapping[str, Any]) -> str:
    return repr(sorted(constants.items()))
