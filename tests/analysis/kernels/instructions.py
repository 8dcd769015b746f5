"""Kernels that make ptxas use instructions that the samples lack: atomics, fp64, 8-bit types, TMA, roles of warps."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def doubles_kernel(x_ptr, out_ptr, count, BLOCK: tl.constexpr = 256):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + index, index < count).to(tl.float64)
    y = tl.sqrt(x * x + 1.5) / (x + 2.0)
    whole = y.to(tl.int64)
    tl.store(out_ptr + index, (tl.maximum(y, 0.25) + whole.to(tl.float64)).to(tl.float32), index < count)


@triton.jit
def atomics_kernel(x_ptr, out_ptr, lock_ptr, count, BLOCK: tl.constexpr = 256):
    while tl.atomic_cas(lock_ptr, 0, 1) == 1:
        pass
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + index, index < count)
    old = tl.atomic_add(out_ptr + index, x, index < count)
    tl.atomic_max(out_ptr + count + index, old, index < count)
    tl.debug_barrier()
    tl.atomic_xchg(lock_ptr, 0)


@triton.jit
def integers_kernel(x_ptr, out_ptr, count, BLOCK: tl.constexpr = 256):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + index, index < count, other=1).to(tl.int64)
    mixed = (x * 1234567891011 // 7) % 1000003 ^ (x >> 3) | (x << 5)
    high = tl.umulhi(x.to(tl.uint32), 0x9E3779B9)
    total = tl.cumsum(mixed.to(tl.int32) + high.to(tl.int32), 0)
    tl.store(out_ptr + index, tl.sort(total), index < count)


@triton.jit
def functions_kernel(x_ptr, out_ptr, count, BLOCK: tl.constexpr = 256):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + index, index < count)
    y = tl.sin(x) + tl.cos(x) * tl.log(x) + tl.exp2(x) + tl.rsqrt(x) + tl.erf(x) + tl.floor(x) + tl.ceil(x)
    low = y.to(tl.float16)
    small = (low * low + low).to(tl.float32) + y.to(tl.bfloat16).to(tl.float32)
    tl.store(out_ptr + index, small, index < count)


@triton.jit
def bytes_dot_kernel(a_ptr, b_ptr, c_ptr, BLOCK: tl.constexpr = 64):
    rows, columns = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    at = rows * BLOCK + columns
    total = tl.dot(tl.load(a_ptr + at).to(tl.int8), tl.load(b_ptr + at).to(tl.int8))
    tl.store(c_ptr + at, total.to(tl.float32))


@triton.jit
def float8_dot_kernel(a_ptr, b_ptr, c_ptr, BLOCK: tl.constexpr = 64):
    rows, columns = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    at = rows * BLOCK + columns
    a = tl.load(a_ptr + at).to(tl.float8e5)
    b = tl.load(b_ptr + at).to(tl.float8e5)
    tl.store(c_ptr + at, tl.dot(a, b))


@triton.jit
def tf32_dot_kernel(a_ptr, b_ptr, c_ptr, BLOCK: tl.constexpr = 64):
    rows, columns = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    at = rows * BLOCK + columns
    tl.store(c_ptr + at, tl.dot(tl.load(a_ptr + at), tl.load(b_ptr + at)))


@triton.jit
def double_dot_kernel(a_ptr, b_ptr, c_ptr, BLOCK: tl.constexpr = 32):
    rows, columns = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    at = rows * BLOCK + columns
    total = tl.dot(tl.load(a_ptr + at).to(tl.float64), tl.load(b_ptr + at).to(tl.float64), out_dtype=tl.float64)
    tl.store(c_ptr + at, total.to(tl.float32))


@triton.jit
def half_sum_dot_kernel(a_ptr, b_ptr, c_ptr, BLOCK: tl.constexpr = 64):
    rows, columns = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    at = rows * BLOCK + columns
    a, b = tl.load(a_ptr + at).to(tl.float16), tl.load(b_ptr + at).to(tl.float16)
    tl.store(c_ptr + at, tl.dot(a, b, out_dtype=tl.float16).to(tl.float32))


@triton.jit
def descriptors_kernel(a_ptr, b_ptr, c_ptr, M, N, K, BLOCK: tl.constexpr = 64, ROLES: tl.constexpr = True):
    a_desc = tl.make_tensor_descriptor(a_ptr, [M, K], [K, 1], [BLOCK, BLOCK])
    b_desc = tl.make_tensor_descriptor(b_ptr, [N, K], [K, 1], [BLOCK, BLOCK])
    c_desc = tl.make_tensor_descriptor(c_ptr, [M, N], [N, 1], [BLOCK, BLOCK])
    row, column = tl.program_id(0) * BLOCK, tl.program_id(1) * BLOCK
    total = tl.zeros((BLOCK, BLOCK), tl.float32)
    for start in tl.range(0, K, BLOCK, warp_specialize=ROLES):
        total = tl.dot(a_desc.load([row, start]), b_desc.load([column, start]).T, total)
    c_desc.store([row, column], total.to(tl.float16))
