"""Device functions for helper_calls.py: `@triton.jit` functions that no host code launches.

There is no kernel here. A jitted function called from a kernel is compiled with it, for the argument types
of that call, and is inlined unless it asks not to be.
"""

import triton
import triton.language as tl


@triton.jit
def tanh(x):
    # Written with exp(-2|x|), which is never above 1, where exp(2x) would overflow.
    e = tl.exp(-2.0 * tl.abs(x))
    magnitude = (1.0 - e) / (1.0 + e)
    return tl.where(x < 0.0, -magnitude, magnitude)


@triton.jit
def gelu(x):
    """x times the normal distribution's integral up to x, by the usual approximation with a tanh."""
    inner = 0.7978845608028654 * (x + 0.044715 * x * x * x)  # The constant is sqrt(2 / pi).
    return 0.5 * x * (1.0 + tanh(inner))
