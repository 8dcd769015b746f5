"""Kernels that use shared memory in every way that Triton has: rings, mbarriers, scratch of each kind, calls."""

import triton
import triton.language as tl


@triton.jit
def scratch_of_every_kind(x_ptr, counts_ptr, sums_ptr, out_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    bins = tl.histogram((x * 8).to(tl.int32) & 255, 256)
    tl.store(counts_ptr + tl.arange(0, 256), bins)
    before = tl.atomic_add(sums_ptr, tl.sum(x))
    sorted_x = tl.sort(x)
    picked = tl.gather(sorted_x, (BLOCK - 1 - at), 0)
    square = tl.trans(tl.reshape(x, (32, BLOCK // 32)))
    tl.store(out_ptr + at, tl.cumsum(picked) + before + tl.reshape(square, (BLOCK,)))


@triton.jit
def product_of_described_tiles(a_ptr, b_ptr, c_ptr, M, N, K, BLOCK: tl.constexpr):
    a = tl.make_tensor_descriptor(a_ptr, [M, K], [K, 1], [BLOCK, BLOCK])
    b = tl.make_tensor_descriptor(b_ptr, [K, N], [N, 1], [BLOCK, BLOCK])
    c = tl.make_tensor_descriptor(c_ptr, [M, N], [N, 1], [BLOCK, BLOCK])
    row, col = tl.program_id(0) * BLOCK, tl.program_id(1) * BLOCK
    accumulator = tl.zeros((BLOCK, BLOCK), tl.float32)
    for k in range(0, K, BLOCK):
        accumulator = tl.dot(a.load([row, k]), b.load([k, col]), accumulator)
    c.store([row, col], accumulator.to(tl.float16))


@triton.jit(noinline=True)
def total_of_row(x_ptr, row, BLOCK: tl.constexpr):
    return tl.sum(tl.load(x_ptr + row * BLOCK + tl.arange(0, BLOCK)))


@triton.jit
def calls_twice(x_ptr, out_ptr, BLOCK: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, BLOCK))
    first = total_of_row(x_ptr, 1, BLOCK)
    second = total_of_row(x_ptr, 2, BLOCK)
    tl.store(out_ptr + tl.arange(0, BLOCK), tl.cumsum(x) + first + second)


@triton.jit
def roles_of_warps(a_ptr, b_ptr, c_ptr, M, N, K, BLOCK: tl.constexpr):
    a = tl.make_tensor_descriptor(a_ptr, [M, K], [K, 1], [128, 64])
    b = tl.make_tensor_descriptor(b_ptr, [K, N], [N, 1], [64, 128])
    c = tl.make_tensor_descriptor(c_ptr, [M, N], [N, 1], [128, 128])
    for tile in tl.range(tl.program_id(0), M // 128, tl.num_programs(0), warp_specialize=True):
        accumulator = tl.zeros((128, 128), tl.float32)
        for k in range(0, K, 64):
            accumulator = tl.dot(a.load([tile * 128, k]), b.load([k, 0]), accumulator)
        c.store([tile * 128, 0], accumulator.to(tl.float16))
