"""A script with arguments, whose kernels are another file's."""

import argparse

import torch
from kernel_library import activated

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--half", action="store_true")
    arguments = parser.parse_args()
    x = torch.randn(arguments.rows, 48, device="cuda", dtype=torch.float16 if arguments.half else torch.float32)
    bias = torch.zeros(48, device="cuda", dtype=x.dtype)
    activated(x, bias)
    activated(x, None, None)
    activated(x, None, None)


def only_one():
    activated(torch.ones(2, 3, device="cuda"))
