"""What of a file launches kernels: its ``__main__`` block, its tests, its benchmarks, or a function that is named."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from .. import loading
from ..launch import entry, standins
from ..protocol import Rejected
from . import assertions, tests

#: Given what runs now (``__main__``, a test's name) and what ended it early, ``None`` where nothing did.
#: Returns whether it is to run once more.
OnEnd = Callable[[str, "BaseException | None"], bool]


#: Sets of values that a test is called with at most.
SETS = 64


class TimeUp(BaseException):
    """The capture's time is over. No `Exception`, so that few handlers catch it."""


def run(
    path: Path, request: dict[str, Any], checks: assertions.Checks, on_end: OnEnd, told: Callable[[str], None]
) -> None:
    """Run the parts of a file that launch something, each to its end or to what ends it.

    ``told`` hears in one line what is left out.

    ``request``: ``entry`` names a function; ``script`` true runs the file as a script with ``script_arguments`` alone;
    ``tests`` is the pattern of those tests that alone are run; ``sets`` says how many sets of values each is called
    with at most.

    Raises:
        Rejected: "usage", there is no such function.
        TimeUp: within `limited`.
    """
    os.environ.setdefault("MPLBACKEND", "Agg")  # a plot on the screen would wait for somebody to close it
    loading.check_text(path)
    root, name = loading.package_of(path)
    loading.prepend_to_path(path, root)
    sys.argv = [str(path), *map(str, request.get("script_arguments") or ())]
    module = ModuleType("__main__")
    beside = [] if request.get("script") else conftests(path, checks, on_end)
    named = request.get("entry")
    if named:
        part(named, lambda: entry.find(executed(path, name, module, checks), named)(), on_end)
        return
    wanted = request.get("tests")
    if wanted:
        part("import", lambda: executed(path, name, module, checks), on_end)
        for title, call in tests.tests_of(module, beside, request.get("sets") or SETS, told, wanted):
            part(title, call, on_end)
        return
    before = sys.modules["__main__"]
    try:
        with runners_of_tests_return() as called:
            part("__main__", lambda: executed(path, "__main__", module, checks, name.rpartition(".")[0]), on_end)
        if not request.get("script"):
            for title, call in benchmarks_of(module):
                part(title, call, on_end)
        if called or not request.get("script"):
            for title, call in tests.tests_of(module, beside, request.get("sets") or SETS, told):
                part(title, call, on_end)
    finally:
        sys.modules["__main__"] = before


def conftests(path: Path, checks: assertions.Checks, on_end: OnEnd) -> list[ModuleType]:
    """Of a file of tests, the modules of ``conftest.py`` up to the folder of its project, the nearest first."""
    if not path.stem.startswith("test_") and not path.stem.endswith("_test"):
        return []
    found: list[Path] = []
    for folder in path.parents:
        if (folder / "conftest.py").is_file():
            found.append(folder / "conftest.py")
        if any((folder / name).exists() for name in ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", ".git")):
            break
    modules: list[ModuleType] = []
    for file in reversed(found):
        module = ModuleType("conftest")
        part("conftest.py", lambda f=file, m=module: executed(f, "conftest", m, checks), on_end)  # type: ignore[misc]
        modules.insert(0, module)
    return modules


def executed(
    path: Path, name: str, module: ModuleType, checks: assertions.Checks, package: str | None = None
) -> ModuleType:
    def compiled(source: bytes) -> CodeType:
        checks.prepare(module, str(path))
        return checks.compiled(source, str(path))

    return entry.execute(path, name, module, package, compiled)


def part(title: str, call: Callable[[], Any], on_end: OnEnd) -> None:
    while on_end(title, outcome(call)):
        pass


def outcome(call: Callable[[], Any]) -> BaseException | None:
    """What ended a call early."""
    process = os.getpid()
    error: BaseException | None = None
    try:
        call()
    except (TimeUp, Rejected):
        raise
    except SystemExit as exit:
        error = exit if exit.code not in (None, 0) else None
    except BaseException as raised:
        error = raised
    finally:
        if os.getpid() != process:
            os._exit(1)  # a fork of the file's own must not answer in this process's place
    return error


def benchmarks_of(module: ModuleType) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Functions under ``triton.testing.perf_report`` that the file has not run itself: each line, at its first size."""
    from triton.testing import Mark

    for name, value in list(vars(module).items()):
        if isinstance(value, Mark) and not getattr(value, "irscope_ran", False):
            yield name, value.run


def run_once(mark: Any, *_: Any, **named: Any) -> None:
    """In place of ``Mark.run``."""
    mark.irscope_ran = True
    standins.run_first_row(mark)


@contextmanager
def runners_of_tests_return() -> Iterator[list[str]]:
    """Within, ``pytest.main()`` and ``unittest.main()`` are only listed: the file's tests are run after it."""
    called: list[str] = []

    def of_pytest(*_: Any, **__: Any) -> int:
        called.append("pytest")
        return 0

    def of_unittest(*_: Any, **__: Any) -> None:
        called.append("unittest")

    with standins.replaced([(sys.modules["pytest"], "main", of_pytest), (unittest, "main", of_unittest)]):
        yield called


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Within, `TimeUp` is raised in this thread when the time is over, and again while it is caught."""
    ended = threading.Event()
    thread = threading.get_ident()

    def watch() -> None:
        wait = seconds
        while not ended.wait(wait):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeUp))
            wait = 1.0

    if seconds is not None:
        threading.Thread(target=watch, name="capture-limit", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
