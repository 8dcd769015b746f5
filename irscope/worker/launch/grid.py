"""The grid that a user writes, ``cdiv(n, BLOCK), 4``, and one for those who write none."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..protocol import Rejected, names_hint

#: Most blocks along x, y and z that CUDA takes.
LIMITS = (2**31 - 1, 65535, 65535)
#: No grid needs more, and what nests deeper than this would be too deep for Python.
LONGEST = 300


def cdiv(size: int, block: int) -> int:
    return -(-size // block)


FUNCTIONS: dict[str, Callable[..., int]] = {"cdiv": cdiv, "min": min, "max": max}
OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
}


def evaluate(text: str, values: Mapping[str, Any]) -> tuple[int, ...]:
    """One to three integers of a grid expression; ``values`` are parameters and constexprs by name.

    Raises `Rejected` (kind "usage") for what is no such expression, names the unknown, and for a size that
    CUDA does not launch.
    """
    try:
        if len(text) > LONGEST:
            raise SyntaxError
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise refused(text, "is not an expression") from None
    axes = tree.elts if isinstance(tree, ast.Tuple) else [tree]
    if not 1 <= len(axes) <= 3:
        raise refused(text, f"has {len(axes)} sizes; a grid has one to three")
    grid = tuple(value(axis, values, text) for axis in axes)
    for axis, size, limit in zip("xyz", grid, LIMITS, strict=False):
        if not 1 <= size <= limit:
            raise refused(text, f"is {size} along {axis}; CUDA takes 1 to {limit}")
    return grid


def value(node: ast.expr, values: Mapping[str, Any], text: str) -> int:
    """The integer that a node stands for. Nothing but this arithmetic is evaluated."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return named(node.id, values, text)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -value(node.operand, values, text)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = value(node.left, values, text), value(node.right, values, text)
        return arithmetic(OPERATORS[type(node.op)], [left, right], text)
    if isinstance(node, ast.Call) and node.args and not node.keywords:
        # triton.cdiv is what a kernel's file writes.
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in FUNCTIONS and (len(node.args) == 2 or (name != "cdiv" and len(node.args) > 2)):
            return arithmetic(FUNCTIONS[name], [value(argument, values, text) for argument in node.args], text)
    raise refused(text, f"has '{ast.unparse(node)}', which is not understood")


def named(name: str, values: Mapping[str, Any], text: str) -> int:
    if name not in values:
        raise Rejected("usage", f"--grid '{text}': there is no '{name}'", hint=names_hint(name, values))
    found = values[name]
    if type(found) is not int:
        raise refused(text, f"needs an integer, and {name} is {type(found).__name__}")
    return found


def arithmetic(function: Callable[..., int], operands: list[int], text: str) -> int:
    try:
        return function(*operands)
    except ZeroDivisionError:
        raise refused(text, "divides by zero") from None


def refused(text: str, why: str) -> Rejected:
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return Rejected(
        "usage", f"--grid '{shown}' {why}",
        hint="up to three integers with commas: numbers, parameters, + - * // %, cdiv, min, max",
    )  # fmt: skip


# Where the user writes none


def default_grid(sizes: Mapping[str, int], constexprs: Mapping[str, Any], axes: int, largest: int) -> tuple[int, ...]:
    """A grid that stays within the made tensors where the kernel is a usual one.

    ``sizes`` are its sizes (not strides) by name, ``axes`` how many program ids it asks for, ``largest`` the
    elements of its largest tensor. Tiles where blocks belong to sizes by name (``BLOCK_M`` to ``M``); one program
    a row where a size has no block; one a block where there is one size.
    """
    tiled = blocks_of(sizes, constexprs)
    # A product sums over K, and a program does all of that.
    rest = [size for name, size in sizes.items() if name not in tiled and name.lower() != "k"]
    tiles = [cdiv(sizes[name], constexprs[block]) for name, block in tiled.items() if name.lower() != "k"]
    if tiles and axes > 1:
        return (*tiles, *rest, 1, 1)[:axes]
    if tiles and not rest:
        return (math.prod(tiles),)
    block = largest_block(constexprs)
    if not tiles and len(sizes) <= 1 and block:
        return (cdiv(max(sizes.values(), default=largest), block),)
    return (min(rest or sizes.values(), default=1),)


def blocks_of(sizes: Mapping[str, int], constexprs: Mapping[str, Any]) -> dict[str, str]:
    """By size, the constexpr that splits it, where their names say so."""
    found = {}
    for size in sizes:
        for name in blocks(constexprs):
            axis = re.sub(r"(?i)^_*(block|tile)(_?size)?_*|^b(?=[a-z]$)", "", name).lower()
            bare = re.sub(r"(?i)^(n|num)_|_?(size|len)$", "", size).lower()
            if axis and axis in (size.lower(), bare):
                found[size] = name
    return found


def blocks(constexprs: Mapping[str, Any]) -> list[str]:
    pattern = re.compile(r"(?i).*(block|tile).*|b[a-z]")
    return [name for name, value in constexprs.items() if type(value) is int and value > 0 and pattern.fullmatch(name)]


def largest_block(constexprs: Mapping[str, Any]) -> int:
    return max((constexprs[name] for name in blocks(constexprs)), default=0)
