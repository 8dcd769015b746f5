"""A differentiable activation: its backward pass is a kernel of its own."""

import torch
import triton
import triton.language as tl


@triton.jit
def swish_forward_kernel(x_ptr, y_ptr, beta, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n).to(tl.float32)
    tl.store(y_ptr + offsets, x * tl.sigmoid(beta * x), mask=offsets < n)


@triton.jit
def swish_backward_kernel(dy_ptr, x_ptr, dx_ptr, beta, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n).to(tl.float32)
    s = tl.sigmoid(beta * x)
    dy = tl.load(dy_ptr + offsets, mask=offsets < n).to(tl.float32)
    tl.store(dx_ptr + offsets, dy * (s + beta * x * s * (1 - s)), mask=offsets < n)


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, beta):
        x = x.contiguous()
        y = torch.empty_like(x)
        swish_forward_kernel[(triton.cdiv(x.numel(), 512),)](x, y, beta, x.numel(), BLOCK=512)
        ctx.save_for_backward(x)
        ctx.beta = beta
        return y

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        dx = torch.empty_like(x)
        swish_backward_kernel[(triton.cdiv(x.numel(), 512),)](dy.contiguous(), x, dx, ctx.beta, x.numel(), BLOCK=512)
        return dx, None


swish = Swish.apply

if __name__ == "__main__":
    for dtype, shape in ((torch.float32, (128, 32)), (torch.float16, (7, 11)), (torch.bfloat16, (4, 8, 16))):
        x = torch.randn(shape, device="cuda", dtype=dtype, requires_grad=True)
        y = swish(x, 1.5)
        (y.sum() + y.pow(2).mean()).backward()
        assert x.grad is not None and x.grad.shape == x.shape
        reference = x.detach().clone().requires_grad_()
        wanted = reference * torch.sigmoid(1.5 * reference)
        (wanted.sum() + wanted.pow(2).mean()).backward()
        torch.testing.assert_close(x.grad, reference.grad, atol=2e-2, rtol=2e-2)
    (gradient,) = torch.autograd.grad(swish(x, 1.0).sum(), x)
    print(gradient.norm().item())
