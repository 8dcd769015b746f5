"""Imports at once and then keeps the compiler busy for years: it unrolls 10**12 rounds that emit nothing.

Memory does not grow: the assertion is checked at compile time and leaves no operation behind.
"""

import triton
import triton.language as tl


@triton.jit
def endless_kernel(x_ptr):
    for i in tl.static_range(1_000_000):
        for j in tl.static_range(1_000_000):
            tl.static_assert(i + j >= 0)
    tl.store(x_ptr, 0.0)
