"""Seeds, generators, dropout."""

import random

import numpy as np
import torch
import triton
import triton.language as tl


@triton.jit
def dropout_kernel(x_ptr, out_ptr, n, p, seed, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    keep = tl.rand(seed, offsets) > p
    tl.store(out_ptr + offsets, tl.where(keep, x / (1 - p), 0.0), mask=offsets < n)


def dropout(x, p, seed):
    out = torch.empty_like(x)
    dropout_kernel[(triton.cdiv(x.numel(), 1024),)](x, out, x.numel(), p, seed, BLOCK=1024)
    return out


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)


if __name__ == "__main__":
    seed_all(42)
    x = torch.randn(size=(10_000,), device="cuda")
    assert torch.equal(dropout(x, 0.5, seed=123), dropout(x, 0.5, seed=123))
    assert not torch.equal(dropout(x, 0.5, seed=123), dropout(x, 0.5, seed=512)), "the seeds say the same"
    generator = torch.Generator(device="cuda").manual_seed(1)
    y = torch.rand(640, device="cuda", generator=generator)
    torch.randint(0, 10, (5,), device="cuda", generator=generator)
    order = torch.randperm(640, device="cuda")
    dropout(y[order], p=0, seed=1)
    state = torch.cuda.get_rng_state()
    torch.cuda.set_rng_state(state)
    kept = (dropout(x, 0.3, 2**33) != 0).float().mean().item()
    print(f"kept {kept:.2f}", np.random.rand(), torch.bernoulli(torch.full((4,), 0.5, device="cuda")))
    dropout(torch.empty(100, device="cuda").uniform_(-1, 1).normal_(), 0.1, 77)
