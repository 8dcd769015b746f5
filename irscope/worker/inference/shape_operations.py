"""What Triton's own functions make of shapes, for `shapes`."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from .shape_values import Block, Constant, Group, Module, Value, computed, is_size, product, truth

if TYPE_CHECKING:
    from .shapes import FunctionReader

#: Least K of a dot's operands by bits of an element; M and N are at least 16 where it matters.
LEAST_DOT = 16
LEAST_DOT_8BIT = 32
#: Bytes that the last dimension of a tensor descriptor's block has at least.
LEAST_DESCRIPTOR_ROW = 16

BYTES = {"fp64": 8, "i64": 8, "u64": 8, "fp32": 4, "i32": 4, "u32": 4, "fp16": 2, "bf16": 2, "i16": 2, "u16": 2}

REDUCTIONS = frozenset({"sum", "max", "min", "argmax", "argmin", "xor_sum", "reduce", "reduce_or"})
SAME_SHAPE = frozenset(
    {"cumsum", "cumprod", "sort", "flip", "softmax", "multiple_of", "max_contiguous", "max_constancy", "advance",
     "associative_scan", "zeros_like", "full_like", "abs", "cast", "to"}
)  # fmt: skip
ATOMICS = frozenset({"atomic_add", "atomic_max", "atomic_min", "atomic_and", "atomic_or", "atomic_xor", "atomic_xchg"})


class Call:
    """A call with its arguments read; a method's object is the first of them."""

    def __init__(
        self, reader: FunctionReader, node: ast.Call, positional: list[Value], named: dict[str, Value]
    ) -> None:
        self.reader = reader
        self.node = node
        self.positional = positional
        self.named = named

    def argument(self, number: int, *names: str) -> Value:
        if number < len(self.positional):
            return self.positional[number]
        return next((self.named[name] for name in names if name in self.named), None)

    def block(self, number: int, *names: str) -> Block | None:
        value = self.argument(number, *names)
        return value if isinstance(value, Block) else None

    def dimensions(self, number: int, *names: str) -> tuple[Constant, ...] | None:
        value = self.argument(number, *names)
        if number < len(self.positional) and not isinstance(value, Group):
            value = Group(tuple(self.positional[number:]))
        return self.reader.dimensions(self.node, value)


def call(reader: FunctionReader, node: ast.Call) -> Value:
    positional = [reader.read(argument) for argument in node.args if not isinstance(argument, ast.Starred)]
    named = {keyword.arg: reader.read(keyword.value) for keyword in node.keywords if keyword.arg}
    starred = any(isinstance(argument, ast.Starred) for argument in node.args)
    if isinstance(node.func, ast.Name | ast.Attribute):
        helper = reader.reading.resolve(reader.function, ast.unparse(node.func))
        if helper is not None:
            return None if starred else reader.call_function(helper, positional, named)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if isinstance(node.func, ast.Attribute):
        owner = reader.read(node.func.value)
        if not isinstance(owner, Module):
            positional = [owner, *positional]
    found = Call(reader, node, positional, named)
    constants = [value for value in positional if isinstance(value, Constant)]
    if name in PYTHON and len(constants) == len(positional) and not named:
        return computed(PYTHON[name], *constants)
    if name in OPERATIONS:
        return OPERATIONS[name](found)
    if name in REDUCTIONS and isinstance(node.func, ast.Attribute):
        return reduction(found)
    if name in SAME_SHAPE:
        block = found.block(0, "input")
        return None if block is None else Block(block.shape, None if name in ("to", "cast") else block.element)
    # Elementwise as nearly all of the others are, without insisting on it.
    blocks = [value for value in positional if isinstance(value, Block)]
    if not blocks or len(blocks) + len(constants) != len(positional):
        return None
    return Block(max((block.shape for block in blocks), key=len))


