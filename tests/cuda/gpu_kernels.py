"""Kernels that behave, and kernels that misbehave in one way each. Needs nothing but Triton."""

import triton
import triton.language as tl


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=inside) + tl.load(y_ptr + offsets, mask=inside), inside)


@triton.jit
def product_kernel(a_ptr, b_ptr, out_ptr, SIZE: tl.constexpr, BLOCK: tl.constexpr, BLOCK_K: tl.constexpr):
    """Square matrices of SIZE rows, one block of BLOCK by BLOCK a program."""
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    depth = tl.arange(0, BLOCK_K)
    total = tl.zeros((BLOCK, BLOCK), tl.float32)
    for start in range(0, SIZE, BLOCK_K):
        a = tl.load(a_ptr + rows[:, None] * SIZE + (start + depth)[None, :])
        b = tl.load(b_ptr + (start + depth)[:, None] * SIZE + columns[None, :])
        total = tl.dot(a, b, total)
    tl.store(out_ptr + rows[:, None] * SIZE + columns[None, :], total.to(out_ptr.dtype.element_ty))


@triton.jit
def increment_kernel(x_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) + 1, mask=offsets < n)


@triton.jit
def queue_kernel(counter_ptr, x_ptr, out_ptr, tasks, BLOCK: tl.constexpr):
    """Programs take tasks from a counter that the host sets to 0: the next launch finds none left."""
    task = tl.atomic_add(counter_ptr, 1)
    while task < tasks:
        offsets = task * BLOCK + tl.arange(0, BLOCK)
        tl.store(out_ptr + offsets, tl.load(x_ptr + offsets) * 2)
        task = tl.atomic_add(counter_ptr, 1)


@triton.jit
def beyond_kernel(out_ptr, n, distance, BLOCK: tl.constexpr):
    """Without a mask, and further on by ``distance``."""
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK).to(tl.int64)
    tl.store(out_ptr + offsets + distance, 1.0)


@triton.jit
def misaligned_kernel(out_ptr):
    odd = (out_ptr.to(tl.pointer_type(tl.int8)) + 1).to(tl.pointer_type(tl.int32))
    tl.store(odd, 1)


@triton.jit
def assert_kernel(x_ptr, out_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets)
    tl.device_assert(x > 0, "x must be positive")
    tl.store(out_ptr + offsets, x)


@triton.jit
def endless_kernel(flag_ptr, out_ptr):
    seen = tl.load(flag_ptr, volatile=True)
    while seen == 0:
        seen = tl.load(flag_ptr, volatile=True)
    tl.store(out_ptr, seen)
