"""What code asserts of values: it holds where launches that would have made them were left out."""

from __future__ import annotations

import ast
import functools
import importlib.machinery
import sys
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from .. import loading
from ..launch import standins

#: In the user's modules, what each ``assert`` asks.
ASKED = "__irscope_holds__"

#: Whether values are missing by now.
Missing = Callable[[], bool]


@contextmanager
def holding(missing: Missing) -> Iterator[None]:
    """Within, once values are ``missing``, torch's and numpy's comparisons and unittest's assertions hold."""
    replacements = [*of_unittest(missing), *of_torch(missing), *of_numpy(missing)]
    finder = Finder(missing)
    sys.meta_path.insert(0, finder)
    try:
        with standins.replaced(replacements):
            yield
    finally:
        sys.meta_path.remove(finder)


def instead(original: Callable[..., Any], missing: Missing, holds: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def answer(*arguments: Any, **named: Any) -> Any:
        return holds(*arguments, **named) if missing() else original(*arguments, **named)

    return answer


def of_torch(missing: Missing) -> Iterator[standins.Replacement]:
    if "torch" not in sys.modules:
        return
    import torch

    tensor: Any = torch.Tensor
    for owner, name in ((torch, "allclose"), (tensor, "allclose"), (torch, "equal"), (tensor, "equal")):
        yield owner, name, instead(getattr(owner, name), missing, standins.answering(True))
    for owner in (torch, tensor):
        close = functools.partial(all_close, torch)
        yield owner, "isclose", instead(owner.isclose, missing, close)
    for name in ("assert_close", "assert_allclose"):
        if hasattr(torch.testing, name):
            yield torch.testing, name, instead(getattr(torch.testing, name), missing, standins.answering(None))


def all_close(torch: Any, one: Any, other: Any, *_: Any, **__: Any) -> Any:
    return torch.ones(torch.broadcast_shapes(one.shape, other.shape), dtype=torch.bool, device=one.device)


def of_numpy(missing: Missing) -> Iterator[standins.Replacement]:
    if "torch" not in sys.modules:
        return
    try:
        import numpy
        import numpy.testing
    except ImportError:
        return
    for name in ("allclose", "array_equal"):
        yield numpy, name, instead(getattr(numpy, name), missing, standins.answering(True))
    for name in vars(numpy.testing):
        if name.startswith("assert_") and "raises" not in name and "warn" not in name:
            yield numpy.testing, name, instead(getattr(numpy.testing, name), missing, standins.answering(None))


def of_unittest(missing: Missing) -> Iterator[standins.Replacement]:
    for name in vars(unittest.TestCase):
        if name.startswith("assert") and not name.startswith(("assertRaises", "assertWarns", "assertLogs")):
            original = getattr(unittest.TestCase, name)
            yield unittest.TestCase, name, instead(original, missing, standins.answering(None))


# ``assert`` statements


def holds(missing: Missing) -> Callable[[Any], bool]:
    def asked(value: Any) -> bool:
        return missing() or bool(value)

    return asked


class Assertions(ast.NodeTransformer):
    """``assert TEST, MESSAGE`` asks `ASKED` about its test, which it evaluates: kernels may be launched in it."""

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        asked = ast.Call(ast.Name(ASKED, ast.Load()), [node.test], [])
        return ast.fix_missing_locations(
            ast.copy_location(ast.Assert(ast.copy_location(asked, node.test), node.msg), node)
        )

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        # A kernel's asserts are Triton's, which reads them in the file.
        return node if is_kernel(node) else self.generic_visit(node)


def is_kernel(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator).partition("(")[0].endswith(".jit") for decorator in node.decorator_list)


def compiled(source: bytes, file: str, missing: Missing, module: ModuleType | None = None) -> CodeType:
    """The code of a user's file; ``module`` gets what its asserts ask."""
    tree = compile(source, file, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    if module is not None:
        vars(module)[ASKED] = holds(missing)
    return compile(Assertions().visit(tree), file, "exec", dont_inherit=True)


class Finder:
    """Loads the user's own modules with their asserts asking; what is installed is left to Python."""

    def __init__(self, missing: Missing) -> None:
        self.missing = missing

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        loader = spec and spec.loader
        if spec is None or type(loader) is not importlib.machinery.SourceFileLoader or not spec.origin:
            return None
        if loading.is_installed(Path(spec.origin)):
            return None
        spec.loader = Loader(self.missing, name, spec.origin)
        spec.cached = None
        return spec


class Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, missing: Missing, name: str, path: str) -> None:
        super().__init__(name, path)
        self.missing = missing

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return compiled(self.get_data(path), path, self.missing)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[ASKED] = holds(self.missing)
        super().exec_module(module)
