"""A histogram with equally wide bins, counted with atomics at two levels.

Work: a fixed number of programs stride through the values. Each counts into a histogram of its own and adds
that to the common one at its end, with one atomic addition per bin. If every value went straight to the
common histogram, popular bins would have all threads of the GPU queue for one address.

In irscope: look in TTGIR for `tt.histogram` and follow it down: its counts are in shared memory, where PTX
has an `atom` with `.shared.add` in its name, and `bar.sync` around it. The addition at the end ignores the
old value, so a `red.global` is enough, which returns nothing. Older Tritons leave an `atom.global` in PTX;
look in SASS whether ptxas saw that by itself and made it a `RED`.
"""

from typing import TYPE_CHECKING

import triton
import triton.language as tl

if TYPE_CHECKING:
    import torch


@triton.jit
def histogram_kernel(
    x_ptr, counts_ptr, n_elements, low, bins_per_unit, BLOCK_SIZE: tl.constexpr, N_BINS: tl.constexpr = 256
):
    bins = tl.arange(0, N_BINS)
    counts = tl.zeros((N_BINS,), dtype=tl.int32)
    first = tl.program_id(0).to(tl.int64) * BLOCK_SIZE
    step = tl.num_programs(0).to(tl.int64) * BLOCK_SIZE
    for start in range(first, n_elements, step):
        offsets = start + tl.arange(0, BLOCK_SIZE)
        inside = offsets < n_elements
        x = tl.load(x_ptr + offsets, mask=inside, other=0.0).to(tl.float32)
        # What lies beyond an end counts to the last bin there. Clamped while it is still a float: a float
        # too large for an integer converts to nothing that one could rely on.
        position = tl.minimum(tl.maximum((x - low) * bins_per_unit, 0.0), N_BINS - 1.0)
        # tl.histogram counts every lane, so those past the end all go to bin 0 and are taken off again.
        counts += tl.histogram(tl.where(inside, position.to(tl.int32), 0), N_BINS)
        outside = tl.sum(tl.where(inside, 0, 1), axis=0)
        counts -= tl.where(bins == 0, outside, 0)
    # Only the sum matters, not who comes first: no ordering is needed beyond the addition's own.
    tl.atomic_add(counts_ptr + bins, counts, sem="relaxed")


def run(x: "torch.Tensor", low: float, high: float, n_bins: int = 256) -> "torch.Tensor":
    """Counts a contiguous fp32 tensor's elements in n_bins (a power of two) equal bins of [low, high)."""
    import torch

    assert x.is_contiguous() and n_bins & (n_bins - 1) == 0
    counts = torch.zeros(n_bins, device=x.device, dtype=torch.int32)
    block_size = 4096
    # Eight programs for each multiprocessor of a large GPU, so that loads and atomics of several overlap.
    grid = (min(triton.cdiv(x.numel(), block_size), 1056),)
    histogram_kernel[grid](
        x, counts, x.numel(), low, n_bins / (high - low), BLOCK_SIZE=block_size, N_BINS=n_bins, num_warps=8
    )
    return counts


def reference(x: "torch.Tensor", low: float, high: float, n_bins: int = 256) -> "torch.Tensor":
    """The same rule in torch, with the kernel's arithmetic: torch.histc drops what is out of range."""
    import torch

    bins = ((x - low) * (n_bins / (high - low))).clamp(0, n_bins - 1).to(torch.int64)
    return torch.bincount(bins.flatten(), minlength=n_bins).to(torch.int32)


def main() -> int:
    from harness import check, report_bandwidth, require_cuda

    device = require_cuda("histogram")
    import torch

    # Normally distributed, so that the bins in the middle are crowded: the hard case for atomics.
    x = torch.randn((1 << 27) + 5, device=device)
    # No bin may be one off: 256 bins over 8 units scale by a power of two, which rounds nothing.
    passed = check("histogram", run(x, -4.0, 4.0), reference(x, -4.0, 4.0), limit=0.0)
    report_bandwidth(
        "histogram",
        lambda: run(x, -4.0, 4.0),
        lambda: torch.histc(x, 256, -4.0, 4.0),
        x.numel() * x.element_size(),
    )
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
