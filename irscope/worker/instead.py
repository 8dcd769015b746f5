"""What takes the place of a kernel's helpers that are not there: what Triton's language has under their names.

Libraries of kernels keep an ``exp`` or a ``program_id`` of their own for what differs between versions of Triton; a
file of theirs that is alone still compiles.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import triton.language as tl

from . import deferred


def take(chain: tuple[str, ...], value: Any, imports: deferred.Imports) -> Any:
    """What is to stand for ``value``; ``None`` where Triton has nothing of that name.

    Args:
        chain: the name by which the kernel's code knows it, and the attributes that are taken from it.
        value: what is not there.
        imports: told what was taken.
    """
    if not isinstance(value, deferred.Deferred):
        return None
    path = deferred.recipe_of(value).path
    if len(chain) == 2 and in_triton(chain[1]) is not None:
        return module_instead(path, imports)
    module, _, name = path.rpartition(".")
    known = in_triton(name) if len(chain) == 1 else None
    if known is not None:
        told(imports, name, module)
    return known


def module_instead(name: str, imports: deferred.Imports) -> ModuleType:
    """Stands for a module, and has what Triton's language has of what is asked for."""
    module = ModuleType(name)  # and no class of our own: Triton passes over modules of this very type only

    def attribute(asked: str) -> Any:
        known = in_triton(asked)
        if known is None:
            raise AttributeError(f"'{name}' is not there, and Triton has no '{asked}'")
        told(imports, asked, name)
        setattr(module, asked, known)
        return known

    vars(module)["__getattr__"] = attribute
    imports.instead.append(module)
    return module


def told(imports: deferred.Imports, name: str, module: str) -> None:
    imports.taken.append(f"{name} of '{module}', which is not there, was taken as Triton's own")


def in_triton(name: str) -> Any:
    known = getattr(tl, name, None) if name in dir(tl) else getattr(tl.math, name, None)
    return known if callable(known) else None
