"""Kernels that torch knows as operators, forward and backward, called as they are and in compiled functions."""

import torch
import triton
import triton.language as tl


@triton.jit
def square_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x * x, mask=offsets < n)


@triton.autotune([triton.Config({"BLOCK": 512}, num_warps=2), triton.Config({"BLOCK": 1024}, num_warps=8)], key=["n"])
@triton.jit
def twice_kernel(x_ptr, grad_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    product = tl.load(x_ptr + offsets, mask=inside) * tl.load(grad_ptr + offsets, mask=inside)
    tl.store(out_ptr + offsets, product * 2, mask=inside)


@torch.library.triton_op("irscope_tests::square", mutates_args=())
def square(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    torch.library.wrap_triton(square_kernel)[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), BLOCK=256)
    return out


@torch.library.custom_op("irscope_tests::twice", mutates_args=())
def twice(x: torch.Tensor, grad: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    twice_kernel[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](x, grad.contiguous(), out, x.numel())
    return out


@twice.register_fake
def _(x, grad):
    return torch.empty_like(x)


def keep(ctx, inputs, output):
    ctx.save_for_backward(inputs[0])


square.register_autograd(lambda ctx, grad: twice(*ctx.saved_tensors, grad), setup_context=keep)


def energy(x):
    return (square(x) + 1).relu().sum()


@torch.compile
def doubled(x, grad):
    out = torch.empty_like(x)
    twice_kernel[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](x, grad, out, x.numel())
    return out - 1


if __name__ == "__main__":
    x = torch.randn(3000, device="cuda", requires_grad=True)
    energy(x).backward()
    compiled = torch.compile(energy, fullgraph=True)
    assert compiled.__name__ == "energy"
    compiled(x).backward()
    assert doubled(x.detach(), x.detach()).shape == x.shape
