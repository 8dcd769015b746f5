"""Kernels that are compiled before they are launched."""

import torch
import triton
import triton.language as tl


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n), mask=offsets < n)


if __name__ == "__main__":
    x = torch.randn(4096, device="cuda")
    out = torch.empty_like(x)
    kernel = copy_kernel.warmup(x, out, x.numel(), BLOCK=512, num_warps=8, grid=(1,))
    kernel._init_handles()
    registers, shared = kernel.n_regs, kernel.metadata.shared
    assert 0 < registers < 256 and shared >= 0 and "ptx" in kernel.asm
    kernel[(65536 // (registers * 32 * 8), 1, 1)](x, out, x.numel(), 512)
    copy_kernel.warmup(torch.float16, torch.float16, 1, BLOCK=128, grid=(1,))
    copy_kernel.run(x, out, 4095, BLOCK=256, grid=(16,), warmup=False)
    launched = copy_kernel[(8,)](x, out, 4096, BLOCK=512)
    assert launched.n_regs > 0
