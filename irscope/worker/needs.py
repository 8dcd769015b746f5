"""The global names that the code of a kernel and its helpers uses: brought in, replaced, or told."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import deferred, instead, loading, versions
from .jitted import dotted
from .partial import Scope, Tree
from .protocol import Rejected


@dataclass
class Needs:
    """What a kernel's code needs of modules that are not there, by the name that the code uses."""

    missing: dict[str, deferred.Missing] = field(default_factory=dict)
    #: Helpers whose calls are taken as their first argument, each with its name among the missing.
    replaced: dict[str, str] = field(default_factory=dict)

    def reject(self, error: BaseException) -> None:
        """Raises `Rejected` where a compile has failed on one of them."""
        words = f"{error} {error.__cause__}"
        for name, module in self.missing.items():
            if name in words or name in self.replaced.values():
                raise rejected(module, name) from error


def complete(kernel: loading.LoadedKernel, tree: Tree) -> Needs:
    """Bring in every global name that a kernel's code and its helpers' use."""
    needs = Needs()
    waiting: list[Any] = [kernel.function]
    seen: set[int] = set()
    in_defaults: list[tuple[Scope, str]] = []
    for configuration in kernel.configurations:
        deferred.worked_out_within(configuration.kwargs)
    while waiting:
        function = waiting.pop()
        namespace = getattr(function.fn, "__globals__", {})
        if id(function) in seen or id(namespace) not in tree.scopes:
            continue
        seen.add(id(function))
        settle_defaults(function)
        settle_naming(function, tree)
        scope = tree.scopes[id(namespace)]
        in_body = global_names(function, function.parse().body[0].body)
        in_defaults += [(scope, chain[0]) for chain in global_names(function, [function.parse()]) - in_body]
        for chain in sorted(in_body):
            before = set(needs.missing)
            waiting.extend(jit_functions_in(settle(scope, chain, needs.missing)))
            for name in needs.missing.keys() - before:
                if instead.put_helper(scope.namespace, function, chain, tree.imports):
                    needs.replaced[".".join(chain)] = name
    for scope, name in in_defaults:
        if not any(each.partition(".")[0] == name for each in needs.missing):
            settle_in_default(scope, name)
    return needs


def settle_defaults(function: Any) -> None:
    """Defaults that Python bound before anything needed their values: a helper's are what its calls leave out."""
    with contextlib.suppress(ModuleNotFoundError):  # told of the global name that stands in the default
        function.fn.__defaults__ = deferred.worked_out_within(function.fn.__defaults__)
        deferred.worked_out_within(function.fn.__kwdefaults__)
    function.signature = inspect.signature(function.fn)


def settle_naming(function: Any, tree: Tree) -> None:
    """``@triton.jit(repr=...)``: a function that says how a specialization is called, and nothing depends on it."""
    named_by = versions.naming_of(function)
    try:
        deferred.worked_out(named_by)
    except ModuleNotFoundError as error:
        versions.name_plainly(function)
        words = f"the repr of {function.fn.__name__} comes out of '{error.name}', which is not there, and was left out"
        tree.note(words, Path(function.fn.__code__.co_filename))


def global_names(function: Any, part: Sequence[ast.AST]) -> set[tuple[str, ...]]:
    """The global names in a part of a jit function's code, each with the attributes that are taken from it."""
    tree = function.parse()
    local = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    local |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    nodes = [node for each in part for node in ast.walk(each)]
    inner = {node.value for node in nodes if isinstance(node, ast.Attribute)}
    whole = (node for node in nodes if isinstance(node, ast.Attribute | ast.Name) and node not in inner)
    chains = (tuple(dotted(node).split(".")) for node in whole)
    return {chain for chain in chains if chain[0] and chain[0] not in local}


def settle_in_default(scope: Scope, name: str) -> None:
    """A name that only a default needs: Triton reads those too, and takes what the parameter really has."""
    if name not in scope.about:
        return
    value: Any = instead.Unsaid(1)
    with contextlib.suppress(Exception):  # told where the default itself was to be worked out
        if scope.reach(name):
            value = deferred.worked_out_within(scope.find(name))
    scope.namespace[name] = value


def settle(scope: Scope, chain: tuple[str, ...], missing: dict[str, deferred.Missing]) -> Any:
    """The value of a dotted name, put where the kernel's code looks it up."""
    name, *attributes = chain
    value: Any = scope.find(name) if scope.reach(name) else scope.from_absent_star(name)
    if value is None and name not in scope.namespace:
        return None
    try:
        value = deferred.worked_out_within(value)
    except ModuleNotFoundError as error:
        value = instead.take(chain, value, scope.tree.imports)
        if value is None:
            known = scope.tree.imports.missing
            missing[name] = known.get(deferred.top_of(error.name or "")) or deferred.Missing(error.name or name)
            scope.namespace.pop(name, None)
            return None
    scope.namespace[name] = value
    for attribute in attributes:
        if instead.stands_for_one(value, scope.tree.imports) and not hasattr(value, attribute):
            missing[f"{name}.{attribute}"] = deferred.Missing(value.__name__)
        value = getattr(value, attribute, None)
    return value


def jit_functions_in(value: Any) -> list[Any]:
    """The function of a jitted value, or those of a class: Gluon's aggregates have methods."""
    if isinstance(value, type) and not value.__module__.startswith("triton."):
        return [each for item in vars(value).values() for each in jit_functions_in(item)]
    if hasattr(type(value), "parse") and hasattr(value, "fn"):
        return [value]
    kernel = loading.unwrap(value)
    return [] if kernel is None else [kernel.function]


def notes_about(imports: deferred.Imports, needs: Needs) -> Iterator[str]:
    """What was stubbed and may matter."""
    for helper, name in needs.replaced.items():
        yield (
            f"the helper '{helper}' of '{needs.missing[name].module}' is not there: its calls are taken as their first "
            "argument, so that stages and figures are those of the kernel without it; in its package's tree it is whole"
        )
    yield from dict.fromkeys(imports.taken)
    wanted = {module.module for module in needs.missing.values()}
    for name, missing in imports.missing.items():
        decided = [path for path in imports.undecided if deferred.top_of(path) == name]
        if missing.module not in wanted:
            why = missing.reason or f"{sys.executable} does not have it"
            told = f"; {', '.join(decided)} taken as false or new enough" if decided else ""
            yield f"the module '{missing.module}' was stubbed ({why}){told}"


def rejected(module: deferred.Missing, name: str) -> Rejected:
    from .failures import of_missing_module

    place = {"file": module.file, "line": module.line}
    if module.module.startswith("."):
        reason = f"but {module.reason}" if module.reason else "which is not there"
        return Rejected(
            "missing", f"the kernel needs '{name}' of '{module.module}', {reason}", **place,
            hint="open the file where it lies in its package's tree",
        )  # fmt: skip
    failure = of_missing_module(module.module)
    why = f"which does not load: {module.reason}" if module.reason else f"which {sys.executable} does not have"
    failure["message"] = f"the kernel needs '{name}' of the module '{module.module}', {why}"
    kind, message = failure.pop("kind"), failure.pop("message")
    return Rejected(kind, message, **failure, **place)
