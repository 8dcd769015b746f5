"""A launch as JSON: what it was called with, and each parameter's entry as ``--arg`` and ``--const`` take it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import triton
import triton.language as tl

from .. import loading, versions
from ..compiling import plain
from ..launch import settle, words

#: Fields that make a launch another one than those before.
IDENTITY = ("kernel", "file", "line", "signature", "entries", "options")

_WORKER = Path(__file__).parent.parent

#: Options that Triton itself passes with each launch.
_OWN_OPTIONS = frozenset({"debug", "instrumentation_mode", "fpsan_homomorphic_casts"})


def launch(
    specialized: versions.SpecializedLaunch,
    grid: tuple[int, ...] | None,
    named: dict[str, Any],
    configuration: int | None,
) -> dict[str, Any]:
    """All of a launch but its call site. ``named``: the keyword arguments, options among them."""
    function = specialized.function
    parameters = function.params
    constants = {path[0]: value for path, value in specialized.constants.items() if len(path) == 1}
    entries = {
        parameter.name: entry(
            specialized.signature.get(parameter.name, "constexpr"),
            specialized.arguments.get(parameter.name, constants.get(number)),
            {path[1:]: value for path, value in specialized.attributes.items() if path[0] == number},
            is_constexpr=parameter.is_constexpr,
        )
        for number, parameter in enumerate(parameters)
    }
    names = {parameter.name for parameter in parameters}
    run_time = {name: value for name, value in specialized.arguments.items()
                if not parameters[function.arg_names.index(name)].is_constexpr}  # fmt: skip
    return {
        "kernel": str(function.fn.__name__),
        "file": function.fn.__code__.co_filename,
        "line": definition_line(function),
        "grid": None if grid is None else list(grid),
        "signature": plain(specialized.signature),
        "entries": entries,
        "constexprs": {parameters[number].name: plain(words.value_of(value)) for number, value in constants.items()},
        "attributes": attributes(specialized),
        "options": {
            name: plain(value)
            for name, value in named.items()
            if hasattr(specialized.options, name)
            and value is not None
            and name not in _OWN_OPTIONS
            and (name not in names or name in ("num_warps", "num_stages", "num_ctas"))
        },
        "configuration": configuration,
        "arguments": {name: argument(value) for name, value in run_time.items()},
        "dialect": "gluon" if versions.is_gluon(function) else "triton",
    }


def definition_line(function: Any) -> int:
    try:
        return loading.definition_line(function)
    except (OSError, TypeError, SyntaxError):  # made of a text that is in no file
        return int(function.fn.__code__.co_firstlineno)


def attributes(specialized: versions.SpecializedLaunch) -> dict[str, dict[str, Any]]:
    """By parameter, ``{"tt.divisibility": 16}``; of the parts of a tuple as ``name.0``."""
    names = [parameter.name for parameter in specialized.function.params]
    found = {}
    for path, pairs in specialized.attributes.items():
        if pairs:
            name = ".".join([names[path[0]], *map(str, path[1:])])
            found[name] = {str(key): plain(value) for key, value in pairs}
    return found


def entry(kind: Any, value: Any, attributes: dict[tuple[int, ...], Any], is_constexpr: bool = False) -> str:
    """``*fp16:16``, ``i32``, ``i32:1``, ``128``, ``tl.float16``, ``None``; of a tuple those of its parts."""
    if isinstance(kind, tuple | list):
        values = list(value) if isinstance(value, tuple | list) else [None] * len(kind)
        parts = [
            entry(part, one, {path[1:]: pairs for path, pairs in attributes.items() if path and path[0] == number})
            for number, (part, one) in enumerate(zip(kind, values, strict=False))
        ]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if kind == "constexpr":
        return "i32:1" if type(value) is int and value == 1 and not is_constexpr else constant(value)
    divisor = next((number for key, number in attributes.get((), ()) if key == "tt.divisibility"), None)
    return f"{kind}:{divisor}" if divisor else str(kind)


def constant(value: Any) -> str:
    """The text that gives a constant: a literal, a name of Triton's language, or else what it is called."""
    value = words.value_of(value)
    text = repr(value)
    try:
        if ast.literal_eval(text) == value:
            return text
    except (ValueError, SyntaxError, TypeError):
        pass
    if isinstance(value, tl.dtype):
        named = next((name for name, known in vars(tl).items() if isinstance(known, tl.dtype) and known == value), None)
        if named is not None:
            return f"tl.{named}"
    return str(plain(value))


def argument(value: Any) -> dict[str, Any]:
    """Fields of `irscope.launch.model.Argument` but its name."""
    if type(value).__name__ == "MockTensor":  # what Triton makes of an element type in a warm-up
        return {"type": words.type_in_signature(value)}
    described = settle.describe_argument("", value, "")
    return {name: described[name] for name in ("type", "shape", "strides", "value") if name in described}


def site() -> dict[str, Any]:
    """Where the code launches: the innermost frame that is neither Triton's, torch's nor ours."""
    libraries = [_WORKER, Path(triton.__file__).parent]
    torch = sys.modules.get("torch")
    if torch is not None and torch.__file__:
        libraries.append(Path(torch.__file__).parent)
    if "torch._inductor" in sys.modules:
        # What Inductor writes is in no library.
        libraries.append(Path(sys.modules["torch._inductor.runtime.cache_dir_utils"].cache_dir()))
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.is_absolute() and not any(library in file.parents for library in libraries):
            return {"file": str(file), "line": frame.f_lineno, "function": frame.f_code.co_name}
        frame = frame.f_back
    return {"file": "", "line": 0, "function": ""}
