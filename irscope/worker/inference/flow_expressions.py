"""What Python's expressions stand for, for `flow`."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import elements
from .flow_calls import call
from .flow_values import NONE, NOTHING, Known, Value, computed, merged, of_python, promoted, truth, union
from .python_operators import BINARY, COMPARE, UNARY

if TYPE_CHECKING:
    from .flow import FunctionFlow

INTEGER_OPERATORS = (ast.FloorDiv, ast.Mod, ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.BitXor)


def name(flow: FunctionFlow, node: ast.Name) -> Value:
    if node.id in flow.locals:
        value = flow.locals[node.id]
        if value.itself is not None:
            flow.usage.of(value.itself).seen = True
        return value
    names = flow.function.fn.__globals__
    if node.id not in names:
        return NOTHING
    helper = flow.reading.resolve(flow.function, node.id) if callable(names[node.id]) else None
    return Value(function=helper, static=True) if helper is not None else of_python(names[node.id])


def constant(flow: FunctionFlow, node: ast.Constant) -> Value:
    return of_python(node.value)


def sequence(flow: FunctionFlow, node: ast.Tuple | ast.List) -> Value:
    items = tuple(flow.read(element) for element in node.elts)
    return replace(union(items), items=items)


def subscript(flow: FunctionFlow, node: ast.Subscript) -> Value:
    owner = flow.read(node.value)
    if owner.items and not isinstance(node.slice, ast.Slice):
        number = flow.read(node.slice).known
        if (
            number is not None
            and isinstance(number.value, int)
            and -len(owner.items) <= number.value < len(owner.items)
        ):
            return owner.items[number.value]
        return merged(list(owner.items))
    axes = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
    if any(isinstance(axis, ast.Constant) and axis.value is None for axis in axes):
        flow.usage.two_dimensional = True
    return replace(owner, block=True, itself=None)


def attribute(flow: FunctionFlow, node: ast.Attribute) -> Value:
    if node.attr in ("dtype", "element_ty", "type", "scalar"):
        owner = flow.read(node.value)
        if owner.names_type is not None:
            return owner
        if owner.known is None and (owner.leaf or owner.dtype is not None):
            # An address's type is that of what it points to: ``x_ptr.dtype.element_ty``.
            return Value(static=True, names_type=elements.of(owner.leaf) if owner.leaf else owner.dtype)
        return Value(static=True)
    if node.attr == "shape":
        flow.read(node.value)
        return Value(static=True)
    found = global_attribute(flow, node)
    if found is not None:
        return found
    owner = flow.read(node.value)
    if owner.aggregate is not None:
        return dict(owner.fields).get(node.attr, NOTHING)
    return owner if node.attr in ("T", "value") else union([owner])


def global_attribute(flow: FunctionFlow, node: ast.Attribute) -> Value | None:
    head: ast.expr = node
    while isinstance(head, ast.Attribute):
        head = head.value
    if not isinstance(head, ast.Name) or head.id in flow.locals or head.id not in flow.function.fn.__globals__:
        return None
    value = flow.function.fn.__globals__[head.id]
    for attribute in ast.unparse(node).split(".")[1:]:
        value = getattr(value, attribute, None)
    if hasattr(value, "params"):
        helper = flow.reading.resolve(flow.function, ast.unparse(node))
        return Value(function=helper, static=True)
    return of_python(value)


def unary(flow: FunctionFlow, node: ast.UnaryOp) -> Value:
    value = flow.read(node.operand)
    if value.known is not None:
        return computed(UNARY[type(node.op)], value)
    if isinstance(node.op, ast.Not):
        flow.conditional(node.operand, value)
        return Value(static=value.static, parameters=value.parameters if value.static else NONE)
    if isinstance(node.op, ast.Invert):
        flow.noted(node, "mask", "a condition in", value.loaded)
        return replace(value, leaf=None, itself=None)
    return replace(value, leaf=None, itself=None)


def binary(flow: FunctionFlow, node: ast.BinOp) -> Value:
    left, right = flow.read(node.left), flow.read(node.right)
    if left.known is not None and right.known is not None and type(node.op) in BINARY:
        return computed(BINARY[type(node.op)], left, right)
    if left.items and right.items and isinstance(node.op, ast.Add):
        return replace(union([left, right]), items=left.items + right.items)
    both = replace(union([left, right]), dtype=promoted([left, right]))
    flow.touched(node, left, right)
    if isinstance(node.op, ast.Add | ast.Sub):
        if left.address or right.address:
            flow.integer(node, *(value for value in (left, right) if not value.address))
            return Value(block=both.block, address=True)
        flow.mixed(node, left, right)
        if both.leaf and not (left.loaded or right.loaded):
            return replace(both, others=(left if left.leaf else right).others)
        return replace(both, leaf=left.leaf, others=left.others)
    both = replace(both, leaf=None, consecutive=both.consecutive and not isinstance(node.op, ast.Mult | ast.FloorDiv))
    if isinstance(node.op, INTEGER_OPERATORS):
        if isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor):
            bitwise(flow, node, left, right)
        else:
            flow.integer(node, left, right)
            if isinstance(node.op, ast.LShift | ast.RShift):
                flow.constrain(node, "integer", "bits of it in", left.dtype)
                flow.noted(node, "bit_fields", "bits of it in", left.loaded)
                flow.noted(node, "shift", "bits are shifted by it in", right.parameters if right.static else ())
                if right.known is not None and right.known.value == 4:
                    flow.noted(node, "nibbles", "four bits of it in", left.loaded)
            elif both.floating:
                return both
        return replace(both, index=both.index or not both.floating)
    flow.mixed(node, left, right)
    if right.block:
        both = replace(both, terms=NONE if left.block else right.terms)
    elif left.block:
        both = replace(both, terms=left.terms)
    if isinstance(node.op, ast.Mult):
        for one, other in ((left, right), (right, left)):
            if one.static and other.index and len(one.parameters) == 1:
                both = replace(both, steps=(*one.parameters, *both.steps))
    if isinstance(node.op, ast.Div):
        return replace(both, floating=True, index=False, dtype=elements.wrapped("divided", both.dtype))
    return both


def bitwise(flow: FunctionFlow, node: ast.BinOp, left: Value, right: Value) -> None:
    for value, other in ((left, right), (right, left)):
        if value.loaded and not value.floating:
            if type(other.known.value if other.known else None) is int or other.index:
                flow.noted(node, "bit_fields", "bits of it in", value.loaded)
                flow.noted(node, "integer_elements", "its elements are integers in", value.loaded)
                if other.known is not None and other.known.value == 15 and isinstance(node.left, ast.Name):
                    flow.noted(node, "nibbles", "four bits of it in", value.loaded)
            else:
                flow.noted(node, "mask", "a condition in", value.loaded)
        flow.constrain(node, "integer", "bits of it in", value.dtype)


def comparison(flow: FunctionFlow, node: ast.Compare) -> Value:
    values = [flow.read(node.left), *(flow.read(comparator) for comparator in node.comparators)]
    left, right = values[0], values[1]
    operator = node.ops[0]
    if len(values) == 2 and all(value.known is not None or (value.items and value.static) for value in values):
        found = computed(COMPARE[type(operator)], *values)
        if found.known is not None:
            return found
    identity = isinstance(operator, ast.Is | ast.IsNot)
    tests_none = right.known is not None and right.known.value is None
    if tests_none and len(values) == 2:
        if left.itself:
            flow.noted(node, "optional", "None is asked for in", [left.itself])
            flow.usage.undecided = True
            return Value(static=True, parameters=frozenset({left.itself}))
        if left.leaf or left.loaded or left.index:
            return Value(static=True, known=Known(isinstance(operator, ast.IsNot | ast.NotEq)))
    if not identity:
        for one, other in itertools.pairwise(values):
            compare(flow, node, one, other)
            compare(flow, node, other, one)
            flow.mixed(node, one, other)
    if all(value.static for value in values):
        return Value(static=True, parameters=NONE.union(*(value.parameters for value in values)))
    return Value(block=any(value.block for value in values), dtype=elements.one("i1"))


def compare(flow: FunctionFlow, node: ast.Compare, value: Value, other: Value) -> None:
    """A constexpr is compared with a constant: that is one of the values that it is meant to have."""
    if not value.itself or not value.static or value.known is not None:
        return
    choices = [item.known for item in other.items] if other.items else [other.known]
    evidence = flow.note(node, "compared in")
    if other.names_type is not None:
        flow.noted(node, "as_type", "a type in", [value.itself])
    flow.usage.of(value.itself).compared += [(choice.value, evidence) for choice in choices if choice is not None]


def logical(flow: FunctionFlow, node: ast.BoolOp) -> Value:
    decides = isinstance(node.op, ast.Or)
    present = flow.reading.present
    certain, static = True, True
    parameters = names = NONE
    for part in node.values:
        value = flow.read(part)
        if value.known is None:
            certain = False
            flow.conditional(part, value)
            static = static and value.static
            parameters |= value.parameters if value.static else NONE
        else:
            names |= value.known.names
            if truth(value) == decides:
                flow.reading.present = present
                return Value(static=True, known=Known(decides, names))
        there, absent = present_in(part)
        flow.reading.present |= flow.parameters_of(absent if decides else there)
    flow.reading.present = present
    if certain:
        return Value(static=True, known=Known(not decides, names))
    return Value(static=static, parameters=parameters, dtype=elements.one("i1"))


def choice(flow: FunctionFlow, node: ast.IfExp) -> Value:
    decided = flow.tested(node.test)
    if decided is not None:
        return flow.read(node.body if decided else node.orelse)
    body, other = flow.read(node.body), flow.read(node.orelse)
    if not (body.leaf or other.leaf or (body.static and other.static)):
        flow.constrain(node, "same", "of one type in", body.dtype, other.dtype)
    return merged([body, other])


def anonymous(flow: FunctionFlow, node: ast.Lambda) -> Value:
    return Value(function=node, static=True)


def present_in(test: ast.expr) -> tuple[list[str], list[str]]:
    """Names that are not ``None`` where the test holds, and where it does not."""
    if isinstance(test, ast.BoolOp):
        parts = [present_in(value) for value in test.values]
        both = [name for there, _ in parts for name in there], [name for _, absent in parts for name in absent]
        return (both[0], []) if isinstance(test.op, ast.And) else ([], both[1])
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        there, absent = present_in(test.operand)
        return absent, there
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and len(test.ops) == 1:
        right = test.comparators[0]
        if isinstance(right, ast.Constant) and right.value is None:
            if isinstance(test.ops[0], ast.IsNot | ast.NotEq):
                return [test.left.id], []
            return [], [test.left.id]
    return [], []


EXPRESSIONS: dict[type[ast.expr], Callable[[FunctionFlow, Any], Value]] = {
    ast.Name: name, ast.Constant: constant, ast.Tuple: sequence, ast.List: sequence, ast.Subscript: subscript,
    ast.Attribute: attribute, ast.UnaryOp: unary, ast.BinOp: binary, ast.Compare: comparison, ast.BoolOp: logical,
    ast.IfExp: choice, ast.Lambda: anonymous, ast.Call: call,
}  # fmt: skip
