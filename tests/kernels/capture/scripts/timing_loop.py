"""Timed by hand."""

import time

import torch
import triton
import triton.language as tl


@triton.jit
def gather_kernel(table_ptr, index_ptr, out_ptr, width, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    index = tl.load(index_ptr + row)
    offsets = tl.arange(0, BLOCK)
    x = tl.load(table_ptr + index * width + offsets, mask=offsets < width)
    tl.store(out_ptr + row * width + offsets, x, mask=offsets < width)


def gather(table, index):
    out = torch.empty(index.shape[0], table.shape[1], device=table.device, dtype=table.dtype)
    gather_kernel[(index.shape[0],)](table, index, out, table.shape[1], BLOCK=triton.next_power_of_2(table.shape[1]))
    return out


def timed(function, rounds=100):
    for _ in range(10):
        function()
    torch.cuda.synchronize()
    start = time.time()
    for _ in range(rounds):
        function()
    torch.cuda.synchronize()
    return (time.time() - start) / rounds * 1e6


if __name__ == "__main__":
    table = torch.randn(5000, 96, device="cuda", dtype=torch.half)
    for count in (16, 1000):
        index = torch.randint(0, table.size(0), (count,), device="cuda")
        ours, theirs = timed(lambda i=index: gather(table, i)), timed(lambda i=index: table[i])
        print(f"{count}: {ours:.1f} us, torch {theirs:.1f} us, {theirs / ours:.2f} times")
    begun, rounds = time.perf_counter(), 0
    while time.perf_counter() - begun < 0.05:
        gather(table, index.int())
        rounds += 1
    print(rounds)
