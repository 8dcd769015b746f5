"""Launches a kernel, and then ends in the way that its argument says."""

import os
import sys

import torch
import triton
import triton.language as tl


@triton.jit
def zero_kernel(out_ptr, BLOCK: tl.constexpr):
    tl.store(out_ptr + tl.arange(0, BLOCK), 0.0)


if __name__ == "__main__":
    how = sys.argv[1] if len(sys.argv) > 1 else "raise"
    if how == "before":
        raise KeyError("nothing is launched")
    zero_kernel[(3,)](torch.ones(64, device="cuda"), BLOCK=64)
    if how == "raise":
        raise ValueError("no more of this")
    if how == "exit":
        sys.exit(3)
    if how == "crash":
        os.abort()
    while how == "loop":
        pass
    zero_kernel[(4,)](torch.ones(128, device="cuda"), BLOCK=128)
