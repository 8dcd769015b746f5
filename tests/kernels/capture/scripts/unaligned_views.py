"""Views that begin in the middle of a tensor: which of them are multiples of 16 bytes decides the signature."""

import torch
import triton
import triton.language as tl


@triton.jit
def add_one_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) + 1, mask=offsets < n)


def add_one(x, out=None):
    out = torch.empty_like(x) if out is None else out
    n = x.numel()
    add_one_kernel[(triton.cdiv(n, 256),)](x, out, n, BLOCK=256)
    return out


if __name__ == "__main__":
    for dtype in (torch.float32, torch.float16, torch.int8):
        x = torch.zeros(1024, device="cuda", dtype=dtype)
        for start in (0, 1, 4, 8, 16):
            result = add_one(x[start:])
            assert result.eq(1).all().item(), (dtype, start)
        first, second = x.split([3, 1021])
        add_one(first), add_one(second)
        left, right = x.view(2, 512).unbind(0)
        add_one(left, out=right)
        for chunk in x.chunk(7):
            add_one(chunk)
    # The allocator hands out multiples of 512 bytes, whatever the size.
    for size in (1, 3, 5, 17):
        add_one(torch.zeros(size, device="cuda"))
    buffer = torch.empty(4096, dtype=torch.uint8, device="cuda")
    add_one(buffer[:64].view(torch.float32), out=buffer[68:132].view(torch.float32))
