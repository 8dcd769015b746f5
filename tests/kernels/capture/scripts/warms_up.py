"""The tutorial's fused softmax: warmed up, asked for registers, launched with as many programs as fit."""

import torch
import triton
import triton.language as tl
from triton.runtime import driver

DEVICE = triton.runtime.driver.active.get_active_torch_device()
properties = driver.active.utils.get_device_properties(DEVICE.index)
NUM_SM = properties["multiprocessor_count"]
NUM_REGS = properties["max_num_regs"]
SIZE_SMEM = properties["max_shared_mem"]
WARP_SIZE = properties["warpSize"]
target = triton.runtime.driver.active.get_current_target()


@triton.jit
def softmax_kernel(out_ptr, x_ptr, x_stride, out_stride, rows, columns, BLOCK: tl.constexpr, STAGES: tl.constexpr):
    for row in tl.range(tl.program_id(0), rows, tl.num_programs(0), num_stages=STAGES):
        offsets = tl.arange(0, BLOCK)
        mask = offsets < columns
        x = tl.load(x_ptr + row * x_stride + offsets, mask=mask, other=-float("inf"))
        numerator = tl.exp(x - tl.max(x, axis=0))
        tl.store(out_ptr + row * out_stride + offsets, numerator / tl.sum(numerator, axis=0), mask=mask)


def softmax(x):
    rows, columns = x.shape
    block = triton.next_power_of_2(columns)
    stages = 4 if SIZE_SMEM > 200000 else 2
    y = torch.empty_like(x)
    kernel = softmax_kernel.warmup(y, x, x.stride(0), y.stride(0), rows, columns, BLOCK=block, STAGES=stages,
                                   num_warps=8, grid=(1,))  # fmt: skip
    kernel._init_handles()
    occupancy = NUM_REGS // (max(kernel.n_regs, 1) * WARP_SIZE * 8)
    if kernel.metadata.shared:
        occupancy = min(occupancy, SIZE_SMEM // kernel.metadata.shared)
    programs = min(NUM_SM * occupancy, rows)
    kernel[(programs, 1, 1)](y, x, x.stride(0), y.stride(0), rows, columns, block, stages)
    return y


if __name__ == "__main__":
    assert target.backend == "cuda"
    x = torch.randn(1823, 781, device=DEVICE)
    assert torch.allclose(softmax(x), torch.softmax(x, axis=1)), "they differ"
    softmax(x[:, :512].contiguous())
    print(softmax_kernel.warmup(torch.float16, torch.float16, 1, 1, 10, 16, 64, 1, grid=(1,)).asm["ptx"][:12])
    softmax_kernel.run(x, x.clone(), 781, 781, 16, 781, BLOCK=1024, STAGES=2, grid=(16,), warmup=False)
