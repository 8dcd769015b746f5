"""Constants that are types, functions, strings, None, tuples and booleans."""

import torch
import triton
import triton.language as tl

TYPES = {torch.float16: tl.float16, torch.bfloat16: tl.bfloat16, torch.float32: tl.float32}
SHIFT = tl.constexpr(3)


@triton.jit
def relu(x):
    return tl.maximum(x, 0)


@triton.jit
def tanh_like(x):
    return 2 * tl.sigmoid(2 * x.to(tl.float32)) - 1


@triton.jit
def apply_kernel(
    x_ptr, out_ptr, n,
    ACTIVATION: tl.constexpr, MODE: tl.constexpr, COMPUTE: tl.constexpr, BLOCK: tl.constexpr,
    CLAMP: tl.constexpr = None, SHAPE: tl.constexpr = (1, 2),
):  # fmt: skip
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n).to(COMPUTE)
    if ACTIVATION is not None:
        x = ACTIVATION(x)
    if MODE == "double":
        x = x * 2
    elif MODE == "shift":
        x = x + SHIFT * SHAPE[1]
    if CLAMP is not None:
        x = tl.minimum(x, CLAMP)
    tl.store(out_ptr + offsets, x.to(out_ptr.dtype.element_ty), mask=offsets < n)


def apply(x, activation=None, mode="none", **constants):
    out = torch.empty_like(x)
    apply_kernel[(triton.cdiv(x.numel(), 128),)](
        x, out, x.numel(), ACTIVATION=activation, MODE=mode, COMPUTE=TYPES[x.dtype], BLOCK=128, **constants
    )
    return out


if __name__ == "__main__":
    for dtype in TYPES:
        x = torch.randn(500, device="cuda", dtype=dtype)
        torch.testing.assert_close(apply(x, relu), torch.relu(x))
        apply(x, tanh_like, "double")
        apply(x, mode="shift", CLAMP=0.5, SHAPE=(3, 4))
        apply(x, mode="shift", CLAMP=True)
