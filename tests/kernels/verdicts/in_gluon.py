"""A copy in Gluon, whose layout is the author's: four elements a thread, where eight of fp16 make 128 bits."""

from triton.experimental import gluon
from triton.experimental.gluon import language as gl


@gluon.jit
def copy(x_ptr, y_ptr, n, EACH: gl.constexpr, BLOCK: gl.constexpr):
    layout: gl.constexpr = gl.BlockedLayout([EACH], [32], [4], [0])
    at = gl.program_id(0) * BLOCK + gl.arange(0, BLOCK, layout=layout)
    x = gl.load(x_ptr + at, mask=at < n)
    gl.store(y_ptr + at, x, mask=at < n)
