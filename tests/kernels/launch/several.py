"""Two kernels, launched several times: by a host function, in a loop, by a benchmark, in a thread's place."""

import os

import torch
import triton
import triton.language as tl
import triton.testing

DEVICE = os.environ.get("IRSCOPE_TEST_DEVICE", "cpu")


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask) + tl.load(y_ptr + offsets, mask), mask)


@triton.jit
def scale_kernel(x_ptr, factor, n, BLOCK: tl.constexpr = 64):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, tl.load(x_ptr + offsets, offsets < n) * factor, offsets < n)


def add(x, y):
    out = torch.empty_like(x)
    add_kernel[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](x, y, out, x.numel(), BLOCK=256, num_warps=2)
    return out


def scale(x, factor):
    scale_kernel[(triton.cdiv(x.numel(), 64),)](x, factor, x.numel())


def launch_the_small_one():
    x = torch.ones(100, device=DEVICE)
    add(x, x)


def needs_an_argument(x):
    return add(x, x)


if __name__ == "__main__":
    a = torch.full((1000,), 2.0, device=DEVICE)
    scale(a, 3.0)
    for _ in range(3):
        add(a, a)
    add(torch.ones(2, 8, device=DEVICE, dtype=torch.float16).T, a)
    triton.testing.do_bench(lambda: scale(a, 0.5))
