"""What a kernel is compiled for, where the user does not say it all. One entry: `specialize`.

For each parameter the strongest source wins: given, configuration, heuristic, default, inferred from
use, guessed from the name; and the answer says which it was.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import triton.language as tl

from . import versions
from .loading import LoadedKernel, unwrap
from .protocol import Rejected, names_hint
from .usage import Usage, Use, usage_of

GUESSES: dict[str, Any] = json.loads(Path(__file__).with_name("guesses.json").read_text(encoding="utf-8"))

#: How a type is written in a signature, by the names that Triton's language gives it.
TYPES = {
    "float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "float64": "fp64", "int1": "i1", "int8": "i8",
    "int16": "i16", "int32": "i32", "int64": "i64", "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "float8e5": "fp8e5", "float8e4nv": "fp8e4nv", "float8e4b15": "fp8e4b15",
}  # fmt: skip
SCALARS = frozenset(TYPES.values()) | {"u1", "fp8e4b8", "fp8e5b16"}
if hasattr(tl, "nv_tma_desc_type"):  # Triton 3.3 only
    SCALARS |= {"nvTmaDesc"}

#: What Triton asks of a value before it specializes on it.
DIVISOR = 16


@dataclass
class Parameter:
    type: str
    value: Any = None
    divisor: int | None = None
    provenance: str = "guessed"
    evidence: str | None = None


@dataclass
class Answer:
    """A specialization: ``signature`` has "constexpr" for a parameter with a value in ``constants``."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    configuration: int | None = None

    @property
    def signature(self) -> dict[str, str]:
        return {name: parameter.type for name, parameter in self.parameters.items()}

    @property
    def constants(self) -> dict[str, Any]:
        return {name: p.value for name, p in self.parameters.items() if p.type == "constexpr"}

    @property
    def attributes(self) -> dict[str, Any]:
        return {name: versions.divisibility(p.divisor) for name, p in self.parameters.items() if p.divisor is not None}


def specialize(kernel: LoadedKernel, request: dict[str, Any]) -> Answer:
    """Settle every parameter of ``kernel``.

    ``request`` has ``signature`` (positional, AOT syntax), ``arguments`` and ``constants`` (by name) and
    ``configuration`` (a number). Raises `Rejected` (kind "usage") for what does not fit the kernel.
    """
    answer = Answer()
    given = given_parameters(kernel, request)
    configured = apply_configuration(kernel, request.get("configuration"), answer)
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
            value, pattern = guessed_constant(name, usage)
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
    return answer


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


# Given


def given_parameters(kernel: LoadedKernel, request: dict[str, Any]) -> dict[str, Parameter]:
    names = [parameter.name for parameter in kernel.function.params]
    given: dict[str, Parameter] = {}
    if request.get("signature"):
        entries = [entry.strip() for entry in str(request["signature"]).split(",")]
        if len(entries) != len(names):
            raise Rejected(
                "usage", f"--signature has {len(entries)} entries, {kernel.name} has {len(names)} parameters",
                hint=f"in order: {', '.join(names)}",
            )  # fmt: skip
        given |= {name: parse_entry(name, entry) for name, entry in zip(names, entries, strict=True)}
    for option, entries_by_name, parse in (
        ("--arg", request.get("arguments") or {}, parse_entry),
        ("--const", request.get("constants") or {}, parse_constant),
    ):
        for name, entry in entries_by_name.items():
            if name not in names:
                raise Rejected(
                    "usage", f"{option} {name}: {kernel.name} has no parameter '{name}'",
                    hint=names_hint(name, names),
                )  # fmt: skip
            given[name] = parse(name, entry)
    for parameter in kernel.function.params:
        settled = given.get(parameter.name)
        if settled is not None and parameter.is_constexpr and settled.type != "constexpr":
            raise Rejected(
                "usage", f"{parameter.name} is a constexpr and needs a value, not the type {settled.type}",
                hint=f"--const {parameter.name}=VALUE",
            )  # fmt: skip
    return given


def parse_entry(name: str, entry: str) -> Parameter:
    """``*fp16:16``, ``i32``, ``i32:1``, or a constant."""
    text, _, hint = entry.partition(":")
    if text.removeprefix("*").removeprefix("k") not in SCALARS and text.removeprefix("*") not in SCALARS:
        return parse_constant(name, entry)
    if hint == "1":
        return Parameter("constexpr", 1, provenance="given")
    if not hint:
        return Parameter(text, provenance="given")
    # As many digits as no divisor has: Triton's attribute has 32 bits, and it knows powers of two only.
    divisor = int(hint) if re.fullmatch("[0-9]{1,9}", hint) else 0
    if divisor == 0 or divisor & (divisor - 1):
        raise Rejected(
            "usage", f"{name}: '{hint}' in '{entry}' is not a power of two that divides it",
            hint="write *fp16:16 or i32:1",
        )  # fmt: skip
    return Parameter(text, divisor=divisor, provenance="given")


def parse_constant(name: str, text: str) -> Parameter:
    """A Python literal, or a name of ``triton.language`` such as ``tl.float16``."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = getattr(tl, text.removeprefix("tl."), None)
        if value is None:
            raise Rejected(
                "usage", f"{name}: '{text}' is neither a type nor a constant",
                hint="types are written *fp16, i32, fp32; constants 128, True, None, tl.float16",
            ) from None  # fmt: skip
    return Parameter("constexpr", value, provenance="given")


def literal(text: Any) -> Any:
    """The Python literal that a text is, or else the text itself."""
    if not isinstance(text, str):
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


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


def run_time(type_: str, provenance: str, evidence: str) -> Parameter:
    """A run-time parameter as a launch with torch tensors has it: pointers and sizes divisible by 16."""
    aligned = type_.startswith("*") or type_ in ("i32", "i64", "u32", "u64")
    return Parameter(type_, divisor=DIVISOR if aligned else None, provenance=provenance, evidence=evidence)


def contiguous_strides(names: list[str]) -> set[str]:
    """The last of each run of strides that differ in their last letter: ``stride_am, stride_ak``."""
    strides = [name for name in names if re.match(r"stride_?\w", name) or re.match(r"\w+_stride_?\w", name)]
    groups: dict[str, list[str]] = {}
    for name in strides:
        groups.setdefault(name[:-1], []).append(name)
    return {group[-1] for group in groups.values() if len(group) > 1}


def guessed_constant(name: str, usage: Usage) -> tuple[Any, str]:
    for pattern, value in GUESSES["patterns"]:
        if re.fullmatch(pattern, name, re.IGNORECASE):
            if isinstance(value, list):
                value = value[1] if usage.has_dot else value[0]
            if isinstance(value, str):
                value = getattr(tl, value.removeprefix("tl."))
            return value, "its name"
    raise AssertionError("the last pattern matches every name")
