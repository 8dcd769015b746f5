"""tl.dot with and without the tensor cores, in loops that are pipelined and in loops that are not."""

import triton
import triton.language as tl


@triton.jit
def one_dot(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, PRECISION: tl.constexpr):
    m, n, k = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    a = tl.load(a_ptr + m[:, None] * K + k[None, :])
    b = tl.load(b_ptr + k[:, None] * N + n[None, :])
    c = tl.dot(a, b, input_precision=PRECISION)
    tl.store(c_ptr + m[:, None] * N + n[None, :], c)


@triton.jit
def widened_dot(a_ptr, b_ptr, c_ptr, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    tile = at[:, None] * SIZE + at[None, :]
    a = tl.load(a_ptr + tile).to(tl.float32)
    b = tl.load(b_ptr + tile).to(tl.float32)
    tl.store(c_ptr + tile, tl.dot(a, b))


@triton.jit
def loop(a_ptr, b_ptr, c_ptr, K, a_stride, b_stride, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for k in range(0, K, SIZE):
        a = tl.load(a_ptr + at[:, None] * a_stride + (k + at)[None, :])
        b = tl.load(b_ptr + (k + at)[:, None] * b_stride + at[None, :])
        acc = tl.dot(a, b, acc)
    tl.store(c_ptr + at[:, None] * SIZE + at[None, :], acc)


@triton.jit
def loop_by_index(a_ptr, b_ptr, c_ptr, index_ptr, steps, a_stride, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for step in range(steps):
        page = tl.load(index_ptr + step)
        a = tl.load(a_ptr + page * SIZE * a_stride + at[:, None] * a_stride + at[None, :])
        b = tl.load(b_ptr + at[:, None] * SIZE + at[None, :] + step * SIZE * SIZE)
        acc = tl.dot(a, b, acc)
    tl.store(c_ptr + at[:, None] * SIZE + at[None, :], acc)


@triton.jit
def loop_by_rows(a_ptr, b_ptr, c_ptr, index_ptr, steps, a_stride, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for step in range(steps):
        rows = tl.load(index_ptr + step * SIZE + at)
        a = tl.load(a_ptr + rows[:, None] * a_stride + at[None, :])
        b = tl.load(b_ptr + at[:, None] * SIZE + at[None, :] + step * SIZE * SIZE)
        acc = tl.dot(a, b, acc)
    tl.store(c_ptr + at[:, None] * SIZE + at[None, :], acc)


@triton.jit
def described_loop(a_ptr, b_ptr, c_ptr, K, SIZE: tl.constexpr):
    a_tiles = tl.make_tensor_descriptor(a_ptr, [SIZE, K], [K, 1], [SIZE, SIZE])
    b_tiles = tl.make_tensor_descriptor(b_ptr, [K, SIZE], [SIZE, 1], [SIZE, SIZE])
    c_tiles = tl.make_tensor_descriptor(c_ptr, [SIZE, SIZE], [SIZE, 1], [SIZE, SIZE])
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for k in range(0, K, SIZE):
        a = a_tiles.load([0, k])
        b = b_tiles.load([k, 0])
        acc = tl.dot(a, b, acc)
    c_tiles.store([0, 0], acc.to(tl.float16))


@triton.jit
def sums(x_ptr, y_ptr, n, STAGES: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK,), tl.float32)
    for i in tl.range(0, n, BLOCK, num_stages=STAGES):
        acc += tl.load(x_ptr + i + at)
    tl.store(y_ptr + at, acc)


@triton.jit
def searches(x_ptr, y_ptr, limit, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK,), tl.float32)
    i = 0
    while tl.sum(acc) < limit:
        acc += tl.load(x_ptr + i + at)
        i += BLOCK
    tl.store(y_ptr + at, acc)


@triton.jit
def specialized_loop(a_ptr, b_ptr, c_ptr, K, SIZE: tl.constexpr):
    a_tiles = tl.make_tensor_descriptor(a_ptr, [SIZE, K], [K, 1], [SIZE, SIZE])
    b_tiles = tl.make_tensor_descriptor(b_ptr, [K, SIZE], [SIZE, 1], [SIZE, SIZE])
    c_tiles = tl.make_tensor_descriptor(c_ptr, [SIZE, SIZE], [SIZE, 1], [SIZE, SIZE])
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for k in tl.range(0, K, SIZE, warp_specialize=True):
        a = a_tiles.load([0, k])
        b = b_tiles.load([k, 0])
        acc = tl.dot(a, b, acc)
    c_tiles.store([0, 0], acc.to(tl.float16))


@triton.jit
def specialized_turned(a_ptr, b_ptr, c_ptr, K, SIZE: tl.constexpr):
    a_tiles = tl.make_tensor_descriptor(a_ptr, [SIZE, K], [K, 1], [SIZE, SIZE])
    b_tiles = tl.make_tensor_descriptor(b_ptr, [SIZE, K], [K, 1], [SIZE, SIZE])
    c_tiles = tl.make_tensor_descriptor(c_ptr, [SIZE, SIZE], [SIZE, 1], [SIZE, SIZE])
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for k in tl.range(0, K, SIZE, warp_specialize=True):
        a = a_tiles.load([0, k])
        b = b_tiles.load([0, k])
        acc = tl.dot(a, b.T, acc)
    c_tiles.store([0, 0], acc.to(tl.float16))


@triton.jit
def loop_in_branch(a_ptr, b_ptr, c_ptr, steps, more, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    tile = at[:, None] * SIZE + at[None, :]
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for step in range(steps):
        a = tl.load(a_ptr + step * SIZE * SIZE + tile)
        b = tl.load(b_ptr + step * SIZE * SIZE + tile)
        acc = tl.dot(a, b, acc)
        if step == more:
            for again in range(more):
                acc += tl.load(c_ptr + again * SIZE * SIZE + tile)
    tl.store(c_ptr + tile, acc)


@triton.jit
def dot_in_branch(a_ptr, b_ptr, c_ptr, steps, left_out, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    tile = at[:, None] * SIZE + at[None, :]
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for step in range(steps):
        a = tl.load(a_ptr + step * SIZE * SIZE + tile)
        b = tl.load(b_ptr + step * SIZE * SIZE + tile)
        if step != left_out:
            acc = tl.dot(a, b, acc)
    tl.store(c_ptr + tile, acc)


@triton.jit
def loop_in_loop(a_ptr, b_ptr, c_ptr, steps, more, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    tile = at[:, None] * SIZE + at[None, :]
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for step in range(steps):
        a = tl.load(a_ptr + step * SIZE * SIZE + tile)
        for again in range(more):
            b = tl.load(b_ptr + again * SIZE * SIZE + tile)
            acc = tl.dot(a, b, acc)
    tl.store(c_ptr + tile, acc)


@triton.jit
def scaled_between_dots(q_ptr, k_ptr, v_ptr, c_ptr, scale_ptr, steps, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    tile = at[:, None] * SIZE + at[None, :]
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    q = tl.load(q_ptr + tile)
    for step in range(steps):
        k = tl.load(k_ptr + step * SIZE * SIZE + tile)
        scale = tl.load(scale_ptr + step)
        p = tl.dot(q, k) * scale
        v = tl.load(v_ptr + step * SIZE * SIZE + tile)
        acc = tl.dot(p.to(tl.float16), v, acc)
    tl.store(c_ptr + tile, acc)


@triton.jit
def two_passes(q_ptr, k_ptr, c_ptr, n, SIZE: tl.constexpr):
    rows = tl.arange(0, SIZE)
    tile = rows[:, None] * SIZE + rows[None, :]
    q = tl.load(q_ptr + tile)
    most = tl.zeros((SIZE,), tl.float32)
    for start in range(0, n, SIZE):
        k = tl.load(k_ptr + start * SIZE + tile)
        most = tl.maximum(most, tl.max(tl.dot(q, k), 1))
    total = tl.zeros((SIZE, SIZE), tl.float32)
    for start in range(0, n, SIZE):
        k = tl.load(k_ptr + start * SIZE + tile)
        total += tl.dot(q, k) - most[:, None]
    tl.store(c_ptr + tile, total)


@triton.jit
def loop_of_one(q_ptr, k_ptr, c_ptr, SIZE: tl.constexpr):
    rows = tl.arange(0, SIZE)
    tile = rows[:, None] * SIZE + rows[None, :]
    program = tl.program_id(0)
    q = tl.load(q_ptr + tile)
    most = tl.zeros((SIZE,), tl.float32)
    total = tl.zeros((SIZE, SIZE), tl.float32)
    for start in range(program * SIZE, (program + 1) * SIZE, SIZE):
        k = tl.load(k_ptr + start * SIZE + tile)
        product = tl.dot(q, k)
        most = tl.maximum(most, tl.max(product, 1))
        total += tl.trans(product) - most[:, None]
    tl.store(c_ptr + tile, total)


@triton.jit
def packed_operand(a_ptr, b_ptr, scales_ptr, c_ptr, steps, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)
    half = tl.arange(0, SIZE // 2)
    acc = tl.zeros((SIZE, SIZE), tl.float32)
    for step in range(steps):
        a = tl.load(a_ptr + step * SIZE * SIZE + at[:, None] * SIZE + at[None, :])
        packed = tl.load(b_ptr + step * SIZE * SIZE + half[:, None] * SIZE + at[None, :])
        scales = tl.load(scales_ptr + step * SIZE + at)
        low, high = (packed << 4 >> 4).to(tl.float16), (packed >> 4).to(tl.float16)
        b = tl.join(low, high).permute(0, 2, 1).reshape(SIZE, SIZE) * scales[None, :]
        acc = tl.dot(a, b, acc)
    tl.store(c_ptr + at[:, None] * SIZE + at[None, :], acc)


@triton.jit
def batch(a_ptr, b_ptr, c_ptr, SIZE: tl.constexpr):
    first, row, column = tl.arange(0, 2)[:, None, None], tl.arange(0, SIZE)[:, None], tl.arange(0, SIZE)
    tile = first * SIZE * SIZE + row * SIZE + column
    tl.store(c_ptr + tile, tl.dot(tl.load(a_ptr + tile), tl.load(b_ptr + tile)))


@triton.jit
def persistent(a_ptr, b_ptr, c_ptr, tiles, steps, SIZE: tl.constexpr, FLATTEN: tl.constexpr):
    at = tl.arange(0, SIZE)
    inside = at[:, None] * SIZE + at[None, :]
    for tile in tl.range(tl.program_id(0), tiles, 132, flatten=FLATTEN):
        acc = tl.zeros((SIZE, SIZE), tl.float32)
        for step in range(steps):
            a = tl.load(a_ptr + (tile * steps + step) * SIZE * SIZE + inside)
            b = tl.load(b_ptr + (tile * steps + step) * SIZE * SIZE + inside)
            acc = tl.dot(a, b, acc)
        tl.store(c_ptr + tile * SIZE * SIZE + inside, acc.to(tl.float16))
