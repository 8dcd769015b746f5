"""What test files import of pytest, for interpreters without it; and how tests are called with or without it.

A test runs once, with the first values of its parameters: a capture looks for launches, not for failures.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
import unittest
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any


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

    def param(*values: Any, **_: Any) -> Any:
        return Parameters(values)

    def fixture(function: Any = None, **_: Any) -> Any:
        def decorate(decorated: Any) -> Any:
            decorated._pytestfixturefunction = True
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

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values


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


# Tests


def tests_of(module: ModuleType) -> Iterator[tuple[str, Callable[[], Any]]]:
    """By name, each test of a module, ready to be called. Raises nothing; a test may raise anything."""
    for name, value in list(vars(module).items()):
        own = getattr(value, "__module__", None) == module.__name__
        if inspect.isfunction(value) and own and name.startswith("test"):
            yield name, lambda value=value: call(value, module, ())  # type: ignore[misc]
        elif inspect.isclass(value) and own and (name.startswith("Test") or issubclass(value, unittest.TestCase)):
            for method, function in inspect.getmembers(value, inspect.isfunction):
                if method.startswith("test"):
                    yield f"{name}.{method}", lambda v=value, m=method, f=function: call_method(v, m, f, module)  # type: ignore[misc]


def call_method(owner: type, name: str, function: Any, module: ModuleType) -> None:
    if issubclass(owner, unittest.TestCase):
        case = owner(name)
        owner.setUpClass()
        case.setUp()
        try:
            getattr(case, name)()
        finally:
            case.tearDown()
        return
    instance = owner()
    if hasattr(instance, "setup_method"):
        instance.setup_method()
    call(function, module, (instance,), marks_of(owner))


def call(function: Any, module: ModuleType, before: tuple[Any, ...], marks: tuple[Any, ...] = ()) -> None:
    """Call a test with the first values of its parameters and with the fixtures that the module has."""
    names = list(inspect.signature(function).parameters)[len(before) :]
    values: dict[str, Any] = {}
    for mark in (*marks_of(module), *marks, *marks_of(function)):
        if mark.name == "parametrize" and len(mark.args) >= 2:
            values |= first_values(mark.args[0], mark.args[1])
        elif mark.name == "skip" or (mark.name == "skipif" and mark.args and mark.args[0] is True):
            raise Skipped(str(mark.kwargs.get("reason") or "it is marked to be skipped"))
    with contextlib.ExitStack() as stack:
        for name in names:
            if name not in values and has_default(function, name):
                continue
            if name not in values:
                values[name] = fixture_value(name, module, stack)
        function(*before, **{name: value for name, value in values.items() if name in names})


def has_default(function: Any, name: str) -> bool:
    parameter = inspect.signature(function).parameters[name]
    variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return variadic or parameter.default is not parameter.empty


def marks_of(value: Any) -> tuple[Any, ...]:
    marks = getattr(value, "pytestmark", ())
    return tuple(getattr(mark, "mark", mark) for mark in (marks if isinstance(marks, list | tuple) else [marks]))


def first_values(names: Any, rows: Any) -> dict[str, Any]:
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    row = next(iter(rows), None)
    if row is None:
        raise Skipped(f"{', '.join(names)} have no values")
    values = getattr(row, "values", None)
    if isinstance(values, tuple):  # a pytest.param
        row = values if len(names) > 1 else values[0]
    return dict(zip(names, row if len(names) > 1 else [row], strict=False))


def fixture_value(name: str, module: ModuleType, stack: contextlib.ExitStack) -> Any:
    """Raises `Skipped` for a fixture that is not the module's own."""
    if name == "monkeypatch" and hasattr(sys.modules["pytest"], "MonkeyPatch"):
        patch = sys.modules["pytest"].MonkeyPatch()
        stack.callback(patch.undo)
        return patch
    if name == "tmp_path":
        import tempfile
        from pathlib import Path

        return Path(stack.enter_context(tempfile.TemporaryDirectory()))
    if name == "device":
        return "cuda"
    found = getattr(module, name, None)
    if not (hasattr(found, "_pytestfixturefunction") or type(found).__name__ == "FixtureFunctionDefinition"):
        raise Skipped(f"it needs the fixture '{name}'")
    function = getattr(found, "_fixture_function", None) or inspect.unwrap(found)  # type: ignore[arg-type]
    needed = {one: fixture_value(one, module, stack) for one in inspect.signature(function).parameters
              if one != "request"}  # fmt: skip
    if "request" in inspect.signature(function).parameters:
        raise Skipped(f"its fixture '{name}' has parameters")
    made = function(**needed)
    if inspect.isgenerator(made):
        stack.callback(lambda: next(made, None))
        return next(made)
    return made
