"""Compiled functions that torch fails at: while it compiles one, and in the backward of another."""

import torch
import triton
import triton.language as tl
from torch._dynamo.backends.common import aot_autograd
from torch._dynamo.exc import Unsupported


@triton.jit
def scale_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) * 2, mask=offsets < n)


@torch.library.custom_op("irscope_tests::scaled", mutates_args=())
def scaled(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    scale_kernel[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), BLOCK=256)
    return out


@scaled.register_fake
def _(x):
    return torch.empty_like(x)


scaled.register_autograd(lambda ctx, grad: scaled(grad))


def refuses(graph, inputs):
    raise NotImplementedError("this backend takes nothing")


def as_it_is(graph, inputs):
    return graph


def fails_when_run(graph, inputs):
    def run(*arguments):
        raise Unsupported("this backward needs a GPU")

    run._boxed_call = True
    return run


@torch.compile(backend=refuses)
def never_compiled(x):
    return scaled(x) + 1


@torch.compile(backend=aot_autograd(fw_compiler=as_it_is, bw_compiler=fails_when_run))
def not_backward(x):
    return scaled(x).sum()


if __name__ == "__main__":
    x = torch.randn(1000, device="cuda", requires_grad=True)
    never_compiled(x.detach())
    not_backward(x).backward()
    assert x.grad.shape == x.shape
