"""Several threads launch at once, two kernels of them the same one."""

import threading
from concurrent.futures import ThreadPoolExecutor

import torch
import triton
import triton.language as tl


@triton.jit
def shift_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) + 1, mask=offsets < n)


@triton.jit
def total_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.atomic_add(out_ptr, tl.sum(tl.load(x_ptr + offsets, mask=offsets < n, other=0).to(tl.float32)))


TYPES = (torch.float16, torch.float32, torch.int32, torch.bfloat16)
begin = threading.Barrier(len(TYPES))


def work(number):
    with torch.cuda.stream(torch.cuda.Stream()):
        x = torch.full((1000,), number, device="cuda", dtype=TYPES[number])
        out, total = torch.empty_like(x), torch.zeros(1, device="cuda")
        begin.wait()
        for _ in range(20):
            shift_kernel[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), BLOCK=256)
            total_kernel[(1,)](out, total, out.numel(), BLOCK=1024)
        torch.cuda.current_stream().synchronize()
    return total


if __name__ == "__main__":
    with ThreadPoolExecutor(len(TYPES)) as pool:
        totals = list(pool.map(work, range(len(TYPES))))
    assert len(totals) == len(TYPES)
