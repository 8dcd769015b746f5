"""An autotuned kernel with all that an autotuner does to a launch: pruning, hooks, zeroed outputs, heuristics."""

import os

import torch
import triton
import triton.language as tl

DEVICE = os.environ.get("IRSCOPE_TEST_DEVICE", "cpu")
HOOKED = []


def note(arguments):
    HOOKED.append(arguments["BLOCK"])
    arguments["y_ptr"].fill_(len(HOOKED))


def without_the_first(configs, arguments, **named):
    return [config for config in configs if config.kwargs["BLOCK"] != 16]


@triton.autotune(
    configs=[
        triton.Config({"BLOCK": 16}, num_warps=1),
        triton.Config({"BLOCK": 32}, num_warps=2, pre_hook=note),
        triton.Config({"BLOCK": 64}, num_warps=4),
    ],
    key=["n"],
    reset_to_zero=["out_ptr"],
    prune_configs_by={"early_config_prune": without_the_first},
)
@triton.heuristics({"EVEN": lambda arguments: arguments["n"] % arguments["BLOCK"] == 0})
@triton.jit
def sum_kernel(x_ptr, y_ptr, out_ptr, n, EVEN: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = None if EVEN else offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, other=None if EVEN else 0.0)
    tl.atomic_add(out_ptr, tl.sum(x, axis=0))


class Timed:
    """A decorator of the file's own around a kernel."""

    def __init__(self, kernel):
        self.kernel = kernel

    def __getitem__(self, grid):
        return self.kernel[grid]


@triton.jit
def fill_kernel(x_ptr, value, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), value)


fill = Timed(fill_kernel)


def grid(meta):
    return (triton.cdiv(meta["n"], meta["BLOCK"]),)


def main():
    x = torch.ones(96, device=DEVICE)
    out = torch.full((1,), 7.0, device=DEVICE)
    fill[(1,)](x, 2.0, BLOCK=32)
    sum_kernel[grid](x, torch.zeros(1, device=DEVICE), out, n=96)
    torch.manual_seed(0)
    sum_kernel[grid](x, torch.zeros(1, device=DEVICE), out, 96)


if __name__ == "__main__":
    main()
