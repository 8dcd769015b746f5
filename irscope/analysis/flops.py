"""Floating-point operations of one launch, counted from the ``tl.dot`` in its Triton IR.

Each ``tt.dot`` of an M x K by a K x N tile is 2 * M * N * K operations, each time it runs, in each program. That is
the work that the tensor cores are given: tiles that stick out over the edge of a matrix count whole, and the
masked half of a block on a causal diagonal counts too. The 2 * M * N * K of the whole matrices, which a reader may
have in mind, is less wherever a side is no multiple of its tile: 1000 x 776 x 520 in tiles of 128 x 128 x 64 is
counted as 1024 x 896 x 576. Who wants the former gives it (``--flops``). Operations outside of ``tl.dot`` are not
counted: on the ordinary units, they are no part of what a matrix product reaches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from irscope.analysis.counting import Uncertain, count
from irscope.ir import ssa
from irscope.ir.ssa import Operation

#: Products of tiles in forms that have no fixed meaning here: whether they run is up to a predicate, for one.
_OTHER_DOTS = re.compile(r"(?:ttng\.tc_gen5_mma|amdg(?:pu)?\.\w*(?:mfma|wmma))")

NO_DOTS = "the kernel has no tl.dot"


@dataclass(frozen=True, slots=True)
class Flops:
    """Operations of one launch. ``total`` is ``None`` where there are no dots (``dots`` is 0) or no certain count."""

    #: How many ``tl.dot`` the IR has.
    dots: int
    #: By element type of the operands; empty where nothing is certain.
    by_type: Mapping[str, int] = field(default_factory=dict)
    #: Why there is no total.
    reason: str | None = None

    @property
    def total(self) -> int | None:
        return None if self.reason is not None else sum(self.by_type.values())

    @property
    def type(self) -> str | None:
        """The operands' element type as in Triton's signatures, ``tf32`` for fp32 that is rounded to it.

        ``None`` where there are several: no one ceiling holds for them.
        """
        return next(iter(self.by_type)) if len(self.by_type) == 1 else None


def dot_flops(
    text: str,
    arguments: Mapping[str, int],
    grid: Sequence[int],
    signature: Mapping[str, object] | None = None,
) -> Flops:
    """Operations of all ``tl.dot`` in a launch of the kernel in this TTIR.

    ``arguments`` are the launch's integers by Python name (others are passed over); ``signature`` is the
    specialization's, by which those names are found in the IR of Triton before 3.6. A descriptor's extents are
    ``d.shape.0`` and ``d.stride.0``. Bounds and conditions may depend on these, on program ids and on the grid; where
    they depend on loaded data, or cannot be counted within about a second, ``reason`` says so.
    """
    functions = ssa.functions(text)
    kernel = ssa.entry(functions)
    dots = [
        operation
        for function in functions.values()
        for operation in function.body.operations()
        if operation.name in ("tt.dot", "tt.dot_scaled", "ttng.warp_group_dot")
    ]
    if kernel is None or _OTHER_DOTS.search(text):
        return Flops(len(dots), reason="these matrix products are not counted" if kernel else NO_DOTS)
    if not dots:
        return Flops(0, reason=NO_DOTS)
    types: list[str] = []
    weights: dict[int, tuple[int, int]] = {}
    for operation in dots:
        work = _scaled(operation) if operation.name == "tt.dot_scaled" else _plain(operation)
        if work is None:
            return Flops(len(dots), reason="a tl.dot in a form that is not known here")
        type_, operations = work
        if type_ not in types:
            types.append(type_)
        weights[id(operation)] = (types.index(type_), operations)
    try:
        totals = count(functions, kernel, weights, arguments, grid, signature)
    except Uncertain as uncertain:
        return Flops(len(dots), reason=f"tl.dot: {uncertain}")
    return Flops(len(dots), {type_: total for type_, total in zip(types, totals, strict=True) if total})


#: MLIR's names of element types, and those of scaled dots, as Triton's signatures write them.
_ELEMENTS = {
    "f64": "fp64",
    "f32": "fp32",
    "f16": "fp16",
    "bf16": "bf16",
    "f8E4M3FN": "fp8e4nv",
    "f8E5M2": "fp8e5",
    "f8E4M3FNUZ": "fp8e4b8",
    "f8E5M2FNUZ": "fp8e5b16",
    "e4m3": "fp8e4nv",
    "e5m2": "fp8e5",
    "e2m1": "fp4",
    "fp16": "fp16",
}
#: How an fp32 dot is done: on which elements, and in how many products.
_PRECISIONS = {
    "tf32": ("tf32", 1),
    "tf32x3": ("tf32", 3),
    "bf16x3": ("bf16", 3),
    "bf16x6": ("bf16", 6),
    "ieee": ("fp32", 1),
}
_TILE = re.compile(r"(?:tensor|memdesc)<((?:\d+x)+)([A-Za-z]\w*)")
_PRECISION = re.compile(r"inputPrecision = (\w+)")
_SCALED = re.compile(r"lhs = (\w+) rhs = (\w+)")
_BITS = re.compile(r"\D+(\d+)")


def _tiles(operation: Operation) -> list[tuple[list[int], str]]:
    """Shape and element type of operands and results that are tiles."""
    return [([int(side) for side in sides[:-1].split("x")], kind) for sides, kind in _TILE.findall(operation.type)]


def _plain(operation: Operation) -> tuple[str, int] | None:
    """Type and operations of ``A * B -> C``; tiles of three dimensions are stacks of products."""
    tiles = _tiles(operation)
    if len(tiles) < 3:
        return None
    (a, kind), (result, _) = tiles[0], tiles[-1]
    type_, products = _ELEMENTS.get(kind, kind), 1
    if type_ == "fp32":
        precision = _PRECISION.search(operation.text)
        # Not written where it is the default, ieee.
        type_, products = _PRECISIONS.get(precision[1] if precision else "ieee", (type_, 1))
    return type_, 2 * _product(result) * a[-1] * products


def _scaled(operation: Operation) -> tuple[str, int] | None:
    """The same for a product of microscaled tiles, two fp4 to a byte. The type is the wider operand's."""
    kinds = _SCALED.search(operation.text)
    tiles = _tiles(operation)
    if kinds is None or len(tiles) < 3:
        return None
    a, result = tiles[0][0], tiles[-1][0]
    packed = kinds[1] == "e2m1" and "lhs_k_pack = false" not in operation.text
    names = [_ELEMENTS.get(kind, kind) for kind in kinds.groups()]
    return max(names, key=_bits), 2 * _product(result) * a[-1] * (2 if packed else 1)


def _bits(type_: str) -> int:
    match = _BITS.match(type_)
    return int(match[1]) if match else 0


def _product(sides: Sequence[int]) -> int:
    result = 1
    for side in sides:
        result *= side
    return result
