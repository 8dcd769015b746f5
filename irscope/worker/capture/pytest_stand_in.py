"""What test files import of pytest, for interpreters without it. `tests` calls them with or without it."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

#: Exceptions of pytest and unittest.
SKIPS = ("Skipped", "SkipTest")


class Skipped(BaseException):
    """A test that says it does not run here; of pytest's own the name is the same."""


def install() -> None:
    """Give an interpreter without pytest a module of that name."""
    try:
        importlib.import_module("pytest")
    except ImportError:
        sys.modules["pytest"] = module()


def module() -> ModuleType:
    made = ModuleType("pytest")

    def skip(reason: str = "", **_: Any) -> None:
        raise Skipped(reason)

    def importorskip(name: str, *_: Any, reason: str = "", **__: Any) -> Any:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise Skipped(reason or str(error)) from None

    def param(*values: Any, marks: Any = (), id: Any = None) -> Any:
        return Parameters(values, tuple(marks) if isinstance(marks, list | tuple) else (marks,), id)

    def fixture(function: Any = None, **declared: Any) -> Any:
        def decorate(decorated: Any) -> Any:
            decorated._pytestfixturefunction = SimpleNamespace(**declared)
            return decorated

        return decorate(function) if function is not None else decorate

    @contextlib.contextmanager
    def raises(expected: Any, *_: Any, **__: Any) -> Iterator[Any]:
        with contextlib.suppress(expected):
            yield None

    class Marks:
        def __getattr__(self, name: str) -> Any:
            return Mark(name)

    for name, value in {
        "skip": skip, "xfail": skip, "importorskip": importorskip, "param": param, "fixture": fixture,
        "raises": raises, "warns": raises, "mark": Marks(), "approx": lambda value, *_, **__: value,
        "main": lambda *_, **__: 0, "skip_exception": Skipped,
    }.items():  # fmt: skip
        setattr(made, name, value)
    skip.Exception = Skipped  # type: ignore[attr-defined]
    return made


class Parameters:
    """A ``pytest.param``."""

    def __init__(self, values: tuple[Any, ...], marks: tuple[Any, ...], id: Any) -> None:
        self.values, self.marks, self.id = values, marks, id


class Mark:
    """``pytest.mark.NAME``, with or without arguments, as a decorator."""

    def __init__(self, name: str, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> None:
        self.name, self.args, self.kwargs = name, args, dict(kwargs or {})

    @property
    def mark(self) -> Mark:
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and callable(args[0]):
            args[0].pytestmark = [*getattr(args[0], "pytestmark", []), self]
            return args[0]
        return Mark(self.name, args, kwargs)
