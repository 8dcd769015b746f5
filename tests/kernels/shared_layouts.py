"""A tile is written to shared memory by rows and read by columns, in layouts with and without bank conflicts.

Triton itself prints how many turns more than one it expects for the write and for the read.
"""

import triton.experimental.gluon.language as ttgl
from triton.experimental import gluon


@gluon.jit
def turn_tile(x_ptr, out_ptr, shared: ttgl.constexpr, VECTOR: ttgl.constexpr, SIDE: ttgl.constexpr):
    by_row: ttgl.constexpr = ttgl.BlockedLayout([1, VECTOR], [32 // (SIDE // VECTOR), SIDE // VECTOR], [4, 1], [1, 0])
    by_column: ttgl.constexpr = ttgl.BlockedLayout([1, 1], [32, 1], [1, 4], [0, 1])
    rows = ttgl.arange(0, SIDE, layout=ttgl.SliceLayout(1, by_row))
    columns = ttgl.arange(0, SIDE, layout=ttgl.SliceLayout(0, by_row))
    x = ttgl.load(x_ptr + rows[:, None] * SIDE + columns[None, :])
    tile = ttgl.allocate_shared_memory(x.dtype, [SIDE, SIDE], shared)
    tile.store(x)
    y = tile.load(by_column)
    ttgl.static_print("conflicts", ttgl.bank_conflicts(x.type, tile.type), ttgl.bank_conflicts(y.type, tile.type))
    rows = ttgl.arange(0, SIDE, layout=ttgl.SliceLayout(1, by_column))
    columns = ttgl.arange(0, SIDE, layout=ttgl.SliceLayout(0, by_column))
    ttgl.store(out_ptr + rows[:, None] + columns[None, :] * SIDE, y)


@gluon.jit
def unswizzled(x_ptr, out_ptr):
    turn_tile(x_ptr, out_ptr, ttgl.SwizzledSharedLayout(1, 1, 1, [1, 0]), 1, 32)


@gluon.jit
def swizzled_in_4_phases(x_ptr, out_ptr):
    turn_tile(x_ptr, out_ptr, ttgl.SwizzledSharedLayout(1, 1, 4, [1, 0]), 1, 32)


@gluon.jit
def swizzled_in_32_phases(x_ptr, out_ptr):
    turn_tile(x_ptr, out_ptr, ttgl.SwizzledSharedLayout(1, 1, 32, [1, 0]), 1, 32)


@gluon.jit
def written_by_fours(x_ptr, out_ptr):
    turn_tile(x_ptr, out_ptr, ttgl.SwizzledSharedLayout(4, 1, 8, [1, 0]), 4, 32)


@gluon.jit
def by_columns(x_ptr, out_ptr):
    turn_tile(x_ptr, out_ptr, ttgl.SwizzledSharedLayout(1, 1, 1, [0, 1]), 1, 32)
