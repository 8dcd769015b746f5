"""Source files under the many names that compilers give them."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable

from irscope.ir.lines import Chain, Location

_DRIVE = re.compile(r"[A-Za-z]:/")


def normal_path(name: str) -> str:
    """One spelling of a path: forward slashes, no detours, and on Windows one case."""
    path = name.replace("\\", "/")
    # Two leading slashes are a Windows share; posixpath keeps them.
    path = posixpath.normpath(re.sub(r"(?<!^)/{2,}", "/", path))
    # Windows does not tell case apart, nor do its tools agree on that of a drive letter.
    return path.casefold() if _DRIVE.match(path) or path.startswith("//") else path


def _base(path: str) -> str:
    return path.rpartition("/")[2].casefold()


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or _DRIVE.match(path) is not None


def _ends_with(path: str, end: str) -> bool:
    if _DRIVE.match(path) or path.startswith("//"):
        end = end.casefold()
    return path.endswith("/" + end)


class SourceFiles:
    """One number for every file, however a stage spells it.

    A full path with either slash, and on a drive in either case, is one file; so is an end of it (a base name
    as in assembler comments) where it is the end of one known path alone.
    """

    def __init__(self, names: Iterable[str]) -> None:
        normal = {name: normal_path(name) for name in names}
        by_base: defaultdict[str, list[str]] = defaultdict(list)
        for path in dict.fromkeys(normal.values()):
            by_base[_base(path)].append(path)
        self._by_base = by_base
        self._numbers: dict[str, int] = {}
        self._paths: list[str] = []
        self._by_name: dict[str, int] = {}
        for name, path in normal.items():
            whole = self._completed(path)
            if whole not in self._numbers:
                self._numbers[whole] = len(self._paths)
                self._paths.append(name)
            number = self._by_name[name] = self._numbers[whole]
            # A base name may come before the path that completes it.
            if path == whole and normal_path(self._paths[number]) != whole:
                self._paths[number] = name

    def _completed(self, path: str) -> str:
        if _is_absolute(path):
            return path
        namesakes = self._by_base.get(_base(path), ())
        whole = [other for other in namesakes if _is_absolute(other) and _ends_with(other, path)]
        return whole[0] if len(whole) == 1 else path

    def numbers(self) -> range:
        return range(len(self._paths))

    def path(self, number: int) -> str:
        return self._paths[number]

    def number(self, name: str) -> int | None:
        """The number of a file by any spelling; ``None`` where nothing names it."""
        number = self._by_name.get(name)
        return self._numbers.get(self._completed(normal_path(name))) if number is None else number

    def frames(self, chain: Chain) -> tuple[tuple[int, int], ...]:
        numbers = self._by_name
        return tuple([(numbers[frame.file], frame.line) for frame in chain])

    def canonical(self, chain: Chain) -> Chain:
        return tuple(Location(self._paths[self._by_name[frame.file]], frame.line, frame.column) for frame in chain)
