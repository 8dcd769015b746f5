"""Tensors of gigabytes: sizes and strides beyond 32 bits."""

import torch
import triton
import triton.language as tl


@triton.jit
def touch_kernel(x_ptr, n, stride, BLOCK: tl.constexpr):
    offsets = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets * stride, 1, mask=offsets * stride < n)


if __name__ == "__main__":
    x = torch.empty(5_000_000_000, dtype=torch.int8, device="cuda")
    touch_kernel[(1024,)](x, x.numel(), 1 << 20, BLOCK=64)
    print(x[:10].sum().item(), x.numel() * x.element_size() / 1e9, "GB")
    touch_kernel[(16,)](x[16:], x.numel() - 16, 3, BLOCK=64)
    touch_kernel[(16,)](x[2_500_000_001:], 2_499_999_999, 1, BLOCK=64)
    del x
    matrix = torch.zeros((50_000, 50_000), dtype=torch.float16, device="cuda")
    touch_kernel[(16,)](matrix, matrix.numel(), matrix.stride(0), BLOCK=64)
    touch_kernel[(16,)](matrix.t(), matrix.shape[0], matrix.t().stride(0), BLOCK=64)
    halves = matrix.view(2, -1)
    touch_kernel[(16,)](halves[1], halves[1].numel(), halves.stride(0), BLOCK=64)
    assert matrix[0, 0] == 1
    product = matrix[:8192, :8192] @ matrix[:8192, :8192]
    touch_kernel[(16,)](product, product.numel(), product.stride(0), BLOCK=64)
    print(product.float().mean(), torch.cuda.max_memory_allocated() / 2**30)
