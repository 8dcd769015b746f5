"""Kernels in ``torch.autocast``: each gets what torch makes of its rules for a GPU, small or large."""

import torch
import torch.nn.functional as F
import triton
import triton.language as tl


@triton.jit
def seen_kernel(x_ptr, out_ptr, n, WHERE: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0).to(tl.float32)
    tl.store(out_ptr + offsets, x, mask=offsets < n)


def seen(x, where):
    out = torch.empty(x.shape, device=x.device)
    seen_kernel[(triton.cdiv(x.numel(), 1024),)](x, out, x.numel(), WHERE=where, BLOCK=1024)
    return out


class Halved(torch.autograd.Function):
    @staticmethod
    @torch.amp.custom_fwd(device_type="cuda", cast_inputs=torch.float16)
    def forward(ctx, x):
        assert not torch.is_autocast_enabled("cuda")
        seen(x, "cast inputs")
        return x * 0.5

    @staticmethod
    @torch.amp.custom_bwd(device_type="cuda")
    def backward(ctx, grad):
        seen(grad.contiguous(), "backward")
        return grad * 0.5


@torch.autocast("cuda", dtype=torch.bfloat16)
def layers(small, large, x, y):
    assert torch.get_autocast_dtype("cuda") == torch.bfloat16 and torch.is_autocast_enabled("cuda")
    seen(small(x), "linear")
    seen(large(y), "large")
    seen(x @ x.T, "product")
    seen(F.softmax(small(x), dim=-1), "softmax")
    seen(F.layer_norm(small(x), (64,)), "norm")
    seen(small(x).relu(), "relu")
    seen(x.double() + x, "double")
    with torch.autocast("cuda", enabled=False):
        seen(small(x), "disabled")
    return small(x)


if __name__ == "__main__":
    small, large = torch.nn.Linear(64, 64).cuda(), torch.nn.Linear(2048, 4096).cuda()
    x = torch.randn(8, 64, device="cuda", requires_grad=True)
    y = torch.randn(64, 2048, device="cuda")
    assert layers(small, large, x, y).dtype == torch.bfloat16
    with torch.autocast("cuda"):
        seen(small(x), "half")
        out = Halved.apply(x)
    seen(small(x), "outside")
    out.float().sum().backward()
