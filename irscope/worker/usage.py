"""How a kernel uses its parameters: an abstract reading of its Python, through its helpers.

Every expression stands for a `Value`: which parameter it is an address based on, which parameters flow
into it, and whether it is an index or a floating-point number. Uses are noted on the kernel's own
parameters, wherever in the chain of helpers they happen.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .loading import definition_line

MAX_DEPTH = 12

INDEX_CALLS = frozenset({"arange", "program_id", "num_programs", "range", "static_range", "len", "randint"})
INTEGER_CALLS = frozenset({"cdiv", "multiple_of", "max_contiguous", "swizzle2d"})
FLOAT_CALLS = frozenset(
    {"exp", "exp2", "log", "log2", "sqrt", "rsqrt", "sqrt_rn", "sin", "cos", "erf", "sigmoid", "tanh", "softmax",
     "fdiv", "div_rn", "floor", "ceil"}
)  # fmt: skip
RANDOM_CALLS = frozenset({"rand", "randn", "rand4x", "randn4x"})
ATOMIC_CALLS = frozenset(
    {"atomic_add", "atomic_max", "atomic_min", "atomic_and", "atomic_or", "atomic_xor", "atomic_cas", "atomic_xchg"}
)
INTEGER_OPERATORS = (ast.FloorDiv, ast.Mod, ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.BitXor)


@dataclass(frozen=True)
class Value:
    """What is known of an expression. Names are those of the kernel's parameters."""

    #: The leftmost additive leaf, where that is a parameter: the pointer of an address.
    leaf: str | None = None
    #: Parameters whose own value flows in, the leaf included.
    parameters: frozenset[str] = frozenset()
    #: Pointers whose loaded elements flow in with their type unchanged.
    loaded: frozenset[str] = frozenset()
    index: bool = False
    floating: bool = False
    #: A type this was cast to: ``float16``, or ``element_type`` for "what the pointer holds".
    cast: str | None = None
    items: tuple[Value, ...] = ()


NOTHING = Value()


@dataclass
class Use:
    """What is known of a parameter; each fact with the line that says so."""

    pointer: str | None = None
    integer: str | None = None
    floating: str | None = None
    dot: str | None = None
    integer_elements: str | None = None
    atomic_exchange: str | None = None
    stored_cast: tuple[str, str] | None = None


@dataclass
class Usage:
    uses: dict[str, Use] = field(default_factory=dict)
    has_dot: str | None = None
    #: A tensor gets another axis somewhere: blocks are two-dimensional, and large ones would be very large.
    two_dimensional: bool = False
    #: By parameter, the first number or text that it is compared with, and the line that does so.
    compared: dict[str, tuple[Any, str]] = field(default_factory=dict)
    arange: set[str] = field(default_factory=set)

    def of(self, name: str) -> Use:
        return self.uses.setdefault(name, Use())


def usage_of(function: Any, resolve: Callable[[Any, str], Any]) -> Usage:
    """Read a jit function; ``resolve(function, name)`` gives the jit function that a name in it means."""
    usage = Usage()
    names = [parameter.name for parameter in function.params]
    arguments = {name: Value(leaf=name, parameters=frozenset({name})) for name in names}
    _Reader(usage, function, resolve, 0).call(arguments)
    return usage


def _union(values: Iterable[Value]) -> Value:
    values = list(values)
    return Value(
        leaf=next((value.leaf for value in values if value.leaf), None),
        parameters=frozenset().union(*(value.parameters for value in values)),
        loaded=frozenset().union(*(value.loaded for value in values)),
        index=any(value.index for value in values),
        floating=any(value.floating for value in values),
    )


