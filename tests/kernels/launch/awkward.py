"""Host code that makes it hard to tell what was launched; the entry is chosen by name."""

import os
import threading

import torch
import triton
import triton.language as tl


@triton.jit
def double_kernel(x_ptr, out_ptr, n, STEP: tl.constexpr, BLOCK: tl.constexpr):
    offsets = (tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)) * STEP
    tl.store(out_ptr + offsets, 2 * tl.load(x_ptr + offsets, mask=offsets < n), mask=offsets < n)


@triton.jit
def assembly_kernel(x_ptr):
    x = tl.load(x_ptr + tl.arange(0, 16))
    y = tl.inline_asm_elementwise("mov.b32 $0, $1;", "=r,r", [x], dtype=tl.int32, is_pure=True, pack=1)
    tl.store(x_ptr + tl.arange(0, 16), y)


def doubled(n=1024, programs=16, value=1.0, step=1):
    x = torch.full((n,), value, device="cuda")
    out = torch.empty_like(x)
    double_kernel[(programs,)](x, out, n, STEP=step, BLOCK=64)
    return out


def every_other_one():
    doubled(step=2, programs=8)


def not_a_number():
    doubled(value=float("nan"))


def infinite():
    doubled(value=float("inf"))


def no_programs():
    doubled(programs=0)


def past_the_end():
    doubled(n=100, programs=1)
    double_kernel[(1,)](torch.ones(8, device="cuda"), torch.ones(8, device="cuda"), 64, STEP=1, BLOCK=64)


def in_a_thread():
    thread = threading.Thread(target=doubled)
    thread.start()
    thread.join()


def some_and_then_none():
    for n in (64, 128, 128):
        doubled(n, programs=2)
    while True:
        pass


def assembly():
    assembly_kernel[(1,)](torch.zeros(16, dtype=torch.int32, device="cuda"))


def nothing():
    pass


def raises():
    raise ValueError("nothing is launched\nand this is a second line")


def ends_the_process():
    os._exit(0)


def endless():
    while True:
        pass


if __name__ == "__main__":
    doubled()
