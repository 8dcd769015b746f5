"""What others than the user's options say of a kernel: what is saved beside it, what its own launches were.

A request to the worker carries them, the strongest first, each as a mapping: ``provenance``, ``origin`` (which the
user is shown), ``entries`` (by parameter, as ``--arg`` and ``--const`` take them), ``options`` and ``configuration``.
They are part of what decides a compilation, and so of its key in the store.
"""

from __future__ import annotations

from typing import Any

from irscope import saved
from irscope.model import Target
from irscope.request import Request, usage_error


def of(request: Request) -> list[dict[str, Any]]:
    """The layers of a request that names its kernel.

    Raises:
        IrscopeError: the file of saved specializations cannot be read (exit code 2, with its line).
    """
    kept = saved.layer_of(request.path, request.kernel) if request.saved else None
    return [layer for layer in (kept, captured(request)) if layer is not None]


def captured(request: Request) -> dict[str, Any] | None:
    """What the kernel's own launches have it compiled for, as far as that is known.

    Raises:
        IrscopeError: there are not as many specializations as the request's number says (exit code 2).
    """
    if request.capture == "never" or request.kernel is None or request.path.suffix != ".py":
        return None
    from irscope import captures
    from irscope.captured import layer

    known = captures.launches_of(request.path, request.kernel, request.target)
    if request.captured and request.captured >= len(known):
        there = f"0 to {len(known) - 1}" if known else "none"
        raise usage_error(
            f"--specialization {request.captured}: of {request.kernel} there are captured: {there}",
            hint=f"`irscope capture {request.path}` lists them",
        )
    return layer(known[request.captured]) if known else None


def target_of(request: Request) -> Target | None:
    """The target that a layer names, for a request that names none."""
    found = saved.of(request.path, request.kernel) if request.saved else None
    return found.target if found is not None else None
