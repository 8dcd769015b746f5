"""Prints the TTGIR of a Gluon kernel whose warps are specialized: such a kernel has no TTIR."""

import triton
from triton.backends.compiler import GPUTarget
from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon._runtime import GluonASTSource


@gluon.jit
def loads(x_ptr, tile, LAYOUT: gl.constexpr):
    tile.store(gl.load(x_ptr + gl.arange(0, 128, layout=LAYOUT)))


@gluon.jit
def stores(tile, out_ptr, LAYOUT: gl.constexpr):
    gl.store(out_ptr + gl.arange(0, 128, layout=LAYOUT), tile.load(LAYOUT))


@gluon.jit
def specialized(x_ptr, out_ptr, LAYOUT: gl.constexpr, SHARED: gl.constexpr):
    tile = gl.allocate_shared_memory(gl.float32, [128], SHARED)
    gl.warp_specialize([(loads, (x_ptr, tile, LAYOUT)), (stores, (tile, out_ptr, LAYOUT))], [4], [24])


if __name__ == "__main__":
    layouts = {(2,): gl.BlockedLayout([1], [32], [4], [0]), (3,): gl.SwizzledSharedLayout(1, 1, 1, [0])}
    signature = {"x_ptr": "*fp32", "out_ptr": "*fp32", "LAYOUT": "constexpr", "SHARED": "constexpr"}
    source = GluonASTSource(specialized, signature, layouts)
    print(triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm["ttgir"])
