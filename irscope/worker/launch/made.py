"""A launch without launch code: arguments made from the specialization, and a grid for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..inference import infer
from ..loading import LoadedKernel
from ..protocol import names_hint
from . import defaults, grid, inputs
from .inputs import Guard, Input
from .words import value_of


@dataclass
class Made:
    #: Run-time arguments by name, in the kernel's order.
    arguments: dict[str, Any]
    constexprs: dict[str, Any]
    grid: tuple[int, ...]
    guards: dict[str, Guard]
    #: By run-time parameter, where its value came from: "randn", "weights.npy", "given".
    how: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def make(kernel: LoadedKernel, answer: infer.Answer, request: Mapping[str, Any], device: str,
         on_progress: Callable[[int, int], None]) -> Made:  # fmt: skip
    """Make what ``request`` says (``inputs``, ``grid``, ``seed``) on a torch device, and choose what it leaves open.

    Raises `Rejected` of kind "usage" for what does not fit, "memory" where the CPU's does not suffice.
    """
    given = read_inputs(kernel, answer, request.get("inputs") or {})
    parameters = {p.name: answer.parameters[p.name] for p in kernel.function.params if not p.is_constexpr}
    constexprs = {p.name: answer.parameters[p.name].value for p in kernel.function.params if p.is_constexpr}
    tensors = [name for name, parameter in parameters.items() if is_tensor(parameter, given.get(name))]
    numbers: dict[str, Any] = {
        name: number_of(kernel, name, parameter, given.get(name))
        for name, parameter in parameters.items()
        if name not in tensors
    }
    integers: dict[str, int | None] = {}
    for name, value in numbers.items():
        if value is OPEN and parameters[name].type in (*defaults.INTEGERS, "constexpr"):
            integers[name] = None
        elif type(value) is int:
            integers[name] = value
    files = {name: inputs.read(name, one) for name, one in given.items() if one.file}
    shapes = {name: tuple(tensor.shape) for name, tensor in files.items()}
    shapes |= {name: one.shape for name, one in given.items() if one.shape is not None}
    layout = defaults.lay_out(tensors, integers, shapes, constexprs)
    smallest = min(layout.sizes.values(), default=None)
    maker = inputs.Maker(device, int(request.get("seed") or 0), smallest, grid.largest_block(constexprs))
    made = Made({}, constexprs, (), maker.guards)
    for name, parameter in parameters.items():
        if name in tensors:
            on_progress(tensors.index(name), len(tensors))
        if name in files:
            made.arguments[name] = maker.place(name, files[name])
            made.how[name] = given[name].text
        elif name in tensors:
            # A parameter that is a tensor by the user's word alone has no type of its own.
            type_ = parameter.type.removeprefix("*").removeprefix("k") if parameter.type.startswith("*") else "fp32"
            one = given.get(name) or Input("", "randn" if type_.startswith(("fp", "bf")) else "rand")
            made.arguments[name] = maker.make(name, one, layout.shapes[name], type_)
            made.how[name] = str(one.kind)
        else:
            is_open = numbers[name] is OPEN
            made.how[name] = "made" if is_open else "given" if name in given else parameter.provenance
            if name in integers:
                made.arguments[name] = layout.integers[name]
            else:
                made.arguments[name] = open_number(name, parameter.type) if is_open else numbers[name]
    evaluate_heuristics(kernel, answer, made)
    settle_grid(kernel, request.get("grid"), layout, made)
    return made


def read_inputs(kernel: LoadedKernel, answer: infer.Answer, texts: Mapping[str, str]) -> dict[str, Input]:
    found = {}
    names = [parameter.name for parameter in kernel.function.params]
    for name, text in texts.items():
        if name not in names:
            raise inputs.refused(name, text, f"{kernel.name} has no parameter '{name}'", names_hint(name, names))
        parameter = next(one for one in kernel.function.params if one.name == name)
        if parameter.is_constexpr:
            raise inputs.refused(name, text, f"{name} is a constexpr", f"--const {name}=VALUE")
        one = inputs.parse(name, text)
        settled = answer.parameters[name]
        by_use = settled.provenance in ("given", "inferred") and settled.evidence != "its name"
        if settled.type.startswith("*") and by_use and not one.is_tensor and one.value is not None:
            raise inputs.refused(name, text, f"{name} is a pointer and takes a tensor")
        if not settled.type.startswith("*") and by_use and one.is_tensor:
            raise inputs.refused(name, text, f"{name} is {settled.type} and takes a number", f"write {name}=1024")
        if settled.type in defaults.INTEGERS and isinstance(one.value, float):
            raise inputs.refused(name, text, f"{name} is {settled.type} and takes an integer", f"write {name}=1024")
        if type(one.value) is int and not one.is_tensor and not -(2**63) <= one.value < 2**64:
            raise inputs.refused(name, text, "it needs more than 64 bits", f"write {name}=1024")
        found[name] = one
    return found


def is_tensor(parameter: infer.Parameter, given: Input | None) -> bool:
    return given.is_tensor if given is not None else parameter.type.startswith("*")


def number_of(kernel: LoadedKernel, name: str, parameter: infer.Parameter, given: Input | None) -> Any:
    """The number (or None) that a run-time parameter gets, or `OPEN`."""
    if given is not None:
        return given.value
    if parameter.type == "constexpr":
        # Of the values that Triton specializes on, 1 is a stride's, which depends on the shape.
        return OPEN if parameter.provenance == "inferred" else parameter.value
    declared = next(one for one in kernel.function.params if one.name == name)
    return value_of(declared.default) if declared.has_default else OPEN


def open_number(name: str, type_: str) -> bool | float:
    return True if type_ in ("i1", "u1") else defaults.default_float(name)


def evaluate_heuristics(kernel: LoadedKernel, answer: infer.Answer, made: Made) -> None:
    """Constexprs that the file computes from the launch's arguments, now that these are there."""
    everything = {**made.arguments, **made.constexprs}
    for name, heuristic in kernel.heuristics.items():
        parameter = answer.parameters.get(name)
        if parameter is None or name not in made.constexprs or parameter.provenance == "given":
            continue
        made.constexprs[name] = everything[name] = heuristic(everything)
        parameter.value, parameter.provenance, parameter.evidence = made.constexprs[name], "heuristic", None


def settle_grid(kernel: LoadedKernel, text: str | None, layout: defaults.Layout, made: Made) -> None:
    values = {**made.arguments, **{name: value_of(value) for name, value in made.constexprs.items()}}
    if text:
        made.grid = grid.evaluate(text, values)
        return
    largest = max((guard.end - guard.start for guard in made.guards.values()), default=1)
    axes = defaults.program_axes(kernel.function.parse())
    made.grid = tuple(max(size, 1) for size in grid.default_grid(layout.sizes, made.constexprs, axes, largest))
    made.warnings.append(f"no grid was given: {made.grid} is guessed from sizes and blocks; --grid sets it")


class _Open:
    """A number that nobody gives, and that is not None."""


OPEN = _Open()
