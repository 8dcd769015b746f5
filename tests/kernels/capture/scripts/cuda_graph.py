"""Launches within a CUDA graph."""

import torch
import triton
import triton.language as tl


@triton.jit
def scale_kernel(x_ptr, out_ptr, n, factor, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) * factor, mask=offsets < n)


def scale(x, factor):
    out = torch.empty_like(x)
    scale_kernel[(triton.cdiv(x.numel(), 512),)](x, out, x.numel(), factor, BLOCK=512)
    return out


if __name__ == "__main__":
    static = torch.randn(4096, device="cuda")
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            result = scale(scale(static, 2.0), 0.5)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = scale(scale(static, 2.0), 0.5)
    for _ in range(10):
        static.copy_(torch.randn_like(static))
        graph.replay()
    torch.cuda.synchronize()
    torch.testing.assert_close(result, static)
    graph.reset()
    pool = torch.cuda.graph_pool_handle()
    other = torch.cuda.CUDAGraph()
    half = static.half()
    scale(half, 1)
    with torch.cuda.graph(other, pool=pool):
        scale(half, 1)
    other.replay()
    print("replayed")
