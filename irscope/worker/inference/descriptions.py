"""What a kernel's docstring, or a comment beside a parameter, says of its parameters."""

from __future__ import annotations

import ast
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

#: A number or a word that a constant may be, and none that says under what condition, or of how many bits.
_WORD = r"""\d+|'[^']*'|"[^"]*"|True|False"""
_VALUE = rf"(?P<value>{_WORD})(?![\w-]|\.\d|\s*(?:if|when|where|bits?|bytes?|or\s+(?:more|less|greater))\b)"
_USUALLY = r"\be\.g\.,?|\bfor example,?|\b(?:usually|typically|always|either|one of|must be|should be)"
#: ``default: 64``; ``must be 16``, ``one of 32, 64``; ``32 or 64`` and no more, or in brackets.
VALUES = (
    re.compile(rf"\bdefaults?(?:\s+(?:to|is|value))*\s*[:=]?\s*{_VALUE}", re.IGNORECASE),
    re.compile(rf"(?:{_USUALLY})\s*[(\[{{]?{_VALUE}", re.IGNORECASE),
    re.compile(rf"(?:^(?:(?:int|str|tl\.constexpr|constexpr)\b[\s,]*)?|[(\[{{]){_VALUE}"
               rf"(?:\s*(?:,|/|\||or)+\s*(?:{_WORD}))+[)\]}}.]?(?:$|(?<=[)\]}}]))"),
)  # fmt: skip

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


def documented(function: Any) -> dict[str, tuple[Any, str]]:
    """By parameter, a value that is named for it, and the words."""
    found: dict[str, tuple[Any, str]] = {}
    for origin, name, text in entries(function):
        said = next(filter(None, (pattern.search(text) for pattern in VALUES)), None)
        if said is not None and name not in found:
            value = {"true": True, "false": False}.get(said["value"].lower(), said["value"])
            found[name] = ast.literal_eval(str(value)), f"{origin}: {name}: {text.strip()[:50]}"
    return found


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
