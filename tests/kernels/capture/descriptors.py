"""Tensor descriptors that the host makes."""

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor


@triton.jit
def tile_kernel(x_desc, out_desc, BLOCK: tl.constexpr):
    row = tl.program_id(0) * BLOCK
    out_desc.store([row, 0], x_desc.load([row, 0]) * 2.0)


if __name__ == "__main__":
    x = torch.randn(256, 64, device="cuda", dtype=torch.float16)
    out = torch.empty_like(x)
    tile_kernel[(4,)](TensorDescriptor.from_tensor(x, [64, 64]), TensorDescriptor.from_tensor(out, [64, 64]), BLOCK=64)
