"""Tensors against a reference: ``||out - ref|| / ||ref||`` in the Euclidean norm, and how large it may be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: The largest relative error that passes, by element type. Two right answers differ by how each step is rounded
#: and by the order of sums. Of types with a short mantissa, one rounding is the most that a result loses: four
#: units of it (2**-11 for fp16 and for tf32's products, 2**-8 for bf16, which is torch's own tolerance for it too),
#: two for fp8, where four would let anything pass. fp32 loses more by sums in another order and by the GPU's
#: approximate exponentials and quotients (2 units of 2**-24 each) than by its rounding. Integers are exact.
TOLERANCES = {
    "float64": 1e-12,
    "float32": 1e-5,
    "tf32": 2e-3,
    "float16": 2e-3,
    "bfloat16": 1.6e-2,
    "float8_e4m3fn": 0.125,
    "float8_e4m3fnuz": 0.125,
    "float8_e5m2": 0.25,
    "float8_e5m2fnuz": 0.25,
}

#: Elements that are compared at a time, in double precision: 128 MiB for each side.
CHUNK = 1 << 24


def tolerance_of(dtype: Any, computed_in: Iterable[str] = ()) -> float:
    """For results of a torch dtype, given the element types that products before it were made of, tf32 among them."""
    name = str(dtype).removeprefix("torch.")
    if name not in TOLERANCES:
        return 0.0
    return max(TOLERANCES.get(each, 0.0) for each in (name, *computed_in))


def compare(name: str, out: Any, want: Any, tolerance: float, chosen: Any = None) -> dict[str, Any]:
    """The fields of ``model.Comparison`` for two tensors on the CPU, of one shape.

    NaN in the same places agree, and so do equal infinities. Where only one side has them the error is ``None``.
    Where the reference is all zeros, the error is the root mean square of ``out``. ``chosen`` is a mask of the
    elements to compare.
    """
    import torch

    compared, squares, reference, largest, apart = 0, 0.0, 0.0, 0.0, 0
    exact = not (out.is_floating_point() or out.is_complex())
    for one, other in chunks(out, want, chosen):
        compared += one.numel()
        if exact and one.dtype in (torch.int64, torch.uint64):
            # Doubles do not tell large integers apart.
            one, other = exactly(one, other)
        ours, theirs = doubles(one), doubles(other)
        same = (ours == theirs) | (ours.isnan() & theirs.isnan())
        finite = ours.isfinite() & theirs.isfinite()
        apart += int((~same & ~finite).sum())
        difference = torch.where(finite, ours - theirs, 0.0).abs()
        squares += float(difference.square().sum())
        reference += float(torch.where(finite, theirs, 0.0).square().sum())
        largest = max(largest, float(difference.max()) if difference.numel() else 0.0)
    error = None
    if not apart and compared:
        error = (squares / (reference or compared)) ** 0.5
    return {
        "name": name,
        "error": error,
        "tolerance": tolerance,
        "passed": error is not None and error <= tolerance,
        "compared": compared,
        "elements": out.numel(),
        "largest": largest if compared else None,
    }


def chunks(out: Any, want: Any, chosen: Any) -> Iterable[tuple[Any, Any]]:
    """Both tensors, flat and piece by piece, of a mask only what it has."""
    flat, flat_want = out.reshape(-1), want.reshape(-1)
    mask = None if chosen is None else chosen.reshape(-1)
    for start in range(0, flat.numel(), CHUNK):
        piece = slice(start, start + CHUNK)
        if mask is None:
            yield flat[piece], flat_want[piece]
        elif bool(mask[piece].any()):
            yield flat[piece][mask[piece]], flat_want[piece][mask[piece]]


def exactly(one: Any, other: Any) -> tuple[Any, Any]:
    """Integers as floating point that is equal only where they are: where they differ, one is moved apart."""
    import torch

    ours, theirs = one.to(torch.float64), other.to(torch.float64)
    return torch.where((one != other) & (ours == theirs), ours + ours.abs() * 2.0**-52 + 1.0, ours), theirs


def doubles(tensor: Any) -> Any:
    import torch

    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return tensor.to(torch.float64)
