"""Autotuning of a kernel that changes its input, one that adds up, and one with `use_cuda_graph`-like keywords."""

import torch
import triton
import triton.language as tl


@triton.autotune([triton.Config({"BLOCK": size}) for size in (256, 512)], key=["n"], restore_value=["x_ptr"])
@triton.jit
def double_kernel(x_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    tl.store(x_ptr + offsets, tl.load(x_ptr + offsets, mask=inside) * 2, mask=inside)


@triton.autotune(
    [triton.Config({"BLOCK": 512}, num_warps=2), triton.Config({"BLOCK": 1024}, num_warps=4)],
    key=["n"], reset_to_zero=["total_ptr"], warmup=1, rep=5,
)  # fmt: skip
@triton.heuristics({"EVEN": lambda arguments: arguments["n"] % arguments["BLOCK"] == 0})
@triton.jit
def sum_kernel(x_ptr, total_ptr, n, EVEN: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets) if EVEN else tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)
    tl.atomic_add(total_ptr, tl.sum(x, axis=0))


x = torch.ones(10_000, device="cuda")
double_kernel[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](x, x.numel())
assert (x == 2).all(), x

for size in (8192, 5000):
    total = torch.zeros(1, device="cuda")
    sum_kernel[lambda meta, n=size: (triton.cdiv(n, meta["BLOCK"]),)](x, total, size)
    if total.item() != 2.0 * size:
        print("expected", 2.0 * size, "and got", total.item())
    print(f"sum of {size}: {total.item():.1f}")
