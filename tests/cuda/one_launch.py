"""``python one_launch.py CASE``: prepare one launch, measure it as the worker does, and print what it sends.

A process of its own for each: after a fault, nothing works on the GPU any more. Each line is a JSON object.
"""

import json
import os
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import gpu_kernels
import torch
import triton

from irscope.worker.launch import ceilings, handover, measure, prepare
from irscope.worker.launch.inputs import POISON, Guard
from irscope.worker.loading import LoadedKernel
from irscope.worker.protocol import Rejected

SIZE = 1 << 20
BLOCK = 1024


class Printed:
    """In place of the worker's wire: events go to stdout, the log is stderr's file."""

    def __init__(self, log: Path) -> None:
        self.log = log
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(written, 2)

    def send(self, event: str, **fields: Any) -> None:
        print(json.dumps({"event": event, **fields}), flush=True)

    def log_size(self) -> int:
        return self.log.stat().st_size

    def logged_since(self, offset: int) -> str:
        return self.log.read_bytes()[offset:].decode("utf-8", errors="replace")


def prepared(kernel: Any, grid: tuple[int, ...], arguments: dict[str, Any], **settings: Any) -> prepare.Prepared:
    """``settings``: constexprs in capitals, options in small letters, ``guards``."""
    guards = settings.pop("guards", {})
    return prepare.Prepared(
        kernel=LoadedKernel(kernel, (), {}),
        function=kernel,
        arguments=arguments,
        constexprs={name: value for name, value in settings.items() if name.isupper()},
        options={name: value for name, value in settings.items() if not name.isupper()},
        grid=grid,
        guards=guards,
    )


def add(size: int = SIZE, written: int | None = None) -> prepare.Prepared:
    x, y, out = (torch.randn(size, device="cuda") for _ in range(3))
    return prepared(
        gpu_kernels.add_kernel,
        (triton.cdiv(size, BLOCK), 1, 1),
        {"x_ptr": x, "y_ptr": y, "out_ptr": out, "n": size if written is None else written},
        BLOCK=BLOCK,
    )


