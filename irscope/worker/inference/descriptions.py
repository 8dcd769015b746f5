"""What a kernel's docstring, or a comment beside a parameter, says of its parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

#: Types by the words for them, where these are no types of Triton's.
WORDS = {
    "float16": "fp16", "half": "fp16", "bfloat16": "bf16", "float32": "fp32", "float64": "fp64", "double": "fp64",
    "int8": "i8", "uint8": "u8", "int16": "i16", "int32": "i32", "uint32": "u32", "int64": "i64", "long": "i64",
    "bool": "i1", "boolean": "i1", "float8_e4m3": "fp8e4nv", "float8_e4m3fn": "fp8e4nv", "float8_e5m2": "fp8e5",
}  # fmt: skip
TYPE = re.compile(r"\b(?:tl\.|torch\.)?(" + "|".join([*WORDS, "fp16", "bf16", "fp32", "fp64", "[iu](?:8|16|32|64)"])
                  + r")\b", re.IGNORECASE)  # fmt: skip
POINTER = re.compile(r"\b(pointers?|ptrs?|tensors?)\b", re.IGNORECASE)
INTEGER = re.compile(r"\b(int|integer)\b", re.IGNORECASE)
FLOAT = re.compile(r"\b(float|floating)\b", re.IGNORECASE)

#: ``x_ptr (type): text``, ``x_ptr: text``, ``x_ptr - text`` in a docstring.
ENTRY = re.compile(r"^[\s*:`-]*(?:param\s+)?(\w+)`{0,2}\s*(?:\(([^)]*)\))?\s*(?::|-+\s)\s*(.*)$")
#: ``x_ptr,  # text`` in a signature.
COMMENT = re.compile(r"^\s*(\w+)\s*(?::[^,#]*)?,?\s*#\s*(.+)$")


@dataclass(frozen=True)
class Description:
    #: "pointer", "integer", "floating", or ``None``.
    kind: str | None
    type: str | None
    #: The words.
    evidence: str


def described(function: Any) -> dict[str, Description]:
    """By parameter of a jit function; what says neither a kind nor a type is left out."""
    names = {parameter.name for parameter in function.params}
    found: dict[str, Description] = {}
    for origin, name, text in entries(function):
        if name in names and name not in found:
            said = description(text, f"{origin}: {name}: {text.strip()[:50]}")
            if said.kind or said.type:
                found[name] = said
    return found


def entries(function: Any) -> list[tuple[str, str, str]]:
    """Where a parameter is described, its name, and the words."""
    signature, _, _ = str(getattr(function, "src", "")).partition("):\n")
    lines = [(COMMENT.match(line), "its comment") for line in signature.splitlines()[1:]]
    lines += [(ENTRY.match(line), "its docstring") for line in (function.fn.__doc__ or "").splitlines()]
    return [(origin, line[1], " ".join(part for part in line.groups()[1:] if part)) for line, origin in lines if line]


def description(text: str, evidence: str) -> Description:
    type_ = TYPE.search(text)
    word = None if type_ is None else WORDS.get(type_[1].lower(), type_[1].lower())
    if POINTER.search(text):
        return Description("pointer", word, evidence)
    if INTEGER.search(text) or (word or "").startswith(("i", "u")):
        return Description("integer", word, evidence)
    if FLOAT.search(text) or (word or "").startswith(("fp", "bf")):
        return Description("floating", word, evidence)
    return Description(None, None, evidence)
