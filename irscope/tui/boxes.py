"""What the boxes of the pipeline strip say: of stages that are still to be made, and of a compilation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from irscope.tui.pipeline_strip import GPU, Box, State
from irscope.tui.stages import SOURCE, describe, sequence

if TYPE_CHECKING:
    from irscope.model import Compilation, Failure, Stage
    from irscope.tui.linking import Links


def waiting(names: Iterable[str]) -> list[Box]:
    """Boxes of stages that are going to be made."""
    return [Box(name, State.DONE if name == SOURCE else State.WAITING) for name in names]


def of_compilation(found: Compilation, links: Links, *, stored: bool, failure: Failure | None) -> list[Box]:
    """Boxes of a compilation's stages.

    Args:
        links: of the same compilation, for the number of operations; lines are counted until they are known.
        failure: why it, or a later attempt that left it in view, did not come to its end.
    """
    names = sequence(found.pipeline, found.stages)
    failed = None
    if failure is not None:
        failed = failure.stage or next((name for name in found.pipeline if name not in found.stages), SOURCE)
    boxes = [_box(name, found, links, stored) for name in names]
    return [replace(box, state=State.FAILED) if box.name == failed else box for box in boxes]


def _box(name: str, found: Compilation, links: Links, stored: bool) -> Box:
    stage = found.stages.get(name)
    if name == SOURCE:
        return Box(name, State.DONE if found.sources else State.ABSENT)
    if stage is None:
        return Box(name, State.ABSENT)
    index = links.indices.get(name)
    size = size_of(stage) if index is None else f"{index.operation_count} {describe(name).unit}"
    return Box(name, State.STORED if stored else State.DONE, stage.seconds, size)


def of_device(device: str | None) -> Box:
    """The last box: the GPU of this machine in words, ``None`` where there is none."""
    if device is None:
        return Box(GPU, State.ABSENT, size="none here", brief="none")
    return Box(GPU, State.DONE, size=device, brief="ready")


def size_of(stage: Stage) -> str:
    if stage.data is not None:
        return f"{stage.bytes / 1024:.0f} KB"
    return f"{stage.lines} lines"
