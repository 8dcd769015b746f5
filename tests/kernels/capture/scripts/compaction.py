"""A kernel's result is the size of what the next one works on."""

import torch
import triton
import triton.language as tl


@triton.jit
def count_kernel(x_ptr, count_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)
    tl.atomic_add(count_ptr, tl.sum((x > 0).to(tl.int32), axis=0))


@triton.jit
def scale_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) * 2, mask=offsets < n)


if __name__ == "__main__":
    x = torch.linspace(-1, 1, 1000, device="cuda")
    count = torch.zeros(1, dtype=torch.int32, device="cuda")
    count_kernel[(triton.cdiv(1000, 256),)](x, count, 1000, BLOCK=256)
    n = int(count.item())
    kept = x[x > 0]
    out = torch.empty(n, device="cuda")
    scale_kernel[(max(triton.cdiv(n, 128), 1),)](kept, out, n, BLOCK=128)
    print(n, out.sum().cpu().item())
