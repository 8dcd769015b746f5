"""What others than the user's options say of a kernel: what is saved beside it, what its own launches were.

A request to the worker carries them, the strongest first, each as a mapping: ``provenance``, ``origin`` (which the
user is shown), ``entries`` (by parameter, as ``--arg`` and ``--const`` take them), ``options`` and ``configuration``.
They are part of what decides a compilation, and so of its key in the store.
"""

from __future__ import annotations

from typing import Any

from irscope import saved
from irscope.model import Target
from irscope.request import Request


def of(request: Request) -> list[dict[str, Any]]:
    """The layers of a request that names its kernel.

    Raises:
        IrscopeError: the file of saved specializations cannot be read (exit code 2, with its line).
    """
    kept = saved.layer_of(request.path, request.kernel) if request.saved else None
    return [layer for layer in (kept,) if layer is not None]


def target_of(request: Request) -> Target | None:
    """The target that a layer names, for a request that names none."""
    found = saved.of(request.path, request.kernel) if request.saved else None
    return found.target if found is not None else None
