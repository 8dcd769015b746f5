"""Arguments made from a specialization, and the grid to run them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Guard:
    """A made tensor lies at elements ``start:end`` of ``storage``, a flat tensor of the same element type.

    The rest of ``storage`` holds the bytes `POISON`, so that a write outside of the tensor shows and harms nothing.
    """

    storage: Any
    start: int
    end: int


#: Every byte of a guard. As fp16, bf16, fp32 and fp64 it is a large odd number, not NaN: a read outside shows too.
POISON = 0x5A
