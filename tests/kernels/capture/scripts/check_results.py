"""Results are checked in the ways that people check them."""

import sys

import numpy as np
import torch
import triton
import triton.language as tl


@triton.jit
def square_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x * x, mask=offsets < n)


def square(x):
    out = torch.zeros_like(x)
    square_kernel[(triton.cdiv(x.numel(), 128),)](x, out, x.numel(), BLOCK=128)
    return out


def check(name, got, wanted):
    worst = (got - wanted).abs().max().item()
    passed = worst < 1e-4
    print(f"{name}: {'ok' if passed else 'FAILED'}, {worst:.1e}")
    return passed


if __name__ == "__main__":
    x = torch.randn(1000, device="cuda")
    wanted = x**2
    results = [
        check("fp32", square(x), wanted),
        torch.allclose(square(x), wanted),
        bool(torch.equal(square(x), wanted)),
        np.allclose(square(x).cpu().numpy(), wanted.cpu().numpy()),
        all(abs(a - b) < 1e-4 for a, b in zip(square(x).tolist(), wanted.tolist(), strict=True)),
        torch.isclose(square(x), wanted).all().item(),
    ]
    ratio = torch.nn.functional.cosine_similarity(square(x), wanted, dim=0)
    relative = (square(x) - wanted).norm() / wanted.norm()
    print(ratio.item(), relative.item(), torch.linalg.vector_norm(square(x)).cpu())
    assert ratio > 0.99, "they point elsewhere"
    assert relative.item() < 1e-3, f"off by {relative.item()}"
    if not all(results):
        print("some results differ")
        sys.exit(1)
    later = square(torch.arange(48, device="cuda"))
    if later[3] != 9:
        raise AssertionError(f"3 * 3 is not {later[3]}")
