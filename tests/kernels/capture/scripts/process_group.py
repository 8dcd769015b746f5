"""A kernel in an optimizer of a model that is trained by a group of processes, of which there is one."""

import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
import triton
import triton.language as tl


@triton.jit
def step_kernel(weight_ptr, grad_ptr, rate, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    moved = tl.load(weight_ptr + offsets, mask=inside) - rate * tl.load(grad_ptr + offsets, mask=inside)
    tl.store(weight_ptr + offsets, moved, mask=inside)


def main():
    with tempfile.TemporaryDirectory() as folder:
        torch.cuda.set_device(0)
        dist.init_process_group("nccl", init_method=(Path(folder) / "group").as_uri(), rank=0, world_size=1)
        model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(64, 3).to("cuda:0"), device_ids=[0])
        loss = model(torch.randn(16, 64, device="cuda")).square().mean()
        loss.backward()
        for weight in model.parameters():
            n = weight.numel()
            step_kernel[(triton.cdiv(n, 128),)](weight.detach(), weight.grad, 0.1, n, BLOCK=128)
        total = loss.detach().clone()
        dist.all_reduce(total)
        dist.barrier()
        assert dist.get_world_size() == 1 and torch.isfinite(total)
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
