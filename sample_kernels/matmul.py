"""C = A B in half precision with fp32 accumulation, on the tensor cores.

Work: one program computes one BLOCK_M x BLOCK_N tile of C, walking along K in steps of BLOCK_K. Programs are
numbered so that those which run at the same time share rows of A and columns of B in the L2 cache: GROUP_M
tiles down, then one tile to the right, and so on.

In irscope: look in TTGIR for the loop, before and after pipelining. `num_stages=3` becomes a buffer of
three tiles in shared memory (`ttg.local_alloc` with a leading 3), filled by `ttg.async_copy_global_to_local`
(`cp.async` in PTX) two steps ahead of the `tt.dot` that reads it. That dot is a `ttng.warp_group_dot` on
sm_90 (`wgmma`, and `HGMMA` in SASS) and keeps its name on sm_80 (`mma.sync`, `HMMA`). Switch the
configuration and watch registers, shared memory and occupancy pull against one another.
"""

from typing import TYPE_CHECKING

import triton
import triton.language as tl

if TYPE_CHECKING:
    import torch


# The autotuner times these once for each new (M, N, K) and skips those that do not fit into the GPU.
# Large tiles reuse each loaded element more often; small ones keep every multiprocessor busy when C is small.
@triton.autotune(
    configs=[
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 128, "BLOCK_K": 64}, num_warps=8, num_stages=3),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 256, "BLOCK_K": 64}, num_warps=8, num_stages=3),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 256, "BLOCK_K": 64}, num_warps=8, num_stages=4),
        triton.Config({"BLOCK_M": 256, "BLOCK_N": 128, "BLOCK_K": 64}, num_warps=8, num_stages=3),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 128, "BLOCK_K": 64}, num_warps=4, num_stages=4),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 128, "BLOCK_K": 32}, num_warps=4, num_stages=4),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 64, "BLOCK_K": 64}, num_warps=4, num_stages=4),
        triton.Config({"BLOCK_M": 64, "BLOCK_N": 128, "BLOCK_K": 64}, num_warps=4, num_stages=4),
        triton.Config({"BLOCK_M": 64, "BLOCK_N": 64, "BLOCK_K": 32}, num_warps=4, num_stages=2),
    ],
    key=["M", "N", "K"],
)
@triton.jit
def matmul_kernel(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    a_stride_m,
    a_stride_k,
    b_stride_k,
    b_stride_n,
    c_stride_m,
    c_stride_n,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
    GROUP_M: tl.constexpr = 8,
):
    # Which tile is this program's? Programs start roughly in the order of their number.
    program = tl.program_id(0)
    tiles_m = tl.cdiv(M, BLOCK_M)
    tiles_n = tl.cdiv(N, BLOCK_N)
    group_size = GROUP_M * tiles_n
    first_m = program // group_size * GROUP_M
    # The last group has fewer rows of tiles where GROUP_M does not divide their number.
    group_m = min(tiles_m - first_m, GROUP_M)
    in_group = program % group_size
    tile_m = first_m + in_group % group_m
    tile_n = in_group // group_m

    # Rows past the end wrap around: the loads stay inside A and B with no mask on these two axes, and what
    # is computed from them is not stored.
    rows = (tile_m * BLOCK_M + tl.arange(0, BLOCK_M)) % M
    cols = (tile_n * BLOCK_N + tl.arange(0, BLOCK_N)) % N
    ks = tl.arange(0, BLOCK_K)
    a_ptrs = a_ptr + rows[:, None] * a_stride_m + ks[None, :] * a_stride_k
    b_ptrs = b_ptr + ks[:, None] * b_stride_k + cols[None, :] * b_stride_n

    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(0, K, BLOCK_K):
        # Along K a mask is needed: here a zero must stand in for what is not there.
        a = tl.load(a_ptrs, mask=ks[None, :] < K - k, other=0.0)
        b = tl.load(b_ptrs, mask=ks[:, None] < K - k, other=0.0)
        acc = tl.dot(a, b, acc)
        a_ptrs += BLOCK_K * a_stride_k
        b_ptrs += BLOCK_K * b_stride_k

    rows = tile_m * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tile_n * BLOCK_N + tl.arange(0, BLOCK_N)
    c_ptrs = c_ptr + rows[:, None] * c_stride_m + cols[None, :] * c_stride_n
    tl.store(c_ptrs, acc.to(tl.float16), mask=(rows[:, None] < M) & (cols[None, :] < N))


def run(a: "torch.Tensor", b: "torch.Tensor") -> "torch.Tensor":
    """A (M, K) times B (K, N), both fp16 with any strides; each below 2**31 elements."""
    import torch

    (m, k), (k_of_b, n) = a.shape, b.shape
    assert k == k_of_b and a.dtype == b.dtype == torch.float16
    c = torch.empty((m, n), device=a.device, dtype=torch.float16)

    def grid(config):
        return (triton.cdiv(m, config["BLOCK_M"]) * triton.cdiv(n, config["BLOCK_N"]),)

    matmul_kernel[grid](a, b, c, m, n, k, *a.stride(), *b.stride(), *c.stride())
    return c


def reference(a: "torch.Tensor", b: "torch.Tensor") -> "torch.Tensor":
    import torch

    return torch.matmul(a, b)


def main() -> int:
    from harness import check, report_arithmetic, require_cuda

    device = require_cuda("matmul")
    import torch

    size = 4096
    a, b = torch.randn(2, size, size, device=device, dtype=torch.float16).unbind()
    # No side is a multiple of a tile's, and B is transposed: every mask and stride matters.
    odd_a = torch.randn(1000, 520, device=device, dtype=torch.float16)
    odd_b = torch.randn(776, 520, device=device, dtype=torch.float16).T
    passed = check(f"matmul {size}", run(a, b), reference(a, b), limit=1e-3)
    print(f"matmul {size}: best configuration: {matmul_kernel.best_config}")
    passed &= check("matmul 1000 x 776 x 520", run(odd_a, odd_b), reference(odd_a, odd_b), limit=1e-3)
    report_arithmetic(f"matmul {size}", lambda: run(a, b), lambda: reference(a, b), 2.0 * size**3)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
