"""Failures that are not the kernel's fault: this Triton lacks a name (kind "api"), this target a feature ("target").

What is known of names and targets is in ``gone.json`` and ``requirements.json``.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

_NO_ATTRIBUTE = re.compile(r"module '(?P<module>triton[\w.]*)' has no attribute '(?P<name>\w+)'")
_NO_MEMBER = re.compile(r"'tensor' object has no attribute '(?P<name>\w+)'")
_NO_IMPORT = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<module>triton[\w.]*)'")
_NO_MODULE = re.compile(r"(?:No module named|needs the module) '(?P<module>triton\.[\w.]+)'")
_NO_ARGUMENT = re.compile(r"(?P<function>\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(?P<name>\w+)'")
_BLOCK_POINTERS = "Block pointers have been removed"

#: The oldest Triton that a worker runs with.
OLDEST = "3.3"

#: How people write the modules of Triton's language.
SHORT = (("triton.language.", "tl."), ("triton.experimental.gluon.language.", "gl."))


def explained(
    failure: dict[str, Any], triton: str, target: dict[str, Any] | None = None, function: Any = None
) -> dict[str, Any]:
    """``failure`` with the kind, message and hint of what really lacks, where that is Triton's version or the target.

    ``target`` has ``backend`` and ``arch``; ``function`` is the kernel's jit function, where it was reached.
    """
    if failure.get("kind") not in ("compile", "file", "missing"):
        return failure
    message = str(failure["message"])
    found = lacking_name(message, triton) or (lacking_target(message, failure, target, function) if target else None)
    if found is None:
        return failure
    return {**failure, **found, "detail": detail_of(failure, message)}


def detail_of(failure: dict[str, Any], message: str) -> str:
    detail = str(failure.get("detail") or "")
    return detail if message in detail else f"{message}\n{detail}".rstrip()


# Triton's version


def lacking_name(message: str, triton: str) -> dict[str, Any] | None:
    facts = load("gone.json")
    if _BLOCK_POINTERS in message:
        return told("triton.language.make_block_ptr", facts["gone"]["triton.language.make_block_ptr"], triton, facts)
    for rule in facts["said"]:
        if found := re.search(rule["pattern"], message):
            what, hint = (rule[name].format(*found.groups()) for name in ("what", "hint"))
            return {"kind": "api", "message": f"this Triton ({triton}) no longer {what}", "hint": hint}
    if found := _NO_ARGUMENT.search(message):
        return lacking_argument(found["function"], found["name"], triton, facts)
    if found := _NO_MEMBER.search(message):
        dotted = f"triton.language.tensor.{found['name']}"
        return told(dotted, facts["gone"][dotted], triton, facts) if dotted in facts["gone"] else None
    if found := _NO_ATTRIBUTE.search(message) or _NO_IMPORT.search(message):
        dotted = f"{found['module']}.{found['name']}".replace("triton.language.core.", "triton.language.")
    elif found := _NO_MODULE.search(message):
        dotted = found["module"]
    else:
        return None
    return told(dotted, span_of(dotted, facts), triton, facts)


def lacking_argument(function: str, name: str, triton: str, facts: dict[str, Any]) -> dict[str, Any] | None:
    for dotted, arguments in facts["arguments"].items():
        if dotted.rpartition(".")[2] == function and name in arguments:
            return told(f"{dotted}.{name}", arguments[name] or ["", "before 2.0"], triton, facts)
    return None


def span_of(dotted: str, facts: dict[str, Any]) -> list[str] | None:
    """First and last version with a name, or with the module that it is in; ``None`` where no version has it."""
    module, _, name = dotted.rpartition(".")
    if module == "triton.language.math" and name in " ".join(facts["math"]).split():
        return ["2.1", "2.3"]
    parts = dotted.split(".")
    for length in range(len(parts), 1, -1):
        prefix = ".".join(parts[:length])
        if prefix in facts["gone"]:
            span: list[str] = facts["gone"][prefix]
            return span
        if prefix in facts["new"]:
            return [facts["new"][prefix], facts["read"][-1]]
    return None


def told(dotted: str, span: list[str] | None, triton: str, facts: dict[str, Any]) -> dict[str, Any] | None:
    name = dotted
    for long, short in SHORT:
        name = name.replace(long, short)
    owner, _, argument = name.rpartition(".")
    what = f"the argument {argument} of {owner}" if is_argument(dotted, facts) else name
    have = ".".join(triton.split(".")[:2])
    if span is None:
        read = facts["read"]
        message = f"this Triton ({triton}) has no {what}"
        hint = f"no release from {read[0]} to {read[-1]} has it; name an interpreter whose Triton has it: --python PATH"
    elif span[1].startswith("before"):
        message = f"this Triton ({triton}) no longer has {what}: it went {span[1]}"
        hint = ""
    elif number(have) < number(span[0]):
        message = f"this Triton ({triton}) does not have {what} yet: it came with {span[0]}"
        hint = f"name an interpreter with Triton {span[0]} or newer: --python PATH"
    elif number(have) <= number(span[1]):
        return None  # it has been read there: what is missing is something else
    else:
        message = f"this Triton ({triton}) no longer has {what}: the last with it was {span[1]}"
        known = number(span[1]) >= number(OLDEST)
        hint = (
            f"name an interpreter with Triton {span[1]}: --python PATH" if known else f"irscope needs {OLDEST} or newer"
        )
    instead = next((words for pattern, words in facts["instead"].items() if re.fullmatch(pattern, dotted)), None)
    if instead:
        hint = f"{hint}; {instead}" if hint else instead
    return {"kind": "api", "message": message, "hint": hint}


def is_argument(dotted: str, facts: dict[str, Any]) -> bool:
    owner, _, name = dotted.rpartition(".")
    return name in facts["arguments"].get(owner, {})


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


# The target


def lacking_target(
    message: str, failure: dict[str, Any], target: dict[str, Any], function: Any
) -> dict[str, Any] | None:
    facts = load("requirements.json")
    for rule in facts["messages"]:
        if rule.get("backend", target["backend"]) != target["backend"]:
            continue
        if found := re.search(rule["pattern"], message):
            groups = [group or "" for group in found.groups()]
            fields = {name: rule[name].format(*groups, target=target["arch"]) for name in ("message", "hint")}
            return {"kind": "target", **fields}
    if failure["kind"] != "compile" or function is None:
        return None
    for module in sorted(modules_used(function), key=len, reverse=True):
        needs = next((facts["modules"][name] for name in ancestors(module) if name in facts["modules"]), None)
        if needs is not None and not fits(target, needs):
            return {
                "kind": "target",
                "message": f"{module} is for {wanted(needs)}, not for {target['arch']}: {message}",
                "hint": f"compile for another one: --target {needs['arch']}",
            }
    return None


def refused_option(message: str, target: Any) -> dict[str, Any] | None:
    """The failure for an option that Triton's target (a GPUTarget) does not have, ``None`` for any other reason."""
    arch = f"sm_{target.arch}" if target.backend == "cuda" else str(target.arch)
    return lacking_target(message, {"kind": "usage"}, {"backend": target.backend, "arch": arch}, None)


