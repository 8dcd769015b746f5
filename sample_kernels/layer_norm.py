"""Layer normalization over the rows of a matrix, forward and backward.

Work: forward, one program per row, as in softmax.py. Backward, dx needs a row and nothing else, but the
gradients of weight and bias are sums over all rows. So a fixed number of programs stride through the rows,
each sums its own share of dw and db in registers, and writes one partial row of each at its end. A second
kernel adds up the partial rows. No atomics, no locks, and the same result to the bit in every run.

In irscope: look at how long the registers of `layer_norm_backward_kernel` live: dw and db are carried
through the whole loop (`scf.for ... iter_args` in TTIR, phi nodes in LLVM IR), which costs registers and
with them occupancy. In TTGIR of `sum_partials_kernel`, look for the layout of the two-dimensional block: the
reduction runs along axis 0, so it is cheap where one thread holds several rows and dear where it must cross
warps.
"""

from typing import TYPE_CHECKING

import triton
import triton.language as tl

if TYPE_CHECKING:
    import torch


@triton.jit
def layer_norm_forward_kernel(
    x_ptr,
    weight_ptr,
    bias_ptr,
    out_ptr,
    mean_ptr,
    rstd_ptr,
    row_stride,
    n_cols,
    eps,
    BLOCK_SIZE: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    cols = tl.arange(0, BLOCK_SIZE)
    inside = cols < n_cols

    x = tl.load(x_ptr + row * row_stride + cols, mask=inside, other=0.0).to(tl.float32)
    mean = tl.sum(x, axis=0) / n_cols
    # The mean of squares minus the square of the mean would take one reduction less and cancel badly. The
    # row is in registers already, so the accurate way costs no traffic.
    centered = tl.where(inside, x - mean, 0.0)
    variance = tl.sum(centered * centered, axis=0) / n_cols
    rstd = 1.0 / tl.sqrt(variance + eps)
    tl.store(mean_ptr + row, mean)
    tl.store(rstd_ptr + row, rstd)

    weight = tl.load(weight_ptr + cols, mask=inside, other=0.0).to(tl.float32)
    bias = tl.load(bias_ptr + cols, mask=inside, other=0.0).to(tl.float32)
    tl.store(out_ptr + row * row_stride + cols, centered * rstd * weight + bias, mask=inside)


@triton.jit
def layer_norm_backward_kernel(
    dout_ptr,
    x_ptr,
    weight_ptr,
    mean_ptr,
    rstd_ptr,
    dx_ptr,
    partial_dw_ptr,
    partial_db_ptr,
    row_stride,
    n_rows,
    n_cols,
    BLOCK_SIZE: tl.constexpr,
):
    # 64 bits here make the loop's row and all offsets 64 bits wide.
    program = tl.program_id(0).to(tl.int64)
    cols = tl.arange(0, BLOCK_SIZE)
    inside = cols < n_cols
    weight = tl.load(weight_ptr + cols, mask=inside, other=0.0).to(tl.float32)
    dw = tl.zeros((BLOCK_SIZE,), dtype=tl.float32)
    db = tl.zeros((BLOCK_SIZE,), dtype=tl.float32)

    for row in range(program, n_rows, tl.num_programs(0)):
        offsets = row * row_stride + cols
        x = tl.load(x_ptr + offsets, mask=inside, other=0.0).to(tl.float32)
        dout = tl.load(dout_ptr + offsets, mask=inside, other=0.0).to(tl.float32)
        rstd = tl.load(rstd_ptr + row)
        normal = (x - tl.load(mean_ptr + row)) * rstd

        # With g = dout * weight: dx is g less its own mean and less its projection on the normalized row,
        # as the forward pass has removed just those two degrees of freedom. Both sums see g = 0 outside.
        g = dout * weight
        mean_g = tl.sum(g, axis=0) / n_cols
        mean_g_normal = tl.sum(g * normal, axis=0) / n_cols
        tl.store(dx_ptr + offsets, (g - mean_g - normal * mean_g_normal) * rstd, mask=inside)

        dw += dout * normal
        db += dout

    tl.store(partial_dw_ptr + program * n_cols + cols, dw, mask=inside)
    tl.store(partial_db_ptr + program * n_cols + cols, db, mask=inside)


@triton.jit
def sum_partials_kernel(
    partial_dw_ptr,
    partial_db_ptr,
    dw_ptr,
    db_ptr,
    n_partials,
    n_cols,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_COLS: tl.constexpr,
):
    cols = tl.program_id(0) * BLOCK_COLS + tl.arange(0, BLOCK_COLS)
    dw = tl.zeros((BLOCK_ROWS, BLOCK_COLS), dtype=tl.float32)
    db = tl.zeros((BLOCK_ROWS, BLOCK_COLS), dtype=tl.float32)
    # Blocks are added up whole and reduced once at the end: a reduction crosses threads, a sum does not.
    for first in range(0, n_partials, BLOCK_ROWS):
        rows = first + tl.arange(0, BLOCK_ROWS)
        inside = (rows[:, None] < n_partials) & (cols[None, :] < n_cols)
        offsets = rows[:, None] * n_cols + cols[None, :]
        dw += tl.load(partial_dw_ptr + offsets, mask=inside, other=0.0)
        db += tl.load(partial_db_ptr + offsets, mask=inside, other=0.0)
    tl.store(dw_ptr + cols, tl.sum(dw, axis=0), mask=cols < n_cols)
    tl.store(db_ptr + cols, tl.sum(db, axis=0), mask=cols < n_cols)


def block_and_warps(n_cols: int) -> tuple[int, int]:
    """A block that covers one row, and warps for about 16 elements a thread."""
    block_size = triton.next_power_of_2(n_cols)
    return block_size, min(max(block_size // 512, 1), 16)


def run(
    x: "torch.Tensor", weight: "torch.Tensor", bias: "torch.Tensor", eps: float = 1e-5
) -> tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]:
    """The (n_rows, n_cols) matrix normalized, and of each row the mean and 1 / standard deviation."""
    import torch

    n_rows, n_cols = x.shape
    assert x.is_contiguous()
    out = torch.empty_like(x)
    mean, rstd = torch.empty(2, n_rows, device=x.device, dtype=torch.float32).unbind()
    block_size, num_warps = block_and_warps(n_cols)
    layer_norm_forward_kernel[(n_rows,)](
        x, weight, bias, out, mean, rstd, x.stride(0), n_cols, eps, BLOCK_SIZE=block_size, num_warps=num_warps
    )
    return out, mean, rstd


def run_backward(
    dout: "torch.Tensor",
    x: "torch.Tensor",
    weight: "torch.Tensor",
    mean: "torch.Tensor",
    rstd: "torch.Tensor",
) -> tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]:
    """The gradients of x, weight and bias, given that of the output and what the forward pass kept."""
    import torch

    n_rows, n_cols = x.shape
    assert x.is_contiguous() and dout.is_contiguous()
    # Enough programs to fill the GPU, few enough that the partial rows are small beside the matrix.
    n_programs = min(n_rows, 256)
    dx = torch.empty_like(x)
    partial_dw, partial_db = torch.empty(2, n_programs, n_cols, device=x.device, dtype=torch.float32).unbind()
    block_size, num_warps = block_and_warps(n_cols)
    layer_norm_backward_kernel[(n_programs,)](
        dout,
        x,
        weight,
        mean,
        rstd,
        dx,
        partial_dw,
        partial_db,
        x.stride(0),
        n_rows,
        n_cols,
        BLOCK_SIZE=block_size,
        num_warps=num_warps,
    )
    dw, db = torch.empty(2, n_cols, device=x.device, dtype=weight.dtype).unbind()
    block_cols = 64
    sum_partials_kernel[(triton.cdiv(n_cols, block_cols),)](
        partial_dw, partial_db, dw, db, n_programs, n_cols, BLOCK_ROWS=32, BLOCK_COLS=block_cols
    )
    return dx, dw, db


def reference(x: "torch.Tensor", weight: "torch.Tensor", bias: "torch.Tensor", eps: float = 1e-5) -> "torch.Tensor":
    import torch

    return torch.nn.functional.layer_norm(x, x.shape[1:], weight, bias, eps)


def reference_backward(
    dout: "torch.Tensor", x: "torch.Tensor", weight: "torch.Tensor", bias: "torch.Tensor", eps: float = 1e-5
) -> tuple["torch.Tensor", ...]:
    """The gradients of x, weight and bias by torch's autograd."""
    import torch

    leaves = [tensor.detach().requires_grad_() for tensor in (x, weight, bias)]
    return torch.autograd.grad(reference(*leaves, eps), leaves, dout)


def main() -> int:
    from harness import check, report_bandwidth, require_cuda

    device = require_cuda("layer_norm")
    import torch

    n_rows, n_cols = 16384, 4096
    x = torch.randn(n_rows, n_cols, device=device) * 2.0 + 0.5
    dout = torch.randn_like(x)
    weight, bias = torch.randn(2, n_cols, device=device).unbind()

    out, mean, rstd = run(x, weight, bias)
    passed = check("layer_norm forward", out, reference(x, weight, bias), limit=2e-6)
    gradients = zip(
        ("dx", "dw", "db"),
        run_backward(dout, x, weight, mean, rstd),
        reference_backward(dout, x, weight, bias),
        strict=True,
    )
    for name, got, want in gradients:
        passed &= check(f"layer_norm backward, {name}", got, want, limit=1e-5)

    traffic = x.numel() * x.element_size()
    report_bandwidth(
        "layer_norm forward", lambda: run(x, weight, bias), lambda: reference(x, weight, bias), 2 * traffic
    )
    leaves = [tensor.detach().requires_grad_() for tensor in (x, weight, bias)]
    torch_out = reference(*leaves)
    report_bandwidth(
        "layer_norm backward",
        lambda: run_backward(dout, x, weight, mean, rstd),
        lambda: torch.autograd.grad(torch_out, leaves, dout, retain_graph=True),
        3 * traffic,
    )
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
