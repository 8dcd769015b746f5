"""Host code of all kinds around launches: it must come to its end although no launch is made."""

import numpy as np
import torch
import triton
import triton.language as tl
import triton.testing


@triton.jit
def scale_kernel(x_ptr, out_ptr, n, factor, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=inside) * factor, mask=inside)


def scale(x, factor):
    assert x.is_cuda and x.device.type == "cuda"
    out = torch.empty_like(x)
    scale_kernel[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](x, out, x.numel(), factor, BLOCK=256)
    return out


if __name__ == "__main__":
    assert torch.cuda.is_available() and torch.version.cuda and torch.cuda.current_device() == 0
    properties = torch.cuda.get_device_properties(0)
    assert properties.multi_processor_count > 0 and properties.name
    torch.manual_seed(0)
    x = torch.randn(1000, device="cuda", dtype=torch.float16)
    out = scale(x, 2.0)
    torch.testing.assert_close(out, x * 2.0)
    assert torch.allclose(scale(x, 3.0), x * 3.0)
    assert (out - x * 2.0).abs().max().item() < 1e-3, "a difference"
    np.testing.assert_allclose(out.cpu().numpy(), (x * 2.0).cpu().numpy())
    if not torch.equal(out, x * 2.0):
        raise RuntimeError("not equal")
    print(out, out.sum().item(), f"{out.mean():.3f}")

    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    with torch.cuda.stream(torch.cuda.Stream()), torch.cuda.device(0):
        start.record()
        scale(x.bfloat16(), 1.0)
        end.record()
    torch.cuda.synchronize()
    print(start.elapsed_time(end))

    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        scale(x[:512].float(), 1.0)
    graph.replay()

    # What the kernel should have written decides where this goes; a size that is known does too.
    lengths = torch.tensor([3, 5, 7], device="cuda", dtype=torch.int32)
    longest = int(lengths.max().item())
    assert longest == 7
    for _ in range(min(int(out.argmax()), 1)):
        pass
    print(triton.testing.do_bench(lambda: scale(x[1:], 0.5)), triton.testing.do_bench(lambda: x + 1, quantiles=[0.5]))
    large = torch.ones(1 << 26, device="cuda")
    assert scale(large, 4.0).sum().item() >= 0
