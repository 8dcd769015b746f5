"""What the launching scripts of this folder share: folders of packages come as arguments, no call ends the script."""

from __future__ import annotations

import sys
from collections.abc import Callable

sys.path[1:1] = sys.argv[1:]

import torch  # noqa: E402

FLOATS = (torch.float32, torch.float16, torch.bfloat16)
HALVES = (torch.float16, torch.bfloat16)


def attempt(call: Callable[..., object], *arguments: object, backward: bool = False, **named: object) -> None:
    """Call it; with ``backward``, back through the first of its results too."""
    try:
        answer = call(*arguments, **named)
        if backward:
            first = answer[0] if isinstance(answer, tuple | list) else answer
            first.float().sum().backward(retain_graph=True)  # type: ignore[attr-defined]
    except Exception as error:
        name = getattr(call, "__qualname__", repr(call))
        print(f"{name}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)


def normal(*shape: int, dtype: torch.dtype = torch.float32, grad: bool = False) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, device="cuda", requires_grad=grad)


def zeros(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.zeros(*shape, dtype=dtype, device="cuda")


def up_to(end: int, *shape: int, dtype: torch.dtype = torch.int64) -> torch.Tensor:
    return torch.randint(0, end, shape, dtype=dtype, device="cuda")
