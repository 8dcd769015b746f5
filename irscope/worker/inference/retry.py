"""Compiler errors read and answered: the next specialization to try after a failure, for what was guessed alone."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..failures import innermost_compilation_error, of_compiler, one_line, read_out
from ..loading import LoadedKernel, definition_line
from .infer import Answer, Parameter, resolve_helper
from .reaching import Place, place_at, place_of
from .retry_answers import ANSWERS, Case, Change

#: Compiles after the first one.
MOST = 8
#: Seconds after which no further one begins.
LONGEST = 20.0

#: A local variable that a message is about.
VARIABLE = re.compile(r"(?:type for|Loop-carried variable) (\w+) ")

#: What may change: nobody has said it.
FREE = frozenset({"guessed", "inferred"})


class Retries:
    """The failures of one kernel, and what has been tried."""

    def __init__(self, kernel: LoadedKernel, answer: Answer) -> None:
        self.kernel = kernel
        self.answer = answer
        self.left = MOST
        self.end = time.monotonic() + LONGEST
        self.seen = {key(answer)}
        self._failed: tuple[str, Answer, Iterator[tuple[Change, str]]] | None = None

    def following(self, error: BaseException, logged: str = "") -> Answer | None:
        """The specialization to try after ``error``; ``None`` where there is none, or enough has been tried.

        ``logged`` is what the compiler wrote to stderr meanwhile.
        """
        if self.left <= 0 or time.monotonic() > self.end:
            return None
        message = message_of(error)
        if message is None:
            message, place = self.diagnosed(error, logged)
        else:
            place = place_of(error, self.kernel.function, resolve_helper, VARIABLE.findall(message))
        said = f"{message} at {place.text if place else ''}"
        if self._failed is None or self._failed[0] != said:
            self._failed = said, self.answer, self.changes(message, place)
        # The same message again: that change was none, so the next one begins where it did.
        _, base, changes = self._failed
        for change, why in changes:
            changed = with_change(base, change, why)
            if key(changed) not in self.seen:
                self.seen.add(key(changed))
                self.left -= 1
                self.answer = changed
                return changed
        return None

    def diagnosed(self, error: BaseException, logged: str) -> tuple[str, Place | None]:
        """What MLIR says, which knows the line alone."""
        failure = of_compiler(error, logged)
        function = self.kernel.function
        if failure.get("line") is None or failure["file"] != function.fn.__code__.co_filename:
            return failure["message"], None
        return failure["message"], place_at(failure["line"] - definition_line(function) + 1, function)

    def changes(self, message: str, place: Place | None) -> Iterator[tuple[Change, str]]:
        parameters = self.answer.parameters
        free = {name: parameter for name, parameter in parameters.items() if may_change(parameter)}
        # As the signature has them: what the compiler names first comes first.
        near = {name: free[name] for name in free if place is not None and name in place.names}
        declared = frozenset(p.name for p in self.kernel.function.params if p.is_constexpr)
        for pattern, name in rules():
            if found := re.search(pattern, message):
                parts = {part: text for part, text in found.groupdict().items() if text is not None}
                case = Case(near, free, place.leading if place else (), declared, parts)
                for change in ANSWERS[name](case):
                    yield change, one_line(message)
                return


def may_change(parameter: Parameter) -> bool:
    """A guess; or a default of ``None`` (every launch may pass something)."""
    return parameter.provenance in FREE or (parameter.provenance == "default" and parameter.value is None)


def with_change(answer: Answer, change: Change, why: str) -> Answer:
    changed = {
        name: replace(parameter, provenance="guessed", evidence=f"guessed, after: {why}")
        for name, parameter in change.items()
    }
    return replace(answer, parameters={**answer.parameters, **changed})


def key(answer: Answer) -> str:
    return repr([(name, p.type, p.value, p.divisor) for name, p in answer.parameters.items()])


def message_of(error: BaseException) -> str | None:
    """What the compiler says of the kernel; ``None`` for errors that are not about its specialization."""
    innermost: Any = innermost_compilation_error(error)
    if innermost is None:
        return None
    cause = innermost.__cause__
    message = str(cause) if cause is not None and str(cause) else innermost.error_message or ""
    kind = type(innermost).__name__
    return f"{kind}: {message}" if "Assertion" in kind else read_out(message)


_rules: list[tuple[str, str]] = []


def rules() -> list[tuple[str, str]]:
    if not _rules:
        read = json.loads(Path(__file__).with_name("retry.json").read_text(encoding="utf-8"))
        _rules.extend((pattern, answer) for pattern, answer in read["rules"])
    return _rules
