"""A tensor descriptor made on the host, whose block the configuration's hook sets, and a tuple of tensors."""

import os

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor

DEVICE = os.environ.get("IRSCOPE_TEST_DEVICE", "cpu")


def set_block(arguments):
    arguments["x_desc"].block_shape = [arguments["BLOCK"], 64]


@triton.autotune(configs=[triton.Config({"BLOCK": 32}, num_warps=2, pre_hook=set_block)], key=[])
@triton.jit
def copy_kernel(x_desc, pair, BLOCK: tl.constexpr):
    row = tl.program_id(0) * BLOCK
    block = x_desc.load([row, 0])
    offsets = (row + tl.arange(0, BLOCK))[:, None] * 64 + tl.arange(0, 64)[None, :]
    tl.store(pair[0] + offsets, block)
    tl.store(pair[1] + offsets, block)


if __name__ == "__main__":
    x = torch.randn(128, 64, device=DEVICE)
    pair = (torch.empty_like(x), torch.empty_like(x))
    copy_kernel[lambda meta: (triton.cdiv(128, meta["BLOCK"]),)](TensorDescriptor.from_tensor(x, [1, 64]), pair)
