"""Host code that asks CUDA for much, as code for GPUs does; each answer is asserted. Fails without a GPU."""

import torch
import triton
import triton.language as tl
import triton.testing

PROPERTIES = triton.runtime.driver.active.utils.get_device_properties(torch.cuda.current_device())
DEVICE = triton.runtime.driver.active.get_active_torch_device()


@triton.jit
def square_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, x * x, mask=offsets < n)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        assert x.is_cuda and x.device.type == "cuda"
        context.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        assert gradient.is_cuda and x.is_cuda
        out = torch.empty(x.shape, device="cuda")
        square_kernel[(1,)](x, out, x.numel(), BLOCK=64)
        return 2 * x * gradient


def main():
    assert torch.cuda.is_available() and torch.cuda.device_count() == 1
    assert len(torch.cuda.get_device_capability()) == 2 and PROPERTIES["max_shared_mem"] > 48 << 10
    assert torch.cuda.get_device_properties(0).multi_processor_count == PROPERTIES["multiprocessor_count"]
    on_cpu = torch.arange(8.0)
    x = on_cpu.cuda()
    assert x.is_cuda and not on_cpu.is_cuda and on_cpu.device.type == "cpu" and x.get_device() == 0
    x += 1
    assert on_cpu[0] == 0 and x.cpu()[0] == 1, "a copy from one side to the other is a copy"
    back = x.to("cpu")
    back[0] = 5
    assert x[0] == 1 and x.to(DEVICE) is x and x.to("cuda", torch.float16).is_cuda
    assert torch.empty_like(x).device == torch.device("cuda:0") == x.new_zeros(3).device
    generator = torch.Generator(device="cuda").manual_seed(1)
    assert torch.rand(3, device=0, generator=generator).is_cuda
    stream = torch.cuda.Stream()
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    with torch.cuda.stream(stream), torch.cuda.device(0):
        start.record()
        end.record()
    torch.cuda.synchronize()
    assert start.elapsed_time(end) > 0
    calls = []
    assert triton.testing.do_bench(lambda: calls.append(1)) > 0 and calls == [1]
    layer = torch.nn.Linear(8, 8).cuda()
    assert layer.weight.is_cuda and layer(x).is_cuda
    with torch.autocast("cuda", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    leaf = torch.ones(8, device="cuda", requires_grad=True)
    Square.apply(leaf).sum().backward()


if __name__ == "__main__":
    main()
