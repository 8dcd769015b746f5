"""Which parameters of a kernel a place in it depends on, through the helpers that led there."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where the compiler stopped: the names of the kernel's parameters that reach it."""

    names: frozenset[str]
    #: Those that the address or first operand there begins with.
    leading: tuple[str, ...]
    text: str


def place_of(
    error: BaseException, function: Any, resolve: Callable[[Any, str], Any], variables: Sequence[str] = ()
) -> Place | None:
    """The place of a compilation error of Triton's in ``function``; ``None`` where it names none.

    ``variables`` are those that the message names.
    """
    levels = [level for level in chain(error) if level.node is not None]
    if not levels:
        return None
    path = [(function, levels[0].node)]
    for level in levels[1:]:
        caller, node = path[-1]
        if level.src == caller.src:
            path[-1] = (caller, level.node)
        elif (helper := called(caller, node, level.src, resolve)) is not None:
            path.append((helper, level.node))
    node = path[-1][1]
    names, leading = frozenset([*names_in(node), *variables]), leading_names(node)
    for inner in reversed(range(len(path))):
        flow = Flow(path[inner][0])
        names, leading = flow.parameters(names), tuple(flow.leading(leading))
        if inner:
            bound = bindings(path[inner - 1][1], path[inner][0], path[inner - 1][0], resolve)
            names = frozenset(name for parameter in names for name in names_in(bound.get(parameter)))
            leading = tuple(name for parameter in leading for name in leading_names(bound.get(parameter)))
    return Place(names, leading, ast.unparse(node)[:60] if isinstance(node, ast.AST) else "")


def place_at(line: int, function: Any) -> Place | None:
    """The place of the statement at a line of ``function``, which counts from 1 at its ``def``."""
    found = [
        node
        for node in ast.walk(function.parse().body[0])
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]  # fmt: skip
    if not found:
        return None
    node = min(found, key=lambda node: (node.end_lineno or node.lineno) - node.lineno)
    flow = Flow(function)
    leading = flow.leading(leading_names(node))
    return Place(flow.parameters(frozenset(names_in(node))), tuple(leading), ast.unparse(node)[:60])


def chain(error: BaseException | None) -> Iterator[Any]:
    """Compilation errors, the kernel's own first: Triton wraps a helper's error in one for each caller."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if hasattr(error, "node") and hasattr(error, "src"):
            yield error
        error = error.__cause__ or error.__context__


def called(caller: Any, node: ast.AST, source: str, resolve: Callable[[Any, str], Any]) -> Any:
    """The helper with this source that is called in ``node``."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute):
            helper = resolve(caller, ast.unparse(call.func))
            if helper is not None and helper.src == source:
                return helper
    return None


def bindings(node: ast.AST, helper: Any, caller: Any, resolve: Callable[[Any, str], Any]) -> dict[str, ast.expr]:
    """Arguments by parameter of the call of ``helper`` in ``node``."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name | ast.Attribute):
            continue
        if resolve(caller, ast.unparse(call.func)) is helper:
            bound = dict(zip([parameter.name for parameter in helper.params], call.args, strict=False))
            return bound | {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    return {}


def names_in(node: ast.AST | None) -> list[str]:
    """Names in an expression; of a compound statement those of its head."""
    if node is None:
        return []
    if isinstance(node, ast.If | ast.While):
        node = node.test
    elif isinstance(node, ast.For):
        node = node.iter
    return [found.id for found in ast.walk(node) if isinstance(found, ast.Name)]


def leading_names(node: ast.AST | None) -> tuple[str, ...]:
    """The leftmost leaf of an address, of a call's first argument, of each operand of an operator."""
    if isinstance(node, ast.Call):
        # A method's object is its first operand; of `tl.load` that is no name of the kernel's.
        owner = leading_names(node.func.value) if isinstance(node.func, ast.Attribute) else ()
        return (*owner, *(leading_names(node.args[0]) if node.args else ()))
    if isinstance(node, ast.BinOp):
        right = () if isinstance(node.op, ast.Add | ast.Sub) else leading_names(node.right)
        return (*leading_names(node.left), *right)
    if isinstance(node, ast.Attribute | ast.Subscript):
        return leading_names(node.value)
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr | ast.Return):
        return leading_names(node.value)
    return (node.id,) if isinstance(node, ast.Name) else ()


class Flow:
    """What each local name of one function is made of, whatever the order of its statements."""

    def __init__(self, function: Any) -> None:
        definition = function.parse().body[0]
        self.arguments = {parameter.name for parameter in function.params}
        self.made_of: dict[str, set[str]] = {}
        self.leads: dict[str, list[str]] = {}
        for node in ast.walk(definition):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self.assign(target, node.value)
            elif isinstance(node, ast.AugAssign | ast.AnnAssign) and node.value is not None:
                self.assign(node.target, node.value)
            elif isinstance(node, ast.For):
                self.assign(node.target, node.iter)

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        pairs = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts)
        if pairs and isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=True):
                self.assign(one, other)
            return
        for name in names_in(target):
            self.made_of.setdefault(name, set()).update(names_in(value))
            self.leads.setdefault(name, []).extend(leading_names(value))

    def parameters(self, names: frozenset[str]) -> frozenset[str]:
        found: set[str] = set()
        left, seen = list(names), set(names)
        while left:
            name = left.pop()
            if name in self.arguments:
                found.add(name)
            new = self.made_of.get(name, set()) - seen
            seen |= new
            left.extend(new)
        return frozenset(found)

    def leading(self, names: tuple[str, ...]) -> list[str]:
        found: list[str] = []
        left, seen = list(names), set(names)
        while left:
            name = left.pop(0)
            if name in self.arguments and name not in found:
                found.append(name)
            for new in self.leads.get(name, []):
                if new not in seen:
                    seen.add(new)
                    left.append(new)
        return found
