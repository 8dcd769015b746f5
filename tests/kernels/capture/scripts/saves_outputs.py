"""Results go into files."""

import csv
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
import triton
import triton.language as tl


@triton.jit
def cumsum_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0)
    tl.store(out_ptr + offsets, tl.cumsum(x, axis=0), mask=offsets < n)


def cumulative(x):
    out = torch.empty_like(x)
    cumsum_kernel[(1,)](x, out, x.numel(), BLOCK=triton.next_power_of_2(x.numel()))
    return out


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    x = torch.arange(200, device="cuda", dtype=torch.int32)
    torch.save({"x": x, "out": cumulative(x)}, folder / "out.pt")
    loaded = torch.load(folder / "out.pt", map_location="cuda")
    assert loaded["out"].device.type == "cuda" and torch.equal(loaded["out"], cumulative(loaded["x"].float()))
    np.save(folder / "out.npy", cumulative(x[1:]).cpu().numpy())
    with (folder / "out.csv").open("w", newline="") as file:
        csv.writer(file).writerows(enumerate(cumulative(x).tolist()))
    (folder / "out.json").write_text(json.dumps({"last": cumulative(x)[-1].item(), "all": cumulative(x).tolist()}))
    print((folder / "out.json").stat().st_size, np.load(folder / "out.npy").shape)
