"""Launches to plain fields and back: what the history, a bundle and the wire hold."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def from_fields(kind: type[T], fields: Mapping[str, Any]) -> T:
    """A dataclass from what ``dataclasses.asdict`` and JSON made of it; fields it does not know are passed over.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    hints = _hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in fields.items() if name in hints})


#: Annotations as types, by dataclass.
_hints: Callable[[Any], dict[str, Any]] = cache(typing.get_type_hints)


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _value(next(part for part in typing.get_args(hint) if part is not type(None)), value)
    if origin is tuple:
        return tuple(_value(typing.get_args(hint)[0], item) for item in value)
    if isinstance(hint, type) and is_dataclass(hint):
        return from_fields(hint, value)
    return value
