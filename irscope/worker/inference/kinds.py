"""Kinds and element types of run-time parameters, from how they are used: `kinds_of` settles them together."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from .constants import is_named
from .descriptions import Description
from .element_types import SAID, best, copied, element_type, pointers_with_scales
from .elements import STATED, Preference, solved
from .entries import SCALARS, Parameter, run_time
from .host_types import half_where_unsaid, told
from .host_values import UNKNOWN, Passed
from .usage import Usage, Use


def kinds_of(
    names: Collection[str],
    whole: Usage,
    live: Usage,
    fixed: Mapping[str, str],
    constants: Mapping[str, object],
    described: Mapping[str, Description],
    passed: Mapping[str, Passed],
) -> dict[str, Parameter]:
    """``whole`` is the usage in all of the kernel, ``live`` that in what constexprs leave of it.

    ``fixed`` has element types of other parameters, by name, and ``described`` what is written about any of them;
    ``passed`` is what the host code of their file gives for them.
    """
    kinds = {name: kind_of(name, whole, live, described.get(name), passed.get(name, UNKNOWN)) for name in names}
    propagate(kinds, whole, live)
    between_pointers(kinds)
    pointers = {name for name, (kind, _) in kinds.items() if kind in ("pointer", "descriptor")}
    scaled = pointers_with_scales(pointers | {name for name in fixed if whole.of(name).pointer})
    preferences: dict[str, Preference] = {}
    for name, (kind, _) in kinds.items():
        if name in pointers:
            use = best(live.of(name), whole.of(name))
            preferences[name] = element_type(name, use, live, scaled.get(name), described.get(name))
        elif kind == "integer":
            said = described.get(name)
            preferences[name] = Preference("i1" if said is not None and said.type == "i1" else "i32", None, SAID)
        elif kind == "floating":
            preferences[name] = Preference("fp32", None, STATED)
    pointed = {name: preference for name, preference in preferences.items() if name in pointers}
    told(pointed, passed, live, fixed)
    half_where_unsaid(pointed, passed, live)
    preferences |= pointed
    copied(preferences, kinds, live, fixed)
    settled = solved(preferences, live.constraints, fixed)
    copied(settled, kinds, live, fixed)
    answer: dict[str, Parameter] = {}
    for name, (kind, evidence) in kinds.items():
        if kind == "none":
            answer[name] = Parameter("constexpr", None, provenance="inferred", evidence=evidence)
            continue
        preference = settled[name] if name in settled else Preference("i32", None)
        provenance = "guessed" if evidence in ("its name", "nothing says") else "inferred"
        if kind == "pointer":
            answer[name] = run_time(f"*{preference.type}", provenance, preference.evidence or evidence)
        elif kind == "descriptor":
            sizes = block_of(live.of(name), constants)
            answer[name] = Parameter(
                f"tensordesc<{preference.type}[{', '.join(map(str, sizes))}]>", provenance="inferred", evidence=evidence
            )
        else:
            type_ = preference.type if preference.type in SCALARS else "i32"
            answer[name] = run_time(type_, provenance, preference.evidence or evidence)
    return answer


def kind_of(name: str, whole: Usage, live: Usage, said: Description | None, host: Passed) -> tuple[str, str]:
    use, anywhere = live.of(name), whole.of(name)
    if use.descriptor:
        return "descriptor", use.descriptor
    if anywhere.optional and not use.touched:
        return "none", f"not used where it is None: {anywhere.optional}"
    if use.pointer:
        return "pointer", use.pointer
    if use.offset:
        # What is a pointer elsewhere is the number itself where a constexpr says so.
        return "integer", use.offset
    if anywhere.pointer or anywhere.descriptor:
        if not use.touched:
            return "none", f"None: what needs it is switched off, {anywhere.pointer or anywhere.descriptor}"
        return "pointer", anywhere.pointer or ""
    may_be_none = host.optional or host.kind == "none"
    if may_be_none and host.kind != "integer" and not use.seen:
        return "none", "None: its host code may pass that, and what needs it is switched off"
    is_number = host.kind in ("integer", "floating") and host.like is None
    if is_number and not use.integer and not (use.floating and host.kind == "floating"):
        return str(host.kind), host.evidence or "its host code"
    if use.integer or (anywhere.integer and not use.floating) or (is_count(name) and use.floating):
        return "integer", use.integer or anywhere.integer or "its name"
    if use.floating or anywhere.floating:
        return "floating", use.floating or anywhere.floating or ""
    if use.moved:
        return "pointer", use.moved
    if said is not None and said.kind is not None:
        return said.kind, said.evidence
    if is_named("pointer_names", name):
        return "pointer", "its name"
    if is_named("float_names", name):
        return "floating", "its name"
    return "integer", "nothing says"


def is_count(name: str) -> bool:
    """Many things are divided by a count: that makes it no float."""
    return re.match("(n|num)_", name) is not None


def propagate(kinds: dict[str, tuple[str, str]], whole: Usage, live: Usage) -> None:
    """Numbers that meet loaded ones are of their kind, where nothing else says more."""
    for usage in (live, whole):
        for name, pointer, evidence in usage.alike:
            if name not in kinds or kinds[name][1] not in ("nothing says", "its name") or name == pointer:
                continue
            if is_count(name):
                continue
            use = best(live.of(pointer), whole.of(pointer))
            integers = use.integer_elements or use.bit_fields or use.atomic_exchange
            if kinds[name][0] in ("integer", "floating"):
                kinds[name] = ("integer" if integers else "floating"), evidence


def between_pointers(kinds: dict[str, tuple[str, str]]) -> None:
    """What the kernel does not use at all is what its neighbours are: parameters stand in groups."""
    names = list(kinds)
    for before, name, after in zip(names, names[1:], names[2:], strict=False):
        said = kinds[name][1] != "nothing says" or "stride" in name.lower()
        if not said and kinds[before][0] == kinds[after][0] == "pointer":
            kinds[name] = "pointer", "nothing says"


def block_of(use: Use, constants: Mapping[str, object]) -> list[int]:
    sizes = []
    for step in use.block:
        size = 1 if step == "1" else constants.get(step or "")
        sizes.append(size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else 64)
    return sizes
