"""What LLVM's two GPU assemblers share: ``.file`` tables, ``.loc`` directives and the call sites in their comments."""

from __future__ import annotations

import re
from collections import defaultdict

from irscope.ir.lines import Chain, Location, StageIndex, join_path, unescape_assembly, without_unknown_lines

#: How a directive begins that says where the instructions after it come from.
LOCATION = (".loc\t", ".loc ")
#: Directives and notes that only debuggers, unwinders and makers of compilers read.
NOISE = (*LOCATION, ".file", ".cfi_", "//DEBUG_VALUE: ", ";DEBUG_VALUE: ", "; meta instruction")

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


#: LLVM's note, after an instruction, that a register now has a variable's value, or one element of it.
_VALUE_NOTE = re.compile(r"\s*(?://|;)DEBUG_VALUE: .*:row(\d+) <- (\[DW_OP_LLVM_fragment [\d ]+\] )?[%$]")
_BLOCK_START = re.compile(r"(?:\$L__|\.L)BB\d+_\d+:|(?://|;) %bb\.\d+:")


def value_rows(index: StageIndex) -> dict[int, tuple[int, ...]]:
    """By row of an instruction without a location, the rows (from 0) of the LLVM IR whose values it computes.

    The LLVM IR must be that of `irscope.worker.own_lines`. A value that another instruction names by its location
    is computed there, and left out.
    """
    located = {chain[0].line for chain in index.chains if chain}
    found: dict[int, tuple[int, ...]] = {}
    seen: set[tuple[int, str]] = set()
    instruction: int | None = None
    for row, line in enumerate(index.lines):
        if index.operations[row]:
            instruction = row
        elif match := _VALUE_NOTE.match(line):
            number, element = int(match[1]), match[2] or ""
            # At the start of a block are those of the values that live there. Of the others, the first is the one
            # where the value comes into being.
            if instruction is None or (number, element) in seen:
                continue
            seen.add((number, element))
            if number not in located and not index.chains[instruction]:
                found[instruction] = (*found.get(instruction, ()), number - 1)
        elif _BLOCK_START.match(line):
            instruction = None
    return found
