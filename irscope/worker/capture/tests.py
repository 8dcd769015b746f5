"""The tests of a file, for pytest or unittest, called with or without these: each with its sets of values."""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import inspect
import itertools
import math
import unittest
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from . import fixtures
from .pytest_stand_in import Skipped


@dataclass
class Values:
    """A set of values of a test's parameters, in words too."""

    title: str
    #: By parameter.
    direct: Mapping[str, Any] = field(default_factory=dict)
    #: By fixture, what it gets as ``request.param``.
    of_fixtures: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[Any, ...] = ()


@dataclass
class Axis:
    """Names that get their values together, and the rows of these."""

    names: list[str]
    rows: list[tuple[Any, ...]]
    titles: list[str]
    #: Of each row, what ``pytest.param`` marks it with.
    marks: list[tuple[Any, ...]]
    of_fixtures: frozenset[str] = frozenset()


def tests_of(
    module: ModuleType, beside: Sequence[ModuleType], most: int, told: Callable[[str], None], wanted: str = "*"
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """By title, each test of a module with each set of its values, ready to be called: the first sets of all first.

    Args:
        beside: modules of ``conftest.py``, the nearest first.
        most: sets of a test; of more, some in which all values are. ``told`` hears what is left out, in one line.
        wanted: the pattern of a test's name, or of its class.
    """
    waiting = [iter(calls) for calls in each_test(module, beside, most, told, wanted)]
    while waiting:
        for calls in list(waiting):
            one = next(calls, None)
            if one is None:
                waiting.remove(calls)
            else:
                yield one


Calls = Iterable[tuple[str, Callable[[], Any]]]


@dataclass(frozen=True)
class Test:
    """A function or a method that pytest would call."""

    title: str
    function: Any
    #: Where its fixtures are.
    owners: fixtures.Owners
    #: Its class.
    owner: Any = None
    marks: tuple[Any, ...] = ()


def each_test(
    module: ModuleType, beside: Sequence[ModuleType], most: int, told: Callable[[str], None], wanted: str
) -> Iterator[Calls]:
    def is_wanted(title: str) -> bool:
        return any(fnmatch.fnmatchcase(name, wanted) for name in (title, title.partition(".")[0]))

    for name, value in list(vars(module).items()):
        if getattr(value, "__module__", None) != module.__name__:
            continue
        marks = (*marks_of(module), *marks_of(value))
        if inspect.isfunction(value) and name.startswith("test") and is_wanted(name):
            yield calls(Test(name, value, (module, *beside), marks=marks), most, told)
        elif inspect.isclass(value) and issubclass(value, unittest.TestCase):
            for method, _ in methods(value):
                title = f"{name}.{method}"
                if is_wanted(title):
                    yield [(title, functools.partial(call_of_unittest, value, method))]
        elif inspect.isclass(value) and name.startswith("Test"):
            for method, function in methods(value):
                title, owners = f"{name}.{method}", (value, module, *beside)
                if is_wanted(title):
                    yield calls(Test(title, function, owners, value, (*marks, *marks_of(function))), most, told)


def methods(owner: type) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in inspect.getmembers(owner, inspect.isfunction) if name.startswith("test")]


def call_of_unittest(owner: Any, name: str) -> None:
    case = owner(name)
    owner.setUpClass()
    case.setUp()
    test = getattr(case, name)
    fails = (Exception,) if getattr(test, "__unittest_expecting_failure__", False) else ()
    try:
        with contextlib.suppress(*fails):
            test()
    finally:
        case.tearDown()


def calls(test: Test, most: int, told: Callable[[str], None]) -> Calls:
    title = test.title
    reason = next(filter(None, map(why_skipped, test.marks)), None)
    if reason is not None:
        return [(title, raising(Skipped(reason)))]
    try:
        axes = list(axes_of(test))
    except Exception as error:  # marks or fixtures that this does not read
        return [(title, raising(error))]
    if not all(axis.rows for axis in axes):
        return [(title, raising(Skipped("its parameters have no values")))]
    sets = chosen(axes, most)
    left_out = math.prod(len(axis.rows) for axis in axes) - len(sets)
    if left_out:
        told(f"{title}: {left_out} of its {left_out + len(sets)} sets of values were left out")
    return [
        (f"{title}[{values.title}]" if values.title else title, functools.partial(call, test, values))
        for values in sets
    ]


def raising(error: BaseException) -> Callable[[], Any]:
    def call() -> None:
        raise error

    return call


def call(test: Test, values: Values) -> None:
    instance = test.owner() if test.owner is not None else None
    set_up(instance, test.function)
    with contextlib.ExitStack() as stack:
        made = fixtures.Fixtures(test.owners, instance, values.of_fixtures, stack)
        for name in (*fixtures.used_always(test.owners), *used_by(test.marks)):
            made.value(name)
        known = parameters(test.function)
        arguments = {name: value for name, value in values.direct.items() if name in known}
        arguments |= {name: made.value(name) for name in fixtures_of(test.function) if name not in arguments}
        with contextlib.suppress(*expected_errors((*test.marks, *values.marks))):
            test.function(*([] if instance is None else [instance]), **arguments)


