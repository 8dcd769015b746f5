"""A function with a backward pass of its own, on tensors that are small, and on some that are not."""

import torch
import triton
import triton.language as tl


@triton.jit
def forward_kernel(x_ptr, w_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets) * tl.load(w_ptr + offsets % n))


@triton.jit
def backward_kernel(dout_ptr, x_ptr, w_ptr, dx_ptr, dw_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    dout = tl.load(dout_ptr + offsets)
    tl.store(dx_ptr + offsets, dout * tl.load(w_ptr + offsets % n))
    tl.atomic_add(dw_ptr + offsets % n, dout * tl.load(x_ptr + offsets))


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, unused=None):
        ctx.save_for_backward(x, w)
        out = torch.empty_like(x)
        forward_kernel[(x.numel() // 64,)](x, w, out, w.numel(), BLOCK=64)
        return out

    @staticmethod
    def backward(ctx, dout):
        x, w = ctx.saved_tensors
        dx, dw = torch.empty_like(x), torch.zeros_like(w)
        backward_kernel[(x.numel() // 64,)](dout, x, w, dx, dw, w.numel(), BLOCK=64)
        return dx, dw, None


class Layer(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.inner = torch.nn.Linear(n, n, device="cuda")
        self.weight = torch.nn.Parameter(torch.ones(n, device="cuda"))

    def forward(self, x):
        return Scaled.apply(self.inner(x), self.weight)


if __name__ == "__main__":
    for rows in (64, 1 << 18):
        layer = Layer(128)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        x = torch.randn(rows, 128, device="cuda", requires_grad=True)
        loss = layer(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        assert x.grad.shape == x.shape and layer.weight.grad.shape == (128,)
        assert layer.weight.grad.is_cuda and x.grad.abs().sum() > 0
