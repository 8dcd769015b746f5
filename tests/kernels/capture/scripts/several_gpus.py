"""One kernel on each GPU that there is."""

import os

import torch
import triton
import triton.language as tl


@triton.jit
def rank_kernel(out_ptr, rank, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, offsets * rank, mask=offsets < n)


def worker(rank: int, world_size: int) -> torch.Tensor:
    device = torch.device("cuda", rank)
    torch.cuda.set_device(device)
    out = torch.empty(2048 + rank, device=device, dtype=torch.int64)
    with torch.cuda.device(device):
        rank_kernel[(triton.cdiv(out.numel(), 256),)](out, rank + 1, out.numel(), BLOCK=256)
    return out


if __name__ == "__main__":
    rank = int(os.environ.get("LOCAL_RANK", "0"))
    world_size = torch.cuda.device_count()
    print(rank, world_size, [torch.cuda.get_device_name(i) for i in range(world_size)])
    first = worker(0, world_size)
    if world_size > 1:
        results = [worker(i, world_size).to("cuda:0", non_blocking=True) for i in range(world_size)]
        print(torch.stack([one[:2048] for one in results]).sum().item())
    else:
        print("one GPU only", first.device, first.get_device())
