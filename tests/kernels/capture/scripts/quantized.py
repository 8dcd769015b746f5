"""Weights of four bits, packed into integers; scales per group; a fused dequantizing product."""

import torch
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def quantize_kernel(x_ptr, out_ptr, scale_ptr, n, GROUP: tl.constexpr):
    group = tl.program_id(0)
    offsets = group * GROUP + tl.arange(0, GROUP)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0.0).to(tl.float32)
    scale = tl.max(tl.abs(x), axis=0) / 7.0 + 1e-8
    tl.store(out_ptr + offsets, libdevice.rint(x / scale).to(tl.int8), mask=offsets < n)
    tl.store(scale_ptr + group, scale.to(scale_ptr.dtype.element_ty))


@triton.jit
def unpack_kernel(packed_ptr, scale_ptr, out_ptr, n, GROUP: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    packed = tl.load(packed_ptr + offsets // 2, mask=offsets < n)
    value = ((packed >> ((offsets % 2) * 4)) & 0xF).to(tl.float32) - 8
    scale = tl.load(scale_ptr + offsets // GROUP, mask=offsets < n)
    tl.store(out_ptr + offsets, value * scale, mask=offsets < n)


def main(group: int = 64) -> None:
    weight = torch.randn(96, 128, device="cuda", dtype=torch.bfloat16)
    n = weight.numel()
    quantized = torch.empty(weight.shape, device=weight.device, dtype=torch.int8)
    scales = torch.empty(n // group, device=weight.device, dtype=weight.dtype)
    quantize_kernel[(n // group,)](weight, quantized, scales, n, GROUP=group)
    shifted = (quantized.flatten().to(torch.int16) + 8).clamp(0, 15).to(torch.uint8)
    packed = shifted[::2] | (shifted[1::2] << 4)
    out = torch.empty_like(weight)
    unpack_kernel[(triton.cdiv(n, 512),)](packed, scales, out, n, GROUP=group, BLOCK=512)
    error = (out - weight).abs().mean() / weight.abs().mean()
    if error > 0.2:
        raise RuntimeError(f"the relative error is {error:.2f}")
    assert quantized.min() >= -8 and quantized.max() <= 7


if __name__ == "__main__":
    main()
