"""Adds two vectors: the smallest kernel that is still a real one.

Work: one program adds BLOCK_SIZE neighbouring elements, so ceil(n / BLOCK_SIZE) programs run and none talks
to another. All of the time goes to memory: 12 bytes move for one addition in fp32.

In irscope: look in TTGIR for the `#blocked` layout; its `sizePerThread = [4]` is what becomes the 128-bit
`ld.global.v4` in PTX and `LDG.E.128` in SASS. Compile again with `n_elements` not divisible by 16: the mask
may then cut a group of four in two, and the wide loads fall apart.
"""

from typing import TYPE_CHECKING

import triton
import triton.language as tl

if TYPE_CHECKING:
    import torch


@triton.jit
def vector_add_kernel(x_ptr, y_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    # 64 bits, because a tensor may have more than 2**31 elements and a program id has only 32.
    start = tl.program_id(0).to(tl.int64) * BLOCK_SIZE
    offsets = start + tl.arange(0, BLOCK_SIZE)
    # Only the last program has elements to leave out, but every program must ask.
    inside = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=inside)
    y = tl.load(y_ptr + offsets, mask=inside)
    tl.store(out_ptr + offsets, x + y, mask=inside)


def run(x: "torch.Tensor", y: "torch.Tensor") -> "torch.Tensor":
    """x + y for two contiguous tensors of one shape."""
    import torch

    assert x.shape == y.shape and x.is_contiguous() and y.is_contiguous()
    out = torch.empty_like(x)
    # 1024 elements over 4 warps are 8 a thread: two wide loads from each input are in flight at once.
    block_size = 1024
    vector_add_kernel[(triton.cdiv(out.numel(), block_size),)](x, y, out, out.numel(), BLOCK_SIZE=block_size)
    return out


def reference(x: "torch.Tensor", y: "torch.Tensor") -> "torch.Tensor":
    return x + y


def main() -> int:
    from harness import check, report_bandwidth, require_cuda

    device = require_cuda("vector_add")
    import torch

    x, y = torch.randn(2, 1 << 27, device=device).unbind()
    passed = check("vector_add", run(x, y), reference(x, y), limit=1e-7)
    size = 3 * x.numel() * x.element_size()
    report_bandwidth("vector_add", lambda: run(x, y), lambda: reference(x, y), size)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
