"""Values of the host's expressions, worked out where they are asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from ..jitted import dotted, walk
from .host_calls import call
from .host_files import HostFiles
from .host_functions import Assigned, HostFunction, argument_of, fits
from .host_literals import MAX_DEPTH, MAX_STEPS, is_none, truth
from .host_values import TORCH, UNKNOWN, Passed, constant, either, name_of

MAX_CALLERS = 6


class Reading:
    def __init__(self, files: HostFiles) -> None:
        self.files = files
        self.steps = 0
        self.depth = 0
        #: Parameters, and functions, that are being worked out.
        self.open: set[tuple[str, str]] = set()
        self.known: dict[tuple[object, ...], Passed] = {}
        self.called: dict[int, list[tuple[HostFunction, ast.Call]]] = {}
        #: Calls that are followed into a function: its parameters are what these give.
        self.frames: list[tuple[HostFunction, HostFunction, ast.Call]] = []

    def value(self, node: ast.expr | None, function: HostFunction, line: int) -> Passed:
        self.steps += 1
        if node is None or self.steps > MAX_STEPS or self.depth > MAX_DEPTH:
            return UNKNOWN
        self.depth += 1
        found = self.read(node, function, line)
        self.depth -= 1
        return found

    def read(self, node: ast.expr, function: HostFunction, line: int) -> Passed:
        if isinstance(node, ast.Constant):
            return constant(node.value)
        if isinstance(node, ast.Name):
            return self.name(node.id, function, line)
        if isinstance(node, ast.Tuple | ast.List):
            return Passed(items=tuple(self.value(each, function, line) for each in node.elts))
        if isinstance(node, ast.IfExp):
            chosen = truth(self, node.test, function, line)
            if chosen is not None:
                return self.value(node.body if chosen else node.orelse, function, line)
            return either([self.value(node.body, function, line), self.value(node.orelse, function, line)], equal=True)
        if isinstance(node, ast.BoolOp):
            return either([self.value(each, function, line) for each in node.values])
        if isinstance(node, ast.BinOp):
            return self.arithmetic(node, function, line)
        if isinstance(node, ast.UnaryOp):
            return replace(self.value(node.operand, function, line), evidence=None)
        if isinstance(node, ast.Compare):
            left = self.value(node.left, function, line)
            return Passed("integer") if left.kind in ("integer", "floating") else Passed(left.kind and "tensor", "i1")
        if isinstance(node, ast.Attribute):
            return self.attribute(node, function, line)
        if isinstance(node, ast.Subscript):
            return self.item(node, function, line)
        return call(self, node, function, line) if isinstance(node, ast.Call) else UNKNOWN

    # Names

    def frame_of(self, function: HostFunction) -> tuple[HostFunction, HostFunction, ast.Call] | None:
        return next((frame for frame in reversed(self.frames) if frame[0] is function), None)

    def name(self, name: str, function: HostFunction, line: int) -> Passed:
        scope: HostFunction | None = function
        while scope is not None:
            before = [each for each in scope.assigned.get(name, ()) if scope is not function or each.line < line]
            is_parameter = any(each.arg == name for each in scope.parameters())
            if before or is_parameter:
                return self.bound(name, scope, before, is_parameter)
            scope = scope.around
        return self.outside(name, function)

    def outside(self, name: str, function: HostFunction) -> Passed:
        """A name of the module's, or one that it imports."""
        for module in function.file.parsed("")[:1]:
            if name in module.assigned and function is not module:
                return self.bound(name, module, module.assigned[name], False)
        original = function.file.imports().get(name, ("", 0, name))[2]
        there = self.files.imported(function.file, name)
        if there is None or not isinstance(there.node, ast.Module):
            return UNKNOWN
        return self.bound(original, there, there.assigned[original], False)

    def bound(self, name: str, function: HostFunction, before: list[Assigned], is_parameter: bool) -> Passed:
        frame = self.frame_of(function)
        key = id(function), name, len(before), id(frame[2]) if frame else None
        if key not in self.known:
            self.known[key] = UNKNOWN
            found: list[Passed] = []
            for entry in reversed(before[-6:]):
                holds = self.all_hold(entry, function)
                if holds is not False:
                    found.append(self.assigned(entry, function))
                if holds and found[-1].is_known:
                    break
            else:
                if is_parameter:
                    found.append(self.parameter(name, function))
            self.known[key] = self.with_assertions(name, either(found) if found else UNKNOWN, function)
        return self.known[key]

    def all_hold(self, entry: Assigned, function: HostFunction) -> bool | None:
        """Whether an assignment is reached; ``None`` where that is not known."""
        certain = True
        for test, wanted in entry.guards:
            found = truth(self, test, function, entry.line)
            if found is not None and found is not wanted:
                return False
            certain = certain and found is not None
        return True if certain else None

    def assigned(self, entry: Assigned, function: HostFunction) -> Passed:
        value, items = entry.value, entry.items
        if items and isinstance(value, ast.Attribute) and value.attr in ("saved_tensors", "saved_variables"):
            return self.saved(function, items[0])
        found = self.value(value, function, entry.line)
        for number in items:
            if found.items:
                found = found.items[number] if number < len(found.items) else UNKNOWN
            elif found.kind != "tensor":
                return UNKNOWN
        return found

    def saved(self, function: HostFunction, number: int) -> Passed:
        """An item of ``ctx.saved_tensors``: what the forward function of the class gave for it."""
        for name in ("forward", "setup_context"):
            saver = function.file.function(name, function.owner) if function.owner else None
            for word, each in saver.calls if saver is not None else ():
                if word == "save_for_backward" and saver is not None:
                    first = each.args[: number + 1]
                    if len(first) <= number or any(isinstance(argument, ast.Starred) for argument in first):
                        return UNKNOWN
                    return self.value(first[number], saver, each.lineno)
        return UNKNOWN

    # Parameters

    def parameter(self, name: str, function: HostFunction) -> Passed:
        own, default = self.as_declared(name, function), function.default_of(name)
        key = function.name, name
        if key in self.open:
            return own
        self.open.add(key)
        if function.owner and key[0].endswith(".backward"):
            own = self.gradient(name, function, own)
        frame = self.frame_of(function)
        callers = [frame[1:]] if frame is not None else self.callers(function)
        given = [self.argument(name, function, caller, each) for caller, each in callers]
        self.open.discard(key)
        found = [each for each in given if each.is_known]
        if not found:
            return self.by_default(own, default, function)
        best = either(found)
        if best.kind == "none" and (default is not None or own.optional):
            return replace(own, kind="none")
        return replace(best, kind=best.kind or own.kind, type=best.type or own.type, like=best.like or own.like)

    def gradient(self, name: str, function: HostFunction, own: Passed) -> Passed:
        """What the backward function of an autograd function gets for what the forward one returned."""
        forward = function.file.function("forward", function.owner)
        names = function.positional()
        if forward is None or not forward.returned or name not in names:
            return own
        given = self.value(forward.returned[-1], forward, forward.returned[-1].lineno)
        number = names.index(name)
        result = given.items[number] if number < len(given.items) else given if not number else UNKNOWN
        return replace(own, kind="tensor" if result.kind is None else result.kind, optional=result.optional)

    def as_declared(self, name: str, function: HostFunction) -> Passed:
        """What the annotation says."""
        own = Passed(like=f"{function.name}.{name}")
        node = next((each.annotation for each in function.parameters() if each.arg == name), None)
        if (said := annotated(node)) is not None:
            own = replace(own, kind=said.kind, type=said.type, optional=said.optional)
        return own

    def by_default(self, own: Passed, default: ast.expr | None, function: HostFunction) -> Passed:
        there = self.value(default, function, 0) if default is not None else UNKNOWN
        if there.kind == "none":
            return replace(own, optional=True)
        if there.kind == "type":
            return there
        if there.kind in ("integer", "floating") and own.kind in (None, there.kind):
            return replace(own, kind=there.kind)
        return own

    def callers(self, function: HostFunction) -> list[tuple[HostFunction, ast.Call]]:
        if isinstance(function.node, ast.Module):
            return []
        own = function.node.name
        name = function.owner if function.owner and own == "forward" else own
        key = id(function)
        if key not in self.called:
            self.called[key] = list(self.all_callers(name or own, function))
        return self.called[key]

    def all_callers(self, name: str, function: HostFunction) -> Iterator[tuple[HostFunction, ast.Call]]:
        """In the function's own file, or else in those beside it."""
        for files in ([function.file], self.files.siblings() if function.file.path == self.files.path else ()):
            every = (each for file in files for each in file.callers(name))
            found = [each for each in every if each[0] is not function and fits(each[1], function)]
            if found:
                yield from found[:MAX_CALLERS]
                return

    def argument(self, name: str, function: HostFunction, caller: HostFunction, node: ast.Call) -> Passed:
        given = argument_of(name, function, node)
        if given is not None:
            return self.value(given, caller, node.lineno)
        default = function.default_of(name)
        is_open = any(keyword.arg is None for keyword in node.keywords) or any(
            isinstance(each, ast.Starred) for each in node.args
        )
        return UNKNOWN if default is None or is_open else self.value(default, function, 0)

    def returned(self, function: HostFunction, caller: HostFunction, node: ast.Call) -> Passed:
        """What a call of a function gives."""
        key = function.name, ""
        if key in self.open or not function.returned:
            return UNKNOWN
        self.open.add(key)
        self.frames.append((function, caller, node))
        found = [self.value(each, function, each.lineno) for each in function.returned[-3:]]
        self.frames.pop()
        self.open.discard(key)
        return either(found[::-1])

    def with_assertions(self, name: str, value: Passed, function: HostFunction) -> Passed:
        """``assert x.dtype == torch.float16`` and the like."""
        if value.type is not None:
            return value
        for test in function.asserted:
            for node in walk(test):
                if (
                    isinstance(node, ast.Compare)
                    and isinstance(node.ops[0], ast.Eq | ast.In)
                    and dotted(node.left) == f"{name}.dtype"
                ):
                    asked = self.value(node.comparators[0], function, node.lineno)
                    first = asked.items[0] if asked.items else asked
                    if first.kind == "type" and first.type is not None:
                        return replace(value, kind="tensor", type=first.type, evidence=function.line_of(test))
        return value

    # Expressions

    def attribute(self, node: ast.Attribute, function: HostFunction, line: int) -> Passed:
        name = dotted(node)
        head, _, last = name.rpartition(".")
        if head == "torch" and last in TORCH["types"]:
            return Passed("type", TORCH["types"][last])
        if node.attr == "dtype":
            owner = self.value(node.value, function, line)
            return Passed("type", owner.type, owner.like)
        if node.attr in ("T", "mT", "data", "H"):
            return self.value(node.value, function, line)
        if node.attr in ("ndim", "itemsize"):
            return Passed("integer")
        if head in ("self", "ctx") and function.owner:
            for method in function.file.parsed(function.owner):
                if method.owner == function.owner:
                    for entry in reversed(method.assigned.get(name, ())):
                        return self.assigned(entry, method)
        return UNKNOWN

    def item(self, node: ast.Subscript, function: HostFunction, line: int) -> Passed:
        if isinstance(node.value, ast.Attribute) and node.value.attr in ("shape", "strides"):
            return Passed("integer")
        owner = self.value(node.value, function, line)
        if owner.items:
            number = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if isinstance(number, int) and -len(owner.items) <= number < len(owner.items):
                return owner.items[number]
            return UNKNOWN
        return owner if owner.kind in ("tensor", None) else UNKNOWN

    def arithmetic(self, node: ast.BinOp, function: HostFunction, line: int) -> Passed:
        sides = [self.value(node.left, function, line), self.value(node.right, function, line)]
        tensors = [each for each in sides if each.kind == "tensor" or each.like]
        if tensors:
            return replace(tensors[0], evidence=None)
        kinds = [each.kind for each in sides]
        if "floating" in kinds or isinstance(node.op, ast.Div):
            return Passed("floating")
        return Passed("integer") if kinds == ["integer", "integer"] else UNKNOWN


NUMBERS = {"float": "floating", "int": "integer", "bool": "integer"}


def annotated(node: ast.expr | None) -> Passed | None:
    words = [name_of(each) for each in walk(node)] if node is not None else []
    optional = "Optional" in words or (node is not None and any(map(is_none, walk(node))))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        words = [node.value.rpartition(".")[2]]
    for word in words:
        if word in TORCH["tensors"]:
            kind = "tensor" if not NUMBERS.keys() & words else None
            return Passed(kind, TORCH["tensors"][word], optional=optional)
    number = next((NUMBERS[word] for word in NUMBERS if word in words), None)
    return Passed(number, optional=optional) if number or optional else None
