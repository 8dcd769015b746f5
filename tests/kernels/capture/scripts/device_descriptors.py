"""Tensor descriptors made in the kernel, with memory that the host allocates for them."""

import torch
import triton
import triton.language as tl


@triton.jit
def transpose_kernel(x_ptr, out_ptr, M, N, stride, BLOCK: tl.constexpr):
    x = tl.make_tensor_descriptor(x_ptr, shape=[M, N], strides=[stride, 1], block_shape=[BLOCK, BLOCK])
    out = tl.make_tensor_descriptor(out_ptr, shape=[N, M], strides=[M, 1], block_shape=[BLOCK, BLOCK])
    row, column = tl.program_id(0) * BLOCK, tl.program_id(1) * BLOCK
    out.store([column, row], x.load([row, column]).T)


def alloc(size: int, alignment: int, stream):
    return torch.empty(size, device="cuda", dtype=torch.int8)


triton.set_allocator(alloc)

if __name__ == "__main__":
    for M, N in ((128, 256), (96, 160)):
        x = torch.randn(M, N, device="cuda")
        out = torch.empty(N, M, device="cuda")
        transpose_kernel[(triton.cdiv(M, 32), triton.cdiv(N, 32))](x, out, M, N, x.stride(0), BLOCK=32)
        torch.testing.assert_close(out, x.T)
