"""``python settle_launch.py < REQUESTS``: settle launches on the CPU as a launch's worker does, and tell them as JSON.

With ``TRITON_INTERPRET=1`` the file's launches before the chosen one run in Triton's interpreter; without, a
stand-in driver is there and they are dropped. A request with ``list`` runs the file to its end.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from irscope.worker import failures, standin, versions
from irscope.worker.launch import capture, prepare, settle
from irscope.worker.launch.resolve import Wanted
from irscope.worker.protocol import Rejected


class Wire:
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def send(self, event: str, **fields: Any) -> None:
        self.events.append({"event": event, **fields})


def answer_to(request: dict[str, Any]) -> dict[str, Any]:
    wire: Any = Wire()
    launch_other = None if versions.interpreting() else (lambda launch, call: None)
    path = Path(request["path"])
    try:
        if request.get("list"):
            recording = capture.record(path, request.get("entry"), Wanted(None, None), launch_other)
            return {"sites": recording.sites}
        settled = settle.settle(request, wire, "cpu", launch_other)
        prepared = settled.prepared
        compiled = {}
        if request.get("compile"):
            prepared.compiled = prepare.compile_launch(prepared)
            compiled = prepare.describe_compiled(settled)
    except Rejected as rejected:
        return {"failure": rejected.failure}
    except Exception as error:
        return {"failure": failures.describe(error, path, "")}
    return {
        **compiled,
        **settled.describe(),
        "events": wire.events,
        "configuration": settled.configuration,
        "options": prepared.options,
        "constexprs": prepared.constexprs,
        "provenance": settled.provenance,
        "values": {name: tell(value) for name, value in prepared.arguments.items() if isinstance(value, torch.Tensor)},
        "guards": {name: tell_guard(guard) for name, guard in prepared.guards.items()},
        "ran": run(prepared) if request.get("run") else None,
    }


def run(prepared: settle.Prepared) -> dict[str, Any]:
    """What the arguments hold after one launch, and the guards."""
    prepared.run()
    return {
        **{name: tell(value) for name, value in prepared.arguments.items() if isinstance(value, torch.Tensor)},
        "guards": {name: tell_guard(guard) for name, guard in prepared.guards.items()},
    }


def tell(tensor: torch.Tensor) -> dict[str, Any]:
    wide = tensor.to(torch.float64)
    return {
        "first": wide.flatten()[:8].tolist(), "min": float(wide.min()), "max": float(wide.max()),
        "mean": float(wide.mean()), "dtype": str(tensor.dtype),
    }  # fmt: skip


def tell_guard(guard: Any) -> dict[str, Any]:
    parts = [guard.storage[: guard.start].view(torch.uint8), guard.storage[guard.end :].view(torch.uint8)]
    return {
        "bytes": [part.numel() for part in parts],
        "holds": sorted({int(byte) for part in parts for byte in part.unique()}),
        "byte": guard.byte,
        "start": guard.start * guard.storage.element_size(),
    }


def main() -> None:
    versions.set_active_driver(standin.StandInDriver(versions.gpu_target("cuda", "sm_90", 32)))
    out, sys.stdout = sys.stdout, sys.stderr
    json.dump({name: answer_to(request) for name, request in json.load(sys.stdin).items()}, out, default=str)


if __name__ == "__main__":
    main()
