"""Calls in a kernel, for `flow`: of the user's own functions, or of Triton's, which `flow_operations` knows."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..loading import unwrap
from .constants import GUESSES
from .flow_operations import (
    ATOMICS,
    FLOAT_CALLS,
    INTEGER_CALLS,
    OPERATIONS,
    SAME_ELEMENTS,
    Call,
    descriptor_method,
    mathematics,
    store,
)
from .flow_values import NOTHING, Value, computed, is_aggregate, of_python, promoted, union
from .python_operators import called_name
from .shape_operations import PYTHON

if TYPE_CHECKING:
    from .flow import FunctionFlow

#: Keywords of Triton's functions that take one of a few words.
KEYWORDS = frozenset(GUESSES["keywords"])

TEXT_METHODS = frozenset({"upper", "lower", "startswith", "endswith", "strip", "split", "replace", "find"})

#: What tells Triton something of the values that they give back as they are: numbers or addresses.
HINTS = frozenset({"multiple_of", "max_contiguous", "max_constancy"})

#: Methods of a tensor descriptor.
DESCRIPTOR_METHODS = frozenset({"load", "store", "gather", "scatter", *ATOMICS})
DESCRIPTOR_FUNCTIONS = {"load_tensor_descriptor": "load", "store_tensor_descriptor": "store",
                        "_experimental_descriptor_load": "load", "_experimental_descriptor_store": "store"}  # fmt: skip


def call(flow: FunctionFlow, node: ast.Call) -> Value:
    positional: list[Value] = []
    for argument in node.args:
        value = flow.read(argument.value if isinstance(argument, ast.Starred) else argument)
        positional += value.items if isinstance(argument, ast.Starred) else [value]
    named = {keyword.arg: flow.read(keyword.value) for keyword in node.keywords if keyword.arg}
    name = called_name(node.func)
    if isinstance(node.func, ast.Name | ast.Attribute):
        local = flow.locals.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if local is not None:
            if local.itself and local.static and local.function is None:
                called(flow, node, local.itself)
            return flow.apply(local, positional, named)
        helper = flow.reading.resolve(flow.function, ast.unparse(node.func))
        if helper is not None:
            return flow.call_function(helper, positional, named)
        class_ = flow.read(node.func).function if name[:1].isupper() else None
        if is_aggregate(class_):
            return made_of(class_, positional, named)
    if isinstance(node.func, ast.Attribute):
        owner = NOTHING if is_module(flow, node.func.value) else flow.read(node.func.value)
        method = unwrap(getattr(owner.aggregate, name, None))
        if method is not None:
            return flow.call_function(method.function, [owner, *positional], named)
        if owner.itself and not owner.static and name in DESCRIPTOR_METHODS:
            return descriptor_method(Call(flow, node, name, positional, named), owner.itself)
        if owner.itself and owner.static and name in TEXT_METHODS:
            flow.noted(node, "text", "text in", [owner.itself])
            return owner
        if not is_module(flow, node.func.value):
            positional = [owner, *positional]
    found = Call(flow, node, name, positional, named)
    for keyword, value in named.items():
        if value.itself is not None and value.static and keyword in KEYWORDS:
            use = flow.usage.of(value.itself)
            use.keyword = use.keyword or (keyword, flow.note(node, f"its {keyword} in"))
    if name in DESCRIPTOR_FUNCTIONS and positional and positional[0].itself:
        found.name, found.positional = DESCRIPTOR_FUNCTIONS[name], positional[1:]
        return descriptor_method(found, positional[0].itself)
    if name in PYTHON and positional and not named and all(value.known is not None for value in positional):
        return computed(PYTHON[name], *positional)
    if name in OPERATIONS:
        return OPERATIONS[name](found)
    if name in ATOMICS:
        return store(found)
    if name in FLOAT_CALLS:
        return mathematics(found)
    if name in HINTS and positional:
        first = positional[0]
        flow.integer(node, replace(first, leaf=None, parameters=first.parameters - {first.leaf or ""}))
        if first.itself:
            flow.noted(node, "integer", "an integer in", [first.itself])
        return replace(first, itself=None)
    if name in INTEGER_CALLS:
        flow.integer(node, *found.operands)
        return replace(union(found.operands), leaf=None, index=True, dtype=promoted(found.operands))
    if name in SAME_ELEMENTS:
        first = found.argument(0, "input")
        return replace(
            first, itself=None, block=name not in ("item", "max", "min", "sum") or bool(positional[1:] or named)
        )
    return replace(union(found.operands), leaf=None, dtype=None)


def called(flow: FunctionFlow, node: ast.Call, name: str) -> None:
    """A constexpr is a function."""
    use = flow.usage.of(name)
    count = max(len(node.args) + len(node.keywords), use.called[0] if use.called else 0)
    use.called = count, use.called[1] if use.called else flow.note(node, "called in")


def made_of(class_: Any, positional: list[Value], named: dict[str, Value]) -> Value:
    """An object of an aggregate: its constructor gives each field the argument of that name."""
    constructor = next(iter(getattr(class_, "hash_attrs", ())), None)
    constructor = getattr(constructor, "fn", constructor)
    code = getattr(constructor, "__code__", None)
    fields = list(class_.__annotations__)
    names = list(code.co_varnames[1 : code.co_argcount]) if code is not None else []
    defaults = getattr(constructor, "__defaults__", None) or ()
    given = {name: of_python(value) for name, value in zip(reversed(names), reversed(defaults), strict=False)}
    given |= {**dict(zip(names or fields, positional, strict=False)), **named}
    return Value(aggregate=class_, fields=tuple((name, given.get(name, NOTHING)) for name in fields))


def is_module(flow: FunctionFlow, owner: ast.expr) -> bool:
    """Whether an attribute's owner is a name outside the function, such as ``tl.math``."""
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    return isinstance(owner, ast.Name) and owner.id not in flow.locals
