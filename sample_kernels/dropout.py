"""Dropout with a seed in place of a mask: the random numbers are computed where they are needed.

Work: one program per BLOCK_SIZE elements. `tl.rand` is a counter-based generator (Philox 4x32 with ten
rounds): the number at a position depends on the seed and that position alone. So the programs share no
state, and the backward pass gets the same mask from the same seed, with nothing kept in memory: it is this
very kernel, run on the gradient.

In irscope: two lines of Python become hundreds of integer instructions. Look in SASS for the pairs of
32 x 32 to 64 bit multiplications of the rounds, and sort out by the inlined call stack which of them belong
to `philox_impl`. The ten rounds make four numbers, of which `tl.rand` keeps one; `tl.rand4x` on a quarter of
the offsets would keep all.
"""

from typing import TYPE_CHECKING

import triton
import triton.language as tl

if TYPE_CHECKING:
    import torch


@triton.jit
def dropout_kernel(x_ptr, out_ptr, n_elements, p, seed, BLOCK_SIZE: tl.constexpr):
    # 32-bit positions: they are the generator's counter.
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    inside = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=inside)
    keep = tl.rand(seed, offsets) >= p
    # What stays is scaled up, so that the expected sum is that of x.
    tl.store(out_ptr + offsets, tl.where(keep, x * (1.0 / (1.0 - p)), 0.0), mask=inside)


def run(x: "torch.Tensor", p: float, seed: int) -> "torch.Tensor":
    """Each element of a contiguous tensor is zero with probability p in [0, 1), else divided by 1 - p."""
    import torch

    assert x.is_contiguous() and 0.0 <= p < 1.0 and 0 <= seed < 2**31 and x.numel() < 2**31
    out = torch.empty_like(x)
    block_size = 1024
    dropout_kernel[(triton.cdiv(x.numel(), block_size),)](x, out, x.numel(), p, seed, BLOCK_SIZE=block_size)
    return out


def reference(x: "torch.Tensor", p: float, seed: int) -> "torch.Tensor":
    """The same numbers, from Philox written out in torch's 64-bit integers."""
    import torch

    mask_32 = 0xFFFFFFFF
    c0 = torch.arange(x.numel(), device=x.device, dtype=torch.int64).reshape(x.shape)
    c1, c2, c3 = (torch.zeros_like(c0) for _ in range(3))
    key_0, key_1 = seed & mask_32, seed >> 32
    for _ in range(10):
        # A product may pass 2**63 and wrap, but its 64 bits are right, and the mask drops the copied sign.
        product_0, product_2 = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (
            ((product_2 >> 32) & mask_32) ^ c1 ^ key_0,
            product_2 & mask_32,
            ((product_0 >> 32) & mask_32) ^ c3 ^ key_1,
            product_0 & mask_32,
        )
        key_0, key_1 = (key_0 + 0x9E3779B9) & mask_32, (key_1 + 0xBB67AE85) & mask_32
    # To a float as Triton does it: the integer as signed, its negative half folded, times just under 2**-31.
    signed = torch.where(c0 >= 1 << 31, (1 << 32) - c0 - 1, c0)
    uniform = signed.to(torch.float32) * 4.6566127342e-10
    return torch.where(uniform >= p, x * (1.0 / (1.0 - p)), torch.zeros_like(x))


def main() -> int:
    from harness import check, report_bandwidth, require_cuda

    device = require_cuda("dropout")
    import torch

    p, seed = 0.25, 1234
    small = torch.randn(1_000_003, device=device)
    out = run(small, p, seed)
    passed = check("dropout, the same elements kept", out == 0, reference(small, p, seed) == 0, limit=0.0)
    passed &= check("dropout, values", out, reference(small, p, seed), limit=1e-6)
    x = torch.randn(1 << 27, device=device)
    report_bandwidth(
        "dropout",
        lambda: run(x, p, seed),
        lambda: torch.nn.functional.dropout(x, p),
        2 * x.numel() * x.element_size(),
    )
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
