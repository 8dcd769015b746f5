"""``torch.compile`` where there is no GPU: the function itself is called, and its own kernels are captured."""

from __future__ import annotations

from typing import Any

from ..launch import standins


def functions_as_they_are() -> list[standins.Replacement]:
    """What replaces torch's ways to compile a function or a module."""
    import torch

    def compiled(model: Any = None, **_: Any) -> Any:
        return model if model is not None else unchanged

    def unchanged(model: Any) -> Any:
        return model

    return [(torch, "compile", compiled), (torch.nn.Module, "compile", standins.answering(None))]
