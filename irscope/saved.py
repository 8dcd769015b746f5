"""Specializations that are kept beside the kernel: ``matmul.irscope.toml`` for ``matmul.py``, which people edit too.

One table a kernel; parameters are written as ``--arg`` and ``--const`` take them:

    [matmul_kernel]
    target = "sm_90"                # where the command line names none
    configuration = 2               # of @triton.autotune, from 0

    [matmul_kernel.parameters]
    a_ptr = "*fp16:16"
    M = "i32:16"
    BLOCK_M = 128
    DTYPE = "tl.float16"

    [matmul_kernel.options]
    num_warps = 8

What is there wins over what the file's launches, its configurations and inference say; what is not there is left
to them.
"""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from irscope.model import InvalidTarget, SourceFile, Target
from irscope.paths import write_whole
from irscope.request import Request, usage_error

SUFFIX = ".irscope.toml"

_HEADING = """\
# What the kernels of {name} are compiled for; irscope reads it unless --no-saved is given.
# Parameters: types as in "*fp16:16" and "i32:1", constants as in 128, true, "None", "tl.float16".
"""

_SECTIONS = ("parameters", "options")
_KEYS = ("target", "configuration", *_SECTIONS)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
#: Of a comment that irscope wrote itself, and may replace.
_OWN_COMMENT = re.compile(r"#\s*(given|saved|captured|configuration|heuristic|default|inferred|guessed)\b")
_LONGEST_NOTE = 100
#: TOML's integers have 64 bits.
_LARGEST = 1 << 63


@dataclass(frozen=True, slots=True)
class Saved:
    """What a file says of one kernel, as texts that ``--arg``, ``--const`` and ``--option`` take."""

    entries: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    configuration: int | None = None
    target: Target | None = None
    #: By parameter, and by "" for the configuration, a note that is written beside it; never read.
    notes: Mapping[str, str] = field(default_factory=dict)


def path_of(kernel_file: Path) -> Path:
    """Where the specializations of a kernel file's kernels are kept, whether they are or not."""
    return kernel_file.with_name(f"{kernel_file.stem}{SUFFIX}")


def of(kernel_file: Path, kernel: str | None) -> Saved | None:
    """What is saved of a kernel; ``None`` where nothing is.

    Raises:
        IrscopeError: the file cannot be read, with the line (exit code 2).
    """
    file = path_of(kernel_file)
    return read(file).get(kernel) if kernel is not None and file.is_file() else None


def sources_of(request: Request) -> list[SourceFile]:
    """The file of saved specializations, where it says something of the request's kernel and is heeded."""
    if not request.saved or of(request.path, request.kernel) is None:
        return []
    file = path_of(request.path)
    content = file.read_bytes()
    text = content.decode("utf-8", errors="replace")
    return [SourceFile(str(file.absolute()), hashlib.sha256(content).hexdigest(), text)]


def read(file: Path) -> dict[str, Saved]:
    """By kernel, what a file says.

    Raises:
        IrscopeError: it is no such file; the failure names the line.
    """
    import tomlkit
    import tomlkit.exceptions

    try:
        text = file.read_text(encoding="utf-8")
        tables = tomlkit.parse(text).unwrap()
    except OSError as error:
        raise usage_error(f"cannot read it: {error.strerror or error}", file=str(file)) from error
    except UnicodeDecodeError as error:
        raise usage_error("it is not UTF-8 text", _way_out(), file=str(file)) from error
    except tomlkit.exceptions.ParseError as error:
        message = re.sub(r" at line \d+ col \d+$", "", str(error))
        raise usage_error(message, _way_out(), file=str(file), line=error.line, column=error.col + 1) from error
    except tomlkit.exceptions.TOMLKitError as error:  # a key that is there twice, which it does not place
        twice = re.search(r'Key "(.*)" already exists', str(error))
        line = _last_line_of(text, twice[1]) if twice else None
        raise usage_error(str(error), _way_out(), file=str(file), line=line) from error
    return {name: _Reader(file, text, name).saved(table) for name, table in tables.items()}


class _Reader:
    """Reads the table of one kernel, and says where in the file it is wrong."""

    def __init__(self, file: Path, text: str, kernel: str) -> None:
        self._file, self._text, self._kernel = file, text, kernel

    def saved(self, table: Any) -> Saved:
        if not isinstance(table, dict):
            self._refuse((), f"'{self._kernel}' must be a table: write [{self._kernel}]")
        for name in table:
            if name not in _KEYS:
                self._refuse((name,), f"'{name}' is none of {', '.join(_KEYS)}")
        sections = {name: table.get(name, {}) for name in _SECTIONS}
        for name, section in sections.items():
            if not isinstance(section, dict):
                self._refuse((name,), f"'{name}' must be a table: write [{self._kernel}.{name}]")
        return Saved(
            entries={name: self._entry(name, value) for name, value in sections["parameters"].items()},
            options={name: self._option(name, value) for name, value in sections["options"].items()},
            configuration=self._configuration(table.get("configuration")),
            target=self._target(table.get("target")),
        )

    def _entry(self, name: str, value: Any) -> str:
        text = text_of(value)
        if text is None or not text.strip():
            self._refuse(
                ("parameters", name), f"{name} must be a type or a constant",
                'write "*fp16:16", "i32", 128, true, "None" or "tl.float16"',
            )  # fmt: skip
        return text.strip()

    def _option(self, name: str, value: Any) -> str:
        text = text_of(value)
        if text is None:
            self._refuse(("options", name), f"the option {name} must be a number, true, false or a string")
        return text

    def _configuration(self, value: Any) -> int | None:
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            self._refuse(("configuration",), "configuration must be a number from 0 on")
        return value

    def _target(self, value: Any) -> Target | None:
        if value is None:
            return None
        try:
            return Target.parse(str(value))
        except InvalidTarget as error:
            self._refuse(("target",), str(error))

    def _refuse(self, keys: tuple[str, ...], message: str, hint: str | None = None) -> NoReturn:
        line = line_of(self._text, (self._kernel, *keys))
        raise usage_error(message, f"{hint}; {_way_out()}" if hint else _way_out(), file=str(self._file), line=line)


