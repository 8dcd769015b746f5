"""What Triton's own functions make of their operands, for `flow`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from . import elements
from .constants import is_named
from .elements import Dtype
from .flow_values import INDEX, NOTHING, Value, merged, promoted, union
from .python_operators import called_name

if TYPE_CHECKING:
    from .flow import FunctionFlow

FLOAT_CALLS = frozenset(
    {"exp", "exp2", "log", "log2", "sqrt", "rsqrt", "sqrt_rn", "sin", "cos", "erf", "sigmoid", "tanh", "softmax",
     "fdiv", "div_rn", "floor", "ceil", "pow", "log1p", "expm1", "fast_expf", "isnan", "isinf", "isfinited", "round",
     "rint", "nearbyint", "trunc"}
)  # fmt: skip
#: Those that Triton has for fp32 and fp64 alone.
SINGLE_CALLS = frozenset({"exp", "exp2", "log", "log2", "sqrt", "rsqrt", "sin", "cos", "erf", "sqrt_rn", "floor",
                          "ceil", "sigmoid", "softmax"})  # fmt: skip
EXPONENTIALS = frozenset({"exp", "exp2", "fast_expf"})
INTEGER_CALLS = frozenset({"cdiv", "swizzle2d"})
ATOMICS = frozenset(
    {"atomic_add", "atomic_max", "atomic_min", "atomic_and", "atomic_or", "atomic_xor", "atomic_cas", "atomic_xchg"}
)
#: What leaves the elements as they are.
SAME_ELEMENTS = frozenset(
    {"trans", "permute", "reshape", "view", "broadcast_to", "expand_dims", "join", "split", "interleave", "cat", "flip",
     "sort", "ravel", "item", "gather", "advance", "max", "min", "broadcast",
     "assume", "debug_barrier", "abs", "sum", "cumsum", "cumprod", "topk", "squeeze", "unsqueeze",
     "set_layout", "convert_layout"}
)  # fmt: skip


class Call:
    """A call with its arguments read; a method's object is the first of them."""

    def __init__(self, flow: FunctionFlow, node: ast.Call, name: str, positional: list[Value], named: dict[str, Value]):
        self.flow = flow
        self.node = node
        self.name = name
        self.positional = positional
        self.named = named

    def argument(self, number: int, *names: str) -> Value:
        if number < len(self.positional):
            return self.positional[number]
        return next((self.named[name] for name in names if name in self.named), NOTHING)

    @property
    def operands(self) -> list[Value]:
        return [*self.positional, *self.named.values()]

    def type_argument(self, number: int, name: str = "dtype") -> Dtype:
        """What a type that is passed means; a constexpr that is passed for one is a type."""
        value = self.argument(number, name)
        if value.names_type is not None:
            return value.names_type
        if value.itself and value.static and value.known is None:
            self.flow.noted(self.node, "as_type", "a type in", [value.itself])
            return elements.of(value.itself)
        return None


def arange(call: Call) -> Value:
    call.flow.integer(call.node, *call.operands)
    for value in call.operands:
        call.flow.noted(call.node, "arange", "a power of two in", value.parameters)
    return replace(INDEX, block=True, consecutive=True)


def index(call: Call) -> Value:
    call.flow.integer(call.node, *call.operands)
    steps = call.operands[2:3]
    if call.name == "static_range":
        for value in call.operands[:2]:
            call.flow.noted(call.node, "unrolled", "unrolled in", value.parameters)
    return replace(INDEX, steps=tuple(sorted(steps[0].parameters)) if steps and steps[0].static else ())


def random(call: Call) -> Value:
    call.flow.integer(call.node, *call.operands)
    return Value(floating=True, block=True, dtype=elements.one("fp32"))


def mathematics(call: Call) -> Value:
    flow, operands = call.flow, call.operands
    flow.floating(call.node, *operands)
    dtype = promoted(operands)
    if call.name in EXPONENTIALS and not any(each.product for each in operands):
        flow.noted(call.node, "exponent", "an exponent in", operands[0].terms if operands else ())
    if call.name in SINGLE_CALLS and operands:
        flow.constrain(call.node, "float", "fp32 in", dtype)
    elif call.name in ("tanh", "pow"):
        dtype = None
    found = replace(union(operands), leaf=None, loaded=frozenset(), terms=frozenset(), product=False)
    return replace(found, floating=True, index=False, dtype=dtype)


