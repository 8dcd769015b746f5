"""What a kernel is compiled for, where the user does not say it all. One entry: `specialize`.

For each parameter the strongest source wins: given, saved, captured, configuration, heuristic, default, inferred from
use, guessed from the name; and the answer says which it was.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import triton.language as tl

from .entries import (
    DIVISOR,
    SCALARS,
    TYPES,
    Answer,
    Parameter,
    literal,
    parse_constant,
    parse_entry,
    run_time,
)  # fmt: skip
from .layers import given_parameters, layered_configuration, layered_options, layered_parameters
from .loading import LoadedKernel, unwrap
from .protocol import Rejected
from .sizes import agree
from .usage import Usage, Use, usage_of

__all__ = ["TYPES", "Answer", "Parameter", "literal", "parse_constant", "parse_entry", "specialize"]

GUESSES: dict[str, Any] = json.loads(Path(__file__).with_name("guesses.json").read_text(encoding="utf-8"))


def specialize(kernel: LoadedKernel, request: dict[str, Any]) -> Answer:
    """Settle every parameter of ``kernel``.

    ``request`` has ``signature`` (positional, AOT syntax), ``arguments`` and ``constants`` (by name),
    ``configuration`` (a number) and ``layers`` (see `layers`). Raises `Rejected` (kind "usage") for what the user
    gives and does not fit the kernel.
    """
    answer = Answer()
    given = given_parameters(kernel, request)
    asked = request.get("configuration")
    number = asked if asked is not None else layered_configuration(kernel, request)
    configured = apply_configuration(kernel, number, answer)
    layered = layered_parameters(kernel, request)
    if asked is None:
        answer.options |= layered_options(request)
    else:
        # A configuration that the user asks for is given, and stronger than what a layer has from another one.
        layered = {name: parameter for name, parameter in layered.items() if name not in configured}
        answer.options = layered_options(request) | answer.options
    given = layered | given
    names = [parameter.name for parameter in kernel.function.params]
    usage = usage_of(kernel.function, resolve_helper)
    last_strides = contiguous_strides([n for n in names if n not in given])
    for parameter in kernel.function.params:
        name = parameter.name
        if name in given:
            settled = given[name]
        elif name in configured:
            settled = Parameter("constexpr", configured[name], provenance="configuration")
        elif name in kernel.heuristics:
            settled = Parameter("constexpr", None, provenance="heuristic")
        elif parameter.has_default:
            settled = from_default(parameter)
        elif parameter.is_constexpr:
            value, pattern = compared_constant(name, usage) or guessed_constant(name, usage)
            settled = Parameter("constexpr", value, provenance="guessed", evidence=pattern)
        elif annotated := annotated_type(parameter):
            settled = run_time(annotated, "inferred", "its annotation")
        elif name in last_strides and not usage.of(name).floating:
            settled = Parameter(
                "constexpr", 1, provenance="inferred", evidence="the last stride of a contiguous tensor is 1"
            )
        else:
            settled = from_use(name, usage.of(name), usage)
        answer.parameters[name] = settled
    evaluate_heuristics(kernel, answer)
    let_sizes_agree(kernel, answer)
    return answer


def let_sizes_agree(kernel: LoadedKernel, answer: Answer) -> None:
    """Move guessed constants until the kernel's shapes fit together."""
    free = [name for name, p in answer.parameters.items() if p.type == "constexpr" and p.provenance == "guessed"]
    changed = agree(kernel.function, answer.constants, free, resolve_helper, answer.signature)
    for name, size in changed.items():
        answer.parameters[name].value, answer.parameters[name].evidence = size.value, size.evidence
    if changed and kernel.heuristics:
        # They may have asked for what is another value now.
        evaluate_heuristics(kernel, answer)


def resolve_helper(function: Any, dotted: str) -> Any:
    """The jit function of the user's that a (dotted) name in ``function`` means, if it is one."""
    head, *rest = dotted.split(".")
    value = function.fn.__globals__.get(head)
    for attribute in rest:
        value = getattr(value, attribute, None)
    kernel = unwrap(value)
    # Triton's own library is known by name (`usage`); its bodies would only be slower to read.
    if kernel is None or (kernel.function.fn.__module__ or "").startswith("triton."):
        return None
    return kernel.function


# Configurations, heuristics, defaults


