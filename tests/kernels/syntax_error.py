"""Is no Python: the parenthesis in line 8 is never closed."""

import triton
import triton.language as tl


@triton.jit
def broken_kernel(x_ptr, n_elements, BLOCK_SIZE: tl.constexpr:
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    tl.store(x_ptr + offsets, 0.0, mask=offsets < n_elements)
