"""One parameter's entry of a specialization, and how a user writes it: ``*fp16:16``, ``i32:1``, ``128``."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

import triton.language as tl

from .. import versions
from ..protocol import Rejected

#: How a type is written in a signature, by the names that Triton's language gives it.
TYPES = {
    "float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "float64": "fp64", "int1": "i1", "int8": "i8",
    "int16": "i16", "int32": "i32", "int64": "i64", "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "float8e5": "fp8e5", "float8e4nv": "fp8e4nv", "float8e4b15": "fp8e4b15",
}  # fmt: skip
SCALARS = frozenset(TYPES.values()) | {"u1", "fp8e4b8", "fp8e5b16"}
if hasattr(tl, "nv_tma_desc_type"):  # Triton 3.3 only
    SCALARS |= {"nvTmaDesc"}

#: What Triton asks of a value before it specializes on it.
DIVISOR = 16


@dataclass
class Parameter:
    type: str
    value: Any = None
    divisor: int | None = None
    provenance: str = "guessed"
    evidence: str | None = None


@dataclass
class Answer:
    """A specialization: ``signature`` has "constexpr" for a parameter with a value in ``constants``."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    configuration: int | None = None

    @property
    def signature(self) -> dict[str, str]:
        return {name: parameter.type for name, parameter in self.parameters.items()}

    @property
    def constants(self) -> dict[str, Any]:
        return {name: p.value for name, p in self.parameters.items() if p.type == "constexpr"}

    @property
    def attributes(self) -> dict[str, Any]:
        return {name: versions.divisibility(p.divisor) for name, p in self.parameters.items() if p.divisor is not None}


def parse_entry(name: str, entry: str) -> Parameter:
    """``*fp16:16``, ``i32``, ``i32:1``, or a constant."""
    text, _, hint = entry.partition(":")
    if not is_type(text):
        return parse_constant(name, entry)
    if hint == "1":
        return Parameter("constexpr", 1, provenance="given")
    if not hint:
        return Parameter(text, provenance="given")
    # As many digits as no divisor has: Triton's attribute has 32 bits, and it knows powers of two only.
    divisor = int(hint) if re.fullmatch("[0-9]{1,9}", hint) else 0
    if divisor == 0 or divisor & (divisor - 1):
        raise Rejected(
            "usage", f"{name}: '{hint}' in '{entry}' is not a power of two that divides it",
            hint="write *fp16:16 or i32:1",
        )  # fmt: skip
    return Parameter(text, divisor=divisor, provenance="given")


def is_type(text: str) -> bool:
    return text.removeprefix("*").removeprefix("k") in SCALARS or text.removeprefix("*") in SCALARS


def parse_constant(name: str, text: str) -> Parameter:
    """A Python literal, or a name of ``triton.language`` such as ``tl.float16``."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = getattr(tl, text.removeprefix("tl."), None)
        if value is None:
            raise Rejected(
                "usage", f"{name}: '{text}' is neither a type nor a constant",
                hint="types are written *fp16, i32, fp32; constants 128, True, None, tl.float16",
            ) from None  # fmt: skip
    return Parameter("constexpr", value, provenance="given")


def literal(text: Any) -> Any:
    """The Python literal that a text is, or else the text itself."""
    if not isinstance(text, str):
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def run_time(type_: str, provenance: str, evidence: str) -> Parameter:
    """A run-time parameter as a launch with torch tensors has it: pointers and sizes divisible by 16."""
    aligned = type_.startswith("*") or type_ in ("i32", "i64", "u32", "u64")
    return Parameter(type_, divisor=DIVISOR if aligned else None, provenance=provenance, evidence=evidence)
