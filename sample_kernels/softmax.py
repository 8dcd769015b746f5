"""Softmax over the rows of a matrix, fused: each element is read once and written once.

Work: one program per row. The row lives in the program's registers from its load to its store, so the two
reductions (maximum and sum) and the exponentials cost no memory traffic. The price is that BLOCK_SIZE must
cover a whole row: very long rows spill (try it: BLOCK_SIZE=65536 and num_warps=4, and look at the spills).

In irscope: look in TTGIR for the two `tt.reduce` regions and follow them to PTX. Within a warp they become
`shfl.sync.bfly`; between warps they go through shared memory, with a `bar.sync` on either side. With
num_warps=1 the shared memory and the barriers are gone. `tl.exp` turns up as a multiplication by log2(e) and
an `ex2.approx`, because base 2 is all that the hardware has.
"""

from typing import TYPE_CHECKING

import triton
import triton.language as tl

if TYPE_CHECKING:
    import torch


@triton.jit
def softmax_kernel(x_ptr, out_ptr, x_row_stride, out_row_stride, n_cols, BLOCK_SIZE: tl.constexpr):
    # The product of row and stride is what outgrows 32 bits first.
    row = tl.program_id(0).to(tl.int64)
    cols = tl.arange(0, BLOCK_SIZE)
    inside = cols < n_cols

    # -inf is neutral in both reductions: it never is the maximum, and its exponential is 0.
    x = tl.load(x_ptr + row * x_row_stride + cols, mask=inside, other=float("-inf")).to(tl.float32)
    # softmax(x) = softmax(x - c) for any c; with the maximum, no exponential can overflow.
    numerator = tl.exp(x - tl.max(x, axis=0))
    out = numerator / tl.sum(numerator, axis=0)
    tl.store(out_ptr + row * out_row_stride + cols, out, mask=inside)


def run(x: "torch.Tensor") -> "torch.Tensor":
    """Softmax over the last axis of an (n_rows, n_cols) matrix whose rows are contiguous."""
    import torch

    n_rows, n_cols = x.shape
    assert x.stride(1) == 1
    out = torch.empty_like(x)
    block_size = triton.next_power_of_2(n_cols)
    # About 16 elements a thread: wide loads, several in flight, and registers left for more programs.
    num_warps = min(max(block_size // 512, 1), 16)
    softmax_kernel[(n_rows,)](x, out, x.stride(0), out.stride(0), n_cols, BLOCK_SIZE=block_size, num_warps=num_warps)
    return out


def reference(x: "torch.Tensor") -> "torch.Tensor":
    import torch

    return torch.softmax(x, dim=1)


def main() -> int:
    from harness import check, report_bandwidth, require_cuda

    device = require_cuda("softmax")
    import torch

    # A width that is no power of two shows that the mask is right; the even one is timed.
    odd = torch.randn(1823, 781, device=device)
    passed = check("softmax 1823 x 781", run(odd), reference(odd), limit=2e-6)
    x = torch.randn(16384, 4096, device=device)
    passed &= check("softmax 16384 x 4096", run(x), reference(x), limit=2e-6)
    size = 2 * x.numel() * x.element_size()
    report_bandwidth("softmax 16384 x 4096", lambda: run(x), lambda: reference(x), size)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
