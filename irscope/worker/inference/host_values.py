"""What is known of a value of the host's, and what torch's functions make."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

TORCH: dict[str, Any] = json.loads(Path(__file__).with_name("hosts.json").read_text(encoding="utf-8"))
KEPT, LIKE = frozenset(TORCH["kept"]), frozenset(TORCH["like"])


MISSING = object()


@dataclass(frozen=True)
class Passed:
    """What is known of a value."""

    #: "tensor", "type", "none", "integer", "floating"; ``None`` is what nothing is known of.
    kind: str | None = None
    #: Of a tensor's elements, or what a type is.
    type: str | None = None
    #: Another value, of whose type it is: ``function.parameter``.
    like: str | None = None
    evidence: str | None = None
    #: It may be ``None`` as well.
    optional: bool = False
    #: Of a tensor that the host makes: how many dimensions it has.
    rank: int | None = None
    #: Of a constexpr, or of a stride of one: `MISSING` where it is not known.
    value: object = MISSING
    items: tuple[Passed, ...] = ()

    @property
    def is_present(self) -> bool:
        """It is never ``None``."""
        return (self.kind == "tensor" or self.like is not None) and self.kind != "none" and not self.optional

    @property
    def is_known(self) -> bool:
        return bool(self.kind or self.type or self.like or self.items)


UNKNOWN = Passed()
ABSENT = Passed("none")


def constant(value: object) -> Passed:
    if value is None:
        return ABSENT
    if isinstance(value, bool | int):
        return Passed("integer")
    return Passed("floating") if isinstance(value, float) else UNKNOWN


def either(values: Sequence[Passed], *, equal: bool = False) -> Passed:
    """One of them: that of which most is known, which may be ``None`` where another is.

    ``equal``: the first of which anything is known.
    """

    def rank(value: Passed) -> int:
        if equal and value.kind not in (None, "none") and (value.type or value.like):
            return 4
        typed = 4 * (value.type is not None) + 2 * (value.like is not None)
        return typed + (value.kind not in (None, "none")) + bool(value.items)

    best = max(values, key=rank)
    absent = any(value.kind == "none" or value.optional for value in values)
    return replace(best, optional=True) if absent and best.kind != "none" else best


def name_of(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
