"""Kernels that Inductor writes."""

import torch


def gelu_like(x, bias):
    y = x + bias
    return y * torch.sigmoid(1.702 * y)


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = torch.nn.LayerNorm(width)

    def forward(self, x):
        return self.norm(x).relu() + x


if __name__ == "__main__":
    compiled = torch.compile(gelu_like)
    x, bias = torch.randn(256, 512, device="cuda"), torch.randn(512, device="cuda")
    torch.testing.assert_close(compiled(x, bias), gelu_like(x, bias))
    block = torch.compile(Block(512).cuda().eval(), dynamic=False)
    with torch.no_grad():
        print(block(x).sum().item())
