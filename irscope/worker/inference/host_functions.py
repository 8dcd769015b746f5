"""A function of the host's, as far as it is asked: what it assigns, calls and returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..jitted import bodies, dotted

if TYPE_CHECKING:
    from .host_files import HostFile

#: Expressions without calls in them.
LEAVES = frozenset({ast.Constant, ast.Name, ast.Lambda, ast.Load, ast.Store})
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: A test, and the truth that it must have.
Guard = tuple[ast.expr, bool]
UNKNOWN_TEST: Guard = (ast.Name("", ast.Load()), True)


@dataclass(frozen=True)
class Assigned:
    line: int
    value: ast.expr
    #: Which item of the value: numbers, outermost first.
    items: tuple[int, ...]
    #: Tests around it; loops and the like count as one that nothing is known of.
    guards: tuple[Guard, ...]


@dataclass(eq=False)
class HostFunction:
    """A function of the host's, or a module's own statements, without the functions that are inside."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Module
    file: HostFile
    around: HostFunction | None = None
    #: The class that it is a method of.
    owner: str | None = None
    #: By name: ``x``, ``ctx.x``.
    assigned: dict[str, list[Assigned]] = field(default_factory=dict)
    #: With the name of what is called, as `called` has it.
    calls: list[tuple[str, ast.Call]] = field(default_factory=list)
    returned: list[ast.expr] = field(default_factory=list)
    asserted: list[ast.expr] = field(default_factory=list)

    @property
    def name(self) -> str:
        own = "" if isinstance(self.node, ast.Module) else self.node.name
        return f"{self.owner}.{own}" if self.owner else own

    def line_of(self, node: ast.expr) -> str:
        return f"its host code, {self.file.path.name} line {node.lineno}: {ast.unparse(node)[:60]}"

    @property
    def is_open(self) -> bool:
        """It takes any number of arguments."""
        return isinstance(self.node, ast.Module) or self.node.args.vararg is not None

    def parameters(self) -> list[ast.arg]:
        if isinstance(self.node, ast.Module):
            return []
        arguments = self.node.args
        return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]

    def positional(self) -> list[str]:
        """Names in the order of a call's arguments: without ``self``, or the ``ctx`` of an autograd function."""
        if isinstance(self.node, ast.Module):
            return []
        names = [each.arg for each in (*self.node.args.posonlyargs, *self.node.args.args)]
        static = any(dotted(each) == "staticmethod" for each in self.node.decorator_list)
        bound = self.owner is not None and (not static or self.node.name in ("forward", "backward"))
        return names[1:] if bound else names

    def default_of(self, name: str) -> ast.expr | None:
        if isinstance(self.node, ast.Module):
            return None
        arguments = self.node.args
        named = [*arguments.posonlyargs, *arguments.args]
        given = dict(zip([each.arg for each in reversed(named)], reversed(arguments.defaults), strict=False))
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                given[each.arg] = default
        return given.get(name)


def gathered(tree: ast.Module, file: HostFile) -> list[HostFunction]:
    """The module's statements, and its functions, those inside of classes and functions too."""
    module = HostFunction(tree, file)
    found = [module]
    block(tree.body, module, None, found)
    return found


def block(
    body: list[ast.stmt],
    function: HostFunction,
    owner: str | None,
    found: list[HostFunction],
    guards: tuple[Guard, ...] = (),
) -> None:
    for statement in body:
        if isinstance(statement, FUNCTIONS):
            if not is_device(statement):
                inner = HostFunction(statement, function.file, function, owner)
                found.append(inner)
                block(statement.body, inner, None, found)
        elif isinstance(statement, ast.ClassDef):
            block(statement.body, HostFunction(ast.Module([], []), function.file), statement.name, found)
        else:
            note(statement, function, guards)
            for number, inner_body in enumerate(bodies(statement)):
                block(inner_body, function, owner, found, (*guards, *guards_of(statement, number)))


def guards_of(statement: ast.stmt, number: int) -> tuple[Guard, ...]:
    if isinstance(statement, ast.If):
        return ((statement.test, number == 0),)
    is_run = isinstance(statement, ast.With) or (isinstance(statement, ast.Try) and number == 0)
    return () if is_run else (UNKNOWN_TEST,)


def is_device(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = (each.func if isinstance(each, ast.Call) else each for each in function.decorator_list)
    return any(dotted(each).rpartition(".")[2] == "jit" for each in decorators)


def note(statement: ast.stmt, function: HostFunction, guards: tuple[Guard, ...]) -> None:
    """What one statement does, the statements inside it aside."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            assign(target, Assigned(target.lineno, statement.value, (), guards), function)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        assign(statement.target, Assigned(statement.lineno, statement.value, (), guards), function)
    elif isinstance(statement, ast.Return) and statement.value is not None:
        function.returned.append(statement.value)
    elif isinstance(statement, ast.Assert):
        function.asserted.append(statement.test)
    for value in vars(statement).values():
        for part in value if isinstance(value, list) else (value,):
            if isinstance(part, ast.expr):
                function.calls += calls_in(part)
            elif isinstance(part, ast.withitem):
                function.calls += calls_in(part.context_expr)


def assign(target: ast.expr, assigned: Assigned, function: HostFunction) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        value = assigned.value
        own = value.elts if isinstance(value, ast.Tuple | ast.List) and not assigned.items else []
        for number, element in enumerate(target.elts):
            if len(own) == len(target.elts):
                assign(element, replace(assigned, value=own[number]), function)
            else:
                assign(element, replace(assigned, items=(*assigned.items, number)), function)
    elif name := dotted(target):
        function.assigned.setdefault(name, []).append(assigned)


def calls_in(node: ast.expr) -> Iterator[tuple[str, ast.Call]]:
    waiting: list[ast.AST] = [node]
    while waiting:
        each = waiting.pop()
        kind = type(each)
        if kind in LEAVES:
            continue
        if kind is ast.Call and isinstance(each, ast.Call):
            yield called(each), each
        for value in each.__dict__.values():
            if type(value) is list:
                waiting += [part for part in value if isinstance(part, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)


def called(call: ast.Call) -> str:
    """A function's name; ``Function`` of ``Function.apply``."""
    name = dotted(call.func)
    owner, _, last = name.rpartition(".")
    return owner.rpartition(".")[2] if last == "apply" and owner else last


def argument_of(name: str, function: HostFunction, node: ast.Call) -> ast.expr | None:
    """What a call gives for a parameter."""
    for keyword in node.keywords:
        if keyword.arg == name:
            return keyword.value
    names = function.positional()
    if name not in names:
        return None
    first = node.args[: names.index(name) + 1]
    if len(first) <= names.index(name) or any(isinstance(each, ast.Starred) for each in first):
        return None
    return first[-1]


def fits(node: ast.Call, function: HostFunction) -> bool:
    """Whether a call gives no more than the function takes, and no less: old tests do not always."""
    if any(isinstance(each, ast.Starred) for each in node.args) or any(each.arg is None for each in node.keywords):
        return True
    names = function.positional()
    given = set(names[: len(node.args)]) | {each.arg for each in node.keywords}
    needed = [name for name in names if function.default_of(name) is None]
    return given.issuperset(needed) and (function.is_open or len(node.args) <= len(names))
