"""out = gelu(x) * soft_cap(gain of the row, cap), made of functions: one here, two in another file.

Work: one program per row, as in softmax.py. What matters is where the code comes from. `gelu` is imported
from activations.py and calls `tanh` there; both are inlined. `soft_cap` stands here, calls the same `tanh`,
and asks not to be inlined.

In irscope: TTIR has a `tt.func private` for each helper and a `tt.call` for each call; after `inline`, only
that of `soft_cap` is left, and PTX still has it as a `.func` of its own and a `call`. Select a line of `tanh`
in activations.py: it lights up in two places, inlined into the kernel for a block and in `soft_cap` for a
scalar. Take `noinline=True` away and compare the registers: a call has its arguments in fixed places and
must assume that the function needs as many registers as it may have.
"""

from typing import TYPE_CHECKING

import triton
import triton.language as tl
from activations import gelu, tanh

if TYPE_CHECKING:
    import torch


# Triton passes scalars alone to a function that is not inlined: the layout of a block is decided within one
# function, and is no part of its signature.
@triton.jit(noinline=True)
def soft_cap(gain, cap):
    """The gain where it is small, never past +-cap where it is large, and smooth between."""
    return cap * tanh(gain / cap)


@triton.jit
def gated_rows_kernel(x_ptr, gain_ptr, out_ptr, row_stride, n_cols, cap, BLOCK_SIZE: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    cols = tl.arange(0, BLOCK_SIZE)
    inside = cols < n_cols
    x = tl.load(x_ptr + row * row_stride + cols, mask=inside).to(tl.float32)
    # The product with 1.0 says that cap is a float, whoever compiles this without launching it.
    gain = soft_cap(tl.load(gain_ptr + row).to(tl.float32), cap * 1.0)
    tl.store(out_ptr + row * row_stride + cols, gelu(x) * gain, mask=inside)


def run(x: "torch.Tensor", gain: "torch.Tensor", cap: float) -> "torch.Tensor":
    """gelu(x) * soft_cap(gain, cap) of a contiguous (n_rows, n_cols) matrix and one gain for each row."""
    import torch

    n_rows, n_cols = x.shape
    assert x.is_contiguous() and gain.shape == (n_rows,) and gain.is_contiguous()
    out = torch.empty_like(x)
    block_size = triton.next_power_of_2(n_cols)
    num_warps = min(max(block_size // 512, 1), 16)
    gated_rows_kernel[(n_rows,)](x, gain, out, x.stride(0), n_cols, cap, BLOCK_SIZE=block_size, num_warps=num_warps)
    return out


def reference(x: "torch.Tensor", gain: "torch.Tensor", cap: float) -> "torch.Tensor":
    import torch

    return torch.nn.functional.gelu(x, approximate="tanh") * (cap * torch.tanh(gain / cap))[:, None]


def main() -> int:
    from harness import check, report_bandwidth, require_cuda

    device = require_cuda("helper_calls")
    import torch

    x = torch.randn(16384, 4096, device=device)
    gain = torch.randn(x.shape[0], device=device) * 3.0
    cap = 5.0
    passed = check("helper_calls", run(x, gain, cap), reference(x, gain, cap), limit=1e-5)
    size = 2 * x.numel() * x.element_size()
    report_bandwidth("helper_calls", lambda: run(x, gain, cap), lambda: reference(x, gain, cap), size)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
