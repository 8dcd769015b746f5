"""Element types that a file's host code tells (`hosts`), among those that the kernel's own text tells."""

from __future__ import annotations

from collections.abc import Mapping

from .constants import is_named
from .element_types import SAID
from .elements import STATED, UNSAID, Preference, bits, is_float
from .host_values import UNKNOWN, Passed
from .usage import Usage


def told(
    preferences: dict[str, Preference], passed: Mapping[str, Passed], usage: Usage, fixed: Mapping[str, str]
) -> None:
    """Replace preferences for pointers by what the launches say: a type, or that it is the type of another one."""
    for name, value in passed.items():
        if name not in preferences:
            continue
        said = preferences[name]
        if value.type is not None and contradicts(value.type, said):
            continue
        if value.type is not None and value.kind == "tensor":
            preferences[name] = Preference(value.type, value.evidence or "its host code", SAID)
        elif preferences[name].type == "i32" and is_named("long_elements", (value.like or "").rpartition(".")[2]):
            preferences[name] = Preference("i64", f"'{value.like}' in its host code", SAID)
    for names in alike(passed):
        members = [name for name in names if name in preferences]
        known = [Preference(fixed[name], f"'{name}' has it", SAID) for name in names if name in fixed]
        known += [preferences[name] for name in members if preferences[name].evidence is not None]
        if not known:
            continue
        best = max(known, key=lambda each: each.cost)
        for name in members:
            if preferences[name].cost < SAID and preferences[name].type != best.type:
                evidence = passed[name].evidence or best.evidence
                preferences[name] = Preference(best.type, evidence, max(UNSAID, best.cost))


def contradicts(type_: str, said: Preference) -> bool:
    """The kernel knows better whether elements are integers, and how many there are in a byte."""
    if is_float(type_) == is_float(said.type) or (said.evidence or "").endswith("has its scales"):
        return False
    return said.cost >= SAID or (said.cost >= STATED and bits(type_) != bits(said.type))


def alike(passed: Mapping[str, Passed]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in passed.items():
        if value.type is None and value.like is not None:
            groups.setdefault(value.like, []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def half_where_unsaid(preferences: dict[str, Preference], passed: Mapping[str, Passed], usage: Usage) -> None:
    """What nothing says the type of, in a kernel that is likely to be given halves."""
    unsaid = [name for name, preference in preferences.items() if preference == Preference("fp32", None, UNSAID)]
    for name in unsaid:
        use, value = usage.of(name), passed.get(name, UNKNOWN)
        if usage.has_dot:
            # What a kernel with products takes besides is of their type, but for what scales a product.
            is_taken = value.like is not None and (use.read or not use.stored) and not use.single
            if is_taken and not is_named("single_elements", name) and not is_named("scales", name):
                preferences[name] = Preference("fp16", None, UNSAID)
        elif use.widened and quantizes(preferences, usage):
            preferences[name] = Preference("fp16", use.widened, UNSAID)


def quantizes(preferences: Mapping[str, Preference], usage: Usage) -> bool:
    return any(
        bits(preference.type) == 8 and usage.of(name).stored and not usage.of(name).read
        for name, preference in preferences.items()
    )