def _way_out() -> str:
    return "mend the file, or leave it aside with --no-saved"


def text_of(value: Any) -> str | None:
    """A value of TOML as ``--arg`` and ``--const`` take it; ``None`` where it is no such thing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float | list):
        return repr(value)
    return None


def value_of(text: str) -> Any:
    """The value that TOML has for an entry: a number or a truth value as such, all else as a string."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < _LARGEST):
        return value
    return text


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """The line, from 1, on which a key (its tables before it) is set; that of its table where it has none."""
    best, depth = None, 0
    for number, path in _paths(text):
        shared = next(
            (n for n, (a, b) in enumerate(zip(path, keys, strict=False)) if a != b), min(len(path), len(keys))
        )
        if shared == len(keys):
            return number
        if shared == len(path) and shared > depth:
            best, depth = number, shared
    return best


def _last_line_of(text: str, key: str) -> int | None:
    return max((number for number, path in _paths(text) if path[-1] == key), default=None)


def _paths(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Of every line that opens a table or sets a key, its number and the whole path of what it names."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            table = _parts(header[1])
            yield number, table
        elif assigned := re.match(r"\s*((?:\"[^\"]*\"|'[^']*'|[\w.\- ])+?)\s*=", line):
            yield number, (*table, *_parts(assigned[1]))


def _parts(dotted: str) -> tuple[str, ...]:
    found = re.findall(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)", dotted)
    return tuple(next(part for part in match if part) if any(match) else "" for match in found)


def write(file: Path, kernels: Mapping[str, Saved]) -> None:
    """Set the tables of some kernels; the rest, comments and order included, stays as its author wrote it.

    Raises:
        IrscopeError: what is there cannot be read, so it is left alone.
        OSError: it cannot be written.
    """
    write_whole(file, text_with(file, kernels))


def text_with(file: Path, kernels: Mapping[str, Saved]) -> str:
    """The text that `write` writes."""
    import tomlkit

    if file.is_file():
        read(file)
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
    else:
        document = tomlkit.parse(_HEADING.format(name=f"{file.name.removesuffix(SUFFIX)}.py"))
    for name, saved in kernels.items():
        if name not in document:
            document.add(tomlkit.nl())
            document[name] = tomlkit.table()
        table = document[name]
        assert isinstance(table, MutableMapping)
        plain = {
            "target": None if saved.target is None else str(saved.target),
            "configuration": saved.configuration,
        }
        for key, value in plain.items():
            if value is None:
                table.pop(key, None)
            else:
                _set(table, key, value, saved.notes.get("") if key == "configuration" else None)
        _fill(table, "parameters", saved.entries, saved.notes)
        _fill(table, "options", saved.options, {})
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _fill(table: MutableMapping[str, Any], section: str, texts: Mapping[str, str], notes: Mapping[str, str]) -> None:
    """Make a section of a kernel's table say just ``texts``."""
    import tomlkit

    if section not in table:
        if not texts:
            return
        table[section] = tomlkit.table()
    inner = table[section]
    for name in [name for name in inner if name not in texts]:
        del inner[name]
    if not texts:
        del table[section]
    for name, text in texts.items():
        _set(inner, name, value_of(text), notes.get(name))


def _set(table: MutableMapping[str, Any], name: str, value: Any, note: str | None) -> None:
    """Set a value; a comment beside it stays if somebody else than irscope wrote it."""
    import tomlkit

    old = _item(table, name)
    if old is not None and old.unwrap() == value and type(old.unwrap()) is type(value):
        return
    comment = "" if old is None else old.trivia.comment
    item = tomlkit.item(value)
    if comment and not _OWN_COMMENT.match(comment):
        item.comment(comment.removeprefix("#").strip())
    elif note:
        item.comment(textwrap.shorten(note, _LONGEST_NOTE, placeholder=" ..."))
    table[name] = item


def _item(table: MutableMapping[str, Any], name: str) -> Any:
    """What tomlkit keeps of a value; asked as a mapping, it gives a bool as Python's, without its comment."""
    if name not in table:
        return None
    container: Any = getattr(table, "value", table)
    return container.item(name)


def layer_of(kernel_file: Path, kernel: str | None) -> dict[str, Any] | None:
    """What is saved as a layer of a request to the worker (see `irscope.layers`)."""
    found = of(kernel_file, kernel)
    if found is None:
        return None
    return {
        "provenance": "saved",
        "origin": path_of(kernel_file).name,
        "entries": dict(found.entries),
        "options": dict(found.options),
        "configuration": found.configuration,
    }
