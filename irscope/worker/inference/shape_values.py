"""What `shapes` knows of a kernel's values and of sizes that do not go together."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: A reading is given up after so many expressions.
MAX_STEPS = 20_000
#: Elements of a block beyond which compiling takes minutes where nobody asked for it.
MOST_ELEMENTS = 16_384


@dataclass(frozen=True)
class Constant:
    """What a compile knows, with the kernel's constexprs that it was made of."""

    value: Any
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Block:
    """A tensor, a block of pointers, or a scalar (no dimensions). ``element`` is ``fp16``, ``*fp16``, or unknown."""

    shape: tuple[Constant, ...] = ()
    element: str | None = None


@dataclass(frozen=True)
class Group:
    """A tuple or list."""

    items: tuple[Value, ...]


@dataclass(frozen=True)
class Module:
    """A name that is not the kernel's own, such as ``tl.math``."""

    dotted: str


#: ``None`` is what nothing is known of.
Value = Constant | Block | Group | Module | None
SCALAR = Block()


@dataclass(frozen=True)
class Conflict:
    """Sizes that do not go together: ``sizes`` should be equal, or the first one at least ``least``."""

    what: str
    sizes: tuple[Constant, ...]
    least: int | None = None
    #: A wish: it compiles all the same.
    soft: bool = False
    #: Constants in a test: what is compared may have to be one of them.
    literals: tuple[Any, ...] = ()
    #: The size should be no more than this.
    most: int | None = None

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(size.names for size in self.sizes))


class OutOfSteps(Exception):
    """The kernel is too long to be read so often."""


@dataclass(frozen=True)
class Decision:
    """A test that the constexprs decide, as in an ``if`` that is left out of the compile."""

    names: frozenset[str]
    #: What they are compared with.
    literals: tuple[Any, ...]


@dataclass
class Reading:
    """What all functions of one reading share."""

    resolve: Callable[[Any, str], Any]
    trees: dict[int, Any] = field(default_factory=dict)
    conflicts: dict[str, Conflict] = field(default_factory=dict)
    steps: int = 0
    #: Blocks of ``if`` statements that are compiled, each as a function and a line of it.
    blocks: set[tuple[int, int]] = field(default_factory=set)
    decisions: dict[Decision, None] = field(default_factory=dict)

    def tree(self, function: Any) -> Any:
        if id(function) not in self.trees:
            self.trees[id(function)] = function.parse().body[0]
        return self.trees[id(function)]


def truth(value: Value) -> bool | None:
    if not isinstance(value, Constant):
        return None
    try:
        return bool(value.value)
    except Exception:
        return None


def computed(function: Callable[..., Any], *constants: Constant) -> Value:
    try:
        value = function(*(constant.value for constant in constants))
    except Exception:
        return None
    return Constant(value, frozenset().union(*(constant.names for constant in constants)))


def is_size(constant: Constant) -> bool:
    return isinstance(constant.value, int) and not isinstance(constant.value, bool) and constant.value > 0


def is_power_of_two(constant: Constant) -> bool:
    value = constant.value
    return not isinstance(value, int) or (value > 0 and value & (value - 1) == 0)


def of_python(value: Any, dotted: str) -> Value:
    """What a name outside the function means."""
    value = getattr(value, "value", value) if type(value).__name__ == "constexpr" else value
    if value is None or isinstance(value, bool | int | float | str) or type(value).__name__ == "dtype":
        return Constant(value)
    if isinstance(value, tuple | list):
        return Group(tuple(of_python(item, dotted) for item in value))
    return Module(dotted)


def product(sizes: tuple[Constant, ...]) -> Constant:
    return Constant(math.prod(size.value for size in sizes), frozenset().union(*(size.names for size in sizes)))


def compared_in(statement: ast.If) -> tuple[Any, ...]:
    """Constants in the test of an ``if`` and of each of its ``elif``."""
    following = statement.orelse[0] if len(statement.orelse) == 1 else None
    return literals_in(statement.test) + (compared_in(following) if isinstance(following, ast.If) else ())


def literals_in(test: ast.expr) -> tuple[Any, ...]:
    found = (node.value for node in ast.walk(test) if isinstance(node, ast.Constant))
    return tuple(value for value in found if type(value) in (int, str, float))
