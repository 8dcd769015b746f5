"""Loads and stores of every width; what keeps them narrow depends on how the kernel is specialized."""

import triton
import triton.language as tl


@triton.jit
def copy(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < n
    x = tl.load(x_ptr + at, mask=inside)
    tl.store(y_ptr + at, x, mask=inside)


@triton.jit
def copy_row(x_ptr, y_ptr, stride, HINT: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    start = tl.program_id(0) * stride
    if HINT:
        start = tl.multiple_of(start, 16)
    tl.store(y_ptr + start + at, tl.load(x_ptr + start + at))


@triton.jit
def copy_rows(x_ptr, y_ptr, row_stride, column_stride, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    rows, columns = tl.arange(0, ROWS)[:, None], tl.arange(0, COLUMNS)[None, :]
    x = tl.load(x_ptr + rows * row_stride + columns * column_stride)
    tl.store(y_ptr + rows * COLUMNS + columns, x)


@triton.jit
def every_other(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(y_ptr + at, tl.load(x_ptr + 2 * at))


@triton.jit
def gather(x_ptr, index_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    index = tl.load(index_ptr + at)
    tl.store(y_ptr + at, tl.load(x_ptr + index))


@triton.jit
def one_value(x_ptr, y_ptr):
    tl.store(y_ptr, tl.load(x_ptr))


@triton.jit
def read(x_ptr, at, n):
    return tl.load(x_ptr + at, mask=at < n, other=0.0)


@triton.jit
def copy_by_helper(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = read(x_ptr, at, n)
    tl.store(y_ptr + at, x, mask=at < n)


@triton.jit
def by_group(x_ptr, scale_ptr, y_ptr, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    """Neighbours share a scale, as in quantized weights."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + at, tl.load(x_ptr + at) * tl.load(scale_ptr + at // GROUP))


@triton.jit
def index_of_rows_and_columns(x_ptr, index_ptr, y_ptr, stride, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    index = tl.load(index_ptr + at)
    x = tl.load(x_ptr + index[:, None] * stride + at[None, :])
    kept = index[None, :] >= at[:, None]
    square = tl.dot(x, tl.trans(x))
    tl.store(y_ptr + at[:, None] * SIZE + at[None, :], tl.where(kept, square, 0.0))


@triton.jit
def ones(x_ptr, y_ptr):
    at = tl.program_id(0) + tl.arange(0, 1)
    tl.store(y_ptr + at, tl.load(x_ptr + at) + 1.0)
