"""What a launch is measured against: torch, Triton, a sample's kernel and ``triton.testing.do_bench``, no more.

    python benchmarks/bare_launch.py vector_add|matmul [COUNT]

Prints the median in microseconds; of COUNT measurements, half a second apart. Sizes and options are those of the
sample's own launch.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import triton
import triton.testing

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sample_kernels"))


def vector_add() -> Callable[[], object]:
    from vector_add import vector_add_kernel  # type: ignore[import-not-found]

    x, y = torch.randn(2, 1 << 27, device="cuda").unbind()
    out = torch.empty_like(x)
    grid = (triton.cdiv(out.numel(), 1024),)
    return lambda: vector_add_kernel[grid](x, y, out, out.numel(), BLOCK_SIZE=1024)


def matmul() -> Callable[[], object]:
    from matmul import matmul_kernel  # type: ignore[import-not-found]

    size = 4096
    a, b = torch.randn(2, size, size, device="cuda", dtype=torch.float16).unbind()
    c = torch.empty_like(a)
    first = matmul_kernel.configs[0]
    tiles = triton.cdiv(size, first.kwargs["BLOCK_M"]) * triton.cdiv(size, first.kwargs["BLOCK_N"])
    strides = (*a.stride(), *b.stride(), *c.stride())
    return lambda: matmul_kernel.fn[(tiles,)](a, b, c, size, size, size, *strides, **first.all_kwargs())


def main() -> None:
    call = {"vector_add": vector_add, "matmul": matmul}[sys.argv[1]]()
    call()
    torch.cuda.synchronize()
    medians = []
    for turn in range(int(sys.argv[2]) if len(sys.argv) > 2 else 1):
        time.sleep(0.5 if turn else 0)
        medians.append(triton.testing.do_bench(call, return_mode="median") * 1e3)
    print(statistics.median(medians), flush=True)


if __name__ == "__main__":
    main()
