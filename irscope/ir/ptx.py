"""PTX: locations from ``.loc`` directives, and clean text.

A ``.loc`` holds until the next one, within its function. It names a frame by file number, line and column.
Newer Tritons give the frame's call site as its ``inlined_at`` operand, which means the frame that an earlier
``.loc`` gave for that place (PTX ISA, "Debugging Directives: .loc"). Where two calls share that place, the
last one before is taken. Older Tritons have the call sites in a comment (``a.py:7:1 @[ b.py:9:1 ]``).

Inline assembly of several rows (a masked load of Triton's is one) comes from one place, the one before it: LLVM gives
each further row of it a line number one higher, which is a line of the assembly and not of the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from irscope.ir.assembly import LOCATION, NOISE, FileTable
from irscope.ir.lines import (
    UNMAPPED,
    Chain,
    CleanText,
    Location,
    StageIndex,
    rows_of,
    split_lines,
    without_unknown_lines,
)

_LOC = re.compile(r"\.loc\s+(\d+)\s+(\d+)\s+(\d+)(?:[^/\n]*?\binlined_at\s+(\d+)\s+(\d+)\s+(\d+))?")
#: The start of an instruction after what may stand before it on its row: braces, labels, declarations.
_INSTRUCTION = re.compile(r"[{}\s]*(?:(?:[A-Za-z_$%][\w$]*:(?!:)|\.[^;]*;)[{}\s]*)*[@A-Za-z_]")
_LABEL = re.compile(r"[A-Za-z_$%][\w$]*:(?!:)\s*$")
_INLINE_BEGINS, _INLINE_ENDS = "// begin inline asm", "// end inline asm"
_DEBUG_SECTION = re.compile(r"\s*\.section\s+\.debug_")
_DEBUG_LABEL = re.compile(r"\$L__(?:tmp|func_begin|func_end)\d+:\s*$")


def index(text: str) -> StageIndex:
    """Locate every instruction, and each further row of one that is written over several."""
    result = StageIndex.blank(split_lines(text))
    chains, operations = result.chains, result.operations
    places = _Places(FileTable(text))
    chain: Chain = UNMAPPED
    depth = 0
    statement_open = False
    in_section = False
    inline = False
    for row, line in enumerate(result.lines):
        body = line.strip()
        first = body[:1]
        if first == ".":
            if body.startswith(LOCATION):
                if not inline:
                    chain = places.chain(body)
                statement_open = False
                continue
            if not depth:
                in_section = body.startswith(".section")
            # A declaration, unless it shares its row with an instruction.
            if not statement_open and (body.startswith(".file") or (";" not in body[:-1] and "{" not in body)):
                continue
        elif first == "/" or not first:
            inline = body == _INLINE_BEGINS or (inline and body != _INLINE_ENDS)
            continue
        if "//" in body:
            body = body[: body.index("//")].rstrip()
        if statement_open:
            chains[row] = chain
            statement_open = body[-1:] != ";"
            continue
        plain = (first.isalpha() or first == "@") and ":" not in body
        if depth and not in_section and (plain or (_INSTRUCTION.match(body) and not _LABEL.match(body))):
            operations[row] = 1
            chains[row] = chain
            if body[-1] == ";":
                if plain:
                    continue
            elif first not in "{." and not body.rstrip(" \t}").endswith(";"):
                # Its braces are operands, and belong to the rows to come.
                statement_open = True
                continue
        if "{" in body or "}" in body:
            depth += body.count("{") - body.count("}")
            if depth <= 0:
                depth, chain = 0, UNMAPPED
    return result


#: File, line and column of a ``.loc``, as they are written.
_Place: TypeAlias = tuple[str, str, str]


class _Places:
    """The frames that the ``.loc`` directives of a text have given so far."""

    def __init__(self, files: FileTable) -> None:
        self._files = files
        self._latest: dict[_Place, Chain] = {}
        self._plain: dict[str, tuple[_Place, Chain]] = {}
        self._inlined: dict[tuple[_Place, Chain], Chain] = {}

    def chain(self, directive: str) -> Chain:
        """Frames of a ``.loc``, given in the order of the text."""
        plain = self._plain.get(directive)
        if plain is None:
            match = _LOC.match(directive)
            if match is None:
                return UNMAPPED
            file, line, column, *site = match.groups()
            place = (file, line, column)
            if site[0] is not None:
                chain = self._inlined_at(place, (site[0], site[1], site[2]))
                self._latest[place] = chain
                return chain
            plain = self._plain[directive] = place, self._files.frames(self._location(place), directive)
        # Also where it is known: the place may have been one of inlined code since.
        self._latest[plain[0]] = plain[1]
        return plain[1]

    def _inlined_at(self, place: _Place, site: _Place) -> Chain:
        caller = self._latest.get(site)
        if caller is None:
            caller = self._latest[site] = without_unknown_lines((self._location(site),))
        key = (place, caller)
        chain = self._inlined.get(key)
        if chain is None:
            chain = self._inlined[key] = without_unknown_lines((self._location(place),)) + caller
        return chain

    def _location(self, place: _Place) -> Location:
        return self._files.location(*map(int, place))


def clean(text_or_index: str | StageIndex) -> CleanText:
    """The text without locations, file tables, debug sections and the labels that only these refer to."""
    return CleanText(_clean_rows(rows_of(text_or_index)))


def _clean_rows(lines: list[str]) -> Iterator[tuple[int, str]]:
    section_depth = 0
    in_debug_section = False
    for row, line in enumerate(lines):
        if in_debug_section or _DEBUG_SECTION.match(line):
            section_depth += line.count("{") - line.count("}")
            # The opening brace stands on the section's row or on the next.
            in_debug_section = section_depth > 0 or not ("{" in line or "}" in line)
            continue
        body = line.lstrip()
        if body.startswith(NOISE) or (body[:1] == "$" and _DEBUG_LABEL.match(body)):
            continue
        yield row, line.rstrip()


_FUNCTION = re.compile(r"\s*(?:\.visible |\.extern |\.weak )*\.(?:entry|func)\b(?: *\([^)]*\))? *([\w$.]+)")
_PARAMETER = re.compile(r"\s*ld\.param\S*\s[^;]*\[([\w$.]+?)_param_\d+")


def prologue_rows(index: StageIndex) -> dict[int, str]:
    """By row, the function whose head it is, up to its opening brace, or whose parameter it loads."""
    found: dict[int, str] = {}
    name: str | None = None
    for row, line in enumerate(index.lines):
        if match := _FUNCTION.match(line):
            name = match[1]
        if name is not None:
            found[row] = name
            if "{" in line or line.rstrip().endswith(";"):
                name = None
        elif "ld.param" in line and (match := _PARAMETER.match(line)):
            found[row] = match[1]
    return found
