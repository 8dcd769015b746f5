"""Says that a file which took part changed on disk, and offers to compile it again."""

from __future__ import annotations

from pathlib import Path

from textual.content import Content
from textual.widgets import Static


class ChangeBar(Static):
    """One line, there only while there is something to offer."""

    def __init__(self) -> None:
        super().__init__(id="changed")
        self.display = False

    def offer(self, path: str) -> None:
        self.update(
            Content.assemble(
                (f" {Path(path).name} changed on disk  ", "bold"),
                (" R recompile ", "reverse @click=app.recompile"),
                "  ",
                (" not now ", "@click=app.dismiss_change"),
            )
        )
        self.display = True

    def close(self) -> None:
        self.display = False
