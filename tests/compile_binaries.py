"""Compiles a few kernels for the targets named; a script, because irscope's own process imports no Triton.

For each it writes NAME.cubin and NAME.ptx (or NAME.hsaco and NAME.amdgcn), and NAME.json: Triton's metadata, and
the command with which Triton ran ptxas, for the tests to repeat.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource


@triton.jit
def add(x_ptr, y_ptr, out_ptr, count, BLOCK: tl.constexpr):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = index < count
    tl.store(out_ptr + index, tl.load(x_ptr + index, inside) + tl.load(y_ptr + index, inside), inside)


@triton.jit
def softmax(x_ptr, out_ptr, count, BLOCK: tl.constexpr):
    index = tl.arange(0, BLOCK)
    row = tl.load(x_ptr + index, index < count, other=-float("inf"))
    power = tl.exp(row - tl.max(row, 0))
    tl.store(out_ptr + index, power / tl.sum(power, 0), index < count)


@triton.jit
def product(a_ptr, b_ptr, c_ptr, count, BLOCK: tl.constexpr):
    rows, columns = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    total = tl.zeros((BLOCK, BLOCK), tl.float32)
    for start in range(0, count, BLOCK):
        a = tl.load(a_ptr + rows * count + columns + start)
        b = tl.load(b_ptr + (rows + start) * count + columns)
        total = tl.dot(a, b, total)
    tl.store(c_ptr + rows * count + columns, total.to(tl.float16))


@triton.jit(noinline=True)
def total_of(pointer, scale):
    return tl.sum(tl.exp(tl.load(pointer + tl.arange(0, 4096)) * scale), 0)


@triton.jit
def calls(x_ptr, out_ptr, count, BLOCK: tl.constexpr):
    index = tl.arange(0, BLOCK)
    tl.store(out_ptr + index, tl.load(x_ptr + index) * total_of(x_ptr, 2.0) + total_of(out_ptr, 3.0))


#: Name, kernel, type of its pointers, block, options of the compile. "32 registers" is for CUDA alone.
VARIANTS: tuple[tuple[str, Any, str, int, dict[str, int]], ...] = (
    ("add", add, "*fp32", 1024, {}),
    ("softmax", softmax, "*fp32", 4096, {"num_warps": 8}),
    ("softmax_32_registers", softmax, "*fp32", 4096, {"maxnreg": 32}),
    ("softmax_one_warp", softmax, "*fp32", 8192, {"num_warps": 1}),
    ("product", product, "*fp16", 64, {"num_warps": 4, "num_stages": 3}),
    ("calls", calls, "*fp32", 4096, {}),
)

_run = subprocess.run
_ptxas: list[str] = []


def _remember_ptxas(command: Any, *arguments: Any, **options: Any) -> Any:
    if isinstance(command, list) and any(str(part).startswith("--gpu-name") for part in command):
        _ptxas[:] = command
    return _run(command, *arguments, **options)


def compile_variant(target: str, output: Path, variant: tuple[str, Any, str, int, dict[str, int]]) -> None:
    name, kernel, pointer, block, options = variant
    amd = target.startswith("gfx")
    if amd and "maxnreg" in options:
        return
    where = (
        GPUTarget("hip", target, 64 if target.startswith("gfx9") else 32)
        if amd
        else GPUTarget("cuda", int(target[3:]), 32)
    )
    types = {
        parameter: "constexpr" if parameter == "BLOCK" else "i32" if parameter == "count" else pointer
        for parameter in kernel.arg_names
    }
    divisible = {(n,): [["tt.divisibility", 16]] for n, kind in enumerate(types.values()) if kind != "constexpr"}
    source = ASTSource(kernel, types, {(kernel.arg_names.index("BLOCK"),): block}, divisible)
    made = triton.compile(source, target=where, options=options)
    for stage in ("ptx", "cubin", "amdgcn", "hsaco"):
        if stage in made.asm:
            data = made.asm[stage]
            (output / f"{name}.{stage}").write_bytes(data if isinstance(data, bytes) else data.encode())
    facts = {key: getattr(made.metadata, key) for key in ("name", "shared", "num_warps")}
    (output / f"{name}.json").write_text(json.dumps({**facts, "ptxas": _ptxas}), encoding="utf-8")


if __name__ == "__main__":
    subprocess.run = _remember_ptxas
    for target in sys.argv[2:]:
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True)
        for variant in VARIANTS:
            compile_variant(target, folder, variant)
