"""More memory than a machine has."""

import torch

if __name__ == "__main__":
    torch.empty(1 << 20, 1 << 20, 8, device="cuda")
