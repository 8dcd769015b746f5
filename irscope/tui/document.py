"""The text of a pane: what is shown of each row, how wide it is, and its tokens.

A row is a line of the text, from 0. Three ways to count within it: *raw* characters (the text as it is),
*shown* characters (tabs expanded, control characters replaced; this is what all painting uses) and *columns*
(terminal cells: a wide character has two, a combining one none).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pygments.token import Text, _TokenType
from rich.cells import cell_len, split_graphemes
from textual.cache import LRUCache

if TYPE_CHECKING:
    from pygments.lexer import Lexer

    from irscope.tui.lexers import Language

TAB = 4
#: Beyond it a line is lexed only as far as it is shown, in steps of this many characters.
LEX_STEP = 256

# What a terminal would obey or hide is shown instead: C0 as its picture, the rest (C1, line separators,
# bidirectional overrides, byte order mark, lone surrogates) as a replacement character. One to one, so that
# counts hold.
_VISIBLE = (
    {code: 0x2400 + code for code in range(0x20)}
    | {0x7F: 0x2421}
    | dict.fromkeys(
        [*range(0x80, 0xA0), 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF], 0xFFFD
    )
    | dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
)


_SEPARATORS = " \t,;"


class Run(NamedTuple):
    """Characters up to ``end`` (shown, exclusive) that have the same token type."""

    end: int
    token: _TokenType


class Document:
    """Rows of text in one language; keeps the lines that it is given, and little else."""

    def __init__(self, lines: Sequence[str] = (), language: Language = "text") -> None:
        self.lines = lines
        self.language = language
        self._whole: list[list[Run]] | None = None
        self._runs: LRUCache[tuple[int, int], list[Run]] = LRUCache(512)
        self._columns: LRUCache[int, list[int]] = LRUCache(512)
        #: Columns of the widest row.
        self.width = max(map(self._quick_width, lines), default=0)

    @cached_property
    def _lexer(self) -> Lexer:
        # Here, as Pygments takes longer to load than a first frame without colours should wait.
        from irscope.tui.lexers import lexer_for

        return lexer_for(self.language)

    def set_language(self, language: Language) -> None:
        """Take the same text for another language."""
        self.language = language
        self._whole = None
        self._runs.clear()
        self.__dict__.pop("_lexer", None)

    def __len__(self) -> int:
        return len(self.lines)

    def shown(self, row: int) -> str:
        line = self.lines[row]
        if line.isascii() and line.isprintable():
            return line
        return line.expandtabs(TAB).translate(_VISIBLE) if "\t" in line else line.translate(_VISIBLE)

    def row_width(self, row: int) -> int:
        return self._quick_width(self.lines[row])

    def _quick_width(self, line: str) -> int:
        if line.isascii():
            return len(line.expandtabs(TAB)) if "\t" in line else len(line)
        return cell_len(line.expandtabs(TAB).translate(_VISIBLE))

    def to_shown(self, row: int, raw: int) -> int:
        """Position among the shown characters of the raw character ``raw``."""
        line = self.lines[row]
        return len(line[:raw].expandtabs(TAB)) if "\t" in line else min(raw, len(line))

    def to_raw(self, row: int, shown: int) -> int:
        """The raw character that a shown one belongs to; the length of the line for what lies beyond."""
        line = self.lines[row]
        if "\t" not in line:
            return min(shown, len(line))
        return bisect_left(range(len(line)), shown + 1, key=lambda raw: len(line[: raw + 1].expandtabs(TAB)))

    def columns(self, row: int) -> Sequence[int]:
        """First column of each shown character, then the width: an identity for ASCII."""
        text = self.shown(row)
        if text.isascii():
            return range(len(text) + 1)
        found = self._columns.get(row)
        if found is None:
            graphemes, width = split_graphemes(text)
            found, column = [], 0
            for start, end, cells in graphemes:
                found.extend([column] * (end - start))
                column += cells
            found.append(width)
            self._columns[row] = found
        return found

    def character_at(self, row: int, column: int) -> int:
        """The shown character that covers a column; the number of characters for what lies beyond."""
        columns = self.columns(row)
        at = bisect_left(columns, column)
        if at < len(columns) and columns[at] > column:
            # The right half of a wide character: back to where that began.
            at = bisect_left(columns, columns[at - 1])
        return min(at, len(columns) - 1)

    def runs(self, row: int, limit: int) -> list[Run]:
        """Tokens of a row, at least as far as the shown character ``limit`` (fewer where the text ends)."""
        if self.language == "text":
            return [Run(len(self.shown(row)), Text)]
        if self.language == "python":
            if self._whole is None:
                self._whole = self._lex_whole()
            return self._whole[row]
        steps = -(-max(limit, 1) // LEX_STEP)
        found = self._runs.get((row, steps))
        if found is None:
            text = self.shown(row)[: steps * LEX_STEP]
            found = self._runs[row, steps] = _merge(self._lex(text), text)
        return found

    def _lex(self, text: str) -> list[Run]:
        return [
            Run(start + len(value), token) for start, token, value in self._lexer.get_tokens_unprocessed(text + "\n")
        ]

    def _lex_whole(self) -> list[list[Run]]:
        """Tokens by row; one that spans rows (a docstring) is cut at their ends."""
        texts = [self.shown(row) for row in range(len(self))]
        rows: list[list[Run]] = []
        runs: list[Run] = []
        start, end_of_row = 0, len(texts[0]) if texts else 0
        for end, token in self._lex("\n".join(texts)):
            while end > end_of_row and len(rows) < len(texts):
                runs.append(Run(end_of_row - start, token))
                rows.append(_merge(runs, texts[len(rows)]))
                runs = []
                start = end_of_row + 1
                end_of_row = start + (len(texts[len(rows)]) if len(rows) < len(texts) else 0)
            if end > start:
                runs.append(Run(end - start, token))
        return rows


def _merge(runs: list[Run], text: str) -> list[Run]:
    """Joins neighbours that look the same, and separators to what is before them.

    Each run costs an escape code of some 40 bytes, which is most of what a terminal is sent.
    """
    merged: list[Run] = []
    start = 0
    for end, token in runs:
        end = min(end, len(text))
        if end <= start:
            continue
        if merged and (token is merged[-1].token or not text[start:end].strip(_SEPARATORS)):
            merged[-1] = Run(end, merged[-1].token)
        elif len(merged) == 1 and text[:start].isspace():
            merged[0] = Run(end, token)
        else:
            merged.append(Run(end, token))
        start = end
    if start < len(text):
        merged.append(Run(len(text), Text))
    return merged
