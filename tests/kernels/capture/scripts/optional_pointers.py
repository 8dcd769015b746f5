"""Pointers that may be None."""

from typing import Optional

import torch
import triton
import triton.language as tl


@triton.jit
def linear_epilogue_kernel(
    x_ptr, bias_ptr, residual_ptr, scale, out_ptr, n, columns,
    HAS_BIAS: tl.constexpr, BLOCK: tl.constexpr = 1024,
):  # fmt: skip
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    x = tl.load(x_ptr + offsets, mask=inside)
    if HAS_BIAS:
        x += tl.load(bias_ptr + offsets % columns, mask=inside)
    if residual_ptr is not None:
        x += tl.load(residual_ptr + offsets, mask=inside)
    if scale is not None:
        x *= scale
    tl.store(out_ptr + offsets, x, mask=inside)


def epilogue(
    x: torch.Tensor,
    bias: Optional[torch.Tensor] = None,  # noqa: UP045
    residual: Optional[torch.Tensor] = None,  # noqa: UP045
    scale: Optional[float] = None,  # noqa: UP045
) -> torch.Tensor:
    out = torch.empty_like(x)
    grid = (triton.cdiv(x.numel(), 1024),)
    linear_epilogue_kernel[grid](x, bias, residual, scale, out, x.numel(), x.shape[-1], HAS_BIAS=bias is not None)
    return out


if __name__ == "__main__":
    x = torch.randn(17, 250, device="cuda")
    bias = torch.randn(250, device="cuda")
    torch.testing.assert_close(epilogue(x), x)
    torch.testing.assert_close(epilogue(x, bias), x + bias)
    torch.testing.assert_close(epilogue(x, residual=x), x + x)
    torch.testing.assert_close(epilogue(x, bias, x, scale=0.5), (x + bias + x) * 0.5)
    torch.testing.assert_close(epilogue(x, bias, x, scale=2), (x + bias + x) * 2)