def load(call: Call) -> Value:
    first = call.argument(0, "pointer")
    masked(call)
    call.flow.noted(call.node, "read", "read in", [first.leaf] if first.leaf else [])
    call.flow.noted(call.node, "single", "one element in", [first.leaf] if first.leaf and not first.block else [])
    return call.flow.address(call.node, first)


def is_of_made_descriptor(call: Call) -> bool:
    """``desc.load([y, x])``, ``desc.store([y, x], value)`` of one that the kernel makes: there is no mask."""
    return len(call.positional) > 1 and bool(call.positional[1].items)


def masked(call: Call) -> None:
    if is_of_made_descriptor(call):
        return
    place = 2 if call.name in ("store", *ATOMICS) else 1
    mask = call.argument(place, "mask") if call.name in ("load", "store") else call.named.get("mask", NOTHING)
    call.flow.noted(call.node, "mask", "the mask of", mask.loaded)
    if mask.dtype is not None and not mask.static:
        call.flow.constrain(call.node, "boolean", "the mask of", mask.dtype)


def store(call: Call) -> Value:
    flow, node = call.flow, call.node
    first = call.argument(0, "pointer")
    value = call.argument(2 if is_of_made_descriptor(call) else 1, "value", "val")
    masked(call)
    element = flow.address(node, first)
    if first.leaf is None:
        return element
    use = flow.usage.of(first.leaf)
    if call.name in ("atomic_cas", "atomic_xchg"):
        use.atomic_exchange = use.atomic_exchange or flow.note(node, f"tl.{call.name} in")
    elif value.index and not value.floating and not value.loaded:
        flow.noted(node, "integer_elements", "integers go to it in", [first.leaf])
    elif value.known is not None and type(value.known.value) is int:
        flow.noted(node, "integer_elements", "integers go to it in", [first.leaf] if call.name != "store" else [])
    if value.dtype:
        use.stored.append((value.dtype, flow.note(node, "stored in")))
    if call.name.startswith("atomic_") and call.name[7:] in ("and", "or", "xor"):
        flow.noted(node, "integer_elements", "bits of it in", [first.leaf])
    return NOTHING if call.name == "store" else element


def descriptor_method(call: Call, name: str) -> Value:
    """``desc.load([y, x])`` of a parameter: the host makes the descriptor."""
    flow, use = call.flow, call.flow.usage.of(name)
    is_load = call.name in ("load", "gather")
    offsets = call.argument(0, "offsets")
    flow.integer(call.node, *offsets.items)
    if use.descriptor is None:
        use.descriptor = flow.note(call.node, "a tensor descriptor in")
        matrices = len(offsets.items) - 2
        use.block = tuple(size_along(item, place < matrices) for place, item in enumerate(offsets.items))
    flow.touched(call.node, Value(itself=name))
    if is_load:
        flow.noted(call.node, "read", "read in", [name])
        return Value(loaded=frozenset({name}), block=True, dtype=elements.of(name))
    value = call.argument(1, "value")
    if value.dtype:
        use.stored.append((value.dtype, flow.note(call.node, "stored in")))
        flow.constrain(call.node, "same", "stored as it is in", value.dtype, elements.of(name))
    return NOTHING


def size_along(offset: Value, outer: bool) -> str | None:
    """The constexpr that a block of a descriptor is as long as, or "1" where it is one of many matrices."""
    return next(iter(offset.steps), "1" if outer and offset.known is None else None)


def dot(call: Call) -> Value:
    flow, node = call.flow, call.node
    a, b, acc = call.argument(0, "input"), call.argument(1, "other"), call.argument(2, "acc")
    flow.usage.has_dot = flow.usage.has_dot or flow.note(node, "tl.dot in")
    for operand in (a, b):
        flow.noted(node, "dot", "reaches tl.dot in", {*operand.loaded, *elements.promoted_names(operand.dtype)})
        flow.constrain(node, "operand", "an operand of", operand.dtype)
    flow.constrain(node, "same", "operands of", a.dtype, b.dtype)
    result = elements.wrapped("dot", promotion(a.dtype, b.dtype))
    asked = call.type_argument(99, "out_dtype")
    if acc.dtype and not acc.static and not call.named.get("out_dtype"):
        flow.constrain(node, "same", "the accumulator of", acc.dtype, result)
        result = acc.dtype
    return Value(floating=True, block=True, product=True, dtype=asked or result)


