"""A kernel that forgets its mask: the last program reads and writes past the end."""

import torch
import triton
import triton.language as tl


@triton.jit
def copy_kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets * 4096, tl.load(x_ptr + offsets % 16))


if __name__ == "__main__":
    x = torch.rand(16, device="cuda")
    out = torch.empty(3 * 4096 * 256 + 1, device="cuda")
    copy_kernel[(4,)](x, out, BLOCK=256)
