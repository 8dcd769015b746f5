"""What a kernel is compiled for, in the forms that people paste and keep: ``--signature``, Triton's AOT tool, TOML."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irscope import layers
from irscope.model import Compilation, Specialization, Target
from irscope.request import Request
from irscope.saved import Saved

#: Options of every backend that Triton launches a kernel with; ``maxnreg`` only where it is set.
LAUNCH_OPTIONS = ("num_warps", "num_stages", "num_ctas", "maxnreg")

#: Divisors that Triton's AOT tool takes.
_AOT_DIVISORS = (None, 1, 16)

#: What a configuration or a heuristic says is said again by the configuration's number.
FOLLOWS = ("configuration", "heuristic")


@dataclass(frozen=True, slots=True)
class Aot:
    """A call of ``python -m triton.tools.compile``; ``problems`` say why there is none, or what it differs in."""

    signature: str | None
    command: str | None
    problems: tuple[str, ...] = ()


def entry(name: str, found: Specialization) -> str:
    """A parameter as it is written in a signature; what cannot be written as it is shown."""
    if name in found.entries:
        return found.entries[name]
    if found.signature.get(name) == "constexpr":
        return str(found.constexprs.get(name))
    divisor = found.attributes.get(name, {}).get("tt.divisibility")
    return found.signature.get(name, "") + (f":{divisor}" if divisor else "")


def signature(found: Specialization) -> str | None:
    """The whole as ``--signature`` takes it; ``None`` where a parameter cannot be written between commas."""
    entries = [found.entries.get(name) for name in found.signature]
    return None if any(text is None or "," in text for text in entries) else ", ".join(map(str, entries))


def arguments(found: Specialization) -> list[str]:
    """The same by name, as words of a command line: ``--arg x_ptr=*fp16:16 --const BLOCK=128``."""
    return [
        f"--{'const' if found.signature[name] == 'constexpr' else 'arg'} {quoted(f'{name}={found.entries[name]}')}"
        for name in found.signature
        if name in found.entries
    ]


def launch_options(found: Specialization) -> dict[str, Any]:
    """The launch options in force, without those that are as if nothing was said."""
    values = {name: found.options.get(name) for name in LAUNCH_OPTIONS}
    return {name: value for name, value in values.items() if value is not None and (name, value) != ("num_ctas", 1)}


def option_words(found: Specialization) -> str:
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in launch_options(found).items())


def aot(compilation: Compilation) -> Aot:
    """What Triton's own ahead-of-time compiler is given to compile the same."""
    found, kernel = compilation.specialization, compilation.kernel
    problems = []
    words: list[str] = []
    for name in found.signature:
        text = aot_entry(name, found)
        if text is None:
            problems.append(f"it cannot be given {name} = {entry(name, found)}")
        else:
            words.append(text)
    written = None if problems else ", ".join(words)
    if kernel.configurations or kernel.heuristics:
        what = "@triton.autotune" if kernel.configurations else "@triton.heuristics"
        problems.append(f"it takes only a bare @triton.jit function, and this one is under {what}")
    if kernel.dialect == "gluon":
        problems.append("it does not take Gluon's kernels")
    options = launch_options(found)
    problems += [f"it has no option {name}" for name in options if name not in ("num_warps", "num_stages")]
    if problems or written is None:
        return Aot(written, None, tuple(problems))
    target = compilation.target
    command = (
        f"python -m triton.tools.compile --kernel-name {kernel.name} --signature {quoted(written)} "
        f'--num-warps {options.get("num_warps", 4)} --num-stages {options.get("num_stages", 3)} '
        f'--target {aot_target(target)} --grid "1, 1, 1" {quoted(shown_path(kernel.file))}'
    )  # fmt: skip
    changed = [name for name in found.signature if isinstance(found.constexprs.get(name), bool)]
    notes = [f"{', '.join(changed)}: it knows numbers alone, True is 1 to it and False 0"] if changed else []
    return Aot(written, command, tuple(notes))


def aot_entry(name: str, found: Specialization) -> str | None:
    """A parameter in the AOT tool's syntax, which has types, hints and numbers; ``None`` for any other constant."""
    text = found.entries.get(name)
    if found.signature[name] != "constexpr":
        divisor = found.attributes.get(name, {}).get("tt.divisibility")
        return text if divisor in _AOT_DIVISORS and text is not None and "," not in text else None
    try:
        value = ast.literal_eval(text or "")
    except (ValueError, SyntaxError):
        return None
    if isinstance(value, bool):
        return str(int(value))
    return repr(value) if isinstance(value, int | float) else None


def aot_target(target: Target) -> str:
    arch = target.capability if target.backend == "cuda" else target.arch
    return f"{target.backend}:{arch}:{target.warp_size}"


def quoted(text: str) -> str:
    """A word as both a Unix shell and Windows' take it."""
    return f'"{text}"' if set(text) & set(" *,()[]'<>&|;") else text


def shown_path(file: str) -> str:
    """A path as short as it can be from here."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else file


def to_save(compilation: Compilation, request: Request) -> Saved:
    """The whole specialization as `irscope.saved` writes it.

    What follows from a configuration or a heuristic is not written, but the configuration's number; options are
    those that somebody said, so that the backend's own choice stays with the backend.
    """
    found, kernel = compilation.specialization, compilation.kernel
    by_parameter = {
        name: text for name, text in found.entries.items() if found.provenance.get(name) not in FOLLOWS
    }  # fmt: skip
    options: dict[str, str] = {}
    for layer in reversed(layers.of(request)):
        options |= {name: str(value) for name, value in layer["options"].items()}
    number = found.configuration
    known = number is not None and number < len(kernel.configurations)
    return Saved(
        entries=by_parameter,
        options={**options, **request.options},
        configuration=number,
        target=request.target or layers.target_of(request),
        notes={
            **{name: note(name, found) for name in by_parameter},
            **({"": str(kernel.configurations[number])} if known and number is not None else {}),
        },
    )


def unsaved(found: Specialization) -> list[str]:
    """Parameters that no text gives, so that they cannot be saved."""
    return [name for name in found.signature if name not in found.entries]


def note(name: str, found: Specialization) -> str:
    """Where a parameter's value came from: "inferred: tl.dot at line 17"."""
    words: Mapping[str, str] = found.evidence
    provenance = found.provenance.get(name, "")
    said = f"{provenance}: {words[name]}" if name in words else provenance
    return f"{said}; {found.hidden[name]}" if name in found.hidden else said
