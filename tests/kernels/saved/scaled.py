"""Two kernels of which nothing says what the block is, one with constants of every kind, one tuned."""

import triton
import triton.language as tl


@triton.jit
def scale_kernel(x_ptr, out_ptr, bias_ptr, n, factor, BLOCK: tl.constexpr, DTYPE: tl.constexpr, HAS_BIAS: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    x = tl.load(x_ptr + offsets, mask=inside) * factor
    if HAS_BIAS:
        x += tl.load(bias_ptr + offsets, mask=inside)
    tl.store(out_ptr + offsets, x.to(DTYPE), mask=inside)


@triton.autotune(
    configs=[triton.Config({"BLOCK": 64}, num_warps=2), triton.Config({"BLOCK": 256}, num_warps=8)], key=["n"]
)
@triton.heuristics({"EVEN": lambda arguments: arguments["n"] % 64 == 0})
@triton.jit
def tuned_kernel(x_ptr, n, BLOCK: tl.constexpr, EVEN: tl.constexpr, MODE: tl.constexpr = "fast"):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    if EVEN:
        tl.store(x_ptr + offsets, tl.load(x_ptr + offsets) + 1)
    else:
        tl.store(x_ptr + offsets, tl.load(x_ptr + offsets, mask=inside) + 1, mask=inside)
