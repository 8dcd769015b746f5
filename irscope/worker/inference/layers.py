"""What others have said of a kernel's specialization: the user, a file beside it, its own launches.

A request's ``layers`` come in order of strength, each with ``provenance``, ``origin``, ``entries`` (text by
parameter), ``options`` and ``configuration``, any of which may be missing. A layer may be out of date: what of it
does not fit the kernel is left out with a warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..loading import LoadedKernel
from ..protocol import Rejected, names_hint
from .entries import Parameter, literal, parse_constant, parse_entry


def given_parameters(kernel: LoadedKernel, request: dict[str, Any]) -> dict[str, Parameter]:
    """What ``--signature``, ``--arg`` and ``--const`` say. Raises `Rejected` for what does not fit the kernel."""
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
    for name, settled in given.items():
        check_kind(kernel, name, settled)
    return given


def check_kind(kernel: LoadedKernel, name: str, settled: Parameter) -> None:
    is_constexpr = next(p.is_constexpr for p in kernel.function.params if p.name == name)
    if is_constexpr and settled.type != "constexpr":
        raise Rejected(
            "usage", f"{name} is a constexpr and needs a value, not the type {settled.type}",
            hint=f"--const {name}=VALUE",
        )  # fmt: skip


def layered_parameters(kernel: LoadedKernel, request: dict[str, Any]) -> dict[str, Parameter]:
    """Each parameter as the strongest of the request's layers that has it says."""
    names = [parameter.name for parameter in kernel.function.params]
    found: dict[str, Parameter] = {}
    for layer in layers_of(request):
        for name, text in (layer.get("entries") or {}).items():
            if name in found:
                continue
            if name not in names:
                left_out(layer, f"{kernel.name} has no parameter '{name}'")
                continue
            try:
                settled = parse_entry(name, str(text))
                check_kind(kernel, name, settled)
            except Rejected as rejection:
                left_out(layer, rejection.failure["message"])
                continue
            found[name] = replace(settled, provenance=layer["provenance"], evidence=layer.get("origin"))
    return found


def layered_configuration(kernel: LoadedKernel, request: dict[str, Any]) -> int | None:
    for layer in layers_of(request):
        number = layer.get("configuration")
        if number is None:
            continue
        if isinstance(number, int) and 0 <= number < len(kernel.configurations):
            return number
        left_out(layer, f"{kernel.name} has no configuration {number}")
    return None


def layered_options(request: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for layer in layers_of(request):
        options = {**{name: literal(value) for name, value in (layer.get("options") or {}).items()}, **options}
    return options


def layers_of(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from request.get("layers") or ()


def left_out(layer: dict[str, Any], why: str) -> None:
    warnings.warn(f"{layer.get('origin') or layer['provenance']}: left out: {why}", UserWarning, stacklevel=2)
