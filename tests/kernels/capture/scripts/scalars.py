"""Numbers of every kind as arguments."""

import math

import numpy as np
import torch
import triton
import triton.language as tl


@triton.jit
def fill_kernel(out_ptr, value, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, value.to(out_ptr.dtype.element_ty) if value is not None else 0, mask=offsets < n)


@triton.jit
def select_kernel(x_ptr, out_ptr, negate, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    if negate:
        x = -x
    tl.store(out_ptr + offsets, x, mask=offsets < n)


out = torch.empty(100, device="cuda", dtype=torch.float64)
whole = [7, 16, 48, 0, -1, -32, 2**31 - 1, 2**31, 2**31 + 16, -(2**31) - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 16]
for value in whole:
    fill_kernel[(1,)](out, value, 100, BLOCK=128)
for value in (1.0, 0.5, float("inf"), -math.pi, 1e300, True, False):
    fill_kernel[(1,)](out, value, 100, BLOCK=128)
fill_kernel[(1,)](out, out.numel(), len(out), 128)
fill_kernel[(1,)](out, out.shape[0] // 2, out.size(0), 128)
fill_kernel[(1,)](out, float(np.float32(3.5)), int(np.prod(out.shape)), 128)

x = torch.arange(96, device="cuda")
for flag in (True, False):
    select_kernel[(1,)](x, torch.empty_like(x), flag, x.numel(), BLOCK=128)
print("all filled", out.cpu().tolist()[:2])
