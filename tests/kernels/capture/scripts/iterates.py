"""How often a kernel is launched depends on what it computes."""

import torch
import triton
import triton.language as tl


@triton.jit
def jacobi_kernel(x_ptr, out_ptr, error_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inner = (offsets > 0) & (offsets < n - 1)
    left = tl.load(x_ptr + offsets - 1, mask=inner, other=0.0)
    right = tl.load(x_ptr + offsets + 1, mask=inner, other=0.0)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0.0)
    new = tl.where(inner, 0.5 * (left + right), x)
    tl.store(out_ptr + offsets, new, mask=offsets < n)
    tl.atomic_max(error_ptr, tl.max(tl.abs(new - x), axis=0))


@triton.jit
def finish_kernel(x_ptr, total_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(total_ptr, tl.sum(tl.load(x_ptr + offsets, mask=offsets < n, other=0.0), axis=0))


def solve(n, tolerance=1e-2, most=200):
    x = torch.zeros(n, device="cuda")
    x[0], x[-1] = 1.0, -1.0
    out = torch.empty_like(x)
    for _ in range(most):
        error = torch.zeros(1, device="cuda")
        jacobi_kernel[(triton.cdiv(n, 128),)](x, out, error, n, BLOCK=128)
        x, out = out, x
        if error.item() < tolerance:
            break
    total = torch.empty((), device="cuda")
    finish_kernel[(1,)](x, total, n, BLOCK=triton.next_power_of_2(n))
    return total.item()


if __name__ == "__main__":
    for n in (64, 100):
        print(f"{n}: sum {solve(n):.3f}")
    error, rounds = float("inf"), 0
    while error > 1e-3 and rounds < 50:
        error, rounds = abs(solve(32)), rounds + 1
