"""Two kernels, and a helper that only they call: two of its three jitted functions are worth compiling."""

import triton
import triton.language as tl


@triton.jit
def offsets_of_program(BLOCK_SIZE: tl.constexpr):
    return tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)


@triton.jit
def scale_kernel(x_ptr, out_ptr, n_elements, factor, BLOCK_SIZE: tl.constexpr):
    offsets = offsets_of_program(BLOCK_SIZE)
    inside = offsets < n_elements
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=inside) * factor, mask=inside)


@triton.jit
def copy_kernel(x_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    offsets = offsets_of_program(BLOCK_SIZE)
    inside = offsets < n_elements
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=inside), mask=inside)
