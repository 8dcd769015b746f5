"""Operators that the user's code registers with torch: what runs on CUDA runs where CUDA's tensors lie.

torch calls an operator's implementation out of a mode's sight, and on tensors without values only the function that
says what it would give. Both would hide its launches.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from . import standins

#: Dispatch keys of implementations that make tensors with values, first what a GPU never runs, last what it runs first.
_REAL = ("CPU", "CompositeExplicitAutograd", "CUDA")


def replacements(mode: Any) -> list[standins.Replacement]:
    """In place of methods of ``torch.library.Library``, which all ways to register an implementation come to."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensor

    library: Any = torch.library.Library
    make, register = library.__init__, library.impl
    defined: WeakValueDictionary[str, Any] = WeakValueDictionary()
    #: By operator, the place in `_REAL` of what stands for a GPU's implementation, and that.
    chosen: dict[str, tuple[int, Callable[..., Any]]] = {}

    def real(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            with standins.torch_as_replaced(), torch._C._EnableTorchFunction(), mode:
                return chosen[name][1](*arguments, **named)

        return call

    def on_meta(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            given = [one for one in (*arguments, *named.values()) if isinstance(one, torch.Tensor)]
            if name not in chosen or not given or any(isinstance(one, FakeTensor) for one in given):
                return function(*arguments, **named)
            return real(name, function)(*arguments, **named)

        return call

    def init(self: Any, ns: str, kind: str, *rest: Any, **named: Any) -> None:
        older = defined.pop(ns, None) if kind == "DEF" else None
        if older is not None:
            older._destroy()  # the file is run once more
        make(self, ns, kind, *rest, **named)
        if kind == "DEF":
            defined[ns] = self

    def impl(self: Any, op_name: Any, fn: Any, dispatch_key: str = "", **named: Any) -> Any:
        key = dispatch_key or self.dispatch_key
        operator = op_name if isinstance(op_name, str) else op_name.name()
        name = operator if "::" in operator else f"{self.ns}::{operator}"
        if key == "Meta" and callable(fn):
            return register(self, op_name, on_meta(name, fn), key, **named)
        if key not in _REAL or not callable(fn):
            return register(self, op_name, fn, "CPU" if key == "CUDA" else key, **named)
        place = _REAL.index(key)
        if name not in chosen or place >= chosen[name][0]:
            chosen[name] = place, fn
        try:
            return register(self, op_name, real(name, fn), "CPU" if key == "CUDA" else key, **named)
        except RuntimeError as error:
            if "already a kernel registered" not in str(error):
                raise
            return (
                None  # the CPU's implementation and CUDA's have one key here: what is registered calls the chosen one
            )

    return [(library, "__init__", init), (library, "impl", impl)] if hasattr(torch._C, "_EnableTorchFunction") else []
