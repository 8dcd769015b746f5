"""Writing what is on screen to files: a stage, the whole bundle, a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from irscope.tui.prompt import Ask

if TYPE_CHECKING:
    from irscope.model import Compilation, Stage
    from irscope.tui.workbench import Workbench

#: What a stage's file is called, where that is not the stage's name.
_SUFFIXES = {"source": ".py", "log": ".log"}


def suggested_name(compilation: Compilation | None, stage: str) -> str:
    kernel = compilation.kernel.name if compilation else "kernel"
    return f"{kernel}{_SUFFIXES.get(stage, f'.{stage}')}"


def save(ask: Ask, path: Path, bench: Workbench, picture: str) -> None:
    """Write the file that was asked for.

    Args:
        picture: of the screen, an SVG document.

    Raises:
        OSError: the file cannot be written.
    """
    found, pane = bench.compilation, bench.panes.pane
    if ask is Ask.SAVE_BUNDLE and found is not None:
        from irscope import session
        from irscope.launch import history

        session.save(replace(found, launches=history.of(found)), path)
    elif ask is Ask.SCREENSHOT:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture, encoding="utf-8")
    elif pane is not None:
        stage = found.stages.get(pane.stage) if found else None
        write_stage(path, stage, pane.text.text if pane.text else "")


def write_stage(path: Path, stage: Stage | None, text: str) -> int:
    """Write a stage as the compiler left it (its bytes where it is binary), or other text; the number of bytes.

    Raises:
        OSError: the file cannot be written.
    """
    content = stage.data if stage is not None and stage.data is not None else text.encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return len(content)


def as_path(answer: str) -> Path:
    return Path(answer.strip()).expanduser()
