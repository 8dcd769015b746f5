"""Relative and absolute imports of its own package."""

import torch
import triton
import triton.language as tl

from shop.limits import BIAS, LIMIT

from .. import common
from ..common import host


@triton.jit
def scale_kernel(x_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    inside = offsets < n_elements
    tl.store(x_ptr + offsets, common.biased(tl.load(x_ptr + offsets, mask=inside), BIAS), mask=inside)


def scale(x: torch.Tensor) -> torch.Tensor:
    scale_kernel[(triton.cdiv(x.numel(), LIMIT),)](host(x), x.numel(), BLOCK_SIZE=LIMIT)
    return x
