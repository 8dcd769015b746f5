"""Errors that tests want: ``pytest.raises`` and unittest's ``assertRaises``, where the values are missing.

A test that wants an ``AssertionError`` gives a function what it refuses: there an ``assert`` is not taken to hold, as
the launches behind it are none that a GPU sees. And no test fails because an error does not come.
"""

from __future__ import annotations

import functools
import sys
import unittest
from collections.abc import Callable, Iterator
from typing import Any

from ..launch import standins


class Expected:
    """Whether the code is in a block that wants an ``AssertionError``."""

    def __init__(self, missing: Callable[[], bool]) -> None:
        self.missing = missing
        self.wanted = 0

    def __bool__(self) -> bool:
        return self.wanted > 0

    def replacements(self) -> Iterator[standins.Replacement]:
        pytest: Any = sys.modules["pytest"]
        yield pytest, "raises", self._noticing(pytest.raises, 0)
        for name in ("assertRaises", "assertRaisesRegex"):
            yield unittest.TestCase, name, self._noticing(getattr(unittest.TestCase, name), 1)

    def _noticing(self, original: Callable[..., Any], place: int) -> Callable[..., Any]:
        """In place of what takes the kinds of error at ``place``, and gives a context or calls what it got."""

        @functools.wraps(original)
        def answer(*arguments: Any, **named: Any) -> Any:
            wanted = arguments[place] if len(arguments) > place else named.get("expected_exception", ())
            kinds = wanted if isinstance(wanted, tuple) else (wanted,)
            of_assertions = any(isinstance(one, type) and issubclass(AssertionError, one) for one in kinds)
            self.wanted += of_assertions
            try:
                context = original(*arguments, **named)
            finally:
                self.wanted -= of_assertions
            return Block(self, context, of_assertions) if hasattr(context, "__exit__") else context

        return answer


class Block:
    """The body of a ``with`` that wants an error."""

    def __init__(self, expected: Expected, context: Any, of_assertions: bool) -> None:
        self._expected, self._context, self._of_assertions = expected, context, of_assertions

    def __enter__(self) -> Any:
        self._expected.wanted += self._of_assertions
        return self._context.__enter__()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        self._expected.wanted -= self._of_assertions
        if error is None and self._expected.missing():
            return None
        return self._context.__exit__(kind, error, trace)
