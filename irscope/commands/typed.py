"""What ``irscope capture -- WORDS`` is to run: a script and its arguments, or the Python or pytest command for it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from irscope.request import usage_error

_PYTHON = re.compile(r"python[w\d.]*(\.exe)?|pypy[\d.]*(\.exe)?", re.IGNORECASE)
_PYTEST = re.compile(r"(pytest|py\.test)(\.exe)?", re.IGNORECASE)

#: Options of Python that have a value of their own, and those of pytest.
_PYTHON_VALUES = ("-W", "-X", "--check-hash-based-pycs")
_PYTEST_VALUES = (
    "-k", "-m", "-n", "-p", "-c", "-o", "-r", "-W", "--tb", "--maxfail", "--durations", "--timeout", "--rootdir",
    "--confcutdir", "--dist", "--junitxml", "--deselect", "--ignore", "--cov", "--cov-report", "--capture", "--color",
)  # fmt: skip


@dataclass(frozen=True)
class Script:
    """A file, and what of it is run."""

    #: Of a kernel too, where it has ``::KERNEL``.
    path: str
    #: The file is run as ``__main__`` with these, and nothing else of it.
    arguments: tuple[str, ...] | None = None
    #: Only its tests are run, those of this name or pattern.
    tests: str | None = None
    #: The interpreter that the words begin with, where that is a path.
    python: Path | None = None
    #: What of the words is not heeded, in a line each.
    warnings: tuple[str, ...] = ()


def script_of(words: Sequence[str]) -> Script:
    """
    Raises:
        IrscopeError: the words name no single file.
    """
    words = list(words)
    if words[:2] == ["uv", "run"] and len(words) > 2:
        words = words[2:]
    first = words[0]
    is_file = Path(first).suffix == ".py"
    if not is_file and _PYTHON.fullmatch(Path(first).name):
        return of_python(words[1:], Path(first) if Path(first).name != first else None)
    if not is_file and _PYTEST.fullmatch(Path(first).name):
        return of_pytest(words[1:])
    if not is_file and not Path(first.partition("::")[0]).exists() and shutil.which(first):
        raise usage_error(
            f"{first} is a command: what is captured is a Python file",
            hint="give the script that it runs: irscope capture -- SCRIPT ARGS",
        )
    return Script(first, tuple(words[1:]))


def of_python(words: Sequence[str], python: Path | None) -> Script:
    words = list(words)
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in _PYTHON_VALUES and words:
            words.pop(0)
        elif option == "-m" and words:
            name = words.pop(0)
            if name in ("pytest", "unittest"):
                found = of_pytest(words)
            else:
                found = Script(str(file_of_module(name)), tuple(words))
            return Script(found.path, found.arguments, found.tests, python, found.warnings)
        elif option == "-c":
            raise usage_error("python -c has no file: write the code into one", hint="irscope capture -- SCRIPT ARGS")
    if not words:
        raise usage_error("python is to run a script, and none is named", hint="irscope capture -- python SCRIPT ARGS")
    return Script(words[0], tuple(words[1:]), python=python)


def file_of_module(name: str) -> Path:
    """The file that ``python -m NAME`` would run from here."""
    parts = Path(*name.split("."))
    for folder in (Path(), Path("src")):
        for file in (folder / parts.with_suffix(".py"), folder / parts / "__main__.py"):
            if file.is_file():
                return file
    raise usage_error(f"there is no module {name} below this directory", hint="give the file instead")


def of_pytest(words: Sequence[str]) -> Script:
    """One file of tests; ``FILE::TEST``, ``FILE::CLASS::TEST`` and ``-k WORD`` choose among them."""
    words = list(words)
    named, tests, warnings = [], "*", []
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            value = words.pop(0) if word in _PYTEST_VALUES and words else ""
            if word == "-k" and value.isidentifier() and value not in ("not", "and", "or"):
                tests = f"*{value}*"
            elif word in ("-k", "-m", "--deselect", "--ignore"):
                warnings.append(f"pytest's {word} {value} is left aside: all tests of the file are run")
        else:
            named.append(word)
    files = list(dict.fromkeys(one.partition("::")[0] for one in named))
    files = [str(file_of_module(one)) if is_module(one) else one for one in files]
    if len(files) != 1 or Path(files[0]).is_dir():
        raise usage_error(
            "pytest is to run one file of tests" + (f", not {' '.join(files)}" if files else ", and none is named"),
            hint="irscope capture -- pytest FILE, once for each file",
        )
    chosen = [one.partition("::")[2].partition("[")[0].replace("::", ".") for one in named if "::" in one]
    if len(chosen) == 1 and len(named) == 1:
        tests = chosen[0]
    elif chosen:
        warnings.append("several tests are named: all of the file are run")
    return Script(files[0], tests=tests, warnings=tuple(warnings))


def is_module(word: str) -> bool:
    """Whether this is how ``python -m unittest`` is given a file: ``tests.test_add``."""
    return not word.endswith(".py") and not Path(word).exists() and all(part.isidentifier() for part in word.split("."))
