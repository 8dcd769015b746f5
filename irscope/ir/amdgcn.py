"""AMD GPU assembly as LLVM prints it: locations from ``.loc`` directives, and clean text.

A ``.loc`` holds until the next one, within its function. Its operands name the innermost frame; the call
sites are in its comment alone: ``; standard.py:43:13 @[ matmul.py:7:13 ]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from irscope.ir.assembly import LOCATION, NOISE, FileTable
from irscope.ir.lines import UNMAPPED, Chain, CleanText, StageIndex, rows_of, split_lines

_LOC = re.compile(r"\.loc\s+(\d+)\s+(\d+)\s+(\d+)")
_DEBUG_SECTION = re.compile(r"\.section\s+\.debug_")
_DEBUG_LABEL = re.compile(r"\.L(?:tmp|func_begin|func_end)\d+:")
#: What ends a section: the start of another, or the metadata that follows them all.
_SECTION_STARTS = (".section", ".text", ".amdgpu_metadata")


def index(text: str) -> StageIndex:
    """Locate every instruction."""
    result = StageIndex.blank(split_lines(text))
    chains, operations = result.chains, result.operations
    files = FileTable(text)
    known: dict[str, Chain] = {}
    chain: Chain = UNMAPPED
    in_metadata = False
    for row, line in enumerate(result.lines):
        body = line.lstrip()
        first = body[:1]
        if first.isalpha():
            # Labels stand in the first column, instructions do not.
            if body is not line and not in_metadata:
                operations[row] = 1
                chains[row] = chain
        elif first != ".":
            continue
        elif body.startswith(LOCATION):
            found = known.get(body)
            chain = known[body] = _frames(body, files) if found is None else found
        elif body.startswith(".Lfunc_end"):
            chain = UNMAPPED
        elif body.startswith(".amdgpu_metadata"):
            in_metadata = True
        elif body.startswith(".end_amdgpu_metadata"):
            in_metadata = False
    return result


def _frames(directive: str, files: FileTable) -> Chain:
    match = _LOC.match(directive)
    if match is None:
        return UNMAPPED
    return files.frames(files.location(*map(int, match.groups())), directive)


def clean(text_or_index: str | StageIndex) -> CleanText:
    """The text without locations, file tables, unwind information, debug sections and their labels."""
    return CleanText(_clean_rows(rows_of(text_or_index)))


def _clean_rows(lines: list[str]) -> Iterator[tuple[int, str]]:
    in_debug_section = False
    for row, line in enumerate(lines):
        body = line.lstrip()
        if body.startswith(_SECTION_STARTS):
            in_debug_section = _DEBUG_SECTION.match(body) is not None
        if in_debug_section or body.startswith(NOISE) or _DEBUG_LABEL.match(body):
            continue
        yield row, line.rstrip()
