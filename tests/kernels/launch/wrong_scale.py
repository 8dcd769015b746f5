"""A kernel whose launch goes well and whose result is wrong, as the file's own comparison finds."""

import torch
import triton
import triton.language as tl


@triton.jit
def scale_kernel(x_ptr, out_ptr, n, factor, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    # Wrong on purpose: the last program's elements are scaled twice.
    again = tl.where(tl.program_id(0) == tl.num_programs(0) - 1, factor, 1.0)
    tl.store(out_ptr + offsets, x * factor * again, mask=offsets < n)


def main():
    x = torch.arange(1000, device="cuda", dtype=torch.float32) + 1.0
    out = torch.empty_like(x)
    scale_kernel[(triton.cdiv(1000, 256),)](x, out, 1000, 3.0, BLOCK=256)
    print("comparing")
    torch.testing.assert_close(out, 3.0 * x)


if __name__ == "__main__":
    main()