def promotion(a: Dtype, b: Dtype) -> Dtype:
    return a | b if a and b else a or b


def dot_scaled(call: Call) -> Value:
    call.flow.usage.has_dot = call.flow.usage.has_dot or call.flow.note(call.node, "tl.dot_scaled in")
    for place, name in ((0, "lhs"), (3, "rhs"), (1, "lhs_scale"), (4, "rhs_scale")):
        operand = call.argument(place, name)
        for pointer in operand.loaded:
            use = call.flow.usage.of(pointer)
            use.stored.append((elements.one("u8"), call.flow.note(call.node, "scaled or packed in")))
            use.bit_fields = use.bit_fields or call.flow.note(call.node, "scaled or packed in")
    for place, name in ((2, "lhs_format"), (5, "rhs_format")):
        operand = call.argument(place, name)
        if operand.itself and operand.static:
            use = call.flow.usage.of(operand.itself)
            use.keyword = use.keyword or (name, call.flow.note(call.node, f"its {name} in"))
    return Value(floating=True, block=True, product=True, dtype=elements.one("fp32"))


def block_pointer(call: Call) -> Value:
    first = call.argument(0, "base")
    if first.leaf:
        call.flow.address(call.node, replace(first, parameters=frozenset({first.leaf})))
    if call.name != "make_block_ptr":
        for stride in call.argument(2, "strides").items[:-1]:
            for name in stride.parameters:
                call.flow.usage.of(name).outer = True
    rest = [operand for operand in call.operands if operand is not first]
    call.flow.integer(call.node, *(replace(operand, leaf=None) for operand in rest))
    call.flow.integer(call.node, replace(first, parameters=first.parameters - {first.leaf or ""}))
    return Value(leaf=first.leaf, parameters=first.parameters, block=True)


def cast(call: Call) -> Value:
    first, node = call.argument(0, "input"), call.node
    target = node.args[-1] if node.args else next((k.value for k in node.keywords if k.arg == "dtype"), None)
    if isinstance(target, ast.Call) and called_name(target.func) == "pointer_type":
        return pointer_cast(call, first, target.args[0] if target.args else None)
    if isinstance(target, ast.Attribute) and target.attr in ("dtype", "type") and not first.leaf:
        owner = call.flow.read(target.value)
        if owner.itself and first.loaded and is_named("pointer_names", owner.itself):
            return pointer_cast(call, first, target)
    bitcast = call.named.get("bitcast", call.argument(2) if len(call.positional) > 2 else NOTHING)
    place = 1 if call.positional and call.positional[0] is first else 0
    dtype = call.type_argument(place)
    if bitcast.known is not None and bitcast.known.value is True:
        call.flow.constrain(node, "bits", "as many bits in", first.dtype, dtype)
    names = elements.evaluated(dtype, {}) if dtype else None
    recast(call, first, names)
    floating = first.floating if names is None else elements.is_float(names)
    index = first.index if names is None else first.index and not floating
    kept = dtype is not None and dtype == first.dtype
    return replace(
        first, itself=None, dtype=dtype, floating=floating, index=index, known=None,
        leaf=first.leaf if names is None or not floating else None,
        parameters=first.parameters if names is None or first.itself or first.leaf else frozenset(),
        loaded=first.loaded if kept or ((names or "").startswith(("i", "u")) and not first.floating) else frozenset(),
    )  # fmt: skip


def recast(call: Call, first: Value, type_: str | None) -> None:
    """What is loaded is made another type at once: that tells of the one that it has."""
    for pointer in first.loaded:
        if first.dtype != elements.of(pointer) or type_ is None:
            continue
        if type_ == "fp32":
            call.flow.noted(call.node, "widened", "made fp32 in", [pointer])
        elif type_ in ("u8", "i8"):
            use = call.flow.usage.of(pointer)
            use.narrowed = use.narrowed or (type_, call.flow.note(call.node, "made so in"))


