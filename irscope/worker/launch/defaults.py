"""Sizes, shapes and strides where the user gives none: such that an elementwise kernel stays within its tensors.

Integers are sizes, strides (by name), or neither (a seed, an offset: 0). A tensor has the dimensions that its
strides are named for, else it spans all sizes, so that no index made of sizes leaves it.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import grid

#: Elements of a tensor where one size spans it, and where several do.
FLAT = 1 << 20
SPANNED = 1 << 24
#: Rows and columns where a tensor has a stride but one size is known.
SQUARE = 4096
#: No default size is smaller: Triton specializes on multiples of 16.
SMALLEST = 16
#: Past this a tensor does not span all sizes, but the two largest.
LARGEST = 1 << 28

STRIDE = re.compile(r"(?i).*stride.*")
#: Integers that are no sizes: zero is safe for each.
ZERO = re.compile(r"(?i)(.*_)?(seed|philox\w*|offs?|offset|start|begin|axis|flag|flags|step|iteration|idx|index|pid)")
FLOATS = {r"(?i)(.*_)?(eps|epsilon)": 1e-5, r"(?i)(.*_)?(p|prob|rate|dropout\w*)": 0.1}

INTEGERS = frozenset({"i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"})


@dataclass
class Layout:
    """Integers and shapes of a made launch."""

    #: Run-time integers by name, strides too.
    integers: dict[str, int] = field(default_factory=dict)
    #: Those of them that are sizes, and ``rows`` where the kernel leaves its rows to the grid.
    sizes: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


def lay_out(
    tensors: list[str],
    integers: Mapping[str, int | None],
    shapes: Mapping[str, tuple[int, ...]],
    constexprs: Mapping[str, Any],
) -> Layout:
    """Settle what is open; ``integers`` are the run-time ones with the value that is given or ``None``."""
    strides = [name for name in integers if STRIDE.fullmatch(name)]
    zeros = [name for name in integers if name not in strides and ZERO.fullmatch(name)]
    sizes = [name for name in integers if name not in strides and name not in zeros]
    layout = Layout()
    layout.integers.update({name: integers[name] or 0 for name in zeros})
    dimensions = dimensions_of(tensors, strides)
    layout.sizes = default_sizes(sizes, integers, shapes, dimensions)
    layout.integers |= layout.sizes
    if strides and len(sizes) <= 1:
        layout.sizes["rows"] = max([shape[0] for shape in shapes.values() if len(shape) > 1], default=SQUARE)
    for name in tensors:
        letters = [letter for letter, _ in dimensions.get(name, ())]
        layout.shapes[name] = shapes.get(name) or shape_of(letters, layout.sizes, constexprs)
    for name, pairs in dimensions.items():
        shape = layout.shapes[name] if name in layout.shapes else shape_of([a for a, _ in pairs], layout.sizes, {})
        for (_, stride), value in zip(pairs, contiguous(shape, len(pairs)), strict=True):
            layout.integers[stride] = value
    for name in strides:
        given = integers[name]
        if given is not None:
            layout.integers[name] = given
    return layout


def default_sizes(sizes: list[str], integers: Mapping[str, int | None], shapes: Mapping[str, tuple[int, ...]],
                  dimensions: Mapping[str, list[tuple[str, str]]]) -> dict[str, int]:  # fmt: skip
    """A value for each size: given, that of the dimension named for it, or one that all given tensors have."""
    dimension = {}
    for tensor, pairs in dimensions.items():
        shape = shapes.get(tensor, ())
        if len(shape) == len(pairs):
            dimension.update({letter: size for (letter, _), size in zip(pairs, shape, strict=True)})
    found = {}
    for name in sizes:
        value: int | None = integers[name]
        if value is None:
            value = next((size for letter, size in dimension.items() if belongs(letter, name)), None)
        if value is None and shapes:
            flat = len(sizes) == 1 and not dimensions
            value = min(math.prod(shape) if flat else shape[-1] if len(sizes) == 1 else min(shape)
                        for shape in shapes.values())  # fmt: skip
        if value is None:
            value = SQUARE if dimensions and len(sizes) == 1 else default_size(len(sizes))
        found[name] = value
    return found


def default_size(count: int) -> int:
    """As large as ``count`` sizes may be for a tensor over all of them; a power of two."""
    return FLAT if count == 1 else max(SMALLEST, 1 << (SPANNED.bit_length() - 1) // count)


def dimensions_of(tensors: list[str], strides: list[str]) -> dict[str, list[tuple[str, str]]]:
    """By tensor, the letter of each dimension and the stride's name: ``stride_am`` is a's along m.

    Strides of nothing that is known are those of a tensor with an empty name.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for stride in strides:
        words = [word for word in re.split(r"_|(?i:strides?)", stride.lower()) if word and word != "row"]
        text = "".join(words)
        tensor = next((name for name in sorted(tensors, key=len, reverse=True)
                       if text and text.startswith(bare(name)) and bare(name)), None)  # fmt: skip
        rest = text.removeprefix(bare(tensor)) if tensor else text
        if tensor is None and len(text) > 1:
            tensor = next((name for name in tensors if bare(name).startswith(text[0])), None)
            rest = text[1:] if tensor else text
        if tensor is None and tensors and not found:
            tensor = tensors[0]
        found.setdefault(tensor or "", []).append((rest if len(rest) == 1 else "", stride))
    return found


def bare(tensor: str | None) -> str:
    """``a`` for ``a_ptr`` and ``A``."""
    return re.sub(r"_?(ptrs?|pointers?)$", "", (tensor or "").lower()).strip("_").replace("_", "")


def belongs(letter: str, size: str) -> bool:
    """Whether a dimension's letter stands for a size: m for M, M_size or n_m; h for heads."""
    return bool(letter) and (size.lower().startswith(letter) or size.lower().endswith(f"_{letter}"))


def shape_of(letters: list[str], sizes: Mapping[str, int], constexprs: Mapping[str, Any]) -> tuple[int, ...]:
    blocks = grid.blocks(constexprs)
    known = {**sizes, **{name: constexprs[name] for name in constexprs if name not in blocks}}
    known = {name: value for name, value in known.items() if type(value) is int and value > 0}
    widest = max(sizes.values(), default=SQUARE)
    if len(letters) == 1 and "rows" in sizes:
        return (sizes["rows"], next((value for name, value in sizes.items() if name != "rows"), widest))
    if len(letters) > 1:
        return tuple(next((known[size] for size in known if belongs(letter, size)), widest) for letter in letters)
    spanned = sorted((max(size, 1) for size in sizes.values()), reverse=True)
    if math.prod(spanned) > LARGEST:
        spanned = spanned[:2]
    return (math.prod(spanned),) if spanned else (max(FLAT, grid.largest_block(constexprs)),)


def contiguous(shape: tuple[int, ...], count: int) -> list[int]:
    """The first ``count`` strides of a contiguous tensor; for more than it has dimensions, the last repeated."""
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    return (strides + [1] * count)[:count]


def default_float(name: str) -> float:
    return next((value for pattern, value in FLOATS.items() if re.fullmatch(pattern, name)), 1.0)


def program_axes(function: ast.AST) -> int:
    """How many of x, y and z a kernel asks for with ``tl.program_id``."""
    found = [0]
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "program_id":
            values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "axis")]
            found += [value.value for value in values if isinstance(value, ast.Constant) and type(value.value) is int]
    return min(max(found) + 1, 3)
