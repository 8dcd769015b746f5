"""Constants computed from the arguments of each launch."""

import torch
import triton
import triton.language as tl


@triton.heuristics(
    {
        "BLOCK": lambda args: triton.next_power_of_2(args["columns"]),
        "EVEN": lambda args: args["columns"] % 128 == 0,
        "HAS_WEIGHT": lambda args: args["weight_ptr"] is not None,
        "num_warps": lambda args: 8 if args["columns"] > 1024 else 4,
    }
)
@triton.jit
def rms_kernel(
    x_ptr, weight_ptr, out_ptr, stride, columns, eps,
    BLOCK: tl.constexpr, EVEN: tl.constexpr, HAS_WEIGHT: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0)
    offsets = tl.arange(0, BLOCK)
    inside = offsets < columns
    x = tl.load(x_ptr + row * stride + offsets, mask=inside, other=0.0).to(tl.float32)
    x = x * tl.rsqrt(tl.sum(x * x) / columns + eps)
    if HAS_WEIGHT:
        x *= tl.load(weight_ptr + offsets, mask=inside)
    tl.store(out_ptr + row * stride + offsets, x, mask=inside)


def rms_norm(x, weight=None, eps=1e-6):
    out = torch.empty_like(x)
    rms_kernel[(x.shape[0],)](x, weight, out, x.stride(0), x.shape[1], eps)
    return out


def main():
    for columns in (2048, 1000, 77):
        x = torch.randn(4, columns, device="cuda", dtype=torch.bfloat16)
        weight = torch.rand(columns, device="cuda")
        wanted = x.float() * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + 1e-6)
        error = (rms_norm(x) - wanted).abs().max()
        assert error < 0.1, f"the error is {error.item()}"
        rms_norm(x, weight, eps=1e-5)


if __name__ == "__main__":
    main()
