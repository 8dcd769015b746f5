"""``@triton.heuristics``: functions of a launch's arguments, asked for what they say of arguments that nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from ..loading import LoadedKernel
from .constants import guessed_constant, is_named, size_named
from .entries import DIVISOR, Answer, Parameter
from .usage import Usage

#: What stands for a pointer, or a size whose name says nothing.
SOMETHING = DIVISOR * 64


def evaluate_heuristics(
    kernel: LoadedKernel, answer: Answer, usage: Usage | None = None, present: Collection[str] = ()
) -> None:
    """Settle the parameters of ``kernel`` that are heuristics, and those not yet in ``answer`` that may be ``None``.

    Where a heuristic asks whether a parameter is ``None`` it is taken to be, as flags are taken to be off;
    ``present`` are those that are known to be given.
    """
    names = [parameter.name for parameter in kernel.function.params]
    usage = usage or Usage()
    arguments: dict[str, Any] = {name: size_named(name, usage) or SOMETHING for name in names} | answer.constants
    for name, function in kernel.heuristics.items():
        parameter = answer.parameters.get(name)
        if parameter is None or parameter.provenance != "heuristic":
            continue
        unknown = set(names) - set(answer.parameters) - set(present)
        for other in asked_for_none(function, arguments, unknown):
            evidence = f"optional: its heuristic '{name}' asks for None"
            answer.parameters[other] = Parameter("constexpr", None, provenance="guessed", evidence=evidence)
            arguments[other] = None
        try:
            parameter.value = function(arguments)
            if type(parameter.value) is int and parameter.value == 0:
                parameter.value = with_smaller(function, arguments, answer) or 0
        except Exception as error:
            parameter.value, pattern = guessed_constant(name, usage)
            parameter.provenance = "guessed"
            parameter.evidence = f"{pattern}; its heuristic needs the launch's arguments ({error!r})"
        arguments[name] = parameter.value


def with_smaller(function: Callable[[Any], Any], arguments: dict[str, Any], answer: Answer) -> int | None:
    """A size that is not zero, by a guess that it asks for made smaller: ``16 // args["GROUPS"]``."""
    asked = Asked(arguments)
    function(asked)
    for name in asked.names:
        parameter = answer.parameters.get(name)
        if parameter is None or parameter.provenance != "guessed" or type(parameter.value) is not int:
            continue
        value = parameter.value
        while value > 1:
            value //= 2
            found = function({**arguments, name: value})
            if type(found) is int and found > 0:
                parameter.value = arguments[name] = value
                return found
    return None


def asked_for_none(function: Callable[[Any], Any], arguments: dict[str, Any], names: Collection[str]) -> Iterator[str]:
    """Those of ``names`` whose being ``None`` turns the answer round."""
    asked = Asked(arguments)
    try:
        now = function(asked)
    except Exception:
        return
    for name in [name for name in asked.names if name in names]:
        if is_named("present", name):
            continue
        try:
            absent = function({**arguments, name: None})
        except Exception:  # it computes with the number
            continue
        if isinstance(now, bool) and isinstance(absent, bool) and now is not absent:
            yield name


class Asked(dict[str, Any]):
    """Arguments that know which of them were looked at, in order."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        super().__init__(arguments)
        self.names: dict[str, None] = {}

    def __getitem__(self, name: str) -> Any:
        self.names[name] = None
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names[name] = None
        return super().get(name, default)