class _Reader(ast.NodeVisitor):
    """Reads the body of one function with its arguments bound."""

    def __init__(self, usage: Usage, function: Any, resolve: Callable[[Any, str], Any], depth: int) -> None:
        self.usage = usage
        self.function = function
        self.resolve = resolve
        self.depth = depth
        self.locals: dict[str, Value] = {}
        self.returned: list[Value] = []
        self.above = definition_line(function) - 1

    def call(self, arguments: dict[str, Value]) -> Value:
        self.locals = dict(arguments)
        definition = self.function.parse().body[0]
        self.body(definition.body)
        if len(self.returned) == 1:
            return self.returned[0]
        return _union(self.returned)

    def note(self, node: ast.AST, what: str) -> str:
        line = self.above + getattr(node, "lineno", 1)
        return f"{what} line {line}: {ast.unparse(node)[:60]}"

    def integer(self, node: ast.AST, *values: Value) -> None:
        for value in values:
            for name in value.parameters:
                self.usage.of(name).integer = self.usage.of(name).integer or self.note(node, "an integer in")
            for name in value.loaded:
                use = self.usage.of(name)
                use.integer_elements = use.integer_elements or self.note(node, "its elements are integers in")

    def floating(self, node: ast.AST, *values: Value) -> None:
        for value in values:
            for name in value.parameters:
                self.usage.of(name).floating = self.usage.of(name).floating or self.note(node, "a float in")

    def address(self, node: ast.AST, value: Value) -> Value:
        """``value`` is loaded from or stored to: its leaf is a pointer, what is added to it integers."""
        if value.leaf:
            use = self.usage.of(value.leaf)
            use.pointer = use.pointer or self.note(node, "an address in")
        offsets = replace(value, parameters=value.parameters - {value.leaf or ""})
        self.integer(node, offsets)
        return Value(loaded=frozenset({value.leaf}) if value.leaf else frozenset())

    # Statements

    def body(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.visit(statement)

    def assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.locals[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            items = value.items if len(value.items) == len(target.elts) else (value,) * len(target.elts)
            for element, item in zip(target.elts, items, strict=True):
                self.assign(element, item)

    def visit_Assign(self, node: ast.Assign) -> None:
        value = self.read(node.value)
        for target in node.targets:
            self.assign(target, value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.read(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        loaded = ast.copy_location(ast.BinOp(left=node.target, op=node.op, right=node.value), node)
        self.assign(node.target, self.read(loaded))

    def visit_For(self, node: ast.For) -> None:
        iterated = self.read(node.iter)
        self.integer(node.iter, iterated)
        self.assign(node.target, Value(index=True))
        # Twice: what the first round assigns, the second round uses.
        self.body(node.body)
        self.body(node.body)
        self.body(node.orelse)

    def visit_While(self, node: ast.While) -> None:
        for _ in range(2):
            self.read(node.test)
            self.body(node.body)

    def visit_If(self, node: ast.If) -> None:
        self.read(node.test)
        self.body(node.body)
        self.body(node.orelse)

    def visit_Expr(self, node: ast.Expr) -> None:
        self.read(node.value)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.returned.append(self.read(node.value))

    # Expressions

    def read(self, node: ast.expr) -> Value:
        method = getattr(self, f"read_{type(node).__name__}", None)
        if method is not None:
            value = method(node)
            assert isinstance(value, Value)
            return value
        return _union([self.read(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])

    def read_Name(self, node: ast.Name) -> Value:
        return self.locals.get(node.id, NOTHING)

    def read_Constant(self, node: ast.Constant) -> Value:
        return Value(floating=isinstance(node.value, float))

    def read_Tuple(self, node: ast.Tuple) -> Value:
        items = tuple(self.read(element) for element in node.elts)
        return replace(_union(items), items=items)

    def read_Subscript(self, node: ast.Subscript) -> Value:
        axes = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
        if any(isinstance(axis, ast.Constant) and axis.value is None for axis in axes):
            self.usage.two_dimensional = True
        return self.read(node.value)

    def read_Attribute(self, node: ast.Attribute) -> Value:
        value = self.read(node.value)
        if node.attr in ("dtype", "element_ty", "shape", "type"):
            return NOTHING
        return value

    def read_BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.read(node.left), self.read(node.right)
        both = _union([left, right])
        if isinstance(node.op, ast.Add | ast.Sub):
            self.mixed(node, left, right)
            return both
        if isinstance(node.op, INTEGER_OPERATORS):
            if not isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor):
                self.integer(node, left, right)
            return replace(both, leaf=None)
        self.mixed(node, left, right)
        if isinstance(node.op, ast.Div):
            return replace(both, leaf=None, floating=True, index=False)
        return replace(both, leaf=None)

    def mixed(self, node: ast.AST, left: Value, right: Value) -> None:
        """Operands of arithmetic or a comparison lend each other their kind."""
        for one, other in ((left, right), (right, left)):
            if one.index and not one.loaded:
                self.integer(node, other)
            elif one.floating or (one.loaded and not one.parameters):
                self.floating(node, other)

    def read_Compare(self, node: ast.Compare) -> Value:
        values = [self.read(node.left), *(self.read(comparator) for comparator in node.comparators)]
        if len(values) == 2 and isinstance(node.ops[0], ast.Eq | ast.In):
            self.compare(node, values[0], node.comparators[0])
            self.compare(node, values[1], node.left)
        if not any(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops):
            for left, right in itertools.pairwise(values):
                self.mixed(node, left, right)
        return NOTHING

    def compare(self, node: ast.Compare, value: Value, other: ast.expr) -> None:
        """``value`` is asked whether it is ``other``: where that is a literal, it may well be."""
        if isinstance(other, ast.Tuple | ast.List) and other.elts:
            other = other.elts[0]
        if isinstance(other, ast.Constant) and type(other.value) in (int, str) and value.leaf:
            self.usage.compared.setdefault(value.leaf, (other.value, self.note(node, "compared in")))

    def read_BoolOp(self, node: ast.BoolOp) -> Value:
        for value in node.values:
            self.read(value)
        return NOTHING

    def read_IfExp(self, node: ast.IfExp) -> Value:
        self.read(node.test)
        return _union([self.read(node.body), self.read(node.orelse)])

    def read_Call(self, node: ast.Call) -> Value:
        name = called_name(node.func)
        positional = [self.read(argument) for argument in node.args if not isinstance(argument, ast.Starred)]
        named = {keyword.arg: self.read(keyword.value) for keyword in node.keywords if keyword.arg}
        if isinstance(node.func, ast.Name | ast.Attribute):
            helper = self.resolve(self.function, ast.unparse(node.func))
            if helper is not None and self.depth < MAX_DEPTH:
                return self.call_helper(helper, positional, named)
        operands = [*positional, *named.values()]
        # A method's object is its first operand: x.to(...), ptr.load()
        if isinstance(node.func, ast.Attribute):
            owner = self.read(node.func.value)
            if owner != NOTHING:
                operands = positional = [owner, *positional]
        return self.call_builtin(node, name, positional, named, operands)

    def call_helper(self, helper: Any, positional: list[Value], named: dict[str, Value]) -> Value:
        names = [parameter.name for parameter in helper.params]
        arguments = {**dict(zip(names, positional, strict=False)), **named}
        return _Reader(self.usage, helper, self.resolve, self.depth + 1).call(arguments)

    def call_builtin(
        self, node: ast.Call, name: str, positional: list[Value], named: dict[str, Value], operands: list[Value]
    ) -> Value:
        first = positional[0] if positional else named.get("pointer", named.get("base", NOTHING))
        second = positional[1] if len(positional) > 1 else named.get("value", NOTHING)
        if name == "load":
            for extra in named.values():
                self.integer(node, replace(extra, loaded=frozenset(), parameters=frozenset()))
            return self.address(node, first)
        if name in ("store", *ATOMIC_CALLS):
            element = self.address(node, first)
            self.stored(node, name, first.leaf, second)
            return element if name != "store" else NOTHING
        if name in ("dot", "dot_scaled"):
            self.usage.has_dot = self.usage.has_dot or self.note(node, "tl.dot in")
            for operand in positional[:2] or [named.get("input", NOTHING), named.get("other", NOTHING)]:
                for pointer in operand.loaded:
                    use = self.usage.of(pointer)
                    use.dot = use.dot or self.note(node, "reaches tl.dot in")
            return Value(floating=True)
        if name in ("make_block_ptr", "make_tensor_descriptor"):
            self.address(node, replace(first, parameters=frozenset({first.leaf} if first.leaf else ())))
            self.integer(node, *(replace(operand, leaf=None) for operand in operands if operand is not first))
            return Value(leaf=first.leaf, parameters=first.parameters)
        if name in INDEX_CALLS | INTEGER_CALLS:
            self.integer(node, *operands)
            if name == "arange":
                self.usage.arange |= {parameter for operand in operands for parameter in operand.parameters}
            return Value(index=True, parameters=_union(operands).parameters if name in INTEGER_CALLS else frozenset())
        if name in RANDOM_CALLS:
            self.integer(node, *operands)
            return Value(floating=True)
        if name in FLOAT_CALLS:
            self.floating(node, *operands)
            return replace(_union(operands), leaf=None, floating=True)
        if name in ("to", "cast"):
            return replace(first, cast=type_name(node), loaded=frozenset(), floating=True if "float" in
                           (type_name(node) or "") else first.floating)  # fmt: skip
        if name in ("zeros", "full", "zeros_like"):
            dtype = type_name(node) or ""
            return Value(index=dtype.startswith(("int", "uint")), floating="float" in dtype)
        if name == "histogram":
            self.integer(node, first)
            return Value(index=True)
        if name in ("argmax", "argmin"):
            return Value(index=True)
        if name == "where":
            return _union(operands[1:])
        return replace(_union(operands), cast=None)

    def stored(self, node: ast.Call, name: str, pointer: str | None, value: Value) -> None:
        if pointer is None:
            return
        use = self.usage.of(pointer)
        if name in ("atomic_cas", "atomic_xchg"):
            use.atomic_exchange = self.note(node, f"tl.{name} in")
        elif value.index or (isinstance(stored := stored_node(node), ast.Constant) and type(stored.value) is int):
            if not value.floating and not value.loaded:
                use.integer_elements = use.integer_elements or self.note(node, "integers go to it in")
        elif value.cast:
            use.stored_cast = use.stored_cast or (value.cast, self.note(node, "cast at the store in"))


def stored_node(node: ast.Call) -> ast.expr | None:
    return node.args[1] if len(node.args) > 1 else None


def called_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def type_name(node: ast.Call) -> str | None:
    """The type in ``x.to(tl.float16)`` or ``tl.zeros(shape, dtype=tl.float32)``; ``element_type`` for a pointer's."""
    candidates = [*(keyword.value for keyword in node.keywords if keyword.arg == "dtype"), *reversed(node.args)]
    for candidate in candidates:
        if not isinstance(candidate, ast.Attribute):
            continue
        if candidate.attr in ("element_ty", "dtype"):
            return "element_type"
        return candidate.attr
    return None
