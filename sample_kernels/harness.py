"""Host code that the samples share: finding the GPU, comparing with torch, timing. No kernel in here.

Each sample imports it inside `main`, so that a tool which only wants to compile a kernel needs neither this
file nor torch.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

#: Well past the largest L2 cache there is, so that a copy of it measures memory.
COPY_BYTES = 1 << 30


def require_cuda(sample: str) -> "torch.device":
    """The CUDA device to run on; leaves with exit code 1 and one line where there is none."""
    try:
        import torch
    except ImportError:
        sys.exit(f"{sample}: needs torch to check the kernel against (pip install torch)")
    if not torch.cuda.is_available():
        sys.exit(f"{sample}: needs a CUDA device, and torch {torch.__version__} sees none")
    torch.manual_seed(0)
    return torch.device("cuda", torch.cuda.current_device())


def relative_error(got: "torch.Tensor", want: "torch.Tensor") -> float:
    """|got - want| / |want| in the Euclidean norm; not a number wherever either tensor has one."""
    difference = (got.double() - want.double()).norm()
    return float(difference / want.double().norm())


def check(name: str, got: "torch.Tensor", want: "torch.Tensor", limit: float) -> bool:
    """Prints a line with PASS or FAIL and the relative error; true for PASS (never for a NaN)."""
    error = relative_error(got, want)
    passed = got.shape == want.shape and error <= limit
    print(f"{name}: {'PASS' if passed else 'FAIL'}, relative error {error:.2e} (limit {limit:.0e})")
    return passed


def milliseconds(call: Callable[[], Any]) -> float:
    """The median time of `call` on the GPU, with the L2 cache cleared before each repetition."""
    import triton.testing

    return float(triton.testing.do_bench(call, warmup=50, rep=200, return_mode="median"))


def copy_bandwidth() -> float:
    """Bytes per second that this GPU moves in a plain copy, reads and writes together."""
    import torch

    source = torch.empty(COPY_BYTES, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * COPY_BYTES / (milliseconds(lambda: target.copy_(source)) * 1e-3)


def report_bandwidth(name: str, ours: Callable[[], Any], torch_s: Callable[[], Any], size: int) -> None:
    """Prints the speed of a kernel that is bound by memory; `size` is the bytes that it must move."""
    time, torch_time = milliseconds(ours), milliseconds(torch_s)
    rate = size / (time * 1e-3)
    print(
        f"{name}: {time:.3f} ms, {rate * 1e-9:.0f} GB/s, {torch_time / time:.2f} times torch's speed, "
        f"{rate / copy_bandwidth():.2f} of a copy's bandwidth"
    )


def report_arithmetic(name: str, ours: Callable[[], Any], torch_s: Callable[[], Any], flops: float) -> None:
    """Prints the speed of a kernel that is bound by arithmetic; `flops` counts a multiply-add as two."""
    time, torch_time = milliseconds(ours), milliseconds(torch_s)
    print(
        f"{name}: {time:.3f} ms, {flops / (time * 1e-3) * 1e-12:.0f} TFLOP/s, "
        f"{torch_time / time:.2f} times torch's speed"
    )
