"""Parameters that are not to be specialized."""

import torch
import triton
import triton.language as tl


@triton.jit(do_not_specialize=["seed", "n"], do_not_specialize_on_alignment=["stride", "x_ptr"])
def noise_kernel(x_ptr, out_ptr, seed, n, stride, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    x = tl.load(x_ptr + offsets * stride, mask=inside)
    tl.store(out_ptr + offsets, x + tl.rand(seed, offsets), mask=inside)


@triton.jit(do_not_specialize=(1,))
def step_kernel(x_ptr, step, n: "i64", rate: tl.float32, BLOCK: tl.constexpr):  # noqa: F821
    offsets = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(x_ptr + offsets, x - rate / step, mask=offsets < n)


def main() -> None:
    x = torch.rand(640, device="cuda")
    for seed, n, stride in [(1, 640, 1), (16, 320, 2), (12345, 40, 16), (2**35, 1, 3)]:
        out = torch.empty(n, device="cuda")
        noise_kernel[(triton.cdiv(n, 128),)](x, out, seed, n, stride, BLOCK=128)
    for step in range(1, 4):
        step_kernel[(5,)](x, step, x.numel(), 0.1, BLOCK=128)
    step_kernel[(5,)](x, step=16, n=1, rate=1, BLOCK=128)
    print(x.mean().item())


if __name__ == "__main__":
    main()
