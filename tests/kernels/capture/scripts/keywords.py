"""Positional and keyword arguments in every mix, and grids of every kind."""

import functools

import torch
import triton
import triton.language as tl


@triton.jit
def axpy_kernel(x_ptr, y_ptr, out_ptr, n, alpha=2.0, beta: tl.constexpr = 1, BLOCK: tl.constexpr = 256):
    offsets = (tl.program_id(0) + tl.program_id(1) * tl.num_programs(0)) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    x, y = tl.load(x_ptr + offsets, mask=inside), tl.load(y_ptr + offsets, mask=inside)
    tl.store(out_ptr + offsets, alpha * x + beta * y, mask=inside)


x, y = torch.randn(2, 1024, device="cuda")
out = torch.empty_like(x)
n = x.numel()


def blocks(meta):
    return (triton.cdiv(meta["n"], meta["BLOCK"]), 1, 1)


axpy_kernel[(4,)](x, y, out, n)
axpy_kernel[4,](x, y, out, n, 3.0)
axpy_kernel[4, 1](x, y, out, n, 3)
axpy_kernel[blocks](x, y, out_ptr=out, n=n, BLOCK=128)
axpy_kernel[(2, 2)](out_ptr=out, y_ptr=y, x_ptr=x, n=1000, alpha=1, beta=2)
axpy_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]),)](x, y, out, n, BLOCK=512, num_warps=8, num_stages=2)
settings = {"BLOCK": 1024, "num_warps": 2, "beta": 3}
axpy_kernel[(1,)](x, y, out, **settings, n=n)
launch = functools.partial(axpy_kernel[(4, 1, 1)], x, y)
launch(out, 513, alpha=0.25)
ready = axpy_kernel[[4]]
for size in (1024, 7):
    ready(x, y, out, size, num_ctas=1, maxnreg=64)
torch.testing.assert_close(out[:7], 2.0 * x[:7] + y[:7])
