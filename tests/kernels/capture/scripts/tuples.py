"""Tuples and named tuples as arguments."""

from typing import NamedTuple

import torch
import triton
import triton.language as tl


class Matrix(NamedTuple):
    pointer: torch.Tensor
    rows: int
    columns: int
    stride: int


@triton.jit
def scale_kernel(source, target, factors, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    offsets = tl.arange(0, BLOCK)
    inside = offsets < source.columns
    x = tl.load(source.pointer + row * source.stride + offsets, mask=inside)
    tl.store(target.pointer + row * target.stride + offsets, x * factors[0] + factors[1], mask=inside)


@triton.jit
def sum_kernel(pointers, out_ptr, n, BLOCK: tl.constexpr, COUNT: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK,), tl.float32)
    for i in tl.static_range(COUNT):
        total += tl.load(pointers[i] + offsets, mask=offsets < n).to(tl.float32)
    tl.store(out_ptr + offsets, total, mask=offsets < n)


def matrix(x: torch.Tensor) -> Matrix:
    return Matrix(x, x.shape[0], x.shape[1], x.stride(0))


if __name__ == "__main__":
    for shape in ((8, 100), (16, 64), (4, 1)):
        x = torch.randn(shape, device="cuda")
        out = torch.zeros_like(x)
        scale_kernel[(x.shape[0],)](matrix(x), matrix(out), (2.0, 1), BLOCK=128)
        torch.testing.assert_close(out, x * 2.0 + 1)
    parts = tuple(torch.randn(300, device="cuda", dtype=dtype) for dtype in (torch.float32, torch.float16))
    out = torch.empty(300, device="cuda")
    sum_kernel[(3,)](parts, out, 300, BLOCK=128, COUNT=len(parts))
    sum_kernel[(3,)]((*parts, parts[0][1:]), out, 299, BLOCK=128, COUNT=3)