def product(size: int = 1024, **options: Any) -> prepare.Prepared:
    a, b, out = (torch.randn(size, size, device="cuda", dtype=torch.float16) for _ in range(3))
    block = 128
    return prepared(
        gpu_kernels.product_kernel,
        (size // block, size // block, 1),
        {"a_ptr": a, "b_ptr": b, "out_ptr": out},
        SIZE=size, BLOCK=block, BLOCK_K=64, num_warps=8, **options,
    )  # fmt: skip


def guarded(size: int, distance: int) -> prepare.Prepared:
    storage = torch.full((4 * (size + 64),), POISON, dtype=torch.uint8, device="cuda").view(torch.float32)
    guard = Guard(storage, 32, 32 + size)
    return prepared(
        gpu_kernels.beyond_kernel, (size // 32, 1, 1),
        {"out_ptr": storage[guard.start : guard.end], "n": size, "distance": distance},
        BLOCK=32, guards={"out_ptr": guard},
    )  # fmt: skip


def queue() -> prepare.Prepared:
    tasks = 2048
    x, out = (torch.randn(tasks * BLOCK, device="cuda") for _ in range(2))
    arguments = {"counter_ptr": torch.zeros(1, dtype=torch.int32, device="cuda"), "x_ptr": x, "out_ptr": out}
    return prepared(gpu_kernels.queue_kernel, (64, 1, 1), {**arguments, "tasks": tasks}, BLOCK=BLOCK)


def floats(*values: float) -> Any:
    return torch.tensor(values, device="cuda")


CASES: dict[str, Any] = {
    "good": (lambda: add(), ["x_ptr", "y_ptr"], ["out_ptr"]),
    "small": (lambda: add(4096), ["x_ptr", "y_ptr"], ["out_ptr"]),
    "large": (lambda: add(1 << 26), ["x_ptr", "y_ptr"], ["out_ptr"]),
    "partly": (lambda: add(written=SIZE - 777), ["x_ptr", "y_ptr"], ["out_ptr"]),
    "unknown": (lambda: add(), None, None),
    "product": (product, ["a_ptr", "b_ptr"], ["out_ptr"]),
    "big_product": (lambda: product(4096), ["a_ptr", "b_ptr"], ["out_ptr"]),
    "in_place": (
        lambda: prepared(gpu_kernels.increment_kernel, (4, 1, 1),
                         {"x_ptr": torch.zeros(4096, device="cuda"), "n": 4000}, BLOCK=1024),
        ["x_ptr"], ["x_ptr"],
    ),
    "queue": (queue, ["counter_ptr", "x_ptr"], ["counter_ptr", "out_ptr"]),
    "guard": (lambda: guarded(1024, 5), [], ["out_ptr"]),
    "illegal": (lambda: guarded(1024, 1 << 40), [], ["out_ptr"]),
    "misaligned": (
        lambda: prepared(gpu_kernels.misaligned_kernel, (1, 1, 1),
                         {"out_ptr": torch.zeros(64, dtype=torch.int32, device="cuda")}),
        [], ["out_ptr"],
    ),
    "assert": (
        lambda: prepared(gpu_kernels.assert_kernel, (1, 1, 1),
                         {"x_ptr": floats(1, 2, -3, 4), "out_ptr": floats(0, 0, 0, 0)}, BLOCK=4, debug=True),
        ["x_ptr"], ["out_ptr"],
    ),
    "endless": (
        lambda: prepared(gpu_kernels.endless_kernel, (1, 1, 1),
                         {"flag_ptr": torch.zeros(1, dtype=torch.int32, device="cuda"),
                          "out_ptr": torch.zeros(1, dtype=torch.int32, device="cuda")}),
        ["flag_ptr"], ["out_ptr"],
    ),
    "shared": (lambda: product(num_stages=12), ["a_ptr", "b_ptr"], ["out_ptr"]),
    "grid": (
        lambda: prepared(gpu_kernels.increment_kernel, (1, 70000, 1), {"x_ptr": floats(1, 2), "n": 2}, BLOCK=16),
        ["x_ptr"], ["x_ptr"],
    ),
    "memory": (lambda: add(200_000_000_000 // 8), ["x_ptr", "y_ptr"], ["out_ptr"]),
}  # fmt: skip


def main(case: str) -> None:
    wire = Printed(Path(tempfile.mkdtemp()) / "log.txt")
    try:
        if case == "device":
            wire.send("result", **ceilings.measure_device({"device": 0}, wire))
            return
        make, read, written = CASES[case]
        with measure.faults.told(wire):
            prepare.current = make()
        before = {name: tensor.clone() for name, tensor in tensors(prepare.current).items()}
        save = tempfile.mkdtemp()
        result = measure.measure_launch({"read": read, "written": written, "save": save}, wire)
        kept = all(same_bits(before[name], tensor) for name, tensor in tensors(prepare.current).items())
        folder = tempfile.mkdtemp()
        handover.save_launch({"folder": folder, "written": written}, wire)
        wire.send("result", **result, kept=kept, folder=folder, bench=bench(prepare.current))
    except Rejected as rejected:
        wire.send("failure", failure=rejected.failure)


def tensors(launch: prepare.Prepared) -> dict[str, Any]:
    return {name: value for name, value in launch.arguments.items() if isinstance(value, torch.Tensor)}


def same_bits(one: Any, other: Any) -> bool:
    return torch.equal(one.view(torch.uint8), other.view(torch.uint8))


def bench(launch: prepare.Prepared, rounds: int = 5) -> dict[str, Any]:
    """What Triton's own benchmark, and its own loading of the kernel, say about the same launch.

    irscope's timing and Triton's take turns: the GPU's clocks change with its load.
    """
    compiled = launch.run()
    silent = types.SimpleNamespace(send=lambda *words, **fields: None)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(measure.time_launch(launch.run, None, silent)[0]["median"])
        theirs.append(triton.testing.do_bench(launch.run, return_mode="median") * 1e3)
    return {
        "ours": ours,
        "do_bench": theirs,
        "graph": triton.testing.do_bench_cudagraph(launch.run, return_mode="median") * 1e3,
        "registers": compiled.n_regs,
        "shared": compiled.metadata.shared,
        "max_threads": getattr(compiled, "n_max_threads", None),
    }


if __name__ == "__main__":
    main(sys.argv[1])
