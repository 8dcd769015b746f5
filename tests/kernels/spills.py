"""Keeps 65536 fp32 values alive at once: twice what four warps have registers for, so that ptxas spills."""

import triton
import triton.language as tl


@triton.jit
def spilling_kernel(x_ptr, y_ptr, out_ptr, BLOCK_SIZE: tl.constexpr = 32768):
    offsets = tl.arange(0, BLOCK_SIZE)
    x = tl.load(x_ptr + offsets)
    y = tl.load(y_ptr + offsets)
    # Each sum needs all of its block before the first element can be stored, and both blocks are needed then.
    tl.store(out_ptr + offsets, x * tl.sum(y, axis=0) + y * tl.sum(x, axis=0))
