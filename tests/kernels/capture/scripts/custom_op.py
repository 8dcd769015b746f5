"""Kernels behind operators of torch's: `torch.library`."""

import torch
import triton
import triton.language as tl
from torch.library import triton_op, wrap_triton


@triton.jit
def sine_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.sin(tl.load(x_ptr + offsets, mask=offsets < n)), mask=offsets < n)


@triton_op("capturescripts::sine", mutates_args={})
def sine(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    wrap_triton(sine_kernel)[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), BLOCK=256)
    return out


@torch.library.custom_op("capturescripts::scaled_sine", mutates_args=())
def scaled_sine(x: torch.Tensor, factor: float) -> torch.Tensor:
    out = torch.empty_like(x)
    sine_kernel[(triton.cdiv(x.numel(), 128),)](x * factor, out, x.numel(), BLOCK=128)
    return out


@scaled_sine.register_fake
def _(x, factor):
    return torch.empty_like(x)


if __name__ == "__main__":
    x = torch.randn(1000, device="cuda")
    torch.testing.assert_close(sine(x), x.sin())
    torch.testing.assert_close(torch.ops.capturescripts.scaled_sine(x, 2.0), (2 * x).sin())
    sine(x.double()[:512])
