"""Imports torch at its top and needs it there: a constant of the kernel comes from torch."""

import torch
import triton
import triton.language as tl

TINY = tl.constexpr(torch.finfo(torch.float32).tiny)


@triton.jit
def log_kernel(x_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    inside = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=inside, other=1.0)
    tl.store(out_ptr + offsets, tl.log(tl.maximum(x, TINY)), mask=inside)
