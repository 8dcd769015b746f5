"""What is launched depends on single numbers, and what is printed on the memory in use."""

import torch
import triton
import triton.language as tl


@triton.jit
def loss_kernel(x_ptr, grad_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(grad_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) * 2, mask=offsets < n)


@triton.jit
def rescale_kernel(grad_ptr, factor_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    grad = tl.load(grad_ptr + offsets, mask=offsets < n)
    tl.store(grad_ptr + offsets, grad * tl.load(factor_ptr), mask=offsets < n)


class Energy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        grad = torch.empty_like(x)
        loss_kernel[(triton.cdiv(x.numel(), 128),)](x, grad, x.numel(), BLOCK=128)
        ctx.save_for_backward(grad)
        return (x * x).sum()

    @staticmethod
    def backward(ctx, factor):
        (grad,) = ctx.saved_tensors
        if not torch.equal(factor, torch.tensor(1.0, device=factor.device)):
            rescale_kernel[(triton.cdiv(grad.numel(), 128),)](grad, factor, grad.numel(), BLOCK=128)
        return grad


if __name__ == "__main__":
    torch.cuda.memory._record_memory_history(enabled=None)
    x = torch.randn(1000, device="cuda", requires_grad=True)
    Energy.apply(x).backward()
    (Energy.apply(x) * 3).backward()
    assert torch.equal(x.grad, x * 8) or torch.allclose(x.grad, x.detach() * 8)
    print(torch.cuda.memory_allocated() / torch.cuda.memory.max_memory_allocated())
