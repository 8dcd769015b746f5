"""Kernels whose products run a number of times that the launch's integers and the program decide, or the data."""

import triton
import triton.language as tl


@triton.jit
def multiply(x_ptr, SIZE: tl.constexpr, TYPE: tl.constexpr):
    """A product of two square tiles."""
    at = tl.arange(0, SIZE)[:, None] * SIZE + tl.arange(0, SIZE)[None, :]
    x = tl.load(x_ptr + at).to(TYPE)
    return tl.dot(x, x)


@triton.jit
def keep(out_ptr, acc, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)[:, None] * SIZE + tl.arange(0, SIZE)[None, :]
    tl.store(out_ptr + at, acc.to(tl.float32))


@triton.jit
def one(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    keep(out_ptr, multiply(x_ptr, SIZE, tl.float16), SIZE)


@triton.jit
def in_branches(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    if flag > 3:
        acc += multiply(x_ptr, SIZE, tl.float16)
    elif tl.program_id(1) % 3 == n:
        for _ in range(m):
            acc += multiply(x_ptr, SIZE, tl.float16)
    keep(out_ptr, acc, SIZE)


@triton.jit
def triangle(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    """Nested loops: the inner one's bounds come from the outer one and from the program."""
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for i in range(tl.program_id(0), n, 2):
        for _ in range(i - 1, m + 3, 3):
            acc += multiply(x_ptr, SIZE, tl.float16)
    keep(out_ptr, acc, SIZE)


@triton.jit
def persistent(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    """Each program takes every so many-th tile; those past the diagonal have less to do."""
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    width = tl.cdiv(n, SIZE)
    for tile in range(tl.program_id(0), width * width, tl.num_programs(0)):
        row = tile // width
        last = tl.minimum((row + 1) * SIZE, m)
        for _ in range(0, last, SIZE):
            acc += multiply(x_ptr, SIZE, tl.float16)
    keep(out_ptr, acc, SIZE)


@triton.jit
def halving(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    left = n + tl.program_id(2)
    while left > m:
        acc += multiply(x_ptr, SIZE, tl.float16)
        left = left >> 1
    keep(out_ptr, acc, SIZE)


@triton.jit
def early_return(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    program = tl.program_id(0) + tl.num_programs(0) * tl.program_id(1)
    if program >= n:
        return
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for _ in range(m):
        acc += multiply(x_ptr, SIZE, tl.float16)
    keep(out_ptr, acc, SIZE)


@triton.jit(noinline=True)
def repeat(x_ptr, out_ptr, times, SIZE: tl.constexpr):
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for _ in range(times):
        acc += multiply(x_ptr, SIZE, tl.float16)
    keep(out_ptr, acc, SIZE)


@triton.jit
def in_callee(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    for i in range(n):
        repeat(x_ptr, out_ptr, i + tl.program_id(0), SIZE)
    repeat(x_ptr, out_ptr, m, SIZE)


@triton.jit
def arithmetic(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    """Division towards zero, remainders, shifts, bits, widths, carried values, signs."""
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    p = tl.program_id(0) - 3
    a = (p // 2) + (p % 5) + ((n * p) & 7) + ((m << 2) ^ 5) + ((p - n) >> 1)
    b = tl.maximum(a, 1).to(tl.int64) * 3 + (p > 0).to(tl.int32) - (p != n).to(tl.int64)
    c = (n * 65536 * 65536 + m) | 1
    step = 1
    total = p
    for i in range(n):
        if (i + p) % 2 == 0:
            total += i * step
        else:
            total -= 1
        step += 1
    for _ in range(((b + c + tl.abs(total)) % 31).to(tl.int32)):
        acc += multiply(x_ptr, SIZE, tl.float16)
    keep(out_ptr, acc, SIZE)


@triton.jit
def types(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    acc = multiply(x_ptr, SIZE, tl.float16) + multiply(x_ptr, SIZE, tl.bfloat16)
    for _ in range(n):
        acc += multiply(x_ptr, SIZE, tl.int8).to(tl.float32)
    keep(out_ptr, acc, SIZE)


@triton.jit
def precisions(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32, PRECISION: tl.constexpr = "tf32"):
    at = tl.arange(0, SIZE)[:, None] * SIZE + tl.arange(0, SIZE)[None, :]
    x = tl.load(x_ptr + at)
    keep(out_ptr, tl.dot(x, x, input_precision=PRECISION), SIZE)


@triton.jit
def eighths(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    keep(out_ptr, multiply(x_ptr, SIZE, tl.float8e5), SIZE)


@triton.jit
def scaled(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 128):
    at = tl.arange(0, SIZE)[:, None] * SIZE + tl.arange(0, SIZE)[None, :]
    rows = tl.arange(0, SIZE)[:, None] * (SIZE // 32) + tl.arange(0, SIZE // 32)[None, :]
    x = tl.load(x_ptr + at).to(tl.float8e5)
    scale = tl.load(x_ptr + rows).to(tl.uint8)
    keep(out_ptr, tl.dot_scaled(x, scale, "e5m2", x, scale, "e5m2"), SIZE)


@triton.jit
def loaded_condition(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    if tl.load(x_ptr) > 0:
        acc += multiply(x_ptr, SIZE, tl.float16)
    keep(out_ptr, acc, SIZE)


@triton.jit
def loaded_bound(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for _ in range(n + tl.load(x_ptr).to(tl.int32)):
        acc += multiply(x_ptr, SIZE, tl.float16)
    keep(out_ptr, acc, SIZE)


@triton.jit
def loaded_elsewhere(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    """Data decides about a loop and a branch, but not about those with a product in them."""
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    times = tl.load(x_ptr).to(tl.int32)
    if times > 5:
        acc += 1.0
    for _ in range(times):
        acc *= 2.0
    for _ in range(n):
        acc += multiply(x_ptr, SIZE, tl.float16)
    keep(out_ptr, acc, SIZE)


@triton.jit
def no_dots(x_ptr, out_ptr, n, m, flag, SIZE: tl.constexpr = 32):
    at = tl.arange(0, SIZE)
    tl.store(out_ptr + at, tl.load(x_ptr + at))


KERNELS = (
    "one",
    "in_branches",
    "triangle",
    "persistent",
    "halving",
    "early_return",
    "in_callee",
    "arithmetic",
    "types",
    "precisions",
    "eighths",
    "scaled",
    "loaded_condition",
    "loaded_bound",
    "loaded_elsewhere",
    "no_dots",
)