def set_up(instance: Any, function: Any) -> None:
    for name in ("setup_class", "setup_method"):
        method = getattr(instance, name, None)
        if method is not None:
            method(*[function] * min(len(inspect.signature(method).parameters), 1))


# Marks


def marks_of(value: Any) -> tuple[Any, ...]:
    marks = getattr(value, "pytestmark", ())
    return bare(marks if isinstance(marks, list | tuple) else [marks])


def bare(marks: Iterable[Any]) -> tuple[Any, ...]:
    """Marks, some of which pytest gives as the decorators that they are made with."""
    return tuple(getattr(mark, "mark", mark) for mark in marks)


def why_skipped(mark: Any) -> str | None:
    if mark.name == "xfail" and mark.kwargs.get("run") is False:
        return str(mark.kwargs.get("reason") or "it is marked not to be run")
    if mark.name == "skip" or (mark.name == "skipif" and mark.args and mark.args[0] is True):
        reason = mark.kwargs.get("reason") or (mark.args[0] if mark.name == "skip" and mark.args else None)
        return str(reason or "it is marked to be skipped")
    return None


def expected_errors(marks: Iterable[Any]) -> Iterator[type[BaseException]]:
    """What a test raises that is marked to fail, as it does on a GPU."""
    for mark in marks:
        if mark.name == "xfail" and (not mark.args or mark.args[0] is not False):
            raised = mark.kwargs.get("raises") or Exception
            yield from raised if isinstance(raised, tuple) else (raised,)


def used_by(marks: Iterable[Any]) -> list[str]:
    return [name for mark in marks if mark.name == "usefixtures" for name in mark.args]


# Values


def parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def fixtures_of(function: Any) -> list[str]:
    """Names of the parameters that a test must be given."""
    return [
        name for name, parameter in parameters(function).items()
        if name != "self" and parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]  # fmt: skip


def axes_of(test: Test) -> Iterator[Axis]:
    known: set[str] = set()
    for mark in test.marks:
        if mark.name == "parametrize":
            axis = axis_of(*mark.args, **mark.kwargs)
            known |= set(axis.names)
            yield axis
    asked = (*fixtures.used_always(test.owners), *used_by(test.marks), *fixtures_of(test.function))
    for name in fixtures.with_those_they_need(asked, test.owners):
        fixture, _ = fixtures.find(name, test.owners)
        params = None if fixture is None else getattr(fixtures.marker_of(fixture), "params", None)
        if params is not None and name not in known:
            yield axis_of(name, params, indirect=True)


def axis_of(argnames: Any, argvalues: Any = (), indirect: Any = False, **_: Any) -> Axis:
    """Of what ``pytest.mark.parametrize`` was given; rows that are marked to be skipped are left out."""
    names = [name.strip() for name in argnames.split(",")] if isinstance(argnames, str) else list(argnames)
    rows, titles, marks = [], [], []
    for number, row in enumerate(argvalues):
        title, values = None, getattr(row, "values", None)
        if isinstance(values, tuple):  # a pytest.param
            own = bare(row.marks)
            if any(map(why_skipped, own)):
                continue
            title = row.id
        else:
            own, values = (), tuple(row) if len(names) > 1 else (row,)
        rows.append(values)
        marks.append(own)
        titles.append(str(title or "-".join(in_words(*each, number) for each in zip(names, values, strict=False))))
    through = names if indirect is True else indirect or ()
    return Axis(names, rows, titles, marks, frozenset(through))


def in_words(name: str, value: Any, number: int) -> str:
    if isinstance(value, str | int | float | bool | None):
        return str(value)
    text = str(getattr(value, "__name__", value))
    return text if text.replace(".", "").replace("_", "").isalnum() else f"{name}{number}"


def chosen(axes: Sequence[Axis], most: int) -> list[Values]:
    """Each combination of the rows; of more than ``most`` those in which each row is, as far as they go, and others."""
    sizes = [len(axis.rows) for axis in axes]
    each: Iterable[tuple[int, ...]] = itertools.product(*map(range, sizes))
    if math.prod(sizes) > most:
        diagonal = [tuple(number % size for size in sizes) for number in range(max(sizes))]
        each = itertools.islice(dict.fromkeys(itertools.chain(diagonal, itertools.islice(each, most))), most)
    return [values_of(axes, numbers) for numbers in each]


def values_of(axes: Sequence[Axis], numbers: Sequence[int]) -> Values:
    direct: dict[str, Any] = {}
    through: dict[str, Any] = {}
    for axis, number in zip(axes, numbers, strict=True):
        for name, value in zip(axis.names, axis.rows[number], strict=False):
            (through if name in axis.of_fixtures else direct)[name] = value
    title = "-".join(axis.titles[number] for axis, number in zip(axes, numbers, strict=True))
    marks = tuple(mark for axis, number in zip(axes, numbers, strict=True) for mark in axis.marks[number])
    return Values(title, direct, through, marks)
