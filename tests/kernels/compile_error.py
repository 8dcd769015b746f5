"""Adds blocks of 128 and 64 elements, at line 11, column 13 (both from 1): a good file, a wrong kernel."""

import triton
import triton.language as tl


@triton.jit
def mismatch_kernel(x_ptr):
    long = tl.arange(0, 128)
    short = tl.arange(0, 64)
    total = long + short
    tl.store(x_ptr + long, total)
