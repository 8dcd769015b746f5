"""Tensors of every element type, and views of them as another one."""

import torch
import triton
import triton.language as tl


@triton.jit
def cast_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x.to(tl.float32), mask=offsets < n)


def as_float(x):
    out = torch.empty(x.shape, device=x.device, dtype=torch.float32)
    cast_kernel[(triton.cdiv(x.numel(), 128),)](x, out, x.numel(), BLOCK=128)
    return out


NUMBERS = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.int16, torch.int32,
           torch.int64, torch.uint8, torch.bool, torch.uint16, torch.uint32]  # fmt: skip

if __name__ == "__main__":
    for dtype in NUMBERS:
        x = (torch.rand(1000, device="cuda") * 10).to(dtype)
        assert torch.allclose(as_float(x), x.float(), atol=1e-3), dtype
    for dtype in (torch.float8_e4m3fn, torch.float8_e5m2):
        x = torch.randn(256, device="cuda").to(dtype)
        assert torch.allclose(as_float(x), x.to(torch.float32)), dtype
        as_float(x.view(torch.uint8))
    half = torch.randn(64, 64, device="cuda").half()
    as_float(half.view(torch.int32))
    mask = half > 0
    as_float(mask)
    as_float(torch.topk(half.float(), 8).indices)
    print("done", (half.double() @ half.double()).dtype)
