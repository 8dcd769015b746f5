"""What a kernel is compiled for, where the user does not say it all. One entry: `specialize`.

For each parameter the strongest source wins: given, saved, captured, configuration, heuristic, default, inferred from
use, guessed from the name; and the answer says which it was.
"""

from __future__ import annotations

import re
from typing import Any

import triton.language as tl

from .. import deferred
from ..loading import LoadedKernel, unwrap
from ..protocol import Rejected
from .constants import guessed_constant
from .descriptions import described, documented
from .entries import (
    SCALARS,
    TYPES,
    Answer,
    Parameter,
    literal,
    parse_constant,
    parse_entry,
    run_time,
)  # fmt: skip
from .flow import usage_of
from .flow_values import type_word
from .heuristics import evaluate_heuristics
from .host_values import UNKNOWN
from .hosts import passed_to
from .kinds import kinds_of
from .layers import given_parameters, layered_configuration, layered_options, layered_parameters
from .sizes import agree

__all__ = ["TYPES", "Answer", "Parameter", "literal", "parse_constant", "parse_entry", "specialize"]


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
    for parameter in kernel.function.params:
        name = parameter.name
        if name in given:
            answer.parameters[name] = given[name]
        elif name in configured:
            answer.parameters[name] = Parameter("constexpr", configured[name], provenance="configuration")
        elif name in kernel.heuristics:
            answer.parameters[name] = Parameter("constexpr", None, provenance="heuristic")
        elif parameter.has_default and (default := from_default(parameter)) is not None:
            answer.parameters[name] = default
    infer_the_rest(kernel, answer)
    let_sizes_agree(kernel, answer)
    return answer


def infer_the_rest(kernel: LoadedKernel, answer: Answer) -> None:
    """What nobody says: constexprs first, and then, from what they leave of the kernel, all others."""
    function, parameters = kernel.function, answer.parameters
    left = [parameter for parameter in function.params if parameter.name not in parameters]
    known = {name: p.value for name, p in parameters.items() if p.type == "constexpr" and p.provenance != "heuristic"}
    whole = usage_of(function, resolve_helper, known)
    host = passed_to(function)
    in_words = documented(function)
    for parameter in left:
        if parameter.is_constexpr:
            value, evidence = guessed_constant(parameter.name, whole)
            said, words = in_words.get(parameter.name, (None, ""))
            if type(said) is type(value):
                value, evidence = said, words
            parameters[parameter.name] = Parameter("constexpr", value, provenance="guessed", evidence=evidence)
            there = host.get(parameter.name, UNKNOWN)
            if type(there.value) is type(value):
                parameters[parameter.name] = Parameter("constexpr", there.value, None, "inferred", there.evidence)
    evaluate_heuristics(kernel, answer, whole, {name for name, value in host.items() if value.is_present})
    live = usage_of(function, resolve_helper, answer.constants) if whole.undecided else whole
    left = [parameter for parameter in left if parameter.name not in parameters]
    names = []
    as_they_are = unspecialized(function)
    last_strides = contiguous_strides([parameter.name for parameter in left]) - as_they_are
    for parameter in left:
        name = parameter.name
        if annotated := annotated_type(parameter):
            parameters[name] = run_time(annotated, "inferred", "its annotation")
        elif host.get(name, UNKNOWN).value == 1 and name not in as_they_are:
            parameters[name] = Parameter("constexpr", 1, provenance="inferred", evidence=host[name].evidence)
        elif name in last_strides and not live.of(name).floating and not whole.of(name).outer:
            parameters[name] = Parameter(
                "constexpr", 1, provenance="inferred", evidence="the last stride of a contiguous tensor is 1"
            )
        else:
            names.append(name)
    fixed = {name: type_ for name, parameter in parameters.items() if (type_ := element_of(parameter))}
    parameters |= kinds_of(names, whole, live, fixed, answer.constants, described(function), host)
    for name in as_they_are & set(names):
        parameters[name].divisor = None
    answer.parameters = {parameter.name: parameters[parameter.name] for parameter in function.params}


def element_of(parameter: Parameter) -> str | None:
    """What a pointer points to; a scalar's type; the type that a constexpr is, if it is one."""
    if parameter.type == "constexpr":
        return type_word(parameter.value) if isinstance(parameter.value, tl.dtype) else None
    return parameter.type.removeprefix("*").removeprefix("k")


def unspecialized(function: Any) -> set[str]:
    """Parameters that the kernel's author does not want to have compiled for their values."""
    asked = [*(getattr(function, "do_not_specialize", None) or ()),
             *(getattr(function, "do_not_specialize_on_alignment", None) or ())]  # fmt: skip
    names = [parameter.name for parameter in function.params]
    return {
        names[each] if isinstance(each, int) else each
        for each in asked
        if not isinstance(each, int) or each < len(names)
    }


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


# Configurations, defaults, annotations


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


def from_default(parameter: Any) -> Parameter | None:
    """None where the default cannot be worked out, for it comes out of a module that is not there."""
    try:
        value = deferred.worked_out(parameter.default)
    except ModuleNotFoundError:
        return None
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


def contiguous_strides(names: list[str]) -> set[str]:
    """The last of each run of strides that differ in their last letter: ``stride_am, stride_ak``."""
    strides = [name for name in names if re.match(r"stride_?\w", name) or re.match(r"\w+_stride_?\w", name)]
    groups: dict[str, list[str]] = {}
    for name in strides:
        groups.setdefault(name[:-1], []).append(name)
    return {group[-1] for group in groups.values() if len(group) > 1}