def apply_configuration(kernel: LoadedKernel, number: int | None, answer: Answer) -> dict[str, Any]:
    if not kernel.configurations:
        if number is not None:
            raise Rejected("usage", f"--config {number}: {kernel.name} has no @triton.autotune configurations")
        return {}
    if number is not None and not 0 <= number < len(kernel.configurations):
        last = len(kernel.configurations) - 1
        raise Rejected("usage", f"--config {number}: {kernel.name} has configurations 0 to {last}")
    answer.configuration = number or 0
    configuration = kernel.configurations[answer.configuration]
    constexprs = dict(configuration.kwargs)
    answer.options = {
        name: value
        for name, value in configuration.all_kwargs().items()
        if name not in constexprs and value is not None
    }
    return constexprs


def evaluate_heuristics(kernel: LoadedKernel, answer: Answer) -> None:
    """Heuristics are functions of the launch's arguments: ask them, with stand-ins for run-time integers."""
    arguments: dict[str, Any] = {
        name: parameter.value if parameter.type == "constexpr" else DIVISOR * 64
        for name, parameter in answer.parameters.items()
    }
    for name, function in kernel.heuristics.items():
        parameter = answer.parameters.get(name)
        if parameter is None or parameter.provenance != "heuristic":
            continue
        try:
            parameter.value = function(arguments)
        except Exception as error:
            parameter.value, pattern = guessed_constant(name, Usage())
            parameter.provenance = "guessed"
            parameter.evidence = f"{pattern}; its heuristic needs the launch's arguments ({error!r})"
        arguments[name] = parameter.value


def from_default(parameter: Any) -> Parameter:
    value = parameter.default
    if parameter.is_constexpr or value is None:
        return Parameter("constexpr", getattr(value, "value", value), provenance="default")
    if isinstance(value, bool):
        return run_time("i1", "default", f"its default {value}")
    return run_time("fp32" if isinstance(value, float) else "i32", "default", f"its default {value}")


def annotated_type(parameter: Any) -> str | None:
    """A type from an annotation such as ``tl.int32`` or ``"*fp16"``."""
    text = str(parameter.annotation or "").strip("'\"").removeprefix("tl.").removeprefix("triton.language.")
    text = TYPES.get(text, text)
    return text if text.removeprefix("*") in SCALARS else None


# Use and names


def from_use(name: str, use: Use, usage: Usage) -> Parameter:
    if use.pointer:
        element, evidence = element_type(use, usage)
        return run_time(f"*{element}", "inferred", evidence or use.pointer)
    if use.integer:
        return run_time("i32", "inferred", use.integer)
    if use.floating:
        return run_time("fp32", "inferred", use.floating)
    if re.fullmatch(r".*_?ptrs?", name, re.IGNORECASE):
        return run_time("*fp32", "guessed", "its name")
    if re.fullmatch(GUESSES["float_names"], name, re.IGNORECASE):
        return run_time("fp32", "guessed", "its name")
    return run_time("i32", "guessed", "nothing says")


def element_type(use: Use, usage: Usage) -> tuple[str, str | None]:
    if use.dot:
        return "fp16", use.dot
    if use.atomic_exchange:
        return "i32", use.atomic_exchange
    if use.stored_cast:
        cast, evidence = use.stored_cast
        # Casting to the pointer's own type is only worth writing where that is narrower than the sum.
        if cast == "element_type":
            return ("fp16", evidence) if usage.has_dot else ("fp32", None)
        if cast in TYPES:
            return TYPES[cast], evidence
    if use.integer_elements:
        return "i32", use.integer_elements
    return "fp32", None


def contiguous_strides(names: list[str]) -> set[str]:
    """The last of each run of strides that differ in their last letter: ``stride_am, stride_ak``."""
    strides = [name for name in names if re.match(r"stride_?\w", name) or re.match(r"\w+_stride_?\w", name)]
    groups: dict[str, list[str]] = {}
    for name in strides:
        groups.setdefault(name[:-1], []).append(name)
    return {group[-1] for group in groups.values() if len(group) > 1}


def compared_constant(name: str, usage: Usage) -> tuple[Any, str] | None:
    """A choice among ways to go is one of those that the kernel knows; a size is no such choice."""
    value, evidence = usage.compared.get(name, (None, ""))
    is_size = name in usage.arange or re.search("block|tile|size|dim", name, re.IGNORECASE)
    return None if value is None or (isinstance(value, int) and is_size) else (value, evidence)


def guessed_constant(name: str, usage: Usage) -> tuple[Any, str]:
    for pattern, value in GUESSES["patterns"]:
        if re.fullmatch(pattern, name, re.IGNORECASE):
            if isinstance(value, list):
                value = value[1] if usage.has_dot or usage.two_dimensional else value[0]
            if isinstance(value, str):
                value = getattr(tl, value.removeprefix("tl."))
            return value, "its name"
    raise AssertionError("the last pattern matches every name")
