"""``python redirect_launches.py TARGET FILE[::KERNEL]...``: the launches that files come to with no GPU, as JSON.

Each file runs, under `redirect`, up to the first launch of the kernel (or of any). Nothing is launched: with
``TRITON_INTERPRET=1`` neither.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from irscope.worker import versions
from irscope.worker.launch import capture, copies, redirect
from irscope.worker.launch.resolve import Wanted


def launch_of(text: str, target: Any) -> dict[str, Any]:
    file, _, kernel = text.partition("::")
    with redirect.redirected(target):
        found = capture.record(Path(file), None, Wanted(kernel or None), lambda launch, call: None)
        devices = {} if found.call is None else {
            name: [str(tensor.device), tensor.is_cuda, list(tensor.shape)]
            for name, tensor in found.call.arguments.items() if hasattr(tensor, "data_ptr")
        }  # fmt: skip
    really = {} if found.call is None else copies.tensors_of(found.call.arguments)
    return {
        "error": repr(found.error) if found.error else None,
        "kernel": found.call and found.call.kernel.name,
        "grid": found.call and found.call.grid,
        "devices": devices,
        "really": sorted({tensor.device.type for tensor in really.values()}),
    }


def main() -> None:
    import torch
    from triton.runtime import driver

    target = versions.gpu_target("cuda", sys.argv[1], 32)
    before = dict(vars(torch.cuda)), dict(vars(driver)), torch.load, torch.Generator
    out, sys.stdout = sys.stdout, sys.stderr
    found = {text: launch_of(text, target) for text in sys.argv[2:]}
    undone = before == (dict(vars(torch.cuda)), dict(vars(driver)), torch.load, torch.Generator)
    json.dump({"found": found, "undone": undone, "device": str(torch.empty(1).device)}, out)


if __name__ == "__main__":
    main()
