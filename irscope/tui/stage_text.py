"""The text of one pane in both of its forms, clean and raw, and the way between their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from irscope.ir import CleanText, clean, language
from irscope.ir.lines import split_lines
from irscope.tui.stages import SOURCE

if TYPE_CHECKING:
    from irscope.model import Stage
    from irscope.tui.lexers import Language


class StageText:
    """A stage's text; its clean form is made when it is first asked for.

    Rows count from 0. A *raw* row is one of the text as the compiler wrote it, which is what correlation
    and line numbers speak of; a *shown* row is one of the form that is on screen.
    """

    def __init__(self, stage: str, text: str, *, title: str = "", origin: Stage | None = None) -> None:
        self.stage = stage
        #: What distinguishes it from others in the same pane: the file's name in the source pane.
        self.title = title
        self.text = text
        #: The stage that the text was made from, where it was.
        self.origin = origin
        self.raw_lines = split_lines(text)
        self._clean: CleanText | None = None

    @property
    def language(self) -> Language:
        return "python" if self.stage == SOURCE else language(self.stage, self.text)

    def lines(self, raw: bool) -> Sequence[str]:
        cleaned = None if raw else self._cleaned()
        return self.raw_lines if cleaned is None else cleaned.lines

    def numbers(self, raw: bool) -> Sequence[int]:
        """The line number, from 1, in the stage's file of each shown row."""
        cleaned = None if raw else self._cleaned()
        if cleaned is None:
            return range(1, len(self.raw_lines) + 1)
        return [row + 1 for row in cleaned.raw_rows]

    def raw_row(self, shown: int, raw: bool) -> int:
        cleaned = None if raw else self._cleaned()
        if cleaned is None or not cleaned.lines:
            return shown
        return cleaned.raw_row(min(shown, len(cleaned.lines) - 1))

    def shown_row(self, raw_row: int, raw: bool) -> int:
        cleaned = None if raw else self._cleaned()
        return raw_row if cleaned is None else cleaned.clean_row(raw_row)

    def keeps(self, raw_row: int, raw: bool) -> bool:
        """Whether a raw row is on screen as a row of its own."""
        cleaned = None if raw else self._cleaned()
        return cleaned is None or cleaned.keeps(raw_row)

    def _cleaned(self) -> CleanText | None:
        if self.stage == SOURCE:
            return None
        if self._clean is None:
            self._clean = clean(self.stage, self.text)
        return self._clean
