"""Operators with an implementation for CUDA alone, called with small tensors, with large ones, and compiled."""

import torch
import triton
import triton.language as tl


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    total = tl.load(x_ptr + offsets, mask=inside) + tl.load(y_ptr + offsets, mask=inside)
    tl.store(out_ptr + offsets, total, mask=inside)


@triton.jit
def fill_kernel(x_ptr, value, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, value, mask=offsets < n)


@torch.library.custom_op("irscope_tests::added", mutates_args=(), device_types="cuda")
def added(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    out = torch.empty(x.shape, device="cuda", dtype=x.dtype)
    programs = min(triton.cdiv(x.numel(), 1024), 64 * torch.cuda.get_device_properties(0).multi_processor_count)
    add_kernel[(programs,)](x, y, out, x.numel(), BLOCK=1024)
    return out


@added.register_fake
def _(x, y):
    return torch.empty_like(x)


@added.register_kernel("cpu")
def _(x, y):
    raise AssertionError("a GPU does not call it")


library = torch.library.Library("irscope_tests_of_cuda", "DEF")
library.define("fill_(Tensor(a!) x, float value) -> ()")


def fill(x, value):
    assert x.is_cuda
    fill_kernel[(triton.cdiv(x.numel(), 512),)](x, value, x.numel(), BLOCK=512)


library.impl("fill_", fill, "CUDA")
library.impl("fill_", lambda x, value: None, "Meta")

library.define("filled(Tensor x, float value) -> Tensor")
library.impl("filled", lambda x, value: torch.full_like(x, value), "CPU")


@torch.library.impl(library, "filled", "CUDA")
def filled(x, value):
    out = torch.empty_like(x)
    fill_kernel[(triton.cdiv(x.numel(), 256),)](out, value, x.numel(), BLOCK=256)
    return out


@torch.compile
def summed(x, y):
    return added(x, y).relu() + 1


if __name__ == "__main__":
    x, y = torch.randn(1000, device="cuda"), torch.randn(1000, device="cuda")
    added(x, y)
    torch.ops.irscope_tests_of_cuda.fill_(x, 2.0)
    large = torch.empty(1 << 26, device="cuda", dtype=torch.float16)
    added(large, large)
    torch.ops.irscope_tests_of_cuda.fill_(large, 2.0)
    summed(y.double(), y.double())
    torch.ops.irscope_tests_of_cuda.filled(y.half(), 3.0)