def cdiv(a: int, b: int) -> int:
    return -(-a // b)


def next_power_of_2(n: int) -> int:
    return 1 << (n - 1).bit_length() if n > 0 else 1


PYTHON: dict[str, Callable[..., object]] = {
    "min": min, "max": max, "cdiv": cdiv, "next_power_of_2": next_power_of_2, "constexpr": lambda value: value,
    "int": int, "bool": bool, "float": float, "abs": abs, "log2": math.log2, "minimum": min, "maximum": max,
}  # fmt: skip


def arange(call: Call) -> Value:
    start, end = call.argument(0, "start"), call.argument(1, "end")
    if not isinstance(start, Constant) or not isinstance(end, Constant):
        return None
    length = computed(lambda a, b: b - a, start, end)
    sizes = call.reader.dimensions(call.node, length)
    return None if sizes is None else Block(sizes, "i32")


def full(call: Call) -> Value:
    sizes = call.reader.dimensions(call.node, call.argument(0, "shape"))
    return None if sizes is None else Block(sizes)


def load(call: Call) -> Value:
    pointer = call.block(0, "pointer")
    if pointer is None:
        return None
    if isinstance(call.node.func, ast.Attribute) and call.reader.read(call.node.func.value) is pointer:
        return Block(pointer.shape, pointee(pointer))  # a descriptor's method, whose arguments are offsets
    checked = call.reader.broadcast(call.node, pointer, *masks(call))
    return Block(checked.shape if isinstance(checked, Block) else pointer.shape, pointee(pointer))


def store(call: Call) -> Value:
    pointer, value = call.block(0, "pointer"), call.argument(1, "value")
    if pointer is not None and isinstance(value, Block):
        call.reader.broadcast(call.node, pointer, value, *masks(call))
    return None


def atomic(call: Call) -> Value:
    pointer, value = call.block(0, "pointer"), call.argument(1, "val")
    if pointer is None:
        return None
    checked = call.reader.broadcast(call.node, pointer, value) if isinstance(value, Block) else pointer
    return Block(checked.shape if isinstance(checked, Block) else pointer.shape, pointee(pointer))


def masks(call: Call) -> list[Value]:
    return [value for name in ("mask", "other") if isinstance(value := call.named.get(name), Block)]


def pointee(pointer: Block) -> str | None:
    return pointer.element[1:] if pointer.element and pointer.element.startswith("*") else None


def block_pointer(call: Call) -> Value:
    base = call.block(0, "base")
    sizes = call.reader.dimensions(call.node, call.argument(4, "block_shape"))
    return None if sizes is None else Block(sizes, base.element if base else None)


def descriptor(call: Call) -> Value:
    base = call.block(0, "base")
    sizes = call.reader.dimensions(call.node, call.argument(3, "block_shape"))
    if not sizes:
        return None
    element = base.element if base else None
    least = LEAST_DESCRIPTOR_ROW // BYTES.get((element or "*fp16")[1:], 2)
    if is_size(sizes[-1]) and sizes[-1].value < least:
        call.reader.conflict(call.node, f"a row of at least {LEAST_DESCRIPTOR_ROW} bytes", sizes[-1], least=least)
    return Block(sizes, element)


def dot(call: Call) -> Value:
    a, b, acc = call.block(0, "input"), call.block(1, "other"), call.argument(2, "acc")
    if a is None or b is None or len(a.shape) < 2 or len(b.shape) < 2:
        return None
    reader, node = call.reader, call.node
    reader.equal(node, "the K of both operands", a.shape[-1], b.shape[-2])
    shallow = a.element is not None and ("8" in a.element)
    for size, least in (
        (a.shape[-1], LEAST_DOT_8BIT if shallow else LEAST_DOT), (a.shape[-2], LEAST_DOT), (b.shape[-1], LEAST_DOT),
    ):  # fmt: skip
        if is_size(size) and size.value < least:
            reader.conflict(node, f"at least {least}", size, least=least)
    result = Block((*a.shape[:-1], b.shape[-1]))
    if isinstance(acc, Block) and len(acc.shape) == len(result.shape):
        for one, other in zip(acc.shape, result.shape, strict=True):
            reader.equal(node, "the accumulator's size", one, other)
    return result


def dot_scaled(call: Call) -> Value:
    a, b = call.block(0, "lhs"), call.block(3, "rhs")
    if a is None or b is None or len(a.shape) < 2 or len(b.shape) < 2:
        return None
    return Block((a.shape[-2], b.shape[-1]))


def transposed(call: Call) -> Value:
    block = call.block(0, "input")
    if block is None:
        return None
    order = call.positional[1:] or [call.named.get("dims")]
    if len(order) == 1 and isinstance(order[0], Group):
        order = list(order[0].items)
    numbers = [value.value for value in order if isinstance(value, Constant) and isinstance(value.value, int)]
    if sorted(numbers) == list(range(len(block.shape))):
        return Block(tuple(block.shape[number] for number in numbers), block.element)
    if len(block.shape) != 2:
        return None
    return Block(block.shape[::-1], block.element)


def reshaped(call: Call) -> Value:
    block, sizes = call.block(0, "input"), call.dimensions(1, "shape")
    if sizes is None:
        return None
    if block is not None and all(is_size(size) for size in (*block.shape, *sizes)):
        call.reader.equal(call.node, "as many elements", product(block.shape), product(sizes))
    return Block(sizes, block.element if block else None)


def broadcast_to(call: Call) -> Value:
    block, sizes = call.block(0, "input"), call.dimensions(1, "shape")
    if sizes is None:
        return None
    if block is not None:
        call.reader.joined(call.node, sizes, block.shape)
    return Block(sizes, block.element if block else None)


def expanded(call: Call) -> Value:
    block, axis = call.block(0, "input"), call.argument(1, "axis")
    if block is None or not isinstance(axis, Constant) or not isinstance(axis.value, int):
        return None
    place = axis.value if axis.value >= 0 else axis.value + len(block.shape) + 1
    return Block((*block.shape[:place], Constant(1), *block.shape[place:]), block.element)


def reduction(call: Call) -> Value:
    block, axis = call.block(0, "input"), call.argument(1, "axis")
    if block is None:
        return None
    if axis is None or (isinstance(axis, Constant) and axis.value is None):
        reduced = Block((), block.element)
    elif isinstance(axis, Constant) and isinstance(axis.value, int) and block.shape:
        place = axis.value % len(block.shape)
        kept = (Constant(1),) if truth(call.named.get("keep_dims")) else ()
        reduced = Block((*block.shape[:place], *kept, *block.shape[place + 1 :]), block.element)
    else:
        return None
    return Group((reduced, reduced)) if "return_indices" in call.named else reduced


def joined(call: Call) -> Value:
    a, b = call.block(0), call.block(1)
    if a is None or b is None:
        return None
    both = call.reader.broadcast(call.node, a, b)
    return Block((*both.shape, Constant(2)), both.element) if isinstance(both, Block) else None


def split(call: Call) -> Value:
    block = call.block(0)
    if block is None or not block.shape:
        return None
    call.reader.equal(call.node, "2 to split", block.shape[-1], Constant(2))
    half = Block(block.shape[:-1], block.element)
    return Group((half, half))


def interleaved(call: Call) -> Value:
    a, b = call.block(0), call.block(1)
    both = call.reader.broadcast(call.node, a, b) if a is not None and b is not None else None
    if not isinstance(both, Block) or not both.shape:
        return None
    last = both.shape[-1]
    return Block((*both.shape[:-1], Constant(last.value * 2, last.names)), both.element)


def concatenated(call: Call) -> Value:
    a, b = call.block(0), call.block(1)
    if a is None or b is None or len(a.shape) != 1 or len(b.shape) != 1:
        return None
    length = computed(lambda m, n: m + n, a.shape[0], b.shape[0])
    return Block((length,)) if isinstance(length, Constant) else None


def where(call: Call) -> Value:
    chosen = call.reader.broadcast(call.node, *call.positional)
    return Block(chosen.shape) if isinstance(chosen, Block) else None


def static_assert(call: Call) -> Value:
    if call.node.args:
        call.reader.asserted(call.node, call.node.args[0])
    return None


def histogram(call: Call) -> Value:
    sizes = call.reader.dimensions(call.node, call.argument(1, "num_bins"))
    return None if sizes is None else Block(sizes, "i32")


def nothing(call: Call) -> Value:
    return None


def scalar(call: Call) -> Value:
    return Block((), "i32")


OPERATIONS: dict[str, Callable[[Call], Value]] = {
    "arange": arange, "zeros": full, "full": full, "load": load, "store": store, "make_block_ptr": block_pointer,
    "make_tensor_descriptor": descriptor, "_experimental_make_tensor_descriptor": descriptor, "dot": dot,
    "dot_scaled": dot_scaled, "trans": transposed, "permute": transposed, "reshape": reshaped, "view": reshaped,
    "broadcast_to": broadcast_to, "expand_dims": expanded, "join": joined, "split": split, "interleave": interleaved,
    "cat": concatenated, "where": where, "static_assert": static_assert, "histogram": histogram,
    "program_id": scalar, "num_programs": scalar, "range": nothing, "static_range": nothing, "gather": nothing,
    "inline_asm_elementwise": nothing, "map_elementwise": nothing, "static_print": nothing, "device_print": nothing,
    "ravel": nothing, "item": nothing, "topk": nothing, "scatter": nothing,
    **dict.fromkeys(ATOMICS, atomic),
}  # fmt: skip
