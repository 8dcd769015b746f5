"""Fixtures of pytest, as a test asks for them: the file's own, those of ``conftest.py``, and a few of pytest's."""

from __future__ import annotations

import contextlib
import inspect
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .pytest_stand_in import Skipped

#: Where a fixture is looked for, the nearest first: a test's class or instance, its module, modules of ``conftest.py``.
Owners = tuple[Any, ...]


def is_fixture(value: Any) -> bool:
    return hasattr(value, "_pytestfixturefunction") or type(value).__name__ == "FixtureFunctionDefinition"


def marker_of(fixture: Any) -> Any:
    """What it was declared with: ``params``, ``autouse``, ``name``."""
    return getattr(fixture, "_fixture_function_marker", None) or fixture._pytestfixturefunction


def function_of(fixture: Any) -> Any:
    return getattr(fixture, "_fixture_function", None) or inspect.unwrap(fixture)


def find(name: str, owners: Owners) -> tuple[Any, Any]:
    """The fixture of a name and its owner; ``(None, None)`` where there is none."""
    for owner in owners:
        for attribute, value in members(owner).items():
            if is_fixture(value) and name == (getattr(marker_of(value), "name", None) or attribute):
                return value, owner
    return None, None


def used_always(owners: Owners) -> list[str]:
    """Names of the fixtures that no test need ask for."""
    return [
        getattr(marker_of(value), "name", None) or attribute
        for owner in reversed(owners)
        for attribute, value in members(owner).items()
        if is_fixture(value) and getattr(marker_of(value), "autouse", False)
    ]


def members(owner: Any) -> Mapping[str, Any]:
    if not inspect.isclass(owner):
        return dict(vars(owner))
    return {name: value for base in reversed(owner.__mro__) for name, value in vars(base).items()}


def with_those_they_need(names: Iterable[str], owners: Owners) -> list[str]:
    """Names of fixtures, each once, and of those that they ask for themselves."""
    found: dict[str, None] = {}
    left = list(names)
    while left:
        name = left.pop(0)
        if name not in found:
            found[name] = None
            fixture, _ = find(name, owners)
            left += [] if fixture is None else parameters_of(function_of(fixture))
    return list(found)


def parameters_of(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


class Fixtures:
    """Those of one call of a test, each made once.

    Args:
        instance: of the test's class, where it has one.
        given: by fixture, the value that it gets as ``request.param``.
        stack: what is undone after the call.
    """

    def __init__(self, owners: Owners, instance: Any, given: Mapping[str, Any], stack: contextlib.ExitStack) -> None:
        self._owners = owners
        self._instance = instance
        self._given = given
        self._stack = stack
        self._made: dict[str, Any] = {}

    def value(self, name: str) -> Any:
        """Raises `Skipped` for a fixture of a plugin that is not known here."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Any:
        fixture, owner = find(name, self._owners)
        if fixture is None and name == "pytestconfig":
            return self._options()
        if fixture is None:
            make = BUILT_IN.get(name)
            if make is None:
                raise Skipped(f"it needs the fixture '{name}'")
            return make(self._stack)
        function = function_of(fixture)
        needed = {one: self._request(name) if one == "request" else self.value(one) for one in parameters_of(function)}
        made = function(*([self._instance] if inspect.isclass(owner) else []), **needed)
        if inspect.isgenerator(made):
            self._stack.callback(lambda: next(made, None))
            return next(made)
        return made

    def _options(self) -> Options:
        return Options(owner for owner in self._owners if not inspect.isclass(owner))

    def _request(self, name: str) -> Any:
        """pytest's ``request``, as far as fixtures commonly ask it."""
        request = SimpleNamespace(
            fixturename=name, scope="function", instance=self._instance, cls=type(self._instance),
            getfixturevalue=self.value, addfinalizer=self._stack.callback, config=self._options(),
            node=SimpleNamespace(name=name, get_closest_marker=lambda *_: None),
        )  # fmt: skip
        if name in self._given:
            request.param = self._given[name]
        return request


class Options:
    """pytest's ``parser`` for ``pytest_addoption``, and of its ``config`` what tells the options' defaults."""

    def __init__(self, modules: Iterable[Any]) -> None:
        self.option = SimpleNamespace()
        for module in modules:
            getattr(module, "pytest_addoption", lambda parser: None)(self)

    def addoption(self, *names: str, default: Any = None, dest: str | None = None, **more: Any) -> None:
        if default is None and more.get("action") in ("store_true", "store_false"):
            default = more["action"] == "store_false"
        setattr(self.option, dest or plain_name(names[-1]), default)

    def getoption(self, name: str, default: Any = None, *_: Any) -> Any:
        return getattr(self.option, plain_name(name), default)

    def getgroup(self, *_: Any, **__: Any) -> Options:
        return self

    def getini(self, name: str) -> Any:
        return None

    def addini(self, *_: Any, **__: Any) -> None:
        pass


def plain_name(option: str) -> str:
    return option.lstrip("-").replace("-", "_")


def patch(stack: contextlib.ExitStack) -> Any:
    made = getattr(sys.modules["pytest"], "MonkeyPatch", None)
    if made is None:
        raise Skipped("it needs the fixture 'monkeypatch'")
    patch = made()
    stack.callback(patch.undo)
    return patch


def folder(stack: contextlib.ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory()))


def output(_: contextlib.ExitStack) -> Any:
    return SimpleNamespace(readouterr=lambda: SimpleNamespace(out="", err=""), disabled=contextlib.nullcontext)


def called_once(_: contextlib.ExitStack) -> Any:
    """pytest-benchmark's, which gives back what it measures."""

    def call(function: Any, *arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return call


#: Of pytest and its plugins.
BUILT_IN: dict[str, Callable[[contextlib.ExitStack], Any]] = {
    "monkeypatch": patch, "tmp_path": folder, "tmp_path_factory": lambda stack: SimpleNamespace(
        mktemp=lambda *_, **__: folder(stack), getbasetemp=lambda: folder(stack)),
    "capsys": output, "capfd": output, "benchmark": called_once, "device": lambda _: "cuda",
    "record_property": lambda _: lambda *_: None,
    "subtests": lambda _: SimpleNamespace(test=lambda *_, **__: contextlib.nullcontext()),
}  # fmt: skip
