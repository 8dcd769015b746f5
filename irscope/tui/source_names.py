"""The source files of a compilation as the panes name them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from irscope.tui.stages import SOURCE

if TYPE_CHECKING:
    from irscope.model import Compilation


def source_path(compilation: Compilation) -> str | None:
    """The path of the source that the source pane shows first."""
    paths = [source.path for source in compilation.sources]
    return compilation.kernel.file if compilation.kernel.file in paths else next(iter(paths), None)


def source_texts(compilation: Compilation) -> Iterator[tuple[str, str, str]]:
    """Key of the view, short name and text of every source file, the kernel's own first."""
    first = source_path(compilation)
    ordered = sorted(compilation.sources, key=lambda source: source.path != first)
    for source in ordered:
        yield (SOURCE if source.path == first else source.path, base_name(source.path), source.text)


def base_name(path: str) -> str:
    """The last part of a path of either kind of system: a bundle may come from the other one."""
    return PureWindowsPath(path).name if "\\" in path else PurePath(path).name
