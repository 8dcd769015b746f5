"""Kernels that need another Triton or another target than some have."""

import triton
import triton.language as tl
from triton.language.extra.cuda import libdevice


@triton.jit
def block_pointer(x_ptr, N, BLOCK: tl.constexpr):
    block = tl.make_block_ptr(x_ptr, (N,), (1,), (0,), (BLOCK,), (0,))
    tl.store(block, tl.load(block))


@triton.jit
def boundary(x_ptr):
    tl.store(x_ptr, tl.load(x_ptr, boundary_check=(0,)))


@triton.jit
def transposed(x_ptr):
    a = tl.full((64, 64), 1.0, tl.float16)
    tl.store(x_ptr, tl.sum(tl.dot(a, a, trans_b=True)))


@triton.jit
def tanh(x_ptr):
    tl.store(x_ptr, tl.math.tanh(tl.load(x_ptr)))


@triton.jit
def descriptor_load(x_ptr, descriptor, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), tl._experimental_descriptor_load(descriptor, [0], [BLOCK], tl.float32))


@triton.jit
def never_there(x_ptr):
    tl.store(x_ptr, tl.no_such_function(tl.load(x_ptr)))


@triton.jit
def undefined(x_ptr):
    tl.store(x_ptr, no_such_name)  # noqa: F821


@triton.jit
def eight_bits(x_ptr, y_ptr):
    tl.store(x_ptr, tl.load(y_ptr).to(tl.float8e4nv))


@triton.jit
def dependent(x_ptr):
    tl.extra.cuda.gdc_wait()
    tl.store(x_ptr, 1.0)


@triton.jit
def cuda_only(x_ptr):
    tl.store(x_ptr, libdevice.tanh(tl.load(x_ptr)))


@triton.jit
def amd_only(x_ptr):
    tl.store(x_ptr, tl.extra.hip.memrealtime())


@triton.jit
def pointer_by_number(x_ptr):
    tl.store(x_ptr, tl.load(x_ptr.to(tl.pointer_type(tl.uint16, 1))))


SIZE = 64


@triton.jit
def plain_global(x_ptr):
    tl.store(x_ptr + tl.arange(0, SIZE), 0)
