"""A whole launch as files, for Triton's interpreter, which runs in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import triton

from . import copies, faults, measure


def save_launch(request: dict[str, Any], wire: Any) -> dict[str, Any]:
    """Write ``arguments.pt`` (as before the launch) and ``outputs.pt`` (after one launch) into a folder.

    Both on the CPU, with the strides and the overlaps that the tensors have on the GPU. ``outputs.pt`` has the
    tensors that the request names as written, or else all.
    """
    import torch

    prepared = measure.the_prepared()
    folder = Path(request["folder"])
    written = request.get("written")
    with faults.told(wire, faults.subject_of(prepared)), torch.cuda.device(prepared.device):
        wire.send("phase", phase="reading back")
        tensors = copies.tensors_of(prepared.arguments)
        before = copies.Snapshot(tensors, "cpu")
        try:
            prepared.run()
            torch.cuda.synchronize()
            after = copies.Snapshot(tensors, "cpu")
        finally:
            before.restore()
    saved = {name: before.view(name) for name in tensors}
    arguments = {name: copies.with_tensors(value, name, saved) for name, value in prepared.arguments.items()}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "arguments": arguments,
            "constexprs": prepared.constexprs,
            "options": prepared.options,
            "grid": prepared.grid,
            "triton": triton.__version__,
        },
        folder / "arguments.pt",
    )
    names = [name for name in tensors if written is None or copies.is_among(name, written)]
    torch.save({name: after.view(name) for name in names}, folder / "outputs.pt")
    return {"arguments": str(folder / "arguments.pt"), "outputs": str(folder / "outputs.pt")}
