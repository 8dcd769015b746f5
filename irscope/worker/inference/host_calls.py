"""What calls in host code give: torch's functions by name, the package's own by reading them."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from ..jitted import dotted
from .host_functions import HostFunction
from .host_values import KEPT, LIKE, TORCH, UNKNOWN, Passed

if TYPE_CHECKING:
    from .host_reading import Reading


def call(reading: Reading, node: ast.Call, function: HostFunction, line: int) -> Passed:
    name = dotted(node.func)
    owner, _, last = name.rpartition(".")
    if not name and isinstance(node.func, ast.Attribute):
        owner, last = "?", node.func.attr
    own = own_function(reading, name, function)
    if own is not None:
        found = reading.returned(own, function, node)
        if found.is_known or last not in KEPT:
            return found
    if last == "item" and isinstance(node.func, ast.Attribute):
        return number(reading.value(node.func.value, function, line))
    if last == "stride" and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
        return stride(reading.value(node.func.value, function, line), node.args[0])
    if last in TORCH["numbers"] and (not owner or last not in TORCH["cast"]):
        return Passed(TORCH["numbers"][last])
    is_torch = owner.partition(".")[0] in ("torch", "F", "nn", "einops") or not owner
    if is_torch and last in TORCH["made"]:
        value = Passed("tensor", TORCH["made"][last], rank=rank_of(node.args))
        return made(reading, node, value, function, line, owner)
    subject = node.args[-1 if last == "where" else 0] if is_torch and node.args else None
    if owner and not is_torch and isinstance(node.func, ast.Attribute):
        subject = node.func.value
    if subject is None:
        return UNKNOWN
    if last in KEPT or last in LIKE:
        if isinstance(subject, ast.List | ast.Tuple) and subject.elts:
            subject = subject.elts[0]
        value = replace(reading.value(subject, function, line), items=())
        if value.kind == "type":
            return UNKNOWN
        rank = rank_of(node.args) if last.startswith("new_") else value.rank if last in TORCH["same_shape"] else None
        value = replace(value, kind=value.kind if value.kind == "none" else "tensor", rank=rank)
        if last in ("sum", "cumsum", "prod") and (value.type or "f").startswith(("i", "u")):
            value = replace(value, type="i64")
        return made(reading, node, value, function, line, owner) if last in LIKE else value
    if last in TORCH["cast"] and not is_torch:
        return Passed("tensor", TORCH["cast"][last], evidence=function.line_of(node))
    return UNKNOWN


def stride(value: Passed, axis: ast.expr) -> Passed:
    """That of the last dimension is taken to be one."""
    try:
        number = ast.literal_eval(axis)
    except ValueError:
        return Passed("integer")
    is_last = number == -1 or (value.rank is not None and number == value.rank - 1)
    return Passed("integer", value=1) if is_last else Passed("integer")


def number(value: Passed) -> Passed:
    """What ``x.item()`` is."""
    if value.type is None:
        return UNKNOWN
    return Passed("floating" if value.type.startswith(("fp", "bf")) else "integer")


def made(reading: Reading, node: ast.Call, value: Passed, function: HostFunction, line: int, owner: str) -> Passed:
    """A tensor of the type that is asked for, or of that of ``value``."""
    named = next((each.value for each in node.keywords if each.arg == "dtype"), None)
    asked = reading.value(named, function, line) if named is not None else UNKNOWN
    if named is None and owner:
        for argument in node.args[:2]:
            one = reading.value(argument, function, line)
            is_to = isinstance(node.func, ast.Attribute) and node.func.attr == "to"
            if one.kind == "type" or (one.kind == "tensor" and is_to) or "dtype" in ast.unparse(argument).lower():
                named, asked = argument, one
    if named is None or asked.kind == "none":
        is_open = any(keyword.arg is None for keyword in node.keywords)
        return replace(value, type=None if is_open else value.type, evidence=function.line_of(node))
    return Passed("tensor", asked.type, asked.like, function.line_of(node), rank=value.rank)


def rank_of(shape: list[ast.expr]) -> int | None:
    """Of ``empty((a, b))`` and ``empty(a, b)``; of one name nothing is known: it may be a shape."""
    sizes = shape[0].elts if shape and isinstance(shape[0], ast.Tuple | ast.List) else shape
    is_plain = sizes is not shape or len(sizes) > 1
    return len(sizes) if is_plain and not any(isinstance(each, ast.Starred) for each in sizes) else None


def own_function(reading: Reading, name: str, function: HostFunction) -> HostFunction | None:
    owner, _, last = name.rpartition(".")
    file = function.file
    if last == "apply" and owner:
        return file.function("forward", owner)
    if owner == "self" and function.owner:
        return file.function(last, function.owner)
    if owner or not last:
        return None
    found = file.function(last) or reading.files.imported(file, last)
    return found if found is not None and not isinstance(found.node, ast.Module) else None
