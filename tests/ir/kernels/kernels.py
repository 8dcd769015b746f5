"""Kernels that inline, call, branch and loop, so that every form of location occurs."""

import triton
import triton.language as tl
from helpers import clipped, scale, twice


@triton.jit
def larger_or_half(x, y):
    return tl.where(x > y, x, scale(y, 0.5))


@triton.jit
def matmul(a_ptr, b_ptr, c_ptr, M, N, K, BLOCK: tl.constexpr):
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inner = tl.arange(0, BLOCK)
    a = a_ptr + rows[:, None] * K + inner[None, :]
    b = b_ptr + inner[:, None] * N + columns[None, :]
    total = tl.zeros((BLOCK, BLOCK), dtype=tl.float32)
    for k in range(tl.cdiv(K, BLOCK)):
        x = tl.load(a, mask=inner[None, :] < K - k * BLOCK, other=0.0)
        y = tl.load(b, mask=inner[:, None] < K - k * BLOCK, other=0.0)
        total = tl.dot(x, y, total)
        a += BLOCK
        b += BLOCK * N
    c = c_ptr + rows[:, None] * N + columns[None, :]
    tl.store(c, twice(total).to(tl.float16), mask=(rows[:, None] < M) & (columns[None, :] < N))


@triton.jit
def reduction(x_ptr, y_ptr, n, limit, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    index = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + index, mask=index < n, other=-float("inf"))
    largest = tl.max(x, axis=0)
    weights = tl.exp(x - largest)
    total = tl.sum(weights, axis=0)
    y = larger_or_half(weights / total, twice(x))
    if row > limit:
        y = scale(y, 4.0)
        tl.store(y_ptr + row * n + index, y, mask=index < n)
    else:
        tl.store(y_ptr + row * n + index, -y, mask=index < n)


@triton.jit
def search(x_ptr, y_ptr, n, limit, BLOCK: tl.constexpr):
    left = 0
    right = n
    while left < right:
        middle = (left + right) // 2
        value = tl.load(x_ptr + middle)
        if value < limit:
            left = middle + 1
        else:
            right = middle
    tl.store(y_ptr, clipped(left, n))
    tl.device_print("found", left)
    tl.store(y_ptr + 1, clipped(right, limit))
