"""A data-flow reading of a kernel's Python: every expression stands for a `Value`, and its uses are noted.

Statements in the order in which they run, loops twice at most, both ways of an `if` unless constexprs decide it.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..loading import definition_line
from . import elements
from .elements import Constraint, Dtype
from .flow_calls import made_of
from .flow_expressions import EXPRESSIONS, present_in
from .flow_values import NONE, NOTHING, Known, Value, is_aggregate, merged, of_python, union
from .python_operators import called_name
from .usage import Usage

MAX_DEPTH = 12
#: Loops within loops that are read twice.
MAX_LOOPS = 2
#: Expressions that one reading looks at before it gives up, with what it has.
MAX_STEPS = 60_000


def usage_of(function: Any, resolve: Callable[[Any, str], Any], constants: Mapping[str, Any] | None = None) -> Usage:
    """Read a jit function; ``resolve(function, name)`` gives the jit function that a name in it means.

    ``constants`` are values of parameters: what they rule out is not read.
    """
    usage = Usage()
    known = constants or {}
    arguments = {}
    for parameter in function.params:
        name = parameter.name
        names = frozenset({name})
        if name in known:
            value = replace(of_python(known[name]), known=Known(known[name], names))
        elif parameter.is_constexpr:
            value = Value(static=True, dtype=elements.NUMBER)
        else:
            value = Value(dtype=elements.of(name))
        arguments[name] = replace(value, leaf=name, parameters=names, itself=name)
    Reading(usage, resolve).call(function, arguments)
    return usage


class OutOfSteps(Exception):
    """The kernel is too long."""


class Reading:
    """What all functions of one reading share."""

    def __init__(self, usage: Usage, resolve: Callable[[Any, str], Any]) -> None:
        self.usage = usage
        self.resolve = resolve
        self.steps = 0
        self.loops = 0
        self.definitions: dict[int, Any] = {}
        self.answers: dict[Any, Value] = {}
        #: Parameters that are not ``None`` here, as a test around it says.
        self.present: frozenset[str] = NONE

    def call(self, function: Any, arguments: Mapping[str, Value]) -> None:
        with contextlib.suppress(OutOfSteps, RecursionError):
            FunctionFlow(self, function, 0).call(arguments)

    def definition(self, function: Any) -> Any:
        if id(function) not in self.definitions:
            self.definitions[id(function)] = function.parse().body[0], definition_line(function) - 1
        return self.definitions[id(function)]


class FunctionFlow:
    """Reads the body of one function with its arguments bound."""

    def __init__(self, reading: Reading, function: Any, depth: int) -> None:
        self.reading = reading
        self.usage = reading.usage
        self.function = function
        self.depth = depth
        self.locals: dict[str, Value] = {}
        self.returned: list[Value] = []

    def call(self, arguments: Mapping[str, Value]) -> Value:
        self.locals = dict(arguments)
        definition, self.above = self.reading.definition(self.function)
        self.body(definition.body)
        return self.returned[0] if len(self.returned) == 1 else merged(self.returned)

    # Facts

    def note(self, node: ast.AST, what: str) -> str:
        line = self.above + getattr(node, "lineno", 1)
        text, _, _ = ast.unparse(node).partition("\n")
        return f"{what} line {line}: {text[:60]}"

    def noted(self, node: ast.AST, fact: str, what: str, names: Iterable[str]) -> None:
        for name in names:
            use = self.usage.of(name)
            if getattr(use, fact) is None:
                setattr(use, fact, self.note(node, what))

    def integer(self, node: ast.AST, *values: Value) -> None:
        for value in values:
            self.noted(node, "integer", "an integer in", value.parameters)
            self.noted(node, "integer_elements", "its elements are integers in", value.loaded)

    def floating(self, node: ast.AST, *values: Value) -> None:
        for value in values:
            self.noted(node, "floating", "a float in", value.parameters)
            self.noted(node, "float_elements", "its elements are floats in", value.loaded)

    def constrain(self, node: ast.AST, kind: str, what: str, *types: Dtype) -> None:
        if None not in types and all(types):
            self.usage.constraints.append(Constraint(kind, types, self.note(node, what)))

    def address(self, node: ast.AST, value: Value) -> Value:
        """``value`` is loaded from or stored to: its leaf is a pointer, what is added to it integers."""
        pointers = [value.leaf, *sorted(value.others)] if value.leaf else []
        self.noted(node, "pointer", "an address in", pointers)
        if pointers:
            self.touched(node, value)
        for other in pointers[1:]:
            self.constrain(node, "same", "chosen among in", elements.of(pointers[0]), elements.of(other))
        offsets = replace(value, parameters=value.parameters - set(pointers))
        self.integer(node, offsets)
        self.noted(node, "offset", "an offset in", offsets.parameters)
        if not value.leaf:
            return Value(block=value.block)
        if value.consecutive:
            for name in offsets.parameters:
                self.usage.of(name).outer = True
        cast = self.usage.of(value.leaf).cast
        return Value(
            loaded=frozenset(pointers),
            terms=frozenset(pointers),
            block=value.block,
            dtype=elements.one(cast[0]) if cast else elements.of(value.leaf),
        )

    def touched(self, node: ast.AST, *values: Value) -> None:
        for value in values:
            if value.itself and value.itself not in self.reading.present:
                self.noted(node, "touched", "used in", [value.itself])

    def mixed(self, node: ast.AST, left: Value, right: Value) -> None:
        """Operands of arithmetic or a comparison lend each other their kind."""
        for one, other in ((left, right), (right, left)):
            if one.index and not one.loaded and not one.floating:
                if isinstance(node, ast.Compare):
                    self.integer(node, other)
                elif not other.loaded:
                    self.integer(node, replace(other, loaded=NONE))
            elif one.floating:
                self.floating(node, other)
            elif one.loaded and not one.parameters:
                for name in other.parameters if not other.index else ():
                    for pointer in one.loaded:
                        self.usage.alike.append((name, pointer, self.note(node, "with its elements in")))

    # Statements

    def body(self, statements: list[ast.stmt]) -> bool:
        """Whether the function has returned for certain."""
        return any(self.statement(statement) for statement in statements)

    def statement(self, node: ast.stmt) -> bool:
        if isinstance(node, ast.Assign):
            value = self.read(node.value)
            if value.known is not None and isinstance(value.known.value, bool):
                # Triton makes a tensor of it: what is tested with it is compiled either way.
                value = Value(dtype=elements.one("i1"))
            for target in node.targets:
                self.assign(target, value)
        elif isinstance(node, ast.AugAssign):
            self.assign(node.target, self.augmented(node))
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self.assign(node.target, self.read(node.value))
        elif isinstance(node, ast.Expr):
            self.read(node.value)
        elif isinstance(node, ast.If):
            return self.branch(node)
        elif isinstance(node, ast.For):
            self.loop(node)
        elif isinstance(node, ast.While):
            self.repeated(node, lambda: self.tested(node.test))
        elif isinstance(node, ast.Return):
            if node.value is not None:
                self.returned.append(self.read(node.value))
            return True
        elif isinstance(node, ast.With):
            for item in node.items:
                self.read(item.context_expr)
            return self.body(node.body)
        elif isinstance(node, ast.Assert):
            self.read(node.test)
        return False

    def assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.locals[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            items = value.items if len(value.items) == len(target.elts) else (value,) * len(target.elts)
            for element, item in zip(target.elts, items, strict=True):
                self.assign(element, item)

    def augmented(self, node: ast.AugAssign) -> Value:
        combined = ast.copy_location(ast.BinOp(left=node.target, op=node.op, right=node.value), node)
        before = self.locals.get(node.target.id, NOTHING) if isinstance(node.target, ast.Name) else NOTHING
        if before.itself is None or before.static or not isinstance(node.op, ast.Add):
            return self.read(combined)
        use = self.usage.of(before.itself)
        integer = use.integer
        value = self.read(combined)
        # Addresses are moved on like this, and numbers counted up: what follows tells which.
        use.integer = integer
        self.noted(node, "moved", "moved on in", [before.itself])
        return value

    def branch(self, node: ast.If) -> bool:
        decided = self.tested(node.test)
        if decided is not None:
            return self.body(node.body if decided else node.orelse)
        before, present = dict(self.locals), self.reading.present
        there, absent = present_in(node.test)
        self.reading.present = present | self.parameters_of(there)
        first = self.body(node.body)
        taken, self.locals = self.locals, before
        self.reading.present = present | self.parameters_of(absent)
        second = self.body(node.orelse)
        self.reading.present = present
        if first or second:
            self.locals = taken if second and not first else self.locals
        else:
            self.locals = self.joined(node, taken, self.locals)
        return first and second

    def parameters_of(self, names: Iterable[str]) -> frozenset[str]:
        values = (self.locals.get(name, NOTHING) for name in names)
        return frozenset(value.itself for value in values if value.itself)

    def joined(self, node: ast.AST, one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
        found = {**one, **other}
        for name in one.keys() & other.keys():
            a, b = one[name], other[name]
            if a is not b and a != b:
                found[name] = merged([a, b])
                if not (a.static or b.static or a.leaf or b.leaf):
                    self.constrain(node, "same", f"'{name}' has one type after", a.dtype, b.dtype)
        return found

    def loop(self, node: ast.For) -> None:
        iterated = self.read(node.iter)
        static = isinstance(node.iter, ast.Call) and called_name(node.iter.func) == "static_range"
        target = Value(index=True, static=static, dtype=elements.one("i32"), steps=iterated.steps)
        self.repeated(node, lambda: self.assign(node.target, target), unrolled=static)
        self.body(node.orelse)

    def repeated(self, node: ast.For | ast.While, begin: Callable[[], object], unrolled: bool = False) -> None:
        """Twice, where the first round changes what the second one uses."""
        before = dict(self.locals)
        self.reading.loops += 1
        begin()
        self.body(node.body)
        if not unrolled:
            for name, value in before.items():
                after = self.locals.get(name, value)
                if after is not value and not value.leaf and not (value.static and value.known is None):
                    self.constrain(node, "same", f"'{name}' keeps its type in", value.dtype, after.dtype)
        if self.reading.loops <= MAX_LOOPS and any(self.locals.get(name) != value for name, value in before.items()):
            for name, value in before.items():
                if self.locals.get(name, value) is not value:
                    self.locals[name] = merged([value, self.locals[name]])
            begin()
            self.body(node.body)
        self.reading.loops -= 1

    def tested(self, test: ast.expr) -> bool | None:
        """What a condition is, where the compile knows it."""
        value = self.read(test)
        if value.known is not None:
            try:
                return bool(value.known.value)
            except Exception:
                return None
        self.conditional(test, value)
        return None

    def conditional(self, test: ast.expr, value: Value) -> None:
        if isinstance(test, ast.BoolOp):
            return  # each part has been noted
        self.noted(test, "condition", "a condition in", value.parameters if value.itself else ())
        if value.static and value.parameters:
            self.usage.undecided = True

    # Expressions

    def read(self, node: ast.expr) -> Value:
        self.reading.steps += 1
        if self.reading.steps > MAX_STEPS:
            raise OutOfSteps
        if type(node) in EXPRESSIONS:
            return EXPRESSIONS[type(node)](self, node)
        return union([self.read(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])

    def call_function(self, helper: Any, positional: list[Value], named: dict[str, Value]) -> Value:
        if self.depth >= MAX_DEPTH:
            return NOTHING
        parameters = helper.params
        arguments = {p.name: of_python(p.default) for p in parameters if p.has_default}
        arguments |= dict(zip([p.name for p in parameters], positional, strict=False)) | named
        key = id(helper), self.reading.present, tuple(sorted(arguments.items(), key=lambda entry: entry[0]))
        try:
            if key in self.reading.answers:
                return self.reading.answers[key]
        except TypeError:  # a constant that is not hashable
            return FunctionFlow(self.reading, helper, self.depth + 1).call(arguments)
        answer = FunctionFlow(self.reading, helper, self.depth + 1).call(arguments)
        self.reading.answers[key] = answer
        return answer

    def apply(self, function: Value, positional: list[Value], named: dict[str, Value]) -> Value:
        """A function that is a value: a parameter, or a local name."""
        if isinstance(function.function, ast.Lambda):
            names = [argument.arg for argument in function.function.args.args]
            before = self.locals
            self.locals = {**before, **dict(zip(names, positional, strict=False))}
            answer = self.read(function.function.body)
            self.locals = before
            return answer
        if is_aggregate(function.function):
            return made_of(function.function, positional, named)
        if function.function is not None:
            return self.call_function(function.function, positional, named)
        return union([*positional, *named.values()])
