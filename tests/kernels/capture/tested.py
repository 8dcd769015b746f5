"""Tests and a benchmark that launch kernels; nothing in here does so by itself."""

import pytest
import torch
import triton
import triton.language as tl
import triton.testing


@triton.autotune([triton.Config({"BLOCK": 128}, num_warps=2), triton.Config({"BLOCK": 256}, num_warps=8)], key=["n"])
@triton.heuristics({"EVEN": lambda arguments: arguments["n"] % arguments["BLOCK"] == 0})
@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr, EVEN: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    if EVEN:
        tl.store(out_ptr + offsets, tl.load(x_ptr + offsets) + tl.load(y_ptr + offsets))
    else:
        inside = offsets < n
        total = tl.load(x_ptr + offsets, mask=inside) + tl.load(y_ptr + offsets, mask=inside)
        tl.store(out_ptr + offsets, total, mask=inside)


def add(x, y):
    out = torch.empty_like(x)
    add_kernel[lambda meta: (triton.cdiv(x.numel(), meta["BLOCK"]),)](x, y, out, x.numel())
    return out


@pytest.fixture
def length():
    return 640


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("n, m", [(1024, 2), (1000, 3)])
def test_add(n, m, dtype):
    x = torch.randn(n * m, device="cuda", dtype=dtype)
    torch.testing.assert_close(add(x, x), x + x)


def test_with_a_fixture(length):
    x = torch.ones(length, device="cuda", dtype=torch.bfloat16)
    assert torch.allclose(add(x, x), x * 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
class TestOfMany:
    def test_integers(self):
        x = torch.arange(100, device="cuda", dtype=torch.int32)
        assert add(x, x)[3].item() == 6

    def test_that_fails_by_itself(self):
        raise NotImplementedError("not here")


def test_of_an_unknown_fixture(mocker):
    raise AssertionError("it cannot be called")


@triton.testing.perf_report(
    triton.testing.Benchmark(["n"], [4096, 1 << 28], "provider", ["torch", "triton"], ["torch", "triton"], "add", {})
)
def benchmark(n, provider):
    x = torch.rand(n, device="cuda", dtype=torch.float64)
    call = (lambda: add(x, x)) if provider == "triton" else (lambda: x + x)
    return triton.testing.do_bench(call, quantiles=[0.5, 0.2, 0.8])
