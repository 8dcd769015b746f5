"""Layout conversions that remain."""

import triton
import triton.language as tl


@triton.jit
def transpose(x_ptr, y_ptr, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    x = tl.load(x_ptr + at[:, None] * SIZE + at[None, :])
    tl.store(y_ptr + at[:, None] * SIZE + at[None, :], tl.trans(x))


@triton.jit
def transposes(x_ptr, y_ptr, n, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    for i in range(n):
        x = tl.load(x_ptr + i * SIZE * SIZE + at[:, None] * SIZE + at[None, :])
        tl.store(y_ptr + i * SIZE * SIZE + at[:, None] * SIZE + at[None, :], tl.trans(x))


@triton.jit
def row_sums(x_ptr, y_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    rows, columns = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    x = tl.load(x_ptr + rows[:, None] * COLUMNS + columns[None, :])
    tl.store(y_ptr + rows, tl.sum(x, axis=1))


@triton.jit
def scaled_product(a_ptr, b_ptr, scale_ptr, y_ptr, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    a = tl.load(a_ptr + at[:, None] * SIZE + at[None, :])
    b = tl.load(b_ptr + at[:, None] * SIZE + at[None, :])
    scale = tl.load(scale_ptr + at)
    product = tl.dot(a * scale[None, :], b)
    tl.store(y_ptr + at[:, None] * SIZE + at[None, :], product)