def fits(target: dict[str, Any], needs: dict[str, Any]) -> bool:
    if target["backend"] != needs["backend"]:
        return False
    if "only" in needs:
        return target["arch"] in needs["only"]
    return "least" not in needs or int(target["arch"].removeprefix("sm_")) >= needs["least"]


def wanted(needs: dict[str, Any]) -> str:
    if "only" in needs:
        return " or ".join(needs["only"])
    if "least" in needs:
        return f"sm_{needs['least']} and newer"
    return {"cuda": "NVIDIA", "hip": "AMD"}[needs["backend"]]


def ancestors(dotted: str) -> Iterator[str]:
    """``a.b.c``, ``a.b``, ``a``."""
    while dotted:
        yield dotted
        dotted = dotted.rpartition(".")[0]


def modules_used(function: Any) -> set[str]:
    """Triton's modules that the functions are from which a kernel and its helpers name."""
    from .inference.infer import resolve_helper

    found: set[str] = set()
    left, seen = [function], {id(function)}
    while left:
        current = left.pop()
        for node in ast.walk(current.parse()):
            if not isinstance(node, ast.Name | ast.Attribute):
                continue
            dotted = ast.unparse(node)
            helper = resolve_helper(current, dotted)
            if helper is not None and id(helper) not in seen:
                seen.add(id(helper))
                left.append(helper)
            value = current.fn.__globals__.get(dotted.partition(".")[0])
            for attribute in dotted.split(".")[1:]:
                value = getattr(value, attribute, None)
            module = getattr(value, "__module__", None)
            if isinstance(module, str) and module.startswith("triton."):
                found.add(module)
    return found


def load(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return facts
