"""Strides of transposed, sliced, expanded and permuted tensors."""

import torch
import triton
import triton.language as tl

DEVICE = "cuda:0"


@triton.jit
def copy_kernel(x_ptr, out_ptr, rows, columns, sx0, sx1, so0, so1, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    offsets = tl.arange(0, BLOCK)
    inside = offsets < columns
    tl.store(out_ptr + row * so0 + offsets * so1, tl.load(x_ptr + row * sx0 + offsets * sx1, mask=inside), mask=inside)


def contiguous(x: torch.Tensor) -> torch.Tensor:
    rows, columns = x.shape
    out = torch.empty((rows, columns), device=x.device, dtype=x.dtype)
    copy_kernel[(rows,)](x, out, rows, columns, *x.stride(), *out.stride(), BLOCK=triton.next_power_of_2(columns))
    return out


if __name__ == "__main__":
    x = torch.randn((64, 96), device=DEVICE)
    views = {
        "plain": x,
        "transposed": x.t(),
        "every other column": x[:, ::2],
        "odd width": torch.randn(10, 33, device=DEVICE),
        "expanded": torch.randn(1, 32, device=DEVICE).expand(16, 32),
        "one column": torch.randn(32, 1, device=DEVICE),
        "permuted": torch.randn(3, 8, 16, device=DEVICE).permute(2, 0, 1)[:, 1],
        "as_strided": torch.arange(100.0, device=DEVICE).as_strided((5, 7), (9, 2), 16),
    }
    for name, view in views.items():
        result = contiguous(view)
        assert result.is_contiguous()
        assert torch.equal(result, view.contiguous()), name
        print(f"{name:20} {tuple(view.stride())}")
