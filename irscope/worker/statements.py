"""A block of Python as a list of statements, each with the names that it binds, changes and needs."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_COMPOUND = (ast.Try, ast.With, ast.For, ast.While, ast.Match)
#: Statements that only a function's block may have, of which one is run like a module's.
_OF_FUNCTIONS = (ast.Return, ast.Nonlocal)

#: An ``if`` and the truth that its test must have.
Guard = tuple[ast.If, bool]


@dataclass(frozen=True)
class Statement:
    node: ast.stmt
    guards: tuple[Guard, ...]
    #: Names that it gives a value.
    binds: frozenset[str]
    #: Names whose values it alters: ``CONFIGS.append(...)``, ``table["a"] = ...``.
    changes: frozenset[str]
    #: Names that are read while it runs; what is in a function's body is not read yet.
    needs: frozenset[str]
    #: ``from x import *``
    is_star: bool = False


def statements_of(body: list[ast.stmt]) -> list[Statement]:
    """One for each statement; an ``if`` is taken apart into those of its branches, an import into its names."""
    return list(_flat(body, ()))


def _flat(body: list[ast.stmt], guards: tuple[Guard, ...]) -> Iterator[Statement]:
    for node in body:
        if isinstance(node, ast.If):
            yield from _flat(node.body, (*guards, (node, True)))
            yield from _flat(node.orelse, (*guards, (node, False)))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                alone = copy.copy(node)
                alone.names = [alias]
                yield Statement(
                    alone, guards, frozenset({bound_by_import(alias)}), frozenset(), frozenset(), alias.name == "*"
                )
        elif not isinstance(node, ast.Return | ast.Global | ast.Nonlocal | ast.Pass):
            if isinstance(node, _COMPOUND) and any(isinstance(each, _OF_FUNCTIONS) for each in nodes_run(node)):
                node = cast(ast.stmt, _WithoutReturns().visit(copy.deepcopy(node)))
            seen = list(nodes_run(node))
            yield Statement(
                node, guards, frozenset(binds(seen)), frozenset(changes(seen)), frozenset(needs(seen))
            )  # fmt: skip


class _WithoutReturns(ast.NodeTransformer):
    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, _OF_FUNCTIONS):
            return ast.copy_location(ast.Pass(), node)
        return node if isinstance(node, _FUNCTIONS) else self.generic_visit(node)


def bound_by_import(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def nodes_run(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a statement does: of a function its decorators, defaults and annotations alone."""
    yield node
    if isinstance(node, _FUNCTIONS):
        parts: list[ast.AST] = [*getattr(node, "decorator_list", ()), node.args]
        if (returned := getattr(node, "returns", None)) is not None:
            parts.append(returned)
    else:
        parts = list(ast.iter_child_nodes(node))
    for part in parts:
        yield from nodes_run(part)


def binds(seen: list[ast.AST]) -> Iterator[str]:
    within_class = {id(each) for node in seen[:1] if isinstance(node, ast.ClassDef) for each in seen[1:]}
    own = {
        id(part)
        for node in seen
        if isinstance(node, _COMPREHENSIONS)
        for loop in node.generators
        for part in ast.walk(loop.target)
    }
    for node in seen:
        if id(node) in within_class or id(node) in own:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield bound_by_import(node)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name


def changes(seen: list[ast.AST]) -> Iterator[str]:
    bare = {id(node.value) for node in seen if isinstance(node, ast.Expr)}
    for node in seen:
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield from root_name(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and id(node) in bare:
            yield from root_name(node.func)


def needs(seen: list[ast.AST]) -> Iterator[str]:
    for node in seen:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def root_name(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def launches(body: list[ast.stmt]) -> bool:
    """Whether running these statements may launch kernels: ``f[...](...)``, or a call of the file's own functions."""
    own = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for statement in statements_of(body):
        if any(is_main_test(test) and truth for test, truth in statement.guards):
            continue
        if isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        is_bare = isinstance(statement.node, ast.Expr | ast.For | ast.While | ast.With)
        for node in nodes_run(statement.node):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Subscript):
                return True
            if isinstance(node, ast.Call) and is_bare and any(name in own for name in root_name(node.func)):
                return True
    return False


def is_main_test(node: ast.If) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(node.test))
