"""Run a user's file as ``python FILE`` does, or one of its functions."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from .. import loading
from ..protocol import Rejected, names_hint


def run_entry(path: Path, entry: str | None, module: ModuleType) -> None:
    """Execute ``path`` in ``module``: as ``__main__``, or by another name and then its function ``entry``.

    Raises what the file raises, `SystemExit` too, and `Rejected` (kind "usage") where there is no such function.
    """
    # A plot on the screen would wait for somebody to close it.
    os.environ.setdefault("MPLBACKEND", "Agg")
    loading.forget_user_modules()
    loading.check_text(path)
    root, name = loading.package_of(path)
    loading.prepend_to_path(path, root)
    if entry is not None:
        function = find(execute(path, name, module), entry)
        function()
        return
    before = sys.modules["__main__"]
    try:
        execute(path, "__main__", module, package=name.rpartition(".")[0])
    finally:
        sys.modules["__main__"] = before


def execute(
    path: Path,
    name: str,
    module: ModuleType,
    package: str | None = None,
    compiled: Callable[[bytes], CodeType] | None = None,
) -> ModuleType:
    """Execute a file in ``module``; ``compiled`` makes code of its text, where that is not Python's own."""
    if compiled is not None:
        code = compiled(path.read_bytes())
    else:
        code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    package = name.rpartition(".")[0] if package is None else package
    if package:
        importlib.import_module(package)
    elif name != "__main__" and (name in sys.modules or name in sys.stdlib_module_names):
        name = f"kernels_in_{name}"
    vars(module).update(__name__=name, __file__=str(path), __package__=package, __builtins__=__builtins__)
    sys.modules[name] = module
    exec(code, vars(module))
    return module


def find(module: ModuleType, entry: str) -> Any:
    """A function of the module that can be called with nothing; a test without fixtures, for example."""
    functions = {name: value for name, value in vars(module).items() if inspect.isfunction(value)}
    function = functions.get(entry)
    if function is None:
        raise Rejected(
            "usage", f"no function '{entry}' in this file", file=module.__file__, hint=names_hint(entry, functions)
        )
    needed = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]  # fmt: skip
    if needed:
        raise Rejected(
            "usage", f"{entry} needs {', '.join(needed)}: an entry is called with nothing",
            file=function.__code__.co_filename, line=function.__code__.co_firstlineno,
            hint="name a function without parameters that calls it",
        )  # fmt: skip
    return function
