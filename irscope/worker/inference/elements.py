"""Element types as expressions over a kernel's parameters, and values of them for which its operations have one.

A `Dtype` is a set of atoms that are promoted together: ``"fp32"``, ``"@x"`` (what ``x`` holds, or is where it is a
scalar), ``("dot", Dtype)`` (what a product of such elements is), ``("divided", Dtype)``, ``("scalar", Dtype)`` (which
does not promote a block of its kind), ``"~float"`` (a number in the source). ``None`` is what nothing is known of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Dtype = frozenset[Any] | None

NUMBER: Dtype = frozenset()
FLOAT_NUMBER: Dtype = frozenset({"~float"})

MAX_STEPS = 12
#: A violated constraint, against giving up what a line or a name says, against giving up what nothing says.
VIOLATED, STATED, UNSAID = 100, 10, 1

FLOATS = ("fp64", "fp32", "fp16", "bf16")
BITS = {"fp64": 64, "fp32": 32, "fp16": 16, "bf16": 16, "i1": 1, "u1": 1}
DOMAIN = ("fp32", "fp16", "bf16", "i32", "i8", "u8", "i64", "i1", "fp64")


@dataclass(frozen=True)
class Constraint:
    """``kind``: "same", "float" (fp32 or fp64), "integer", "boolean", "bits" (as wide), "operand" (of a product)."""

    kind: str
    types: tuple[Dtype, ...]
    evidence: str


@dataclass(frozen=True)
class Preference:
    type: str
    evidence: str | None
    #: How much it takes to choose another.
    cost: int = UNSAID


def one(type_: str) -> Dtype:
    return frozenset({type_})


def of(name: str) -> Dtype:
    return frozenset({f"@{name}"})


def promoted(*types: Dtype) -> Dtype:
    found: frozenset[Any] = frozenset()
    for type_ in types:
        if type_ is None:
            return None
        found |= type_
    return found


def wrapped(word: str, type_: Dtype) -> Dtype:
    return None if type_ is None else frozenset({(word, type_)}) if type_ else type_


def is_float(type_: str) -> bool:
    return type_.startswith(("fp", "bf"))


def bits(type_: str) -> int:
    return BITS.get(type_) or int((re.findall(r"^(?:fp|[iu])(\d+)", type_) or ["0"])[0])


def evaluated(type_: Dtype, types: Mapping[str, str]) -> str | None:
    """``None`` where it is not known."""
    if type_ is None:
        return None
    blocks: list[str] = []
    scalars: list[str] = []
    number = False
    for atom in type_:
        if atom == "~float":
            number = True
            continue
        if isinstance(atom, tuple):
            word, inner = atom
            found = evaluated(inner, types)
            if found is not None and word == "dot":
                found = "fp64" if found == "fp64" else "fp32" if is_float(found) else "i32"
            elif found is not None and word == "divided":
                found = "fp64" if found == "fp64" else "fp32"
            if found is not None and word == "scalar":
                scalars.append(found)
                continue
        else:
            found = types.get(atom[1:]) if atom.startswith("@") else atom
        if found is None:
            return None
        blocks.append(found)
    wider = [each for each in scalars if not blocks or kind(each) > max(map(kind, blocks))]
    return joined([*blocks, *wider], number)


def kind(type_: str) -> int:
    return 2 if is_float(type_) else 0 if type_ in ("i1", "u1") else 1


def joined(types: list[str], number: bool) -> str | None:
    """What Triton promotes operands of these types to."""
    floats = {type_ for type_ in types if is_float(type_)}
    if not floats:
        if number:
            return "fp32"
        return max(types, key=bits) if types else None
    for each in ("fp64", "fp32", "fp16"):
        if each in floats:
            return each
    if floats == {"bf16"}:
        return "bf16"
    return floats.pop() if len(floats) == 1 else "fp32" if "bf16" in floats else "fp16"


def holds(constraint: Constraint, types: Mapping[str, str]) -> bool:
    found = [evaluated(type_, types) for type_ in constraint.types]
    if None in found:
        return True
    known = [type_ for type_ in found if type_ is not None]
    if constraint.kind == "same":
        return len(set(known)) == 1 or all(type_.startswith("fp8") for type_ in known)
    if constraint.kind == "bits":
        # Nobody casts one float to another bit by bit: what holds a float's bits is an integer.
        return len({bits(type_) for type_ in known}) == 1 and not all(map(is_float, known))
    if constraint.kind == "float":
        return known[0] in ("fp32", "fp64")
    if constraint.kind == "operand":
        return is_float(known[0]) or bits(known[0]) == 8
    if constraint.kind == "integer":
        return not is_float(known[0])
    return known[0] in ("i1", "u1")


def promoted_names(type_: Dtype) -> list[str]:
    """Parameters of whose type a value is, or would be where they differ."""
    return [atom[1:] for atom in type_ or () if isinstance(atom, str) and atom.startswith("@")]


def names_in(type_: Dtype) -> Iterator[str]:
    for atom in type_ or ():
        if isinstance(atom, tuple):
            yield from names_in(atom[1])
        elif atom.startswith("@"):
            yield atom[1:]


def solved(
    preferences: Mapping[str, Preference], constraints: list[Constraint], fixed: Mapping[str, str]
) -> dict[str, Preference]:
    """The preferences, as few as it takes of them given up so that constraints hold."""
    types = {name: preference.type for name, preference in preferences.items()} | dict(fixed)
    reasons: dict[str, str] = {}
    constraints = [each for each in dict.fromkeys(constraints) if None not in each.types]
    touching: dict[str, list[Constraint]] = {}
    for constraint in constraints:
        for name in {name for type_ in constraint.types for name in names_in(type_)} & set(preferences):
            touching.setdefault(name, []).append(constraint)
    for _ in range(MAX_STEPS):
        violated = [each for each in constraints if not holds(each, types)]
        best: tuple[int, dict[str, str], str] | None = None
        for constraint in violated[:4]:
            for change in candidates(constraint, types, touching):
                gain = cost(types | change, change, preferences, touching) - cost(types, change, preferences, touching)
                if gain < 0 and (best is None or gain < best[0]):
                    best = gain, change, constraint.evidence
        if best is None:
            break
        types |= best[1]
        reasons |= dict.fromkeys(best[1], best[2])
    return {
        name: preference if types[name] == preference.type else Preference(types[name], reasons[name], preference.cost)
        for name, preference in preferences.items()
    }


def candidates(
    constraint: Constraint, types: Mapping[str, str], touching: Mapping[str, Any]
) -> Iterator[dict[str, str]]:
    sides = [[name for name in names_in(type_) if name in touching] for type_ in constraint.types]
    every = sorted({name for side in sides for name in side})
    wanted = [found for type_ in constraint.types if (found := evaluated(type_, types))]
    for type_ in dict.fromkeys([*wanted, *DOMAIN]):
        for name in every:
            if types[name] != type_:
                yield {name: type_}
        for group in (*sides, every):
            if len(group) > 1:
                yield dict.fromkeys(group, type_)


def cost(
    types: Mapping[str, str], changed: Mapping[str, str], preferences: Mapping[str, Preference],
    touching: Mapping[str, list[Constraint]],
) -> int:  # fmt: skip
    seen = dict.fromkeys(constraint for name in changed for constraint in touching[name])
    given_up = sum(
        preferences[name].cost + distance(types[name], preferences[name].type)
        for name in changed
        if types[name] != preferences[name].type
    )
    return given_up + VIOLATED * sum(not holds(constraint, types) for constraint in seen)


def distance(one: str, other: str) -> int:
    """Types of another kind are further away than those of another width."""
    return (5 if kind(one) != kind(other) else 0) + (DOMAIN.index(one) if one in DOMAIN else 9)
