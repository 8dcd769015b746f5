"""Tensor descriptors made on the host."""

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor


@triton.jit
def product_kernel(a_desc, b_desc, c_desc, K, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr):
    row, column = tl.program_id(0) * BLOCK_M, tl.program_id(1) * BLOCK_N
    total = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(0, K, BLOCK_K):
        total = tl.dot(a_desc.load([row, k]), b_desc.load([column, k]).T, total)
    c_desc.store([row, column], total.to(c_desc.dtype))


def product(a, b, dtype, blocks=(64, 64, 64)):
    block_m, block_n, block_k = blocks
    c = torch.empty((a.shape[0], b.shape[0]), device=a.device, dtype=dtype)
    a_desc = TensorDescriptor.from_tensor(a, [block_m, block_k])
    b_desc = TensorDescriptor(b, b.shape, b.stride(), [block_n, block_k])
    c_desc = TensorDescriptor(c, shape=list(c.shape), strides=[c.stride(0), 1], block_shape=[block_m, block_n])
    grid = (a.shape[0] // block_m, b.shape[0] // block_n)
    product_kernel[grid](a_desc, b_desc, c_desc, a.shape[1], *blocks, num_warps=4, num_stages=3)
    return c


if __name__ == "__main__":
    if torch.cuda.get_device_capability()[0] < 9:
        raise SystemExit("needs a GPU with a tensor memory accelerator")
    for dtype in (torch.float16, torch.bfloat16):
        a = torch.randn(256, 128, device="cuda", dtype=dtype)
        b = torch.randn(192, 128, device="cuda", dtype=dtype)
        torch.testing.assert_close(product(a, b, dtype), a @ b.T, atol=1e-1, rtol=1e-2)
        product(a, b, torch.float32, blocks=(128, 32, 32))
