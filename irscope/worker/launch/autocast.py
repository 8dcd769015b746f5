"""``torch.autocast("cuda")`` where CUDA's tensors lie on the CPU, for which torch has other rules, or on ``meta``.

CUDA's own state is set, for code that asks for it. What torch calls by a name of ``autocast.json`` (its
``ATen/autocast_mode.h``, and Python's names of the same) gets its arguments in the type that a GPU would get; within
functions of torch's that call others, out of sight, the rules of the CPU hold with the same type.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import standins

_NAMES = {
    kind: frozenset(names)
    for kind, names in json.loads(Path(__file__).with_name("autocast.json").read_text(encoding="utf-8")).items()
}
#: The contexts of the CPU that were entered with one of CUDA.
_TWINS = "_irscope_twins"


def wanted_type(name: str) -> Any:
    """The type in which the floats of a call of torch's are wanted now; ``None`` where they stay as they are."""
    import torch

    if not torch.is_autocast_enabled():
        return None
    if name in _NAMES["lower"]:
        # Before 2.4 a dtype has no device.
        asked: Any = getattr(torch, "get_autocast_dtype", None)
        return asked("cuda") if asked is not None else torch.get_autocast_gpu_dtype()
    return torch.float32 if name in _NAMES["single"] else None


def is_cast(one: Any, wanted: Any) -> bool:
    """Whether a tensor of CUDA's is cast."""
    import torch

    return bool(one.is_floating_point()) and one.dtype not in (torch.float64, wanted) and one.dtype.itemsize > 1


def replacements() -> list[standins.Replacement]:
    """A context of CUDA's is entered with one of the CPU's."""
    import torch

    autocast = torch.amp.autocast_mode.autocast
    enter: Callable[[Any], Any] = autocast.__enter__
    leave: Callable[..., Any] = autocast.__exit__

    def entered(context: Any) -> Any:
        if context.device == "cuda":
            twin = autocast("cpu", dtype=context.fast_dtype, enabled=context._enabled)
            vars(context).setdefault(_TWINS, []).append(twin)
            enter(twin)
        return enter(context)

    def left(context: Any, *error: Any) -> Any:
        answer = leave(context, *error)
        if context.device == "cuda":
            leave(vars(context)[_TWINS].pop(), *error)
        return answer

    return [(autocast, "__enter__", entered), (autocast, "__exit__", left)]
