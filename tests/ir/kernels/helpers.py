import triton


@triton.jit
def scale(x, factor):
    shifted = x + 1.0
    return shifted * factor


@triton.jit
def twice(x):
    return scale(scale(x, 2.0), 3.0)


@triton.jit(noinline=True)
def clipped(value, limit):
    if value > limit:
        value = limit
    return value * 2
