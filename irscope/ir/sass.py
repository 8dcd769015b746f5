"""SASS as ``nvdisasm -gi -c`` prints it (``-g`` works too, without call sites): locations and clean text.

Comments above an instruction name its frames, innermost first, one a row; they hold until the next ones,
within their section. The line table of a cubin has no columns.
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
    rows_of,
    split_lines,
    without_unknown_lines,
)

_FRAME = re.compile(r'//## File "(.*?)", line (\d+)(?: inlined at "(.*?)", line (\d+))?')
_INSTRUCTION = re.compile(r"\s*\{?\s*/\*[0-9a-f]+\*/")
#: Two instructions that are issued together stand in braces.
_PARTS = re.compile(r"\s*(\{?)\s*(/\*[0-9a-f]+\*/)\s+(?:(@!?U?P\w+)\s+)?(.*?)[\s;]*$")
#: ``nvdisasm -gp`` names rows of the embedded PTX in the same form; they are no source.
_EMBEDDED_PTX = ".nv_debug_ptx_txt"


def index(text: str) -> StageIndex:
    """Locate every instruction."""
    result = StageIndex.blank(split_lines(text))
    chains, operations = result.chains, result.operations
    known: dict[str, Chain] = {}
    comments: list[str] = []
    in_comments = False
    chain: Chain = UNMAPPED
    for row, line in enumerate(result.lines):
        body = line.lstrip()
        start = body[:2]
        if start == "//":
            if body.startswith("//## File"):
                if _EMBEDDED_PTX not in body:
                    comments = [*comments, body] if in_comments else [body]
                    in_comments = True
            elif body.startswith("//---"):
                chain, in_comments = UNMAPPED, False
        elif start == "/*" or start[:1] == "{":
            if _INSTRUCTION.match(body):
                if in_comments:
                    key = "\n".join(comments)
                    found = known.get(key)
                    chain = known[key] = _frames(comments) if found is None else found
                    in_comments = False
                operations[row] = 1
                chains[row] = chain
        elif start == ".s" and body.startswith(".section"):
            chain, in_comments = UNMAPPED, False
    return result


def _frames(comments: list[str]) -> Chain:
    """Frames of consecutive comments; only the last chain counts where no instruction is between two."""
    frames: list[Location] = []
    caller: Location | None = None
    for comment in comments:
        match = _FRAME.match(comment)
        if match is None:
            continue
        file, line, caller_file, caller_line = match.groups()
        frame = Location(file, int(line))
        if frame != caller:
            frames = []
        frames.append(frame)
        caller = Location(caller_file, int(caller_line)) if caller_file else None
    if caller is not None:
        frames.append(caller)
    return without_unknown_lines(frames)


def clean(text_or_index: str | StageIndex) -> CleanText:
    """Labels and instructions; no location comments, sections or directives."""
    return CleanText(_clean_rows(rows_of(text_or_index)))


def _clean_rows(lines: list[str]) -> Iterator[tuple[int, str]]:
    for row, line in enumerate(lines):
        body = line.strip()
        if body.startswith("//") or (body[:1] == "." and (body[-1] != ":" or body.startswith(".text."))):
            continue
        yield row, _compact(line)


def _compact(line: str) -> str:
    """An instruction without the thirty blanks that nvdisasm aligns with; narrow panes have no room for them."""
    parts = _PARTS.match(line)
    if parts is None:
        return line.rstrip()
    opening, address, predicate, instruction = parts.groups()
    return f"{opening}{address} {predicate or '':>5} {instruction}"


_PTX_ROW = re.compile(r'//## File "\.nv_debug_ptx_txt", line (\d+)')
#: Instructions of a warp group's tensor cores; ptxas writes no line for them, nvdisasm shows that before.
_LATE = re.compile(r"\b[A-Z]GMMA(?:\.SP)?\.(\d+)x(\d+)x(\d+)\.")
_LATE_IN_PTX = re.compile(r"\bwgmma\.mma_async\.[\w.:]*?\.m(\d+)n(\d+)k(\d+)\.")
_PADDING = re.compile(r"\s*/\*[0-9a-f]+\*/\s+NOP\b")


def ptx_rows(index: StageIndex, ptx: StageIndex) -> dict[int, int]:
    """By row of an instruction, the row of the PTX that ptxas says it was made of (from ``nvdisasm -gp``).

    Empty where nvdisasm was not asked, or the cubin does not have its PTX. The padding after the last instruction
    was made of nothing, and is left out.
    """
    found: dict[int, int] = {}
    at: int | None = None
    padding: list[int] = []
    for row, line in enumerate(index.lines):
        if index.operations[row]:
            if _PADDING.match(line):
                padding.append(row)
            else:
                padding.clear()
            if at is not None:
                found[row] = at
        elif _EMBEDDED_PTX in line and (match := _PTX_ROW.match(line.lstrip())):
            at = int(match[1]) - 1
        elif line.startswith(("//---", "\t.section", ".section")):
            for unused in padding:
                found.pop(unused, None)
            padding.clear()
            at = None
    for unused in padding:
        found.pop(unused, None)
    place_late(index, ptx, found)
    return found


def place_late(index: StageIndex, ptx: StageIndex, found: dict[int, int]) -> None:
    """Pair each ``HGMMA`` with its ``wgmma``: they keep their order, and their shapes must agree.

    Where there are not as many of one as of the other, only those stay that name a ``wgmma`` at all.
    """
    late = {row: match.groups() for row in found if (match := _LATE.search(index.lines[row]))}
    sources = {
        row: match.groups()
        for row, line in enumerate(ptx.lines)
        if ptx.operations[row] and (match := _LATE_IN_PTX.search(line))
    }
    if list(late.values()) == list(sources.values()):
        found.update(zip(late, sources, strict=True))
        return
    for row in late:
        if found[row] not in sources:
            del found[row]
