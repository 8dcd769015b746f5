"""Values for constexprs that nothing gives: from how they are used, and then from their names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import triton.language as tl

from ..instead import unchanged
from . import elements
from .usage import Usage, Use

GUESSES: dict[str, Any] = json.loads(Path(__file__).with_name("guesses.json").read_text(encoding="utf-8"))


def guessed_constant(name: str, usage: Usage) -> tuple[Any, str]:
    """A value and what says so."""
    use = usage.of(name)
    for guess in (keyword, compared, as_type, optional, called, text, shift, unrolled, condition, number):
        found = guess(name, use, usage)
        if found is not None:
            return found
    return named(name, usage)


def keyword(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    """What the operation takes of which it is an argument, as ``eviction_policy`` of a load."""
    return None if use.keyword is None else (GUESSES["keywords"][use.keyword[0]], use.keyword[1])


def compared(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    """The first value that it is compared with, unless it is a size that has a special case."""
    texts = [(value, evidence) for value, evidence in use.compared if isinstance(value, str)]
    if texts:
        return texts[0]
    types = [(value, evidence) for value, evidence in use.compared if isinstance(value, tl.dtype)]
    if types and use.as_type is None:
        return types[0]
    numbers = [(value, evidence) for value, evidence in use.compared if isinstance(value, int)]
    if numbers and not (use.arange or use.integer or use.unrolled):
        return numbers[0]
    return None


def as_type(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    if use.as_type is None:
        return None
    own = elements.of(name)
    if any(each.kind == "integer" and own in each.types for each in usage.constraints):
        return tl.int32, use.as_type
    single = re.search("acc|scale|compute|out_?dtype", name, re.IGNORECASE)
    return (tl.float16 if usage.has_dot and not single else tl.float32), use.as_type


def optional(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    return (None, use.optional) if use.optional and not use.touched and not use.arange else None


def called(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    """A function that gives back its first argument."""
    return None if use.called is None else (unchanged(use.called[0]), use.called[1])


def text(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    return None if use.text is None else ("", use.text)


def shift(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    return None if use.shift is None else (GUESSES["shift"], use.shift)


def unrolled(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    small = GUESSES["small"]
    if use.unrolled and not use.arange:
        return small["value"], use.unrolled
    names = small["factors"] if use.arange else f"{small['names']}|{small['factors']}"
    if re.fullmatch(names, name, re.IGNORECASE):
        return small["value"], "its name"
    return None


def condition(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    if use.condition and not (use.integer or use.floating or use.arange):
        value, evidence = named(name, usage)
        return (value, evidence) if value is True else (False, use.condition)
    return None


def number(name: str, use: Use, usage: Usage) -> tuple[Any, str] | None:
    is_float = use.floating or (not use.integer and is_named("float_names", name))
    if not is_float or use.integer or use.arange:
        return None
    value = 1e-6 if is_named("small_floats", name) else 1.0
    return value, use.floating or "its name"


def named(name: str, usage: Usage) -> tuple[Any, str]:
    for pattern, value in GUESSES["patterns"]:
        if re.fullmatch(pattern, name, re.IGNORECASE):
            if isinstance(value, list):
                value = value[1] if usage.has_dot or usage.two_dimensional else value[0]
            if isinstance(value, str):
                value = getattr(tl, value.removeprefix("tl."))
            return value, "its name"
    raise AssertionError("the last pattern matches every name")


def size_named(name: str, usage: Usage) -> int | None:
    """The size that a name says, as of a head's dimension or a group."""
    value, _ = named(name, usage)
    said = any(re.fullmatch(pattern, name, re.IGNORECASE) for pattern, _ in GUESSES["patterns"][:-1])
    return value if said and type(value) is int and value > 1 else None


def is_named(pattern: str, name: str) -> bool:
    return re.fullmatch(GUESSES[pattern], name, re.IGNORECASE) is not None
