"""Blocks of a kernel that its guessed constexprs leave out, so that nobody takes what is compiled for all of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from .shape_values import OutOfSteps
from .shapes import read

#: Expressions that all readings look at, some 30 ms, after which the rest is not looked at. Not a time: what a kernel
#: is told to hide is the same on every machine.
MOST_STEPS = 3_000


def branches(
    function: Any, constants: Mapping[str, Any], guessed: Collection[str], resolve: Callable[[Any, str], Any]
) -> dict[str, str]:
    """By guessed constant, what another value of it would bring: "with HAS_BIAS on, 3 more blocks".

    ``constants`` has a value for every constexpr, and ``None`` for a run-time parameter that is left out. Blocks are
    the bodies of ``if``, ``elif`` and ``else`` in the jit function and in those that it calls (``resolve``).
    """
    trees: dict[int, Any] = {}

    found: dict[str, str] = {}
    try:
        now = read(function, constants, {}, resolve, trees)
        steps = now.steps
        declared = {parameter.name for parameter in function.params if parameter.is_constexpr}
        for name in guessed:
            decisions = [decision for decision in now.decisions if name in decision.names]
            literals = list(dict.fromkeys(literal for decision in decisions for literal in decision.literals))
            most = 0
            for values, words in others(name, constants, literals, name in declared) if decisions else ():
                if steps > MOST_STEPS:
                    return found
                other = read(function, values, {}, resolve, trees)
                steps += other.steps
                more = len(other.blocks - now.blocks)
                if more > most:
                    most, found[name] = more, f"with {words}, {more} more block{'s' if more > 1 else ''}"
    except (OutOfSteps, RecursionError):
        pass
    return found


def others(
    name: str, constants: Mapping[str, Any], literals: Collection[Any], declared: bool
) -> Iterator[tuple[dict[str, Any], str]]:
    """Constants with another value of one of them, and that value in words."""
    value = constants[name]
    if isinstance(value, bool):
        yield {**constants, name: not value}, f"{name} {'off' if value else 'on'}"
        return
    if value is None and not declared:
        yield {other: kept for other, kept in constants.items() if other != name}, f"{name} given"
        return
    # A number that is more than what it is compared with may be what it takes.
    more = [literal + 1 for literal in literals if type(literal) is type(value) is int]
    for literal in dict.fromkeys([*literals, *more]):
        if literal != value and (value is None or isinstance(literal, type(value))):
            yield {**constants, name: literal}, f"{name} = {literal!r}"
