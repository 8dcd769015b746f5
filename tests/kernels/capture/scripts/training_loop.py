"""A model with a kernel in it learns for five steps."""

import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from torch import nn


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(out_ptr + offsets, tl.where(x > 0, x, 0.0), mask=offsets < n)


@triton.jit
def relu_grad_kernel(x_ptr, dy_ptr, dx_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    dy = tl.load(dy_ptr + offsets, mask=offsets < n)
    tl.store(dx_ptr + offsets, tl.where(x > 0, dy, 0.0), mask=offsets < n)


class Relu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        out = torch.empty_like(x)
        relu_kernel[(triton.cdiv(x.numel(), 512),)](x, out, x.numel(), BLOCK=512)
        ctx.save_for_backward(x)
        return out

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        dy = dy.contiguous()
        dx = torch.empty_like(dy)
        relu_grad_kernel[(triton.cdiv(x.numel(), 512),)](x, dy, dx, x.numel(), BLOCK=512)
        return dx


class Model(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.first, self.second = nn.Linear(32, width), nn.Linear(width, 10)
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x):
        return self.second(Relu.apply(self.first(x))) * self.scale


def main():
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    model = Model().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)
    data = torch.utils.data.TensorDataset(torch.randn(80, 32), torch.randint(0, 10, (80,)))
    losses = []
    for x, labels in torch.utils.data.DataLoader(data, batch_size=16, shuffle=True, pin_memory=True):
        x, labels = x.to(device, non_blocking=True), labels.to(device)
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        print(f"loss {losses[-1]:.4f}, norm {norm:.3f}")
    scaler = torch.amp.GradScaler("cuda")
    with torch.autocast("cuda", dtype=torch.float16):
        loss = F.cross_entropy(model(x), labels)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    model.eval()
    with torch.no_grad():
        accuracy = (model(x).argmax(-1) == labels).float().mean()
    assert len(losses) == 5 and losses[0] > 0
    print(f"{accuracy:.0%}", sum(p.numel() for p in model.parameters()))


if __name__ == "__main__":
    main()