def pointer_cast(call: Call, first: Value, element: ast.expr | None) -> Value:
    """An address is cast to a pointer: what is loaded holds addresses, a parameter is a pointer of that type."""
    inner = call.flow.read(element) if element is not None else NOTHING
    word = elements.evaluated(inner.names_type, {}) or "fp32"
    if not first.leaf:
        for pointer in first.loaded:
            use = call.flow.usage.of(pointer)
            use.cast = use.cast or ("i64", call.flow.note(call.node, "its elements are addresses in"))
    else:
        use = call.flow.usage.of(first.leaf)
        use.cast = use.cast or (word, call.flow.note(call.node, "an address in"))
        call.flow.noted(call.node, "pointer", "an address in", [first.leaf])
        return replace(first, itself=None)
    return Value(block=first.block, address=True)


def full(call: Call) -> Value:
    shape = call.argument(0, "shape")
    call.flow.integer(call.node, shape)
    for value in shape.items or (shape,):
        call.flow.noted(call.node, "arange", "a power of two in", value.parameters if value.static else ())
    place = 1 if call.name == "zeros" else 2
    dtype = call.type_argument(place)
    known = elements.evaluated(dtype, {}) if dtype else None
    return Value(
        block=bool(shape.items),
        dtype=dtype,
        index=known is not None and not elements.is_float(known) and known != "i1",
        floating=known is not None and elements.is_float(known),
    )


def where(call: Call) -> Value:
    condition = call.argument(0, "condition")
    call.flow.noted(call.node, "mask", "a condition in", condition.loaded)
    chosen = [call.argument(1, "x"), call.argument(2, "y")]
    call.flow.mixed(call.node, *chosen)
    return replace(merged(chosen), items=(), names_type=None, block=True, dtype=promoted(chosen))


def larger(call: Call) -> Value:
    values = call.positional[:2]
    if len(values) == 2:
        call.flow.mixed(call.node, *values)
    return replace(union(values), dtype=promoted(values))


def fused(call: Call) -> Value:
    return replace(union(call.operands), leaf=None, floating=True, dtype=promoted(call.operands))


def like(call: Call) -> Value:
    return replace(call.argument(0, "input"), loaded=frozenset(), itself=None)


def histogram(call: Call) -> Value:
    call.flow.integer(call.node, call.argument(0, "input"), call.argument(1, "num_bins"))
    return replace(INDEX, block=True)


def position(call: Call) -> Value:
    return replace(INDEX, block=True)


def combined(call: Call) -> Value:
    """``reduce`` and ``associative_scan``: the function sees two of what it is given, and gives one."""
    given = call.argument(0, "input")
    function = call.argument(2, "combine_fn")
    items = list(given.items) or [given]
    if function.function is not None:
        answer = call.flow.apply(function, [*items, *items], {})
        return answer if len(items) > 1 else replace(given, itself=None)
    return given


def asserted(call: Call) -> Value:
    return NOTHING


def device_assembly(call: Call) -> Value:
    args = call.argument(2, "args")
    dtype = call.type_argument(3)
    return Value(block=True, parameters=args.parameters, dtype=dtype)


OPERATIONS: dict[str, Callable[[Call], Value]] = {
    "arange": arange, "load": load, "store": store, "dot": dot, "dot_scaled": dot_scaled, "cast": cast, "to": cast,
    "make_block_ptr": block_pointer, "make_tensor_descriptor": block_pointer,
    "_experimental_make_tensor_descriptor": block_pointer, "zeros": full, "full": full, "where": where,
    "zeros_like": like, "full_like": like, "maximum": larger, "minimum": larger, "fma": fused, "histogram": histogram,
    "argmax": position, "argmin": position, "reduce": combined, "associative_scan": combined,
    "static_assert": asserted, "device_assert": asserted, "static_print": asserted, "device_print": asserted,
    "inline_asm_elementwise": device_assembly,
    **dict.fromkeys(("program_id", "num_programs", "range", "static_range", "len", "randint"), index),
    **dict.fromkeys(("rand", "randn", "rand4x", "randn4x"), random),
}  # fmt: skip
