"""LLVM IR in text form: locations from debug metadata, and clean text.

``!dbg !12`` leads to a ``DILocation``; its scope to the file (through lexical blocks to a subprogram where
need be), its ``inlinedAt`` to the call site. LLVM's language reference defines them under "Specialized
Metadata Nodes".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from irscope.ir.lines import (
    UNMAPPED,
    Chain,
    CleanText,
    Location,
    StageIndex,
    join_path,
    rows_of,
    split_lines,
    unescape_llvm,
    without_unknown_lines,
)

_NODE = re.compile(
    r"^!(\d+) = (?:distinct )?!DI(Location|Subprogram|LexicalBlockFile|LexicalBlock|File)\((.*)\)",
    re.MULTILINE,
)
_NUMBERS = re.compile(r"\b(line|column|scope|file|inlinedAt): !?(\d+)")
_FILE_NAME = re.compile(r'\bfilename: "((?:[^"\\]|\\.)*)"')
_DIRECTORY = re.compile(r'\bdirectory: "((?:[^"\\]|\\.)*)"')
#: The third character of rows in a function that start no instruction: further rows of one, records, ...
_NO_INSTRUCTION = frozenset(("", " ", "#", "]", ";"))
#: Debug information in the form of calls (before LLVM 19) describes variables; nothing is executed.
_DEBUG_CALLS = ("  call void @llvm.dbg.", "  tail call void @llvm.dbg.")


def index(text: str) -> StageIndex:
    """Locate every instruction, and every ``define`` by its subprogram."""
    result = StageIndex.blank(split_lines(text))
    chains, operations = result.chains, result.operations
    resolve = _Resolver(text).chain
    known: dict[str, Chain] = {}
    in_function = False
    instruction = -1
    for row, line in enumerate(result.lines):
        if in_function:
            if line[:2] == "  " and line[2:3] not in _NO_INSTRUCTION:
                instruction = row
                operations[row] = "@llvm.dbg." not in line or not line.startswith(_DEBUG_CALLS)
            elif line == "}":
                in_function = False
                continue
        elif line[:6] == "define":
            in_function = True
            instruction = row
        else:
            continue
        at = line.rfind("!dbg !")
        if at < 0:
            continue
        reference = line[at + 6 :]
        chain = known.get(reference)
        if chain is None:
            chain = known[reference] = resolve(int(re.split(r"\D", reference, maxsplit=1)[0] or -1))
        chains[row] = chain
        # An instruction over several rows (a switch, an invoke) is attributed on its last one.
        while instruction < row:
            chains[instruction] = chain
            instruction += 1
    return result


class _Resolver:
    """The debug metadata of one text, read when it is asked for."""

    def __init__(self, text: str) -> None:
        nodes = _NODE.findall(text, text.find("\n!") + 1)
        self._nodes = {int(number): (kind, fields) for number, kind, fields in nodes}
        self._chains: dict[int, Chain] = {}
        self._files: dict[int, str | None] = {}

    def chain(self, number: int) -> Chain:
        """Frames of a ``DILocation``, or the one of a ``DISubprogram``."""
        chain = self._chains.get(number)
        if chain is None:
            self._chains[number] = UNMAPPED  # Malformed metadata may lead back to itself.
            try:
                chain = self._read(number)
            except RecursionError:  # No compiler inlines that deep, but a damaged file may say so.
                chain = UNMAPPED
            self._chains[number] = chain
        return chain

    def _read(self, number: int) -> Chain:
        kind, text = self._nodes.get(number, ("", ""))
        if kind not in ("Location", "Subprogram"):
            return UNMAPPED
        fields = _fields(text)
        file = self._file(number if kind == "Subprogram" else fields.get("scope", -1))
        own = () if file is None else (Location(file, fields.get("line", 0), fields.get("column", 0)),)
        caller = fields.get("inlinedAt")
        return without_unknown_lines(own) + (UNMAPPED if caller is None else self.chain(caller))

    def _file(self, scope: int) -> str | None:
        if scope not in self._files:
            self._files[scope] = None
            kind, text = self._nodes.get(scope, ("", ""))
            if kind == "File":
                name, directory = _FILE_NAME.search(text), _DIRECTORY.search(text)
                if name:
                    self._files[scope] = join_path(
                        unescape_llvm(directory[1]) if directory else "", unescape_llvm(name[1])
                    )
            elif kind:
                fields = _fields(text)
                # A block without a file of its own is in its parent's.
                self._files[scope] = self._file(fields.get("file", fields.get("scope", -1)))
        return self._files[scope]


def _fields(text: str) -> dict[str, int]:
    return {name: int(number) for name, number in _NUMBERS.findall(text)}


def clean(text_or_index: str | StageIndex) -> CleanText:
    """The text without debug records and metadata; declarations, attributes and other metadata stay."""
    return CleanText(_clean_rows(rows_of(text_or_index)))


_METADATA = re.compile(r"!(\d+) = (?:distinct )?!(.)")
_REFERENCE = re.compile(r"!(\d+)")
_VERSION_FLAG = re.compile(r'!"(?:Debug Info|Dwarf) Version"')


def _clean_rows(lines: list[str]) -> Iterator[tuple[int, str]]:
    debug_only = _debug_metadata(lines)
    for row, line in enumerate(lines):
        if line[:1] == "!":
            number = _METADATA.match(line)
            if (number and number[1] in debug_only) or line.startswith("!llvm.dbg."):
                continue
        elif line[:2] == "  " and (line.lstrip()[:5] == "#dbg_" or line.startswith(_DEBUG_CALLS)):
            continue
        at = line.rfind("!dbg !")
        if at >= 0:
            line = line[:at].rstrip(" ,") + _REFERENCE.sub("", line[at + 5 :], count=1)
        yield row, line


def _debug_metadata(lines: list[str]) -> set[str]:
    """Numbers of the nodes that are debug information, or that only lists in it refer to."""
    debug: set[str] = set()
    for line in lines:
        match = _METADATA.match(line) if line[:1] == "!" else None
        if match and (line.startswith("DI", match.start(2)) or _VERSION_FLAG.search(line)):
            # Its lists of types and variables go with it.
            debug.add(match[1])
            debug.update(_REFERENCE.findall(line, match.end()))
    return debug


_DEFINITION = re.compile(r'define .*?@(?:"([^"]*)"|([\w$.-]+))\(')


def definition_rows(index: StageIndex) -> dict[str, int]:
    """By function, the row of its ``define``."""
    found = {}
    for row, line in enumerate(index.lines):
        if line.startswith("define ") and (match := _DEFINITION.match(line)):
            found[match[1] or match[2]] = row
    return found
