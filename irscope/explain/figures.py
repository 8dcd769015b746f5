"""Where each figure comes from, in words; the texts are in ``figures.json``."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from irscope.model import Compilation

#: Beside figures: what stands for the map of shared memory.
SHARED_MEMORY = "shared memory"


def meaning(figure: str) -> str:
    """What a figure is: a name of the JSON documents, ``registers``, say; empty for an unknown one."""
    return str(_texts()["figures"].get(figure, {}).get("meaning", ""))


def source(figure: str, compilation: Compilation | None = None, origin: str | None = None) -> str:
    """Where a figure comes from; empty where nothing tells it, or where that hangs on a compilation and there is none.

    ``origin`` is that of live registers, "nvdisasm" or "irscope".
    """
    known: str | Mapping[str, str] = _texts()["figures"].get(figure, {}).get("from", "")
    if isinstance(known, str):
        return known
    if compilation is None:
        return ""
    backend = compilation.target.backend
    reported = "" if compilation.ptxas_log else f"{backend} without a report"
    ways = (f"{origin} on {backend}", origin or "", reported, backend)
    return next((known[way] for way in ways if way in known), "")


def column_source(name: str) -> str:
    """Where a column beside a pane's lines comes from; empty for an unknown one."""
    columns: Mapping[str, str] = _texts()["columns"]
    return columns["instr"] if name in kind_columns().values() else columns.get(name, "")


def kind_columns() -> Mapping[str, str]:
    """By kind of instruction, the name of its column."""
    names: Mapping[str, str] = _texts()["kinds of instructions"]
    return names


def verdict_source(rule: str) -> str:
    """What the verdicts of a rule are drawn from; empty for an unknown one."""
    return str(_texts()["verdicts"].get(rule, ""))


def shared_memory_source() -> str:
    """Where the map of shared memory comes from."""
    return str(_texts()[SHARED_MEMORY])


def rules() -> list[str]:
    """Every rule that verdicts have."""
    return list(_texts()["verdicts"])


@functools.cache
def _texts() -> dict[str, Any]:
    texts: dict[str, Any] = json.loads(Path(__file__).with_name("figures.json").read_text(encoding="utf-8"))
    return texts
