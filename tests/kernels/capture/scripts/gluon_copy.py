"""A kernel in Gluon, Triton's lower language."""

import torch
import triton
from triton.experimental import gluon
from triton.experimental.gluon import language as gl


@gluon.jit
def copy_kernel(x_ptr, out_ptr, n, layout: gl.constexpr, BLOCK: gl.constexpr):
    offsets = gl.program_id(0) * BLOCK + gl.arange(0, BLOCK, layout=layout)
    inside = offsets < n
    gl.store(out_ptr + offsets, gl.load(x_ptr + offsets, mask=inside), mask=inside)


def copy(x, block=512, per_thread=4):
    layout = gl.BlockedLayout([per_thread], [32], [4], [0])
    out = torch.empty_like(x)
    copy_kernel[(triton.cdiv(x.numel(), block),)](x, out, x.numel(), layout, block, num_warps=4)
    return out


if __name__ == "__main__":
    for size in (1024, 1000):
        x = torch.randn(size, device="cuda")
        torch.testing.assert_close(copy(x), x, atol=0, rtol=0)
    copy(x.half(), per_thread=8)
