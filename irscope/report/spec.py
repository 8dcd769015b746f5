"""``irscope spec``: specializations as text and as one JSON object (``spec_schema.json`` beside this)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from irscope import __version__, spec
from irscope.ir.table import aligned
from irscope.model import Compilation, Failure
from irscope.report.document import in_json

_ERROR = ("kind", "message", "file", "line", "column", "hint")


def schema() -> dict[str, Any]:
    loaded = json.loads(Path(__file__).with_name("spec_schema.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def text(compilation: Compilation) -> str:
    """One kernel: every parameter with where it came from, then what can be pasted."""
    found, kernel = compilation.specialization, compilation.kernel
    place = f"{spec.shown_path(kernel.file)}:{kernel.line}" if kernel.line else spec.shown_path(kernel.file)
    lines = [f"{kernel.name}  {place}   {compilation.target}   triton {compilation.triton or '?'}"]
    rows = [
        (name, ("= " if type_ == "constexpr" else "") + spec.entry(name, found), where(name, compilation))
        for name, type_ in found.signature.items()
    ]
    lines += [f"  {line}" for line in aligned(rows)] if rows else ["  no parameters"]
    if options := spec.launch_options(found):
        lines.append("  options: " + " ".join(f"{name}={value}" for name, value in options.items()))
    lines.append("")
    written = spec.signature(found)
    words = [f'--signature "{written}"'] if written is not None else spec.arguments(found)
    lines.append(" ".join([*words, spec.option_words(found)]).rstrip())
    aot = spec.aot(compilation)
    lines += [aot.command] if aot.command else []
    lines += [f"Triton's AOT tool: {problem}" for problem in aot.problems]
    return "\n".join(lines)


def where(name: str, compilation: Compilation) -> str:
    found = compilation.specialization
    if found.provenance.get(name) == "configuration" and found.configuration is not None:
        count = len(compilation.kernel.configurations)
        return f"configuration {found.configuration}" + (f" of {count}" if count else "")
    return spec.note(name, found)


def document(file: Path, found: Sequence[Compilation], failures: Sequence[tuple[str, Failure]]) -> dict[str, Any]:
    return {
        "irscope": __version__,
        "file": str(file),
        "kernels": [described(compilation) for compilation in found],
        "errors": [
            {"kernel": name, **{key: asdict(failure)[key] for key in _ERROR}} for name, failure in failures
        ],
    }  # fmt: skip


def described(compilation: Compilation) -> dict[str, Any]:
    found, kernel = compilation.specialization, compilation.kernel
    values = in_json(found.constexprs)
    return {
        "kernel": kernel.name,
        "file": kernel.file,
        "line": kernel.line,
        "target": asdict(compilation.target),
        "triton": compilation.triton,
        "configuration": found.configuration,
        "parameters": [
            {
                "name": name,
                "type": None if type_ == "constexpr" else type_,
                "value": values.get(name),
                "constexpr": type_ == "constexpr",
                "divisibility": found.attributes.get(name, {}).get("tt.divisibility"),
                "entry": found.entries.get(name),
                "provenance": found.provenance.get(name),
                "evidence": found.evidence.get(name),
                "hidden": found.hidden.get(name),
            }
            for name, type_ in found.signature.items()
        ],
        "options": in_json(found.options),
        "signature": spec.signature(found),
        "aot": asdict(spec.aot(compilation)),
        "warnings": list(compilation.warnings),
    }
