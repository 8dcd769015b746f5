"""What takes the place of a kernel's helpers that are not there, so that a file out of a library compiles alone.

Libraries keep an ``exp`` or a ``program_id`` of their own for what differs between versions of Triton: there Triton's
own is taken. Any other helper gives back its first argument, and the rest of the kernel can be looked at.
"""

from __future__ import annotations

import ast
import linecache
from types import ModuleType
from typing import Any

import triton
import triton.language as tl

from . import deferred
from .jitted import dotted


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


def stands_for_one(value: Any, imports: deferred.Imports) -> bool:
    return any(value is each for each in imports.instead)


class Unsaid(int):
    """A number in a default that nothing gives; what is taken from it is such a one too."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _: Any) -> Any:
        return self


def put_helper(namespace: dict[str, Any], function: Any, chain: tuple[str, ...], imports: deferred.Imports) -> bool:
    """Let the helper that ``function`` knows as ``chain`` be one that gives back its first argument.

    Where it is called with any, and nothing else is done with it; as many times as a call's value is unpacked.
    """
    text = source_of(function.parse(), chain)
    if text is None or len(chain) > 2:
        return False
    helper = jitted_text(text, chain[-1])
    if len(chain) == 1:
        namespace[chain[0]] = helper
    else:
        module = namespace.get(chain[0])
        if not stands_for_one(module, imports):
            module = namespace[chain[0]] = module_instead(chain[0], imports)
        setattr(module, chain[1], helper)
    return True


def source_of(tree: ast.Module, chain: tuple[str, ...]) -> str | None:
    dotted_name = ".".join(chain)
    uses = [
        node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute) and dotted(node) == dotted_name
    ]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.func in uses]
    positional = max((len(call.args) for call in calls), default=0)
    names = [f"argument_{number}" for number in range(positional)]
    names += dict.fromkeys(keyword.arg for call in calls for keyword in call.keywords if keyword.arg is not None)
    starred = any(isinstance(each, ast.Starred) for call in calls for each in call.args)
    if len(calls) < len(uses) or not names or starred:
        return None
    unpacked = [
        len(node.targets[0].elts)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.value in calls and isinstance(node.targets[0], ast.Tuple)
    ]
    parameters = ", ".join(f"{name}=None" for name in names)
    return f"def {chain[-1]}({parameters}):\n    return {', '.join(names[:1] * max(unpacked, default=1))}\n"


def unchanged(arguments: int) -> Any:
    """A jit function that gives back the first of so many arguments."""
    names = [f"argument_{number}" for number in range(max(arguments, 1))]
    return jitted_text(f"def unchanged({', '.join(names)}):\n    return {names[0]}\n", "unchanged")


def jitted_text(text: str, name: str) -> Any:
    file = f"<{name}, which is not there>"
    # Triton reads the source of what it compiles.
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": file}
    exec(compile(text, file, "exec"), namespace)
    return triton.jit(namespace[name])
