"""The map of shared memory as text and as JSON: ``irscope shared``. Rows count from 1 here."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from irscope import __version__
from irscope.analysis.shared import Buffer, SharedMemory
from irscope.analysis.verdicts import Verdict
from irscope.ir.table import aligned
from irscope.model import Compilation
from irscope.report.places import place
from irscope.report.verdicts import verdict_lines, verdict_list

#: Characters of a type that are shown: layouts are long.
_TYPE_WIDTH = 48


def document(compilation: Compilation, found: SharedMemory, verdicts: list[Verdict]) -> dict[str, Any]:
    return {
        "irscope": __version__,
        "kernel": compilation.kernel.name,
        "file": compilation.kernel.file,
        "target": asdict(compilation.target),
        "triton": compilation.triton,
        "total": found.total,
        "metadata_total": found.metadata_total,
        "incomplete": found.incomplete,
        "buffers": [_buffer(found, buffer) for buffer in found.buffers],
        "tensor_memory_columns": found.tensor_memory_columns,
        "tensor_memory": [
            {"first_column": one.first_column, "first_lane": one.first_lane, "type": one.type, "line": one.row + 1}
            for one in found.tensor_memory
        ],
        "verdicts": verdict_list(verdicts),
    }


def _buffer(found: SharedMemory, buffer: Buffer) -> dict[str, Any]:
    return {
        "offset": buffer.offset,
        "bytes": buffer.bytes,
        "kind": buffer.kind,
        "operation": buffer.operation,
        "name": buffer.name,
        "type": buffer.type,
        "line": buffer.row + 1,
        "source": [{"file": place.file, "line": place.line} for place in buffer.source],
        "live": [[span.first + 1, span.last + 1] for span in buffer.live],
        "shares_with": [other.row + 1 for other in found.sharing(buffer)],
    }


def text(compilation: Compilation, found: SharedMemory, verdicts: list[Verdict]) -> str:
    blocks = [
        _heading(compilation, found),
        table(found, compilation.kernel.file),
        _tensor_memory(found),
        verdict_lines(verdicts),
    ]
    return "\n\n".join(block for block in blocks if block)


def _heading(compilation: Compilation, found: SharedMemory) -> str:
    total = found.total if found.total is not None else found.metadata_total
    size = "? bytes" if total is None else f"{total:,} bytes".replace(",", " ")
    line = f"{compilation.kernel.name}  {compilation.target.arch}   {size} of shared memory a block"
    if found.incomplete:
        return f"{line}\nnot the whole map: {found.incomplete}"
    if found.metadata_total is not None and found.metadata_total != found.total:
        return f"{line}; Triton's metadata says {found.metadata_total}"
    return line


def table(found: SharedMemory, kernel_file: str) -> str:
    """One line a buffer, by offset: where, how large, whose, when it is in use, what else uses the bytes."""
    if not found.buffers:
        return ""
    rows = [("offset", "bytes", "kind", "operation", "ttgir", "Python", "in use", "shares with", "holds")]
    for buffer in found.buffers:
        rows.append(
            (
                _number(buffer.offset),
                _number(buffer.bytes),
                buffer.kind,
                f"{buffer.operation} {buffer.name or ''}".strip(),
                str(buffer.row + 1),
                place(buffer.source, kernel_file),
                " ".join(f"{span.first + 1}-{span.last + 1}" for span in buffer.live),
                " ".join(str(other.row + 1) for other in found.sharing(buffer)),
                buffer.type if len(buffer.type) <= _TYPE_WIDTH else f"{buffer.type[: _TYPE_WIDTH - 3]}...",
            )
        )
    return "\n".join(aligned(rows))


def _tensor_memory(found: SharedMemory) -> str:
    if not found.tensor_memory:
        return ""
    rows = [("column", "lane", "ttgir", "tensor memory holds")]
    rows += [(str(one.first_column), str(one.first_lane), str(one.row + 1), one.type) for one in found.tensor_memory]
    return "\n".join(aligned(rows))


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}".replace(",", " ")
