"""Kernels of the kinds that a check treats each in its own way."""

import torch
import triton
import triton.language as tl


@triton.jit
def increment_kernel(x_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) + 1, mask=offsets < n)


@triton.jit
def count_kernel(x_ptr, count_ptr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(count_ptr + tl.load(x_ptr + offsets), 1)


@triton.jit
def even_kernel(out_ptr, BLOCK: tl.constexpr):
    """Writes every other element of a row for each program of a grid of three axes."""
    program = (tl.program_id(2) * tl.num_programs(1) + tl.program_id(1)) * tl.num_programs(0) + tl.program_id(0)
    tl.store(out_ptr + program * 2 * BLOCK + 2 * tl.arange(0, BLOCK), program)


@triton.jit
def product_kernel(a_ptr, b_ptr, c_ptr, SIZE: tl.constexpr):
    rows, cols = tl.arange(0, SIZE)[:, None], tl.arange(0, SIZE)[None, :]
    tl.store(
        c_ptr + rows * SIZE + cols, tl.dot(tl.load(a_ptr + rows * SIZE + cols), tl.load(b_ptr + rows * SIZE + cols))
    )


@triton.jit
def assembly_kernel(x_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets)
    x = tl.inline_asm_elementwise("add.s32 $0, $1, 1;", "=r,r", [x], dtype=tl.int32, is_pure=True, pack=1)
    tl.store(x_ptr + offsets, x)


@triton.jit
def fails_kernel(x_ptr, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), undefined_name)  # noqa: F821


if __name__ == "__main__":
    x = torch.zeros(64, dtype=torch.int32, device="cuda")
    increment_kernel[(1,)](x, 64, BLOCK=64)
    count_kernel[(1,)](torch.zeros(64, dtype=torch.int32, device="cuda"), x, BLOCK=64)
    even_kernel[(1,)](torch.empty(128, dtype=torch.int32, device="cuda"), BLOCK=64)
    a = torch.ones(16, 16, device="cuda")
    product_kernel[(1,)](a, a, a.clone(), SIZE=16)
    assembly_kernel[(1,)](x, BLOCK=64)
    fails_kernel[(1,)](x, BLOCK=64)
