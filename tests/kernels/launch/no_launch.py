"""A kernel and nothing that launches it."""

import triton
import triton.language as tl


@triton.jit
def gelu_kernel(x_ptr, index_ptr, out_ptr, n, eps, seed, BLOCK: tl.constexpr = 128):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    index = tl.load(index_ptr + offsets, mask, other=0)
    x = tl.load(x_ptr + index, mask, other=0.0)
    tl.store(out_ptr + offsets, x * 0.5 + eps + seed, mask)


@triton.jit
def rows_kernel(x_ptr, out_ptr, stride_xm, stride_xn, stride_om, stride_on, M, N, BLOCK_N: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK_N)
    x = tl.load(x_ptr + row * stride_xm + columns * stride_xn, mask=columns < N, other=0.0)
    tl.store(out_ptr + row * stride_om + columns * stride_on, x, mask=columns < N)
