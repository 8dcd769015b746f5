"""Kernels within functions and classes: the block around them as a scope, its parameters with values from the file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import deferred
from .jitted import Owner
from .partial import Scope


def scope_within(outer: Scope, owner: Owner, whole: ast.Module) -> Scope:
    """The scope of a class's or a function's block. ``whole`` is the file, which may call the function."""
    scope = Scope(outer.tree, owner.body, outer.module, outer.file, outer)
    if not isinstance(owner, ast.ClassDef):
        calls = list(calls_of(owner.name, whole))
        for position, (parameter, default) in enumerate(parameters_of(owner)):
            scope.parameters[parameter] = value_of(scope, parameter, position, default, calls, owner)
    return scope


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, ast.expr | None]]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    yield from zip((each.arg for each in positional), [*defaults, *arguments.defaults], strict=True)
    yield from zip((each.arg for each in arguments.kwonlyargs), arguments.kw_defaults, strict=True)
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            yield rest.arg, None


def calls_of(name: str, tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def value_of(
    scope: Scope, name: str, position: int, default: ast.expr | None, calls: list[ast.Call], owner: Any
) -> Callable[[], Any]:
    def value() -> Any:
        given = [argument for call in calls if (argument := argument_of(call, name, position)) is not None]
        for argument in [*given, *([default] if default is not None else [])]:
            try:
                assert scope.parent is not None
                found = scope.parent.evaluate(argument)
            except Exception:  # a local variable of whatever calls it
                continue
            if not isinstance(found, deferred.Deferred):
                return found
        guess = guessed(name)
        words = f"{name}={guess!r} of {owner.name}() is guessed: the file calls it with no constant"
        scope.tree.note(words, scope.file)
        return guess

    return value


def argument_of(call: ast.Call, name: str, position: int) -> ast.expr | None:
    if position < len(call.args):
        return call.args[position] if not any(isinstance(each, ast.Starred) for each in call.args) else None
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def guessed(name: str) -> Any:
    """As for a constexpr of that name."""
    import triton.language as tl

    table = json.loads(Path(__file__).with_name("guesses.json").read_text(encoding="utf-8"))
    for pattern, value in table["patterns"]:
        if re.fullmatch(pattern, name, re.IGNORECASE):
            value = value[-1] if isinstance(value, list) else value
            is_type = isinstance(value, str) and value.startswith("tl.")
            return getattr(tl, value[3:]) if is_type else value
    return None
