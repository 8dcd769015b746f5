"""The jit functions of a Python file, found in its syntax tree. Imports nothing but the standard library.

The worker needs it to find a kernel that it has not run yet, `irscope.discover` to list kernels.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Other people's decorators of the name ``jit``.
FOREIGN = frozenset({"numba", "jax", "taichi", "warp", "numpy", "torch", "cupyx", "paddle", "pythran", "nki", "cutlass",
                     "tilelang"})  # fmt: skip

Owner = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
BLOCKS = (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.Match)


@dataclass(frozen=True)
class Jitted:
    """A function under ``@triton.jit``, or one that ``name = triton.jit(function)`` names."""

    #: As a user chooses it: ``kernel``, ``Outer.kernel`` within a class or a function.
    name: str
    function: ast.FunctionDef
    #: Outermost first; those of an assignment are the calls around the function.
    decorators: tuple[ast.expr, ...]
    owners: tuple[Owner, ...]
    dialect: str

    @property
    def is_method(self) -> bool:
        first = next(iter([*self.function.args.posonlyargs, *self.function.args.args]), None)
        in_a_class = bool(self.owners) and isinstance(self.owners[-1], ast.ClassDef)
        return in_a_class and first is not None and first.arg == "self"

    @property
    def is_helper(self) -> bool:
        """Only other code of the GPU can call it: it returns a value, which a host does not get back, or is a method
        of an object that only exists there."""
        if self.is_method:
            return True
        own = statements(self.function.body)
        return any(isinstance(node, ast.Return) and node.value is not None for node in own)


def jitted(tree: ast.Module) -> list[Jitted]:
    """All of a file, in the order of their lines; of those with the same name in a version ``if`` the first."""
    found: dict[str, Jitted] = {}
    aliases = jit_names(tree)
    for function in in_block(tree.body, (), aliases, {}):
        body = function.owners[-1].body if function.owners else tree.body
        if function.name not in found or function.function in body:  # which replaces what was defined before it
            found[function.name] = function
    return sorted(found.values(), key=lambda each: each.function.lineno)


def by_use(functions: list[Jitted]) -> list[Jitted]:
    """The kernels among jit functions; those that another one calls come last."""
    called = names_in(functions)
    return sorted((each for each in functions if not each.is_helper), key=lambda each: each.function.name in called)


def names_in(functions: list[Jitted]) -> set[str]:
    """Names in the code of jit functions, each function's own aside: what they call is among them."""
    return {
        node.id
        for each in functions
        for node in walk(each.function)
        if isinstance(node, ast.Name) and node.id != each.function.name
    }


def named(functions: list[Jitted], name: str) -> Jitted | None:
    """The one of that name, or the first whose name ends so: ``kernel`` for ``Outer.kernel``."""
    exact = next((each for each in functions if each.name == name), None)
    return exact or next((each for each in functions if each.name.endswith(f".{name}")), None)


def jit_names(tree: ast.Module) -> dict[str, str]:
    """What each imported or assigned name means, as far as it matters to tell Triton's ``jit`` from another's."""
    names: dict[str, str] = {}
    for node in statements(tree.body, within=True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            value = node.value
            if isinstance(value, ast.Call) and dotted(value.func).endswith("partial") and value.args:
                value = value.args[0]
            elif isinstance(value, ast.Call) and not value.args:
                value = value.func  # jit(noinline=True), to decorate with
            if is_jit(dotted(value), names):
                names[node.targets[0].id] = resolved(dotted(value), names)
    return names


def resolved(name: str, aliases: Mapping[str, str]) -> str:
    head, _, rest = name.partition(".")
    head = aliases.get(head, head)
    return f"{head}.{rest}" if rest else head


def is_jit(name: str, aliases: Mapping[str, str]) -> bool:
    meaning = resolved(name, aliases)
    return meaning.rpartition(".")[2] == "jit" and meaning.lstrip(".").partition(".")[0] not in FOREIGN


def in_block(
    body: list[ast.stmt], owners: tuple[Owner, ...], aliases: Mapping[str, str], outer: Mapping[str, ast.FunctionDef]
) -> Iterator[Jitted]:
    functions = dict(outer)
    for node in statements(body):
        if isinstance(node, ast.FunctionDef):
            functions[node.name] = node
            dialect = dialect_of(node.decorator_list, aliases)
            if dialect is not None:
                yield Jitted(qualified(node.name, owners), node, tuple(node.decorator_list), owners, dialect)
                continue
        if isinstance(node, Owner):
            yield from in_block(node.body, (*owners, node), aliases, functions)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            around, name = calls_around(node.value, functions)
            dialect = dialect_of(around, aliases)
            if name is not None and dialect is not None:
                decorators = (*around, *functions[name].decorator_list)
                yield Jitted(qualified(node.targets[0].id, owners), functions[name], decorators, owners, dialect)


def statements(body: list[ast.stmt], *, within: bool = False) -> Iterator[ast.stmt]:
    """Statements of a block and of those inside its ``if``, ``try``, ``with`` and loops; ``within`` functions too."""
    for node in body:
        yield node
        if isinstance(node, BLOCKS) or (within and isinstance(node, Owner)):
            for inner in bodies(node):
                yield from statements(inner, within=within)


def bodies(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of a compound statement."""
    for name in ("body", "orelse", "finalbody"):
        yield getattr(node, name, None) or []
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def calls_around(value: ast.expr, functions: Mapping[str, ast.FunctionDef]) -> tuple[list[ast.expr], str | None]:
    """What is called with a function: ``autotune(...)`` and ``jit`` of ``autotune(...)(jit(f))``, and ``f``."""
    around: list[ast.expr] = []
    while isinstance(value, ast.Call):
        around.append(value.func)
        if not value.args:
            return around, None
        value = value.args[0]
    name = value.id if isinstance(value, ast.Name) and value.id in functions else None
    return around, name


def qualified(name: str, owners: tuple[Owner, ...]) -> str:
    return ".".join([*(owner.name for owner in owners), name])


def dialect_of(decorators: list[ast.expr], aliases: Mapping[str, str]) -> str | None:
    """ "triton" or "gluon" for a jit function, by its decorators."""
    for decorator in decorators:
        name = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if is_jit(name, aliases):
            return "gluon" if "gluon" in resolved(name, aliases).split(".") else "triton"
    return None


def is_inductors(decorator: ast.expr) -> bool:
    """Of a kernel that ``torch.compile`` has written."""
    return isinstance(decorator, ast.Call) and "triton_heuristics" in dotted(decorator.func).split(".")


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of such an expression; empty for any other."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """As `ast.walk`, in another order and twice as fast: whole libraries are read while somebody waits."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        for value in node.__dict__.values():
            if isinstance(value, list):
                waiting += [each for each in value if isinstance(each, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)
