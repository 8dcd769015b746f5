"""What a device reaches: a large copy, and torch's matrix product by element type."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import copies, driver, faults, measure

COPY_BYTES = 4 << 30
#: Of the device's memory, for one of the copy's two tensors; on a small device the copy is this large.
COPY_SHARE = 0.1
#: Rows and columns of both factors.
SIZE = 8192
#: Microseconds of GPU time for one figure.
BUDGET = 100_000.0
RUNS = range(5, 50)


def measure_device(request: dict[str, Any], wire: Any) -> dict[str, Any]:
    """Answer ``measure_device``: GB/s of a copy (bytes read and written), TFLOP/s of products by element type.

    A type that this device or this torch lacks is not listed.
    """
    torch = faults.require_cuda(request["device"])
    index = request["device"]
    with faults.told(wire), torch.cuda.device(index), torch.no_grad():
        capability = torch.cuda.get_device_capability(index)
        products = [
            (name, prepare)
            for name, (needs, prepare) in PRODUCTS.items()
            if capability >= needs
        ]  # fmt: skip
        total = len(products) + 1
        wire.send("phase", phase="measuring the GPU", done=0, total=total)
        copy_gb_s = copy_bandwidth(index)
        reached = {}
        for done, (name, prepare) in enumerate(products, 1):
            wire.send("phase", phase="measuring the GPU", done=done, total=total)
            try:
                with prepare() as product:
                    reached[name] = 2e-6 * SIZE**3 / median_time(product)
            except (RuntimeError, AttributeError, ValueError) as error:
                print(f"no matrix product in {name}: {error}")
                # A device that no longer works says so here.
                torch.cuda.synchronize()
        torch.cuda.empty_cache()
        return {
            "copy_gb_s": copy_gb_s,
            "matmul_tflop_s": reached,
            "device": driver.describe_device(index),
            "torch": torch.__version__,
        }


def copy_bandwidth(index: int) -> float:
    import torch

    memory = torch.cuda.get_device_properties(index).total_memory
    size = int(min(COPY_BYTES, memory * COPY_SHARE, copies.available_bytes(index) * 0.4))
    source = torch.zeros(size, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2e-3 * size / median_time(lambda: target.copy_(source))


def median_time(run: Callable[[], Any]) -> float:
    """Microseconds, after a warm-up; what is moved is far larger than the L2."""
    (single,) = measure.event_times(run, measure.nothing, 1)
    single = min(single, *measure.event_times(run, measure.nothing, 2))
    count = min(max(int(BUDGET / single), RUNS.start), RUNS.stop)
    return statistics.median(measure.event_times(run, measure.nothing, count))


Product = Callable[[], Any]


def product_in(name: str) -> Callable[[], Any]:
    @contextmanager
    def prepare() -> Iterator[Product]:
        import torch

        one, other = (torch.randn(SIZE, SIZE, device="cuda", dtype=getattr(torch, name)) for _ in range(2))
        result = torch.empty_like(one)
        yield lambda: torch.matmul(one, other, out=result)

    return prepare


def fp32_product(precision: str) -> Callable[[], Any]:
    @contextmanager
    def prepare() -> Iterator[Product]:
        import torch

        before = torch.get_float32_matmul_precision()
        # "high" is tf32 on tensor cores, "highest" is fp32 throughout.
        torch.set_float32_matmul_precision(precision)
        try:
            with product_in("float32")() as product:
                yield product
        finally:
            torch.set_float32_matmul_precision(before)

    return prepare


@contextmanager
def fp8_product() -> Iterator[Product]:
    import torch

    one, other = (torch.randn(SIZE, SIZE, device="cuda").to(torch.float8_e4m3fn) for _ in range(2))
    scale = torch.ones((), device="cuda")
    # cuBLAS wants the second factor by columns.
    yield lambda: torch._scaled_mm(one, other.t(), scale, scale, out_dtype=torch.bfloat16)


@contextmanager
def int8_product() -> Iterator[Product]:
    import torch

    one, other = (torch.randint(-128, 128, (SIZE, SIZE), device="cuda").to(torch.int8) for _ in range(2))
    yield lambda: torch._int_mm(one, other.t())


#: By element type as in Triton: the compute capability from which on it has tensor cores, and the product.
PRODUCTS: dict[str, tuple[tuple[int, int], Callable[[], Any]]] = {
    "fp16": ((7, 0), product_in("float16")),
    "bf16": ((8, 0), product_in("bfloat16")),
    "tf32": ((8, 0), fp32_product("high")),
    "fp32": ((0, 0), fp32_product("highest")),
    "fp8e4nv": ((8, 9), fp8_product),
    "i8": ((7, 5), int8_product),
}
