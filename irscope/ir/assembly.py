"""What LLVM's two GPU assemblers share: ``.file`` tables, ``.loc`` directives and the call sites in their comments."""

from __future__ import annotations

import re
from collections import defaultdict

from irscope.ir.lines import Chain, Location, join_path, unescape_assembly, without_unknown_lines

#: How a directive begins that says where the instructions after it come from.
LOCATION = (".loc\t", ".loc ")
#: Directives that only debuggers and unwinders read.
NOISE = (*LOCATION, ".file", ".cfi_")

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_FILE = re.compile(rf"^[ \t]*\.file[ \t]+(\d+)[ \t]+{_QUOTED}(?:[ \t]+{_QUOTED})?", re.MULTILINE)
_FRAME = re.compile(r"(.+?):(\d+)(?::(\d+))?")


class FileTable:
    """The ``.file`` directives of a text; they may stand anywhere in it, even after their uses."""

    def __init__(self, text: str) -> None:
        self._paths: dict[int, str] = {}
        named: defaultdict[str, set[str]] = defaultdict(set)
        for number, first, second in _FILE.findall(text):
            directory, name = (first, second) if second else ("", first)
            name = unescape_assembly(name)
            path = join_path(unescape_assembly(directory), name)
            self._paths[int(number)] = path
            for known_as in {name, re.split(r"[/\\]", name)[-1]}:
                named[known_as].add(path)
        self._unique = {name: next(iter(paths)) for name, paths in named.items() if len(paths) == 1}

    def location(self, number: int, line: int, column: int) -> Location:
        """A place given by a file's number; one that no ``.file`` declares becomes the name ``<file N>``."""
        return Location(self._paths.get(number) or f"<file {number}>", line, column)

    def frames(self, place: Location, directive: str) -> Chain:
        """A ``.loc``'s own place, then the calls in its comment: ``a.py:43:13 @[ b.py:7:13 @[ c.py:2 ] ]``.

        Comments have base names. They are completed where one declared file alone has the name.
        """
        frames = [place]
        for part in directive.split(" @[ ")[1:]:
            match = _FRAME.fullmatch(part.rstrip(" ]"))
            if match:
                name, line, column = match.groups()
                frames.append(Location(self._unique.get(name, name), int(line), int(column or 0)))
        return without_unknown_lines(frames)
