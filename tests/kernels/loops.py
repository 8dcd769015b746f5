"""Loops whose statements the machine code must be traced back to."""

import triton
import triton.language as tl


@triton.jit
def halvings(x):
    steps = 0
    while x > 1:
        x = x // 2
        steps += x & 1
    return steps


@triton.jit
def nested(x_ptr, y_ptr, rows, columns, stride, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    total = tl.zeros([BLOCK], tl.float32)
    for row in range(rows):
        base = x_ptr + row * stride
        for column in range(columns):
            mask = offsets < stride - column
            for lane in tl.static_range(2):
                total += tl.load(base + column * BLOCK + offsets + lane, mask=mask, other=0.0) * (lane + 1)
        total = tl.exp2(total)
    tl.store(y_ptr + offsets, total)


@triton.jit
def counted(x_ptr, y_ptr):
    tl.store(y_ptr, halvings(tl.load(x_ptr)))
