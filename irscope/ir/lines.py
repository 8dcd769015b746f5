"""Values that every text form shares: where a row came from, and what a reader wants to see of a text.

Rows count from 0 everywhere in `irscope.ir`, as indices into lists do; the line numbers inside a `Location`
count from 1, as editors do.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a source file. ``line`` counts from 1; ``column`` is as the compiler wrote it, 0 is unknown.

    Triton counts columns from 1 since 3.9; before, from 0.
    """

    file: str
    line: int
    column: int = 0


#: The frames of one row: where the code is written first, then the calls that inlined it, outward.
Chain: TypeAlias = tuple[Location, ...]

UNMAPPED: Chain = ()


@dataclass(slots=True, eq=False)
class StageIndex:
    """Where each row of a stage's text came from.

    ``lines``, ``chains`` and ``operations`` have one entry a row. Rows of one origin share one tuple in
    ``chains``, so that a consumer may group rows by identity before it compares values.
    """

    lines: list[str]
    chains: list[Chain]
    #: 1 where an operation or an instruction starts, 0 elsewhere (labels, directives, closing brackets, ...).
    operations: bytearray

    @classmethod
    def blank(cls, lines: list[str]) -> StageIndex:
        """All rows unmapped and without operations, to be filled in."""
        return cls(lines, [UNMAPPED] * len(lines), bytearray(len(lines)))

    @property
    def operation_count(self) -> int:
        return self.operations.count(1)

    @property
    def mapped_count(self) -> int:
        """Rows that hold an operation and have a location."""
        return sum(map(bool, compress(self.chains, self.operations)))


class CleanText:
    """A stage's text without its bookkeeping, and the way back to the raw rows."""

    __slots__ = ("lines", "raw_rows")

    def __init__(self, rows: Iterable[tuple[int, str]]) -> None:
        """Take (raw row, clean text) in ascending order.

        Blank rows are dropped at either end, and after another blank row.
        """
        self.lines: list[str] = []
        #: The raw row of each clean one, ascending.
        self.raw_rows: array[int] = array("I")
        for row, line in rows:
            if line or (self.lines and self.lines[-1]):
                self.lines.append(line)
                self.raw_rows.append(row)
        if self.lines and not self.lines[-1]:
            self.lines.pop()
            self.raw_rows.pop()

    def raw_row(self, row: int) -> int:
        """The raw row of a clean one. Raises IndexError where there is none."""
        return self.raw_rows[row]

    def clean_row(self, raw: int) -> int:
        """The clean row of a raw one, or the next that is kept: a ``.loc`` leads to its instruction.

        0 where the clean text is empty.
        """
        return max(0, min(bisect_left(self.raw_rows, raw), len(self.raw_rows) - 1))

    def keeps(self, raw: int) -> bool:
        """Whether the raw row is in the clean text."""
        at = bisect_left(self.raw_rows, raw)
        return at < len(self.raw_rows) and self.raw_rows[at] == raw


def split_lines(text: str) -> list[str]:
    """Rows of a text, without line ends. Unlike ``str.splitlines``, only line feeds end a row."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def rows_of(text_or_index: str | StageIndex) -> list[str]:
    """Raw rows of what `clean` functions take."""
    return text_or_index.lines if isinstance(text_or_index, StageIndex) else split_lines(text_or_index)


_HEX_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_OCTAL_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_CONTROL = {"n": b"\n", "t": b"\t", "r": b"\r", "f": b"\f", "b": b"\b"}


def unescape_llvm(text: str) -> str:
    r"""Undo the escapes of MLIR and LLVM IR strings: ``\\``, ``\"`` and two hexadecimal digits a byte."""
    return _unescape(_HEX_ESCAPE, 16, {}, text)


def unescape_assembly(text: str) -> str:
    r"""Undo the escapes of assembler strings: ``\\``, ``\"``, ``\n`` and octal digits a byte."""
    return _unescape(_OCTAL_ESCAPE, 8, _CONTROL, text)


def _unescape(pattern: re.Pattern[str], base: int, control: dict[str, bytes], text: str) -> str:
    if "\\" not in text:
        return text
    # The escapes are bytes of UTF-8: they have to be put together before they are characters.
    raw = bytearray()
    end = 0
    for match in pattern.finditer(text):
        raw += text[end : match.start()].encode("utf-8", "surrogateescape")
        digits, character = match.groups()
        if digits:
            raw.append(int(digits, base) & 0xFF)
        else:
            raw += control.get(character, character.encode("utf-8", "surrogateescape"))
        end = match.end()
    raw += text[end:].encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "replace")


def join_path(directory: str, name: str) -> str:
    """Put a debug record's directory and file name together, in the style of the machine that wrote them."""
    if not directory or name.startswith(("/", "\\")) or name[1:3] in (":\\", ":/"):
        return name
    separator = "\\" if "\\" in directory and "/" not in directory else "/"
    return directory.rstrip("/\\") + separator + name


def without_unknown_lines(frames: Sequence[Location]) -> Chain:
    """Frames that name a line: compilers write line 0 for code of no line, whose call sites still hold."""
    return tuple([frame for frame in frames if frame.line > 0])
