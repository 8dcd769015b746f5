"""Data from numpy, pinned memory, copies back and forth."""

import numpy as np
import torch
import triton
import triton.language as tl


@triton.jit
def histogram_kernel(x_ptr, out_ptr, n, bins: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0)
    tl.atomic_add(out_ptr + x, 1, mask=offsets < n)


def histogram(x, bins):
    out = torch.zeros(bins, dtype=torch.int32, device=x.device)
    histogram_kernel[(triton.cdiv(len(x), 256),)](x, out, len(x), bins, BLOCK=256)
    return out


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    data = rng.integers(0, 64, 5000)
    wanted = np.bincount(data, minlength=64)
    device = torch.device("cuda")
    for made in (
        torch.from_numpy(data).to(device),
        torch.from_numpy(data.astype(np.int32)).cuda(),
        torch.tensor(data[:4096], device="cuda", dtype=torch.int16),
        torch.as_tensor(data.astype(np.uint8)).pin_memory().to(device, non_blocking=True),
        torch.tensor(data.tolist()).cuda(non_blocking=True)[1:],
    ):
        counted = histogram(made.to(torch.int32) if made.dtype == torch.uint8 else made, 64)
        assert counted.sum().item() == len(made)
    np.testing.assert_array_equal(histogram(torch.from_numpy(data).cuda(), 64).cpu().numpy(), wanted)
    host = torch.empty(64, dtype=torch.int32, pin_memory=True)
    host.copy_(counted)
    assert not host.is_cuda and host.device.type == "cpu" and counted.is_cuda
    print(host.numpy()[:4], counted.detach().cpu().numpy().mean())
