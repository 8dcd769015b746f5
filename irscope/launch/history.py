"""The last launches of each kernel, under the user's cache directory."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from irscope.launch.fields import from_fields
from irscope.launch.model import Launch
from irscope.model import Compilation
from irscope.paths import cache_directory, write_whole

#: Launches kept of one kernel, the last ones.
KEPT = 20


def file_of(file: str, kernel: str) -> Path:
    key = hashlib.sha256(f"{Path(file).absolute()}\0{kernel}".encode()).hexdigest()[:40]
    return cache_directory() / "launches" / f"{key}.json"


def load(file: str, kernel: str) -> tuple[Launch, ...]:
    """The kernel's launches, oldest first; none where nothing readable is kept."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(file_of(file, kernel).read_text(encoding="utf-8"))
        return tuple(from_fields(Launch, fields) for fields in kept)
    return ()


def of(compilation: Compilation) -> tuple[Launch, ...]:
    """The launches of a compilation's kernel, oldest first: those kept here, and those that its bundle brought."""
    kept = load(compilation.kernel.file, compilation.kernel.name)
    brought = [launch for launch in compilation.launches if launch.when not in {other.when for other in kept}]
    return tuple(sorted((*kept, *brought), key=lambda launch: launch.when))[-KEPT:]


def add(launch: Launch) -> None:
    """Keep a launch. Where nothing can be written the history is shorter, and nothing fails."""
    kept = [*load(launch.file, launch.kernel), without_logs(launch)][-KEPT:]
    file = file_of(launch.file, launch.kernel)
    with contextlib.suppress(OSError):
        write_whole(file, json.dumps([asdict(entry) for entry in kept], default=str))


def without_logs(launch: Launch) -> Launch:
    return replace(launch, log="", sites=())


def ratio(launch: Launch, other: Launch) -> float | None:
    """How many times as long ``launch`` took as ``other``; ``None`` where either has no time, or the inputs differ."""
    if launch.timing is None or other.timing is None or not other.timing.median or inputs(launch) != inputs(other):
        return None
    return launch.timing.median / other.timing.median


def inputs(launch: Launch) -> list[tuple[Any, ...]]:
    """What makes two launches comparable: the same sizes and values on the same kind of device."""
    device = launch.device.name if launch.device else None
    return [(device,), *((a.name, a.type, a.shape, a.strides, a.value) for a in launch.arguments)]
