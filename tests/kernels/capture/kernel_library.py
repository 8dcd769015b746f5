"""Kernels and their wrappers, which other files launch."""

import torch
import triton
import triton.language as tl


@triton.jit
def relu(x):
    return tl.maximum(x, 0.0)


@triton.jit(do_not_specialize=["seed"])
def activated_kernel(
    x_ptr, bias_ptr, out_ptr, shape, seed, n, ACTIVATION: tl.constexpr, DTYPE: tl.constexpr, BLOCK: tl.constexpr
):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n).to(DTYPE)
    if bias_ptr is not None:
        x += tl.load(bias_ptr + offsets % shape[1], mask=offsets < n)
    if ACTIVATION is not None:
        x = ACTIVATION(x)
    tl.store(out_ptr + offsets, x + seed * 0, mask=offsets < n)


def activated(x, bias=None, activation=relu, seed=16):
    out = torch.empty_like(x)
    dtype = {torch.float16: tl.float16, torch.float32: tl.float32}[x.dtype]
    activated_kernel[(triton.cdiv(x.numel(), 128),)](
        x, bias, out, tuple(x.shape), seed, x.numel(), ACTIVATION=activation, DTYPE=dtype, BLOCK=128, num_warps=2
    )
    return out
