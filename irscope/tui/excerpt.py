"""Parts of a document that are selected: their text, and the word under the pointer."""

from __future__ import annotations

import re

from textual.selection import Selection

from irscope.tui.document import Document

#: A name with the sign before it, as IR and assembly write them.
_WORD = re.compile(r"[%@#!$^]?[\w$.]+")


def excerpt(document: Document, selection: Selection) -> str:
    """The selected text as it is in the file: tabs are tabs again."""
    rows = []
    first = selection.start.y if selection.start else 0
    last = selection.end.y if selection.end else len(document) - 1
    to_raw = document.to_raw
    for row in range(first, min(last + 1, len(document))):
        start, end = selection.get_span(row) or (0, -1)
        rows.append(document.lines[row][to_raw(row, start) : None if end < 0 else to_raw(row, end)])
    return "\n".join(rows)


def word_at(document: Document, row: int, character: int) -> tuple[int, int] | None:
    """First shown character of the word around one, and the character after it; ``None`` between words."""
    for word in _WORD.finditer(document.shown(row)):
        if word.start() <= character < word.end():
            return word.span()
    return None
