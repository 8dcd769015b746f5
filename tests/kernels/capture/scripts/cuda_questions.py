"""What code asks `torch.cuda` for."""

import torch
import triton
import triton.language as tl


@triton.jit
def persistent_kernel(x_ptr, out_ptr, n, PROGRAMS: tl.constexpr, BLOCK: tl.constexpr):
    for block in range(tl.program_id(0), tl.cdiv(n, BLOCK), PROGRAMS):
        offsets = block * BLOCK + tl.arange(0, BLOCK)
        tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) + 1, mask=offsets < n)


def main():
    assert torch.cuda.is_available() and torch.cuda.device_count() >= 1
    device = torch.cuda.current_device()
    properties = torch.cuda.get_device_properties(device)
    major, minor = torch.cuda.get_device_capability()
    print(torch.cuda.get_device_name(0), properties.name, f"sm_{major}{minor}", properties.total_memory >> 30, "GB")
    print(properties.major, properties.minor, properties.multi_processor_count, torch.version.cuda)
    free, total = torch.cuda.mem_get_info()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    programs = min(properties.multi_processor_count, 128)
    x = torch.zeros(100_000, device=f"cuda:{device}")
    out = torch.empty_like(x, memory_format=torch.preserve_format)
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        start.record()
        persistent_kernel[(programs,)](x, out, x.numel(), PROGRAMS=programs, BLOCK=1024)
        end.record()
    torch.cuda.current_stream().wait_stream(stream)
    end.synchronize()
    x.record_stream(stream)
    torch.cuda.synchronize(device)
    milliseconds = start.elapsed_time(end)
    print(f"{milliseconds:.3f} ms, {x.numel() * 8 / (milliseconds + 1e-9) / 1e6:.1f} GB/s")
    print(torch.cuda.memory_allocated() - before, torch.cuda.max_memory_allocated(), torch.cuda.memory_reserved())
    print(torch.cuda.memory_summary(abbreviated=True)[:20], free <= total, torch.cuda.get_arch_list()[:1])
    with torch.cuda.nvtx.range("again"):
        persistent_kernel[(programs,)](x[: 1 << 16], out, 1 << 16, PROGRAMS=programs, BLOCK=1024)
    if torch.cuda.is_bf16_supported():
        persistent_kernel[(4,)](x.bfloat16(), out.bfloat16(), 1000, PROGRAMS=4, BLOCK=256)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.set_float32_matmul_precision("high")
    print(torch.cuda.utilization() if False else "", torch.cuda.current_stream().cuda_stream)


if __name__ == "__main__":
    main()
