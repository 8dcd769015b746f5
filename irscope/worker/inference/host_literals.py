"""Numbers, flags and texts that host code passes for constexprs, where it has them as they are written."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from .host_functions import Assigned, HostFunction, argument_of
from .host_values import MISSING

if TYPE_CHECKING:
    from .host_reading import Reading

#: How far a value is followed, and how much is read for one kernel.
MAX_DEPTH, MAX_STEPS = 60, 6000
END = sys.maxsize


def literal(reading: Reading, node: ast.expr, function: HostFunction, line: int) -> object:
    """A number, a flag or a text, as the call that is followed says, or else as a default does; or `MISSING`."""
    reading.steps += 1
    if reading.steps > MAX_STEPS or reading.depth > MAX_DEPTH:
        return MISSING
    reading.depth += 1
    found = written(reading, node, function, line)
    reading.depth -= 1
    return found


def written(reading: Reading, node: ast.expr, function: HostFunction, line: int) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        inner = literal(reading, node.operand, function, line)
        if isinstance(node.op, ast.Not):
            return not inner if isinstance(inner, bool) else MISSING
        return -inner if isinstance(node.op, ast.USub) and isinstance(inner, int | float) else MISSING
    if isinstance(node, ast.IfExp):
        chosen = truth(reading, node.test, function, line)
        return MISSING if chosen is None else literal(reading, node.body if chosen else node.orelse, function, line)
    if isinstance(node, ast.Name):
        return literal_name(reading, node.id, function, line)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return compared(reading, node, function, line)
    return MISSING


def literal_name(reading: Reading, name: str, function: HostFunction, line: int) -> object:
    entries = function.assigned.get(name, ())
    if entries:
        return literal_assigned(reading, [each for each in entries if each.line < line], function)
    frame = reading.frame_of(function)
    given = argument_of(name, function, frame[2]) if frame is not None else None
    if frame is not None and given is not None:
        return literal(reading, given, frame[1], frame[2].lineno)
    default = function.default_of(name)
    if default is not None:
        return default.value if isinstance(default, ast.Constant) else MISSING
    if function.around is not None and not any(each.arg == name for each in function.parameters()):
        return literal_name(reading, name, function.around, END)
    return MISSING


def literal_assigned(reading: Reading, entries: list[Assigned], function: HostFunction) -> object:
    """The last that is reached; of several that may be, what all of them are, or else the first size."""
    found: list[object] = []
    for entry in reversed(entries):
        holds = reading.all_hold(entry, function)
        if holds is not False:
            found.append(MISSING if entry.items else literal(reading, entry.value, function, entry.line))
        if holds:
            break
    if any(each is MISSING or isinstance(each, bool) or each != found[0] for each in found[1:]):
        return found[-1] if all(type(each) is int for each in found) else MISSING
    return found[0] if found else MISSING


def compared(reading: Reading, node: ast.Compare, function: HostFunction, line: int) -> object:
    left, right = node.left, node.comparators[0]
    equal = isinstance(node.ops[0], ast.Is | ast.Eq)
    if is_none(right):
        value = reading.value(left, function, line)
        absent = True if value.kind == "none" else False if value.is_present else None
        return MISSING if absent is None else absent is equal
    values = literal(reading, left, function, line), literal(reading, right, function, line)
    if MISSING in values or not isinstance(node.ops[0], ast.Is | ast.Eq | ast.IsNot | ast.NotEq):
        return MISSING
    return (values[0] == values[1]) is equal


def truth(reading: Reading, test: ast.expr, function: HostFunction, line: int) -> bool | None:
    found = literal(reading, test, function, line)
    return found if isinstance(found, bool) else None


def is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
