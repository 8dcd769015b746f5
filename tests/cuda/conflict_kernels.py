"""Kernels that move data through shared memory with and without bank conflicts; each is launched once, in order.

``python conflict_kernels.py`` launches every case; nothing else of it is on the GPU under these names.
"""

from dataclasses import dataclass, field

import triton
import triton.experimental.gluon.language as ttgl
import triton.language as tl
from triton.experimental import gluon
from triton.experimental.gluon.language.nvidia.ampere import async_copy

#: Triton 3.9 renamed it.
copy_to_shared = async_copy.async_load if hasattr(async_copy, "async_load") else async_copy.async_copy_global_to_shared


@gluon.jit
def strided_kernel(x_ptr, out_ptr, STRIDE: ttgl.constexpr):
    """A warp writes and reads 32 words that lie STRIDE words apart."""
    by_row: ttgl.constexpr = ttgl.BlockedLayout([1, 1], [32, 1], [1, 1], [0, 1])
    rows = ttgl.arange(0, 32, layout=ttgl.SliceLayout(1, by_row))
    columns = ttgl.arange(0, STRIDE, layout=ttgl.SliceLayout(0, by_row))
    offsets = rows[:, None] * STRIDE + columns[None, :]
    shared: ttgl.constexpr = ttgl.SwizzledSharedLayout(1, 1, 1, [1, 0])
    tile = ttgl.allocate_shared_memory(ttgl.float32, [32, STRIDE], shared, ttgl.load(x_ptr + offsets))
    ttgl.store(out_ptr + offsets, tile.load(by_row) + 1.0)


