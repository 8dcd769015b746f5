"""Uses, in line 10, a name that nothing defines: found when the kernel is compiled, not at import."""

import triton
import triton.language as tl


@triton.jit
def undefined_kernel(x_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    tl.store(x_ptr + offsets, not_defined_anywhere, mask=offsets < n_elements)  # noqa: F821
