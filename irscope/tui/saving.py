"""Writing what is on screen to files: a stage, the whole bundle, a picture."""

from __future__ import annotations

from pathlib import Path

from irscope.model import Compilation, Stage

#: What a stage's file is called, where that is not the stage's name.
_SUFFIXES = {"source": ".py", "log": ".log"}


def suggested_name(compilation: Compilation | None, stage: str) -> str:
    kernel = compilation.kernel.name if compilation else "kernel"
    return f"{kernel}{_SUFFIXES.get(stage, f'.{stage}')}"


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
