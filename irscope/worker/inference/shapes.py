"""The shapes of a kernel's blocks for given constexprs: its Python read with sizes in place of data.

What cannot be known constrains nothing. Sizes that do not go together are noted as `Conflict`, each with
the constexprs that it depends on; the reading goes on as if they did.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..loading import definition_line
from .python_operators import BINARY, COMPARE, UNARY
from .shape_values import (
    MAX_STEPS,
    MOST_ELEMENTS,
    SCALAR,
    Block,
    Conflict,
    Constant,
    Decision,
    Group,
    Module,
    OutOfSteps,
    Reading,
    Value,
    compared_in,
    computed,
    is_power_of_two,
    is_size,
    literals_in,
    of_python,
    product,
    truth,
)

MAX_DEPTH = 12


def conflicts(
    function: Any,
    constants: Mapping[str, Any],
    types: Mapping[str, str],
    resolve: Callable[[Any, str], Any],
    trees: dict[int, Any] | None = None,
) -> list[Conflict]:
    """Read a jit function with these constexprs; ``trees`` keeps what was parsed for the next reading."""
    return list(read(function, constants, types, resolve, trees).conflicts.values())


def read(
    function: Any,
    constants: Mapping[str, Any],
    types: Mapping[str, str],
    resolve: Callable[[Any, str], Any],
    trees: dict[int, Any] | None = None,
) -> Reading:
    """All that one reading of a jit function finds."""
    reading = Reading(resolve, trees if trees is not None else {})
    arguments: dict[str, Value] = {}
    for parameter in function.params:
        name = parameter.name
        if name in constants:
            arguments[name] = Constant(constants[name], frozenset({name}))
        else:
            element = types.get(name)
            arguments[name] = Block((), element) if element in (None, "i32") or str(element).startswith("*") else SCALAR
    FunctionReader(reading, function, 0).call(arguments)
    return reading


class FunctionReader:
    """Reads the body of one function with its arguments bound."""

    def __init__(self, reading: Reading, function: Any, depth: int, decisions: tuple[Decision, ...] = ()) -> None:
        self.reading = reading
        self.function = function
        self.depth = depth
        #: Those that led to the statement that is read.
        self.decisions = decisions
        self.locals: dict[str, Value] = {}
        #: By name, why what assigns it is left out.
        self.left_out: dict[str, list[Decision]] = {}
        self.returned: list[Value] = []
        self.above = definition_line(function) - 1

    def call(self, arguments: Mapping[str, Value]) -> Value:
        self.locals = dict(arguments)
        self.body(self.reading.tree(self.function).body)
        return next((value for value in self.returned if value is not None), None)

    def conflict(
        self, node: ast.AST, what: str, *sizes: Constant, least: int | None = None, soft: bool = False,
        literals: tuple[Any, ...] = (), most: int | None = None,
    ) -> None:  # fmt: skip
        line = self.above + getattr(node, "lineno", 1)
        place = f"{what} in line {line}: {ast.unparse(node)[:60]}"
        self.reading.conflicts.setdefault(place, Conflict(place, sizes, least, soft, literals, most))

    def decided_wrong(self, node: ast.AST, what: str, decisions: Iterable[Decision]) -> None:
        """What should not be so follows from these decisions."""
        decisions = list(decisions)
        names = frozenset().union(*(decision.names for decision in decisions))
        literals = tuple(literal for decision in decisions for literal in decision.literals)
        if names:
            self.conflict(node, what, Constant(None, names), literals=literals)

    # Statements

    def body(self, statements: list[ast.stmt]) -> bool:
        """Whether the function has returned for certain."""
        return any(self.statement(statement) for statement in statements)

    def statement(self, node: ast.stmt) -> bool:
        if isinstance(node, ast.Return):
            self.returned.append(self.read(node.value) if node.value is not None else None)
            return True
        if isinstance(node, ast.If):
            test = self.read(node.test)
            if isinstance(test, Constant):
                return self.decided(node, test)
            both = [self.block(node.body), self.block(node.orelse)]
            return all(both)
        if isinstance(node, ast.Raise):
            self.decided_wrong(node, "not reached", self.decisions)
            return True
        if isinstance(node, ast.Assign):
            value = self.read(node.value)
            for target in node.targets:
                self.assign(target, value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(node.target, self.read(node.value))
        elif isinstance(node, ast.AugAssign):
            combined = ast.BinOp(left=node.target, op=node.op, right=node.value)
            self.assign(node.target, self.read(ast.copy_location(combined, node)))
        elif isinstance(node, ast.For):
            self.assign(node.target, self.first_of(node.iter))
            self.body(node.body)
        elif isinstance(node, ast.While):
            if truth(self.read(node.test)) is not False:
                self.body(node.body)
        elif isinstance(node, ast.Expr):
            self.read(node.value)
        elif isinstance(node, ast.Assert):
            self.asserted(node, node.test)
        elif isinstance(node, ast.With):
            self.body(node.body)
        return False

    def decided(self, node: ast.If, test: Constant) -> bool:
        decision = Decision(test.names, compared_in(node))
        self.reading.decisions[decision] = None
        taken, other = (node.body, node.orelse) if truth(test) else (node.orelse, node.body)
        for part in (found for statement in other for found in ast.walk(statement)):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                self.left_out.setdefault(part.id, []).append(decision)
        before = self.decisions
        self.decisions = (*before, decision)
        returned = self.block(taken)
        self.decisions = before
        return returned

    def block(self, statements: list[ast.stmt]) -> bool:
        # An elif is no block of its own: what stands in it is.
        if statements and not (len(statements) == 1 and isinstance(statements[0], ast.If)):
            self.reading.blocks.add((id(self.function), statements[0].lineno))
        return self.body(statements)

    def first_of(self, iterated: ast.expr) -> Value:
        """What a loop's variable is at first; a step that the range is no multiple of is noted."""
        if not isinstance(iterated, ast.Call):
            self.read(iterated)
            return None
        bounds = [self.read(argument) for argument in iterated.args]
        if len(bounds) == 3 and isinstance(bounds[1], Constant) and isinstance(bounds[2], Constant):
            stop, step = bounds[1], bounds[2]
            if is_size(stop) and is_size(step) and stop.value % step.value:
                self.conflict(iterated, "steps to the end", step, stop, soft=True)
        static = ast.unparse(iterated.func).endswith("static_range")
        if static and bounds and all(isinstance(bound, Constant) for bound in bounds):
            return bounds[0] if len(bounds) > 1 else Constant(0)
        return Block((), "i32")

    def assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.locals[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            known = isinstance(value, Group) and len(value.items) == len(target.elts)
            for number, element in enumerate(target.elts):
                self.assign(element, value.items[number] if known and isinstance(value, Group) else None)

    def asserted(self, node: ast.AST, test: ast.expr) -> None:
        value = self.read(test)
        if isinstance(value, Constant) and not truth(value):
            if value.names:
                self.conflict(node, "asserted", value, literals=literals_in(test))
            else:
                self.decided_wrong(node, "not reached", self.decisions)

    # Expressions

    def read(self, node: ast.expr) -> Value:
        self.reading.steps += 1
        if self.reading.steps > MAX_STEPS:
            raise OutOfSteps
        method = getattr(self, f"read_{type(node).__name__}", None)
        if method is not None:
            value: Value = method(node)
            return value
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.read(child)
        return None

    def read_Constant(self, node: ast.Constant) -> Value:
        return Constant(node.value)

    def read_Name(self, node: ast.Name) -> Value:
        if node.id in self.locals:
            return self.locals[node.id]
        names = self.function.fn.__globals__
        if node.id in self.left_out and node.id not in names:
            self.decided_wrong(node, "is defined", self.left_out[node.id])
            return None
        return of_python(names[node.id], node.id) if node.id in names else Module(node.id)

    def read_Tuple(self, node: ast.Tuple | ast.List) -> Value:
        return Group(tuple(self.read(element) for element in node.elts))

    read_List = read_Tuple

    def read_Attribute(self, node: ast.Attribute) -> Value:
        owner = self.read(node.value)
        if isinstance(owner, Module):
            return of_python(getattr(self.python_value(node.value), node.attr, None), f"{owner.dotted}.{node.attr}")
        if isinstance(owner, Constant):
            return owner if node.attr == "value" else None
        if isinstance(owner, Block):
            if node.attr in ("shape", "block_shape"):
                return Group(owner.shape)
            if node.attr == "T" and len(owner.shape) > 1:
                return Block((*owner.shape[:-2], owner.shape[-1], owner.shape[-2]), owner.element)
            if node.attr in ("dtype", "element_ty", "type", "scalar"):
                return Block((), owner.element)
        return None

    def python_value(self, node: ast.expr) -> Any:
        head, *rest = ast.unparse(node).split(".")
        value = self.function.fn.__globals__.get(head)
        for attribute in rest:
            value = getattr(value, attribute, None)
        return value

    def read_UnaryOp(self, node: ast.UnaryOp) -> Value:
        value = self.read(node.operand)
        if isinstance(value, Constant):
            return computed(UNARY[type(node.op)], value)
        return value if isinstance(value, Block) else None

    def read_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.read(node.left), self.read(node.right)
        if isinstance(left, Constant) and isinstance(right, Constant) and type(node.op) in BINARY:
            return computed(BINARY[type(node.op)], left, right)
        if isinstance(left, Group) and isinstance(right, Group) and isinstance(node.op, ast.Add):
            return Group(left.items + right.items)
        return self.broadcast(node, left, right)

    def read_Compare(self, node: ast.Compare) -> Value:
        values = [self.read(node.left), *(self.read(comparator) for comparator in node.comparators)]
        constants = [value for value in values if isinstance(value, Constant)]
        if len(constants) == len(values) == 2:
            return computed(COMPARE[type(node.ops[0])], *constants)
        if isinstance(node.ops[0], ast.Is | ast.IsNot) and isinstance(values[0], Block):
            return Constant(isinstance(node.ops[0], ast.IsNot))
        return self.broadcast(node, *values)

    def read_BoolOp(self, node: ast.BoolOp) -> Value:
        names: frozenset[str] = frozenset()
        decides = isinstance(node.op, ast.Or)
        certain = True
        for part in node.values:
            value = self.read(part)
            if not isinstance(value, Constant):
                certain = False
                continue
            names |= value.names
            if truth(value) == decides:
                return Constant(decides, names)
        return Constant(not decides, names) if certain else None

    def read_IfExp(self, node: ast.IfExp) -> Value:
        test = self.read(node.test)
        if isinstance(test, Constant):
            value = self.read(node.body if truth(test) else node.orelse)
            return Constant(value.value, value.names | test.names) if isinstance(value, Constant) else value
        body, other = self.read(node.body), self.read(node.orelse)
        return body if body is not None else other

    def read_Subscript(self, node: ast.Subscript) -> Value:
        owner = self.read(node.value)
        if isinstance(owner, Group):
            number = self.read(node.slice) if not isinstance(node.slice, ast.Slice) else None
            if isinstance(number, Constant) and isinstance(number.value, int):
                return owner.items[number.value] if -len(owner.items) <= number.value < len(owner.items) else None
            return None
        if not isinstance(owner, Block):
            return None
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        left = list(owner.shape)
        shape: list[Constant] = []
        for part in parts:
            if isinstance(part, ast.Constant) and part.value is None:
                shape.append(Constant(1))
            elif isinstance(part, ast.Slice) and left:
                shape.append(left.pop(0))
            else:
                return None
        return Block((*shape, *left), owner.element)

    def read_Call(self, node: ast.Call) -> Value:
        from .shape_operations import call

        return call(self, node)

    def call_function(self, helper: Any, positional: list[Value], named: dict[str, Value]) -> Value:
        if self.depth >= MAX_DEPTH:
            return None
        parameters = helper.params
        arguments: dict[str, Value] = {p.name: of_python(p.default, p.name) for p in parameters if p.has_default}
        arguments |= dict(zip([p.name for p in parameters], positional, strict=False)) | named
        return FunctionReader(self.reading, helper, self.depth + 1, self.decisions).call(arguments)

    # Sizes that must agree

    def broadcast(self, node: ast.AST, *values: Value) -> Value:
        """The shape of an elementwise operation; sizes should be equal, or one of them 1."""
        if any(value is None or isinstance(value, Module | Group) for value in values):
            return None
        blocks = [value for value in values if isinstance(value, Block)]
        shape: tuple[Constant, ...] = ()
        for block in blocks:
            shape = self.joined(node, shape, block.shape)
        pointer = next((b.element for b in blocks if b.element and b.element.startswith("*")), None)
        same = {block.element for block in blocks if block.shape} or {block.element for block in blocks}
        return Block(shape, pointer or (same.pop() if len(same) == 1 else None))

    def joined(self, node: ast.AST, one: tuple[Constant, ...], other: tuple[Constant, ...]) -> tuple[Constant, ...]:
        if len(one) != len(other):
            return max(one, other, key=len)
        sizes = []
        for a, b in zip(one, other, strict=True):
            if a.value == 1 or b.value == 1:
                sizes.append(b if a.value == 1 else a)
            else:
                self.equal(node, "sizes agree", a, b)
                sizes.append(a)
        self.not_too_many(node, tuple(sizes))
        return tuple(sizes)

    def not_too_many(self, node: ast.AST, sizes: tuple[Constant, ...]) -> None:
        if not all(is_size(size) for size in sizes) or (elements := product(sizes)).value <= MOST_ELEMENTS:
            return
        if elements.names and not any(c.most and c.names == elements.names for c in self.reading.conflicts.values()):
            self.conflict(node, f"at most {MOST_ELEMENTS} elements", elements, soft=True, most=MOST_ELEMENTS)

    def equal(self, node: ast.AST, what: str, a: Constant, b: Constant) -> None:
        if is_size(a) and is_size(b) and a.value != b.value:
            self.conflict(node, what, a, b)

    def dimensions(self, node: ast.AST, value: Value) -> tuple[Constant, ...] | None:
        """The shape that a tuple (or a number) says, each a power of two."""
        items = value.items if isinstance(value, Group) else (value,)
        sizes = tuple(item for item in items if isinstance(item, Constant))
        if len(sizes) != len(items):
            return None
        for size in sizes:
            if not is_power_of_two(size):
                self.conflict(node, "a power of two", size)
        self.not_too_many(node, sizes)
        return sizes
