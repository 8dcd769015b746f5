"""Host code that compares, each function in its own way; the entry is chosen by name."""

import sys

import torch
import triton
import triton.language as tl


@triton.jit
def double_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, 2 * tl.load(x_ptr + offsets, mask=offsets < n), mask=offsets < n)


def doubled():
    x = torch.arange(100.0, device="cuda")
    out = torch.empty_like(x)
    double_kernel[(1,)](x, out, 100, BLOCK=128)
    return x, out


def by_allclose():
    x, out = doubled()
    print("all close:", torch.allclose(out, x + x))


def by_a_method_that_fails():
    x, out = doubled()
    print("all close:", out.allclose(3 * x, rtol=0.125))


def by_assert_close():
    x, out = doubled()
    torch.testing.assert_close(actual=out, expected=x + x, rtol=0.25, atol=0.0)


def by_nothing():
    doubled()
    print("done")


def by_exit():
    x, out = doubled()
    if not torch.equal(out, x):
        print("this is wrong")
        sys.exit(3)


def launches_nothing():
    print("nothing here")


if __name__ == "__main__":
    x, out = doubled()
    assert (out - x - x).abs().max() < 1e-6
