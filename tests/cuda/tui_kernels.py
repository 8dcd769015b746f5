"""A kernel that behaves, and kernels that misbehave, each with the function that launches it."""

import torch
import triton
import triton.language as tl


@triton.jit
def good_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) + 1, mask=offsets < n)


@triton.jit
def beyond_kernel(out_ptr, distance, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK).to(tl.int64)
    tl.store(out_ptr + distance + offsets, 1.0)


@triton.jit
def endless_kernel(flag_ptr, out_ptr):
    seen = tl.load(flag_ptr, volatile=True)
    while seen == 0:
        seen = tl.load(flag_ptr, volatile=True)
    tl.store(out_ptr, seen)


@triton.jit
def greedy_kernel(a_ptr, b_ptr, out_ptr, depth, BLOCK: tl.constexpr = 128):
    """Six stages of two fp32 tiles of 128 by 128: some 768 KB of shared memory."""
    rows, columns = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    total = tl.zeros((BLOCK, BLOCK), tl.float32)
    for start in range(0, depth, BLOCK):
        a = tl.load(a_ptr + rows * depth + start + columns)
        b = tl.load(b_ptr + (start + rows) * BLOCK + columns)
        total = tl.dot(a, b, total)
    tl.store(out_ptr + rows * BLOCK + columns, total)


def good(n=1 << 20):
    x = torch.full((n,), 2.0, device="cuda")
    good_kernel[(triton.cdiv(n, 1024),)](x, torch.empty_like(x), n, BLOCK=1024)


def beyond():
    beyond_kernel[(1,)](torch.zeros(1024, device="cuda"), 1 << 40, BLOCK=1024)


def endless():
    flag = torch.zeros(1, dtype=torch.int32, device="cuda")
    endless_kernel[(1,)](flag, torch.empty_like(flag))


def greedy(depth=1024):
    a, b, out = (torch.zeros(128 * depth, device="cuda") for _ in range(3))
    greedy_kernel[(1,)](a, b, out, depth, BLOCK=128, num_stages=6)


if __name__ == "__main__":
    good()
