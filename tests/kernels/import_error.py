"""Imports, in line 3, a module that is not there."""

import a_module_that_is_not_there
import triton
import triton.language as tl


@triton.jit
def orphan_kernel(x_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    tl.store(x_ptr + offsets, a_module_that_is_not_there.VALUE, mask=offsets < n_elements)
