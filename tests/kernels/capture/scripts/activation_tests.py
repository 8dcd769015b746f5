"""Tests as pytest runs them: parameters, fixtures, marks, a class."""

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def leaky_relu_kernel(x_ptr, out_ptr, n, slope, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, tl.where(x > 0, x, x * slope), mask=offsets < n)


def leaky_relu(x, slope=0.01):
    out = torch.empty_like(x)
    leaky_relu_kernel[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), slope, BLOCK=256)
    return out


@pytest.fixture(scope="module")
def generator():
    made = torch.Generator(device="cuda")
    made.manual_seed(7)
    return made


@pytest.fixture(params=[torch.float32, torch.float16], ids=str)
def dtype(request):
    return request.param


@pytest.fixture
def inputs(generator):
    yield torch.randn(1000, generator=generator, device="cuda")


@pytest.mark.parametrize("size", [1024, 1000, pytest.param(17, id="odd")])
@pytest.mark.parametrize("slope", [0.1, 0.2])
def test_sizes(size, slope):
    x = torch.randn(size, device="cuda")
    torch.testing.assert_close(leaky_relu(x, slope), torch.nn.functional.leaky_relu(x, slope))


def test_types(dtype):
    x = torch.randn(64, device="cuda").to(dtype)
    torch.testing.assert_close(leaky_relu(x), torch.nn.functional.leaky_relu(x))


def test_fixture(inputs):
    assert leaky_relu(inputs).shape == inputs.shape


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
class TestViews:
    @pytest.mark.parametrize(("start", "step"), [(0, 1), (1, 1)])
    def test_view(self, start, step):
        x = torch.randn(512, device="cuda", dtype=torch.float64)[start::step]
        assert torch.allclose(leaky_relu(x), torch.nn.functional.leaky_relu(x))

    def test_refused(self):
        with pytest.raises(ValueError):
            raise ValueError("not for kernels")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-q", "-p", "no:cacheprovider"]))
