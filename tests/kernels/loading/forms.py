"""Kernels in the ways that real files define them."""

import functools
import sys

import torch
import triton
import triton.language as tl
from a_module_that_is_not_there import libentry, wrapped
from triton import jit
from triton import jit as compile_for_gpu

tuned = functools.partial(triton.autotune, configs=[triton.Config({"BLOCK": 64}), triton.Config({"BLOCK": 128})])
special = triton.jit(do_not_specialize=["n"])
SIZES = []
for exponent in (5, 6):
    SIZES.append(2**exponent)
SIZES.append(128)


def capability() -> tuple[int, int]:
    return torch.cuda.get_device_capability()


WIDE = 256 if torch.cuda.is_available() and capability()[0] >= 9 else 32


@libentry()
@triton.jit
def under_a_missing_decorator(x_ptr, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), 1.0)


@wrapped(configs=[{"BLOCK": 32}], key=["n"])
@triton.autotune(configs=[triton.Config({"BLOCK": size}) for size in SIZES], key=[])
@triton.heuristics({"WIDTH": lambda arguments: WIDE})
@triton.jit
def computed(x_ptr, BLOCK: tl.constexpr, WIDTH: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK) * WIDTH, 1.0)


@torch.compiler.disable
@triton.jit(do_not_specialize=["n"])
def with_options(x_ptr, n):
    tl.store(x_ptr, n)


@jit
def by_another_name(x_ptr):
    tl.store(x_ptr, 1.0)


@compile_for_gpu
def renamed(x_ptr):
    tl.store(x_ptr, 1.0)


@special
def by_a_decorator_of_its_own(x_ptr, n):
    tl.store(x_ptr, n)


def plain(x_ptr):
    tl.store(x_ptr, 3.0)


assigned = triton.jit(plain)


class Layer(torch.nn.Module):
    SCALE = 2

    @staticmethod
    @triton.jit
    def method(x_ptr, BLOCK: tl.constexpr = SCALE):
        tl.store(x_ptr + tl.arange(0, BLOCK), 1.0)

    def forward(self, x, factor=4):
        power = factor * self.SCALE
        activation = tl.sigmoid

        @triton.jit
        def inner(x_ptr, BLOCK: tl.constexpr):
            offsets = tl.arange(0, BLOCK)
            tl.store(x_ptr + offsets, activation(tl.load(x_ptr + offsets)))

        inner[(1,)](x, BLOCK=power)


def make(WIDTH, operator=tl.exp):
    count = tl.constexpr(WIDTH * 2)

    @triton.jit
    def made(x_ptr):
        offsets = tl.arange(0, count)
        tl.store(x_ptr + offsets, operator(tl.load(x_ptr + offsets)))

    return made


product = make(16, tl.log)

if tuple(map(int, triton.__version__.split(".")[:2])) >= (3, 0):

    @triton.jit
    def by_version(x_ptr):
        tl.store(x_ptr, 30.0)

else:

    @triton.jit
    def by_version(x_ptr):
        tl.store(x_ptr, 2.0)


if sys.platform == "no such platform":

    @triton.jit
    def elsewhere(x_ptr):
        tl.store(x_ptr, 1.0)


try:
    import another_module_that_is_not_there

    FOUND = tl.constexpr(1)
except ImportError:
    FOUND = tl.constexpr(0)


@triton.jit
def by_attempt(x_ptr):
    if FOUND:
        tl.store(x_ptr, another_module_that_is_not_there.value)
    else:
        tl.store(x_ptr, 7.0)


by_attempt[(1,)](torch.ones(1, device="cuda"))
raise SystemExit("module-level launch code is not to be run")
