"""What `flow` knows of an expression: a `Value`, and how values come together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from . import elements
from .elements import Dtype

NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Known:
    """A value that the compile knows, with the parameters that it was made of."""

    value: Any
    names: frozenset[str] = NONE


@dataclass(frozen=True)
class Value:
    """What is known of an expression. Names are those of the kernel's parameters."""

    #: The leftmost additive leaf, where that is a parameter: the pointer of an address.
    leaf: str | None = None
    #: Parameters of which it may be one as well: a test chooses.
    others: frozenset[str] = NONE
    #: Parameters whose own value flows in, the leaf included.
    parameters: frozenset[str] = NONE
    #: Pointers whose loaded elements flow in with their type unchanged.
    loaded: frozenset[str] = NONE
    #: An address that was loaded: of no parameter, and what is added to it is an offset.
    address: bool = False
    #: Pointers of whose loaded elements it is a sum or a difference, of whatever type by now.
    terms: frozenset[str] = NONE
    #: Products of ``tl.dot`` are in it.
    product: bool = False
    #: The parameter that this is, and nothing else.
    itself: str | None = None
    #: Constexprs that a program's number or a loop's is multiplied with: sizes of blocks.
    steps: tuple[str, ...] = ()
    index: bool = False
    #: Consecutive numbers are a term of it: an address with them has a stride of one.
    consecutive: bool = False
    floating: bool = False
    #: A block, and not one number.
    block: bool = False
    #: The type of the elements.
    dtype: Dtype = None
    #: A type, as ``x.dtype`` or ``tl.float16``: what it means.
    names_type: Dtype = None
    static: bool = False
    known: Known | None = None
    items: tuple[Value, ...] = ()
    #: A jit function, or the class of an aggregate.
    function: Any = None
    #: Of an object of the class ``aggregate``: its fields by name.
    aggregate: Any = None
    fields: tuple[tuple[str, Value], ...] = ()


NOTHING = Value()
INDEX = Value(index=True, dtype=elements.one("i32"))


def union(values: Iterable[Value]) -> Value:
    """What any of them may be, or what is made of all of them; its type is not known."""
    values = list(values)
    return Value(
        leaf=next((value.leaf for value in values if value.leaf), None),
        parameters=NONE.union(*(value.parameters for value in values)),
        loaded=NONE.union(*(value.loaded for value in values)),
        terms=NONE.union(*(value.terms for value in values)),
        product=any(value.product for value in values),
        steps=tuple(dict.fromkeys(step for value in values for step in value.steps)),
        index=any(value.index for value in values),
        consecutive=any(value.consecutive for value in values),
        floating=any(value.floating for value in values),
        block=any(value.block for value in values),
        static=bool(values) and all(value.static for value in values),
    )


def promoted(values: list[Value]) -> Dtype:
    """The type of an elementwise operation's result."""
    block = any(value.block for value in values)
    return elements.promoted(
        *(elements.wrapped("scalar", value.dtype) if block and not value.block else value.dtype for value in values)
    )


def merged(values: list[Value]) -> Value:
    """One of them; their types agree, or it does not compile."""
    if not values:
        return NOTHING
    first = values[0]
    if all(value == first for value in values[1:]):
        return first
    both = union(values)
    same = {value.names_type for value in values}
    width = {len(value.items) for value in values}
    items = tuple(merged([value.items[i] for value in values]) for i in range(width.pop())) if len(width) == 1 else ()
    if len({value.aggregate for value in values}) == 1 and len({len(value.fields) for value in values}) == 1:
        pairs = zip(*(value.fields for value in values), strict=True)
        both = replace(both, aggregate=first.aggregate)
        both = replace(both, fields=tuple((pair[0][0], merged([value for _, value in pair])) for pair in pairs))
    leaves = dict.fromkeys(leaf for value in values for leaf in (value.leaf, *sorted(value.others)) if leaf)
    return replace(
        both,
        others=frozenset(leaves) - {both.leaf or ""},
        dtype=next((value.dtype for value in values if value.dtype), None),
        names_type=same.pop() if len(same) == 1 else None,
        items=items,
    )


def computed(function: Callable[..., Any], *values: Value) -> Value:
    try:
        value = function(*(plain(value) for value in values))
    except Exception:
        return Value(static=True)
    names = NONE.union(*(value.known.names if value.known else value.parameters for value in values))
    return replace(of_python(value), known=Known(value, names))


def plain(value: Value) -> Any:
    if value.items and value.known is None:
        return tuple(plain(item) for item in value.items)
    if value.known is None:
        raise ValueError
    return value.known.value


def truth(value: Value) -> bool | None:
    try:
        return bool(value.known.value) if value.known is not None else None
    except Exception:
        return None


def of_python(value: Any) -> Value:
    """A constant, or what a name outside the function means."""
    value = getattr(value, "value", value) if type(value).__name__ == "constexpr" else value
    if type(value).__name__ == "dtype":
        return Value(static=True, known=Known(value), names_type=elements.one(type_word(value)))
    if is_aggregate(value):
        return Value(static=True, function=value)
    if isinstance(value, tuple | list):
        items = tuple(of_python(item) for item in value)
        return Value(static=True, items=items)
    if value is None or isinstance(value, bool | int | str):
        return Value(static=True, known=Known(value), dtype=elements.NUMBER)
    if isinstance(value, float):
        return Value(static=True, known=Known(value), dtype=elements.FLOAT_NUMBER, floating=True)
    return Value(static=True)


def is_aggregate(value: Any) -> bool:
    """A class whose objects are values of the GPU's code, of several fields."""
    return isinstance(value, type) and getattr(value, "__triton_aggregate__", False) is True


def type_word(dtype: Any) -> str:
    """As a signature has it: "fp16" for ``tl.float16``."""
    name = str(dtype)
    return {"int1": "i1"}.get(name, name.replace("uint", "u").replace("int", "i") if "int" in name else name)
