"""The files of the source pane: those that took part, and any other that a location or an error names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from irscope.tui.pane_row import PaneRow
from irscope.tui.source_names import base_name, source_path, source_texts
from irscope.tui.stage_pane import StagePane
from irscope.tui.stage_text import StageText
from irscope.tui.stages import SOURCE

if TYPE_CHECKING:
    from irscope.model import Compilation, Failure

#: Beyond it, a file that a location names is no source that anybody reads.
_MAX_BYTES = 4 << 20


class SourceFiles:
    """Texts of source files by their name in correlation: the kernel's own is `SOURCE`, others go by their path."""

    def __init__(self, panes: PaneRow) -> None:
        self._panes = panes
        #: Path of the kernel's own file.
        self._own: str | None = None

    @property
    def pane(self) -> StagePane:
        return self._panes.panes[SOURCE]

    def show_file(self, path: Path) -> None:
        """Have the file that a request names, before anything is compiled."""
        if path.suffix == ".py" and path.is_file():
            self._own = str(path.absolute())
            self.pane.set_texts({SOURCE: read_source(str(path)) or StageText(SOURCE, "", title=path.name)})
        else:
            self.pane.set_texts({}, f"opening {path} ...")

    def show(self, compilation: Compilation) -> None:
        """Have the files of a compilation, as they were compiled."""
        self._own = source_path(compilation)
        texts = {}
        for key, title, text in source_texts(compilation):
            before = self.pane.texts.get(key)
            # The same object where nothing changed: a pane does not load the same text twice.
            unchanged = before is not None and before.text == text
            texts[key] = before if before is not None and unchanged else StageText(SOURCE, text, title=title)
        self.pane.set_texts(texts, "no source file is known")
        if not texts:
            self._panes.do_without(SOURCE)

    def key(self, path: str) -> str:
        return SOURCE if path == self._own else path

    def text(self, path: str) -> StageText | None:
        """A file's text, if it is in the pane already."""
        return self.pane.texts.get(self.key(path))

    def open(self, path: str) -> None:
        """Bring a file on screen, as it was compiled, else as it is on this machine's disk."""
        if self.text(path) is None and (found := read_source(path)) is not None:
            self.pane.texts[self.key(path)] = found
        self.pane.show_text(self.key(path))

    def show_number(self, number: int) -> None:
        """Bring one of the files of the pane on screen, from 0 and round the end."""
        names = list(self.pane.texts)
        self.pane.show_text(names[number % len(names)])
        self._panes.use(SOURCE)

    def show_next(self) -> None:
        names = list(self.pane.texts)
        here = self.pane.current
        self.show_number(names.index(here) + 1 if here in names else 0)

    def show_place(self, failure: Failure, *, enter: bool = True) -> None:
        """Put the cursor where an error is, in the file as it is now; ``enter`` brings the pane into use."""
        if failure.file is None or failure.line is None:
            return
        key, compiled, now = self.key(failure.file), self.text(failure.file), read_source(failure.file)
        if now is not None and (compiled is None or compiled.text != now.text):
            # What is in view was compiled from an earlier text: the file of now goes beside it.
            now.title += " (now)"
            key = f"now:{failure.file}"
            self.pane.texts[key] = now
            self.pane.current = None
        self.pane.show_text(key)
        if enter:
            self._panes.use(SOURCE)
        self.pane.go_to(failure.line - 1)


def read_source(path: str) -> StageText | None:
    """A source file as it is on disk; ``None`` where it cannot be read, or is too large to be one."""
    file = Path(path)
    try:
        if not file.is_file() or file.stat().st_size > _MAX_BYTES:
            return None
        return StageText(SOURCE, file.read_text(encoding="utf-8", errors="replace"), title=base_name(path))
    except OSError:
        return None
