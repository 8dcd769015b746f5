"""Element types of pointers, one by one: what their uses, what is written about them and their names say."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from .constants import is_named
from .descriptions import Description
from .elements import STATED, UNSAID, Preference, evaluated, is_float, names_in
from .usage import Usage, Use

#: What a line says of an element type is only given up for what the compiler insists on.
SAID = 3 * STATED
#: Integers that nothing becomes by itself.
SMALL = ("u8", "i8", "u16", "i16")


def best(live: Use, whole: Use) -> Use:
    """Where nothing of what is compiled says a pointer's type, what is not compiled does."""
    return live if live.pointer or live.descriptor else whole


def pointers_with_scales(pointers: Collection[str]) -> dict[str, str]:
    """Pointers that have another one for their scales, by name: ``K`` and ``K_scale``."""
    by_stem = {stem(name): name for name in pointers}
    found = {}
    for one, name in by_stem.items():
        for other in (f"{one}_scale", f"{one}_scales", f"scale_{one}", f"{one}scale"):
            if other in by_stem:
                found[name] = f"'{by_stem[other]}' has its scales"
    return found


def stem(name: str) -> str:
    return re.sub("_?(ptrs?|pointer)$", "", name.lower())


def element_type(
    name: str, use: Use, usage: Usage, scaled: str | None = None, said: Description | None = None
) -> Preference:
    """What a pointer points to, other pointers aside. ``scaled``: what says that another one has its scales."""
    if said is not None and said.type is not None:
        return Preference(said.type, said.evidence, SAID)
    integers = use.integer_elements or use.bit_fields
    if use.cast:
        return Preference(use.cast[0], use.cast[1], SAID)
    if use.atomic_exchange:
        known = [evaluated(dtype, {}) for dtype, _ in use.stored]
        return Preference(next(filter(None, known), "i32"), use.atomic_exchange, SAID)
    if use.mask and not integers:
        return Preference("i1", use.mask, UNSAID)
    if use.nibbles or use.bit_fields:
        packed = use.nibbles or any(evaluated(dtype, {}) == "u8" for dtype, _ in use.stored)
        return Preference("u8" if packed else "i32", use.nibbles or use.bit_fields, STATED)
    if use.integer_elements:
        if use.narrowed:
            return Preference(*use.narrowed, SAID)
        for dtype, line in () if use.read else use.stored:
            if evaluated(dtype, {}) in SMALL:
                return Preference(str(evaluated(dtype, {})), line, SAID)
        return Preference("i64" if is_named("long_elements", name) else "i32", use.integer_elements, SAID)
    return float_type(name, use, usage, scaled)


def float_type(name: str, use: Use, usage: Usage, scaled: str | None) -> Preference:
    for dtype, evidence in use.stored:
        known = evaluated(dtype, {})
        if known not in (None, "i1", "fp32"):
            return Preference(str(known), evidence, STATED)
    if scaled and use.read:
        return Preference("i8", scaled, STATED)
    if use.dot:
        return Preference("fp16", use.dot, STATED)
    if use.exponent and usage.has_dot:
        return Preference("fp32", use.exponent, STATED)
    if is_named("single_elements", name):
        return Preference("fp32", "its name", UNSAID)
    for dtype, evidence in use.stored:
        if dtype is not None and f"@{name}" in dtype and usage.has_dot:
            # Casting to the pointer's own type is only worth writing where that is narrower than what is stored.
            return Preference("fp16", evidence, UNSAID)
        if evaluated(dtype, {}) == "fp32" and not is_named("output_elements", name):
            return Preference("fp32", evidence, STATED)
    if usage.has_dot and is_named("output_elements", name):
        return Preference("fp16", "its name", UNSAID)
    if not use.float_elements:
        if is_named("mask_elements", name):
            return Preference("i1", "its name", UNSAID)
        if is_named("integer_elements", name):
            return Preference("i64" if is_named("long_elements", name) else "i32", "its name", UNSAID)
    return Preference("fp32", None, UNSAID)


def copied(
    preferences: dict[str, Preference],
    kinds: Mapping[str, tuple[str, str]],
    usage: Usage,
    fixed: Mapping[str, str],
) -> None:
    """What is stored as it was loaded goes to a pointer of the same type; a name says less than integers do."""
    types = {name: preference.type for name, preference in preferences.items()} | dict(fixed)
    for name, preference in preferences.items():
        if preference.evidence not in (None, "its name") or kinds[name][0] == "integer":
            continue
        for dtype, evidence in usage.of(name).stored:
            found = evaluated(dtype, types)
            if found in (None, "i1") or not set(names_in(dtype)) - {name}:
                continue
            if not is_float(str(found)) or (preference.evidence is None and len(dtype or ()) == 1):
                preferences[name] = Preference(str(found), evidence, UNSAID)
                types[name] = str(found)
                break
