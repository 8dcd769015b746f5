"""A benchmark as the tutorials write it. It is run with the first size of each line."""

import torch
import triton
import triton.language as tl
import triton.testing

DEVICE = triton.runtime.driver.active.get_active_torch_device()


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) + tl.load(y_ptr + offsets, mask=mask), mask=mask)


def add(x, y):
    out = torch.empty_like(x)
    assert x.device == DEVICE and y.device == DEVICE and out.device == DEVICE
    add_kernel[lambda meta: (triton.cdiv(out.numel(), meta["BLOCK"]),)](x, y, out, out.numel(), BLOCK=1024)
    return out


@triton.testing.perf_report(
    triton.testing.Benchmark(
        x_names=["size"],
        x_vals=[2**i for i in range(12, 20, 2)],
        x_log=True,
        line_arg="provider",
        line_vals=["triton", "torch"],
        line_names=["Triton", "Torch"],
        styles=[("blue", "-"), ("green", "-")],
        ylabel="GB/s",
        plot_name="vector-add-performance",
        args={},
    )
)
def benchmark(size, provider):
    x = torch.rand(size, device=DEVICE, dtype=torch.float32)
    y = torch.rand(size, device=DEVICE, dtype=torch.float32)
    quantiles = [0.5, 0.2, 0.8]
    call = (lambda: x + y) if provider == "torch" else (lambda: add(x, y))
    ms, min_ms, max_ms = triton.testing.do_bench(call, quantiles=quantiles, rep=10)

    def gbps(ms):
        return 3 * x.numel() * x.element_size() * 1e-9 / (ms * 1e-3)

    return gbps(ms), gbps(max_ms), gbps(min_ms)


if __name__ == "__main__":
    x, y = torch.rand(98432, device=DEVICE), torch.rand(98432, device=DEVICE)
    print(f"The maximum difference is {torch.max(torch.abs(add(x, y) - (x + y)))}")
    benchmark.run(print_data=True, show_plots=False)
    print("median", triton.testing.do_bench(lambda: add(x, y), return_mode="median", warmup=1, rep=5))
