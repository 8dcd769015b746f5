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
from . import expected, loops, tensors
from .pytest_stand_in import SKIPS

#: In the user's modules, what each ``assert`` asks, and each ``if`` that ends the code.
ASKED = "__irscope_holds__"
ASKED_WHETHER_TO_END = "__irscope_ends__"

#: Whether values are missing by now.
Missing = Callable[[], bool]
#: How often the code has read values since some are missing.
Reads = Callable[[], int]


class Checks:
    """What the user's code checks by itself, and which of its ways to end are not taken."""

    def __init__(self) -> None:
        self.missing: Missing = standins.answering(False)
        self.rounds = loops.Rounds()
        self.expected = expected.Expected(lambda: self.missing())
        #: By file, the first and the last line of each statement that ends the code where an ``if`` says so.
        self._ends: dict[str, list[tuple[int, int]]] = {}
        self._left_out: set[tuple[str, int]] = set()

    def holds(self, value: Any) -> bool:
        return (self.missing() and not self.expected) or bool(value)

    def left_out(self, error: BaseException | None) -> bool:
        """Whether code that ended by this error ended at such a statement, which is left out from now on.

        A script that works on a GPU does not end there: what was checked are values that no launch has made.
        """
        trace = error.__traceback__ if error is not None else None
        if trace is None or not self.rounds.reads() or type(error).__name__ in SKIPS:
            return False
        while trace.tb_next is not None:
            trace = trace.tb_next
        file = trace.tb_frame.f_code.co_filename
        at = next((first for first, last in self._ends.get(file, ()) if first <= trace.tb_lineno <= last), None)
        if at is None or (file, at) in self._left_out:
            return False
        self._left_out.add((file, at))
        return True

    def compiled(self, source: bytes, file: str) -> CodeType:
        """The code of a user's file, for a module that `prepare` has been given."""
        tree = compile(source, file, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        changes = Changes()
        changed = changes.visit(tree)
        self._ends[file] = changes.ends
        changed = loops.Loops().visit(changed)
        return compile(changed, file, "exec", dont_inherit=True)

    def prepare(self, module: ModuleType, file: str) -> None:
        """Give a module what its code asks."""

        def ends(value: Any, line: int, when: bool) -> bool:
            return not when if (file, line) in self._left_out else bool(value)

        vars(module)[ASKED] = self.holds
        vars(module)[ASKED_WHETHER_TO_END] = ends
        vars(module)[loops.ASKED_WHETHER_TO_STAY] = functools.partial(self.rounds.stays, file)
        vars(module)[loops.ASKED_HOW_MUCH_WAS_READ] = lambda: self.rounds.reads()


@contextmanager
def holding(checks: Checks) -> Iterator[None]:
    """Within, once values are missing, torch's and numpy's comparisons and unittest's assertions hold."""
    missing = checks.missing
    replacements = [*of_unittest(missing), *of_torch(missing), *of_numpy(missing), *checks.expected.replacements()]
    finder = Finder(checks)
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
    for owner, name in ((torch, "allclose"), (tensor, "allclose")):
        yield owner, name, instead(getattr(owner, name), missing, standins.answering(True))
    for owner in (torch, tensor):
        yield owner, "equal", instead(owner.equal, missing, functools.partial(equal, owner.equal))
    for owner in (torch, tensor):
        close = functools.partial(all_close, torch)
        yield owner, "isclose", instead(owner.isclose, missing, close)
    for name in ("assert_close", "assert_allclose"):
        if hasattr(torch.testing, name):
            yield torch.testing, name, instead(getattr(torch.testing, name), missing, standins.answering(None))


def equal(original: Any, one: Any, other: Any) -> bool:
    """Single numbers are seldom what is checked, and decide what is launched: a gradient that is 1 needs no kernel."""
    is_number = one.numel() == other.numel() == 1 and not tensors.is_on_meta(one) and not tensors.is_on_meta(other)
    return bool(original(one, other)) if is_number else True


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


# The user's own statements


class Changes(ast.NodeTransformer):
    """``assert TEST, MESSAGE`` asks `ASKED` about its test, which it evaluates: kernels may be launched in it.

    ``if TEST: raise ERROR`` asks `ASKED_WHETHER_TO_END`, which also gets the line of the ``raise``, and whether it is
    reached by a test that is true.
    """

    def __init__(self) -> None:
        self.ends: list[tuple[int, int]] = []

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        return ast.Assert(asking(ASKED, node.test), node.msg, **ast_place(node))

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        for statements, when in ((node.body, True), (node.orelse, False)):
            if statements and is_end(statements[-1]) and "__name__" not in ast.unparse(node.test):
                last = statements[-1]
                self.ends.append((last.lineno, last.end_lineno or last.lineno))
                node.test = asking(ASKED_WHETHER_TO_END, node.test, last.lineno, when)
                break
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        # A kernel's asserts are Triton's, which reads them in the file.
        return node if is_kernel(node) else self.generic_visit(node)


def asking(name: str, test: ast.expr, *more: int) -> ast.expr:
    call = ast.Call(ast.Name(name, ast.Load()), [test, *map(ast.Constant, more)], [])
    return ast.fix_missing_locations(ast.copy_location(call, test))


def ast_place(node: ast.stmt) -> dict[str, Any]:
    return {name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}


def is_end(node: ast.stmt) -> bool:
    """Whether a statement ends the code: ``raise ERROR``, ``sys.exit(1)``."""
    if isinstance(node, ast.Raise):
        return node.exc is not None
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    return is_call and ast.unparse(node.value.func) in ("sys.exit", "exit", "quit")  # type: ignore[attr-defined]


def is_kernel(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator).partition("(")[0].endswith(".jit") for decorator in node.decorator_list)


class Finder:
    """Loads the user's own modules as `Checks` has them; what is installed is left to Python."""

    def __init__(self, checks: Checks) -> None:
        self.checks = checks

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        loader = spec and spec.loader
        if spec is None or type(loader) is not importlib.machinery.SourceFileLoader or not spec.origin:
            return None
        if loading.is_installed(Path(spec.origin)):
            return None
        spec.loader = Loader(self.checks, name, spec.origin)
        spec.cached = None
        return spec


class Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, checks: Checks, name: str, path: str) -> None:
        super().__init__(name, path)
        self.checks = checks

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.checks.compiled(self.get_data(path), path)

    def exec_module(self, module: ModuleType) -> None:
        self.checks.prepare(module, self.get_filename(module.__name__))
        super().exec_module(module)
