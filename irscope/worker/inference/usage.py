"""How a kernel uses its parameters: facts from an abstract reading of its Python, through its helpers (`flow`).

Each fact has the line that says so. Uses are noted on the kernel's own parameters, wherever in the chain of helpers
they happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .elements import Constraint, Dtype


@dataclass
class Use:
    """What is known of a parameter; each fact with the line that says so."""

    pointer: str | None = None
    integer: str | None = None
    floating: str | None = None
    #: Something is added to it, and the parameter's name is that of the sum from then on.
    moved: str | None = None
    #: The keyword of Triton's under which it is passed on: "eviction_policy", and the line.
    keyword: tuple[str, str] | None = None
    #: A stride in an address that has a stride of one besides.
    outer: bool = False
    #: It is a tensor descriptor, whose block has sizes of these constexprs.
    descriptor: str | None = None
    block: tuple[str | None, ...] = ()
    #: It is part of what is added to the pointer of an address.
    offset: str | None = None
    #: Its name is read somewhere.
    seen: bool = False
    #: Something is computed with it, whatever that is.
    touched: str | None = None
    #: Everything that is done with it stands behind a test that it is not ``None``.
    optional: str | None = None

    # Of a pointer's elements
    read: str | None = None
    dot: str | None = None
    integer_elements: str | None = None
    float_elements: str | None = None
    mask: str | None = None
    bit_fields: str | None = None
    #: Four bits of it are taken, at a place that is known: there are two in a byte.
    nibbles: str | None = None
    atomic_exchange: str | None = None
    #: What is loaded becomes fp32 at once, which is only worth writing where it may be narrower.
    widened: str | None = None
    #: What is loaded becomes an integer of few bits at once: which, and the line.
    narrowed: tuple[str, str] | None = None
    #: The exponential of it, or of its difference from another, is taken.
    exponent: str | None = None
    #: It is read one element at a time.
    single: str | None = None
    stored: list[tuple[Dtype, str]] = field(default_factory=list)
    #: The type of the pointer that it is cast to.
    cast: tuple[str, str] | None = None

    # Of a constexpr
    condition: str | None = None
    compared: list[tuple[Any, str]] = field(default_factory=list)
    arange: str | None = None
    unrolled: str | None = None
    as_type: str | None = None
    #: It says how far bits are shifted.
    shift: str | None = None
    #: It is called, with how many arguments at most.
    called: tuple[int, str] | None = None
    #: It is asked for what only text has.
    text: str | None = None


@dataclass
class Usage:
    uses: dict[str, Use] = field(default_factory=dict)
    has_dot: str | None = None
    #: A tensor gets another axis somewhere: blocks are two-dimensional, and large ones would be very large.
    two_dimensional: bool = False
    constraints: list[Constraint] = field(default_factory=list)
    #: Numbers that are combined with loaded ones: of the kind of what the pointers hold.
    alike: list[tuple[str, str, str]] = field(default_factory=list)
    #: Whether both ways of a test of constexprs were read.
    undecided: bool = False

    def of(self, name: str) -> Use:
        return self.uses.setdefault(name, Use())
