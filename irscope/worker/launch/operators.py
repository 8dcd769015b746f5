"""Operators that the user's code registers with torch: what runs on CUDA runs where CUDA's tensors lie.

torch calls an operator's implementation out of a mode's sight, and on tensors without values only the function that
says what it would give. Both would hide its launches.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import standins

#: Dispatch keys of implementations that make tensors with values.
_REAL = ("CPU", "CompositeExplicitAutograd")


def replacements(mode: Any) -> list[standins.Replacement]:
    """In place of ``torch.library.Library.impl``, which all ways to register an implementation come to."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensor

    library: Any = torch.library.Library
    register = library.impl
    of_cuda: set[str] = set()
    of_cpu: set[str] = set()
    implementation: dict[str, Callable[..., Any]] = {}
    real: dict[str, Callable[..., Any]] = {}

    def in_mode(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        implementation[name] = function

        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            with standins.torch_as_replaced(), torch._C._EnableTorchFunction(), mode:
                return implementation[name](*arguments, **named)

        return call

    def on_meta(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            given = [one for one in (*arguments, *named.values()) if isinstance(one, torch.Tensor)]
            if name not in real or not given or any(isinstance(one, FakeTensor) for one in given):
                return function(*arguments, **named)
            return real[name](*arguments, **named)

        return call

    def impl(self: Any, op_name: Any, fn: Any, dispatch_key: str = "", **named: Any) -> Any:
        key = dispatch_key or self.dispatch_key
        operator = op_name if isinstance(op_name, str) else op_name.name()
        name = operator if "::" in operator else f"{self.ns}::{operator}"
        if key == "CUDA":
            of_cuda.add(name)
            key = "CPU"
            if name in of_cpu and callable(fn):  # torch takes one for each key
                implementation[name] = fn
                return None
        elif key == "CPU" and name in of_cuda:
            return None  # the other one's implementation is not what a GPU runs
        if key in _REAL and callable(fn):
            fn = real[name] = in_mode(name, fn)
            of_cpu.update([name] if key == "CPU" else [])
        elif key == "Meta" and callable(fn):
            fn = on_meta(name, fn)
        return register(self, op_name, fn, key, **named)

    return [(library, "impl", impl)] if hasattr(torch._C, "_EnableTorchFunction") else []