@gluon.jit
def turned_kernel(x_ptr, out_ptr, VECTOR: ttgl.constexpr, PHASES: ttgl.constexpr):
    """A tile of 32 by 32 words written by rows and read by columns, in a layout with so many phases of swizzling."""
    by_row: ttgl.constexpr = ttgl.BlockedLayout([1, VECTOR], [VECTOR, 32 // VECTOR], [4, 1], [1, 0])
    by_column: ttgl.constexpr = ttgl.BlockedLayout([1, 1], [32, 1], [1, 4], [0, 1])
    rows = ttgl.arange(0, 32, layout=ttgl.SliceLayout(1, by_row))
    columns = ttgl.arange(0, 32, layout=ttgl.SliceLayout(0, by_row))
    x = ttgl.load(x_ptr + rows[:, None] * 32 + columns[None, :])
    shared: ttgl.constexpr = ttgl.SwizzledSharedLayout(VECTOR, 1, PHASES, [1, 0])
    tile = ttgl.allocate_shared_memory(ttgl.float32, [32, 32], shared, x)
    y = tile.load(by_column)
    rows = ttgl.arange(0, 32, layout=ttgl.SliceLayout(1, by_column))
    columns = ttgl.arange(0, 32, layout=ttgl.SliceLayout(0, by_column))
    ttgl.store(out_ptr + rows[:, None] + columns[None, :] * 32, y)


@gluon.jit
def copied_kernel(x_ptr, out_ptr, VECTOR: ttgl.constexpr):
    """By ``cp.async``, the threads of a warp 32 words apart."""
    down: ttgl.constexpr = ttgl.BlockedLayout([1, VECTOR], [32, 1], [1, 4], [1, 0])
    rows = ttgl.arange(0, 32, layout=ttgl.SliceLayout(1, down))
    columns = ttgl.arange(0, 32, layout=ttgl.SliceLayout(0, down))
    offsets = rows[:, None] * 32 + columns[None, :]
    tile = ttgl.allocate_shared_memory(ttgl.float32, [32, 32], ttgl.SwizzledSharedLayout(1, 1, 1, [1, 0]))
    copy_to_shared(tile, x_ptr + offsets)
    async_copy.commit_group()
    async_copy.wait_group(0)
    ttgl.store(out_ptr + offsets, tile.load(down))


@triton.jit
def transpose_kernel(x_ptr, out_ptr, SIDE: tl.constexpr):
    """Triton's own conversion of layouts."""
    rows, columns = tl.arange(0, SIDE)[:, None], tl.arange(0, SIDE)[None, :]
    x = tl.load(x_ptr + rows * SIDE + columns)
    tl.store(out_ptr + rows * SIDE + columns, tl.trans(x))


@triton.jit
def product_kernel(a_ptr, b_ptr, out_ptr, SIDE: tl.constexpr, STEP: tl.constexpr, DEPTH: tl.constexpr):
    """The operands of ``mma`` by ``ldmatrix``, the result through shared memory."""
    rows, columns, steps = tl.arange(0, SIDE), tl.arange(0, SIDE), tl.arange(0, STEP)
    total = tl.zeros((SIDE, SIDE), tl.float32)
    for start in range(0, DEPTH, STEP):
        a = tl.load(a_ptr + rows[:, None] * DEPTH + (start + steps)[None, :])
        b = tl.load(b_ptr + (start + steps)[:, None] * SIDE + columns[None, :])
        total = tl.dot(a, b, total)
    tl.store(out_ptr + rows[:, None] * SIDE + columns[None, :], total.to(tl.float16))


@triton.jit
def sum_kernel(x_ptr, out_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    rows, columns = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    x = tl.load(x_ptr + rows[:, None] * COLUMNS + columns[None, :])
    tl.store(out_ptr + rows, tl.sum(x, axis=1))


@triton.jit
def scan_kernel(x_ptr, out_ptr, SIZE: tl.constexpr):
    offsets = tl.arange(0, SIZE)
    tl.store(out_ptr + offsets, tl.cumsum(tl.load(x_ptr + offsets), axis=0))


XY = {"x_ptr": "fp32", "out_ptr": "fp32"}
ABC = {"a_ptr": "fp16", "b_ptr": "fp16", "out_ptr": "fp16"}


@dataclass(frozen=True, eq=False)
class Case:
    name: str
    kernel: str
    constants: dict
    warps: int = 4
    #: By pointer, what it points to.
    types: dict = field(default_factory=lambda: XY)
    #: Of the grid: more than one, so that the counts of several blocks add up.
    blocks: int = 2


CASES = (
    *(Case(f"stride {n}", "strided_kernel", {"STRIDE": n}, warps=1) for n in (2, 4, 8, 16, 32)),
    *(Case(f"turned, {n} phases", "turned_kernel", {"VECTOR": 1, "PHASES": n}) for n in (1, 2, 4, 8, 16, 32)),
    Case("turned, by fours", "turned_kernel", {"VECTOR": 4, "PHASES": 8}),
    *(Case(f"cp.async of {4 * n} bytes", "copied_kernel", {"VECTOR": n}) for n in (1, 4)),
    Case("tl.trans of fp32", "transpose_kernel", {"SIDE": 64}),
    Case("tl.trans of fp16", "transpose_kernel", {"SIDE": 128}, 8, {"x_ptr": "fp16", "out_ptr": "fp16"}),
    Case("mma of 1 warp", "product_kernel", {"SIDE": 32, "STEP": 32, "DEPTH": 128}, 1, ABC),
    Case("mma of 2 warps", "product_kernel", {"SIDE": 64, "STEP": 32, "DEPTH": 128}, 2, ABC),
    Case("wgmma", "product_kernel", {"SIDE": 64, "STEP": 64, "DEPTH": 256}, 4, ABC),
    Case("sum of rows", "sum_kernel", {"ROWS": 4, "COLUMNS": 2048}),
    Case("cumsum", "scan_kernel", {"SIZE": 2048}),
)


def launch(case):
    import torch

    types = {"fp32": torch.float32, "fp16": torch.float16}
    tensors = [torch.zeros(1 << 16, dtype=types[name], device="cuda") for name in case.types.values()]
    torch.cuda.synchronize()
    globals()[case.kernel][(case.blocks,)](*tensors, **case.constants, num_warps=case.warps)
    torch.cuda.synchronize()


if __name__ == "__main__":
    for each in CASES:
        launch(each)
