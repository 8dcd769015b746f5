"""Files with host code, of which only the functions that somebody asks for are parsed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from .. import places
from .host_functions import HostFunction, gathered

#: A statement of a module begins: neither what is further in, nor the end of a bracket, nor a comment.
BEGIN = re.compile(r"[^\s)\]}#'\"]")
WORD = re.compile(r"[A-Za-z_]\w*")
DEFINITION = re.compile(r"(?:async\s+def|def|class)\s+(\w+)")
#: Beside the kernel's own file: those that are looked into, and characters of one.
MAX_FILES, MAX_SIZE = 8, 400_000


class HostFile:
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        #: Functions and classes by name: the line above and the text. All other statements go by "".
        self.blocks = blocks_of(text)
        self._parsed: dict[str, list[HostFunction]] = {}
        self._words: dict[str, list[str]] | None = None
        self._imports: dict[str, tuple[str, int, str]] | None = None

    def parsed(self, block: str) -> list[HostFunction]:
        """All functions of a block, the outermost first."""
        if block not in self._parsed:
            self._parsed[block] = []
            above, text = self.blocks.get(block, (0, ""))
            try:
                tree = ast.parse("\n" * above + text)
            except (SyntaxError, ValueError):
                return []
            self._parsed[block] = gathered(tree, self)
        return self._parsed[block]

    def function(self, name: str, owner: str | None = None) -> HostFunction | None:
        full = f"{owner}.{name}" if owner else name
        for block in (owner or name, ""):
            for each in self.parsed(block) if block in self.blocks else ():
                if each.name == full:
                    return each
        return None

    def mentioning(self, name: str) -> Iterator[HostFunction]:
        """Functions that stand in a block with ``name`` in it."""
        for block in self.words().get(name, ()):
            yield from self.parsed(block)

    def words(self) -> dict[str, list[str]]:
        """The blocks of host code that have a word in them."""
        if self._words is None:
            self._words = {}
            for block, (_, text) in self.blocks.items():
                for word in set(WORD.findall(text)) if not is_jit(text) else ():
                    self._words.setdefault(word, []).append(block)
        return self._words

    def callers(self, name: str) -> Iterator[tuple[HostFunction, ast.Call]]:
        for function in self.mentioning(name):
            for word, call in function.calls:
                if word == name:
                    yield function, call

    def imports(self) -> dict[str, tuple[str, int, str]]:
        """By name: the module, its level, and the name in it."""
        if self._imports is None:
            self._imports = {}
            for module in self.parsed("")[:1]:
                for node in ast.walk(module.node):
                    if isinstance(node, ast.ImportFrom):
                        for alias in node.names:
                            self._imports[alias.asname or alias.name] = node.module or "", node.level, alias.name
        return self._imports


class HostFiles:
    """The kernel's own file and those around it that are needed to understand it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[Path, HostFile | None] = {}
        self.root = places.package_of(path)[0]
        self._siblings: list[HostFile] | None = None

    def open(self, path: Path) -> HostFile | None:
        if path not in self.known:
            if len(self.known) > MAX_FILES and path != self.path:
                return None
            try:
                self.known[path] = host_file(path, path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                self.known[path] = None
        return self.known[path]

    def imported(self, file: HostFile, name: str, depth: int = 0) -> HostFunction | None:
        """The function that a name means which the file imports, or the statements of the module that gives it a value.

        Through packages that import it in turn.
        """
        if name not in file.imports() or depth > 3:
            return None
        module, level, original = file.imports()[name]
        folder = file.path.parents[level - 1] if level else self.root
        place = folder.joinpath(*module.split(".")) if module else folder
        for candidate in (place.with_suffix(".py"), place / "__init__.py", place / f"{original}.py"):
            if candidate.is_file():
                other = self.open(candidate)
                if other is None:
                    return None
                found = other.function(original) or self.imported(other, original, depth + 1)
                return found or next((each for each in other.parsed("")[:1] if original in each.assigned), None)
        return None

    def siblings(self) -> list[HostFile]:
        """Files beside the kernel's own in its package."""
        if self._siblings is None:
            self._siblings = []
            if self.root != self.path.parent:
                own = self.path.stem.encode()
                for path in sorted(self.path.parent.glob("*.py"))[:40]:
                    if path != self.path and own in path.read_bytes():
                        self._siblings += [file] if (file := self.open(path)) is not None else []
        return self._siblings


@lru_cache(maxsize=32)
def host_file(path: Path, text: str) -> HostFile | None:
    return HostFile(path, text) if len(text) < MAX_SIZE else None


def blocks_of(text: str) -> dict[str, tuple[int, str]]:
    """Definitions at the left margin, each with its decorators, and the rest with their lines left empty."""
    lines = text.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if BEGIN.match(line)]
    found: dict[str, tuple[int, str]] = {}
    rest = list(lines)
    decorated: int | None = None
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        if lines[start].startswith("@"):
            decorated = start if decorated is None else decorated
            continue
        definition = DEFINITION.match(lines[start])
        first, decorated = start if decorated is None else decorated, None
        if definition is not None:
            name = definition[1]
            while name in found:
                name += "'"
            found[name] = first, "".join(lines[first:end])
            rest[first:end] = ["\n"] * (end - first)
    found[""] = 0, "".join(rest)
    return found


def is_jit(text: str) -> bool:
    """Of a block's decorators."""
    return text.startswith("@") and re.search(r"^@[\w.]*\bjit\b", text.partition("\ndef ")[0], re.MULTILINE) is not None
