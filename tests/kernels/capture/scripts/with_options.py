"""A script with a command line, a main function and an exit code."""

import argparse
import logging
import sys
from dataclasses import dataclass

import torch
import triton
import triton.language as tl

logger = logging.getLogger(__name__)


@dataclass
class Settings:
    rows: int
    columns: int
    dtype: torch.dtype
    warps: int


@triton.jit
def softmax_kernel(x_ptr, out_ptr, stride, columns, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    row = tl.program_id(0)
    x = tl.load(x_ptr + row * stride + offsets, mask=offsets < columns, other=-float("inf")).to(tl.float32)
    x = tl.exp(x - tl.max(x, axis=0))
    tl.store(out_ptr + row * stride + offsets, x / tl.sum(x, axis=0), mask=offsets < columns)


def run(settings: Settings) -> float:
    x = torch.randn(settings.rows, settings.columns, device="cuda", dtype=settings.dtype)
    out = torch.empty_like(x)
    block = triton.next_power_of_2(settings.columns)
    softmax_kernel[(settings.rows,)](x, out, x.stride(0), settings.columns, BLOCK=block, num_warps=settings.warps)
    return (out - torch.softmax(x, dim=-1)).abs().max().item()


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--columns", type=int, nargs="+", default=[781, 1024])
    parser.add_argument("--dtype", choices=["float16", "bfloat16", "float32"], default="float32")
    parser.add_argument("--warps", type=int, default=4)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO)
    failures = 0
    for columns in args.columns:
        error = run(Settings(args.rows, columns, getattr(torch, args.dtype), args.warps))
        logger.info("%d columns: error %.2e", columns, error)
        if error > 1e-2:
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
