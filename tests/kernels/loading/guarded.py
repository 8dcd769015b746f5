"""Kernels of a package that gives Triton on, which is not there, and that counts the drivers."""

import triton as installed
from counter.utils import HAS_TRITON, tl, triton
from triton.backends import backends

DRIVERS = [name for name, found in backends.items() if found.driver.is_active()]

WIDTH = installed.next_power_of_2(48) if len(DRIVERS) == 1 else 16


@triton.jit
def guarded(x_ptr, out_ptr, SIZE: tl.constexpr = WIDTH):
    at = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    tl.store(out_ptr + at, tl.load(x_ptr + at))


def launch(x, out):
    assert HAS_TRITON
    guarded[(1,)](x, out)
