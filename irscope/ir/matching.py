"""Two texts of the same stage, row to row: equal in all but locations and names, or as near as can be told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from irscope import ir
from irscope.ir.lines import StageIndex

#: A value's name. MLIR makes names of locations, where these have names, and uses
#: a name again after the region it was used in.
_NAME = re.compile(r"%([\w$.-]+)")
#: Arguments of blocks and functions are defined with a type, those of loops with a value.
_USE = re.compile(r"%([\w$.-]+)(?=(: | = )?)")
#: Numbers of metadata count the debug information too.
_METADATA = re.compile(r"!\d+")
#: Numbers of calls count those that were optimized away.
_CALL_NUMBER = re.compile(r"\bcallseq \d+")
_RESULTS = re.compile(r"\s*%[\w$.:-]+(?:, %[\w$.:-]+)* = ")
_NAMED_VALUES = frozenset({"mlir", "llvm"})


@dataclass(frozen=True, slots=True)
class Match:
    """By row of one text, the row of the other."""

    rows: dict[int, int]
    #: How the two differ; ``None`` where every row has its equal, in the same order.
    reason: str | None = None


def match(stage: str, one: StageIndex, other: StageIndex) -> Match:
    """Match the rows of ``one`` to those of ``other``, comparing what `ir.clean` leaves of them."""
    first, second = ir.clean(stage, one), ir.clean(stage, other)
    language = ir.language(stage)
    named = language in _NAMED_VALUES
    ours, theirs = (_numbered(text.lines) if named else text.lines for text in (first, second))
    if language == "llvm":
        ours, theirs = ([_METADATA.sub("!", line) for line in lines] for lines in (ours, theirs))
    elif language == "ptx":
        ours, theirs = ([_CALL_NUMBER.sub("callseq", line) for line in lines] for lines in (ours, theirs))
    if ours == theirs:
        return Match(dict(zip(first.raw_rows, second.raw_rows, strict=True)))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    rows = {
        first.raw_rows[block.a + step]: second.raw_rows[block.b + step]
        for block in blocks
        for step in range(block.size)
    }
    return Match(rows, f"{len(ours) - len(rows)} of {len(ours)} rows differ")


def _numbered(lines: Sequence[str]) -> list[str]:
    """The rows with every value renamed to a number, anew each time that its name is defined."""
    numbers: dict[str, int] = {}
    count = 0

    def use(found: re.Match[str]) -> str:
        nonlocal count
        name = found[1]
        if found[2] or name not in numbers:
            numbers[name] = count = count + 1
        return f"%{numbers[name]}"

    def define(found: re.Match[str]) -> str:
        nonlocal count
        numbers[found[1]] = count = count + 1
        return f"%{count}"

    renamed = []
    for line in lines:
        if "%" in line:
            results = _RESULTS.match(line)
            end = results.end() if results else 0
            # What the operands name comes before what the results do, as the same name may be both.
            rest = _USE.sub(use, line[end:])
            line = _NAME.sub(define, line[:end]) + rest
        renamed.append(line)
    return renamed
