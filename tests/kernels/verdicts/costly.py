"""Operations that cost more than they look."""

import triton
import triton.language as tl


@triton.jit
def counts(x_ptr, count_ptr, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    for i in range(0, n, BLOCK):
        x = tl.load(x_ptr + i + at)
        tl.atomic_add(count_ptr + at, x)


@triton.jit
def total(x_ptr, total_ptr, BLOCK: tl.constexpr):
    x = tl.load(x_ptr + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK))
    tl.atomic_add(total_ptr, tl.sum(x))


@triton.jit
def guarded(x_ptr, total_ptr, BLOCK: tl.constexpr):
    x = tl.load(x_ptr + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK))
    if tl.program_id(0) == 0:
        tl.atomic_add(total_ptr, tl.sum(x))


@triton.jit
def locked(lock_ptr, total_ptr):
    while tl.atomic_cas(lock_ptr, 0, 1) == 1:
        pass
    tl.store(total_ptr, tl.load(total_ptr) + 1)
    tl.atomic_xchg(lock_ptr, 0)


@triton.jit
def scattered(x_ptr, bins_ptr, index_ptr, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(bins_ptr + tl.load(index_ptr + at), tl.load(x_ptr + at))


@triton.jit
def wraps(x_ptr, y_ptr, n, width, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK,), tl.float32)
    for i in range(n):
        acc += tl.load(x_ptr + (i + at) % width)
    tl.store(y_ptr + at, acc)


@triton.jit
def wraps_by_constant(x_ptr, y_ptr, n, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK,), tl.float32)
    for i in range(n):
        acc += tl.load(x_ptr + (i + at) % WIDTH)
    tl.store(y_ptr + at, acc)


@triton.jit
def doubles(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at).to(tl.float64)
    tl.store(y_ptr + at, (x * x + 1.5).to(tl.float32))


@triton.jit
def adds(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    tl.store(y_ptr + at, x + x)


@triton.jit
def long_indices(x_ptr, y_ptr, stride, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK).to(tl.int64)
    tl.store(y_ptr + at, tl.load(x_ptr + at * stride))


@triton.jit
def divides(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    tl.store(y_ptr + at, tl.div_rn(tl.sqrt_rn(x), x + 1.0))


@triton.jit
def divides_fast(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    tl.store(y_ptr + at, tl.sqrt(x) / (x + 1.0))


@triton.jit
def waves(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(y_ptr + at, tl.sin(tl.load(x_ptr + at)))


@triton.jit
def spills(x_ptr, y_ptr, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    x = tl.load(x_ptr + at[:, None] * SIZE + at[None, :])
    tl.store(y_ptr + at[:, None] * SIZE + at[None, :], tl.trans(tl.cumsum(tl.exp(x), axis=0)) + x)
