"""``irscope list PATH``: kernels with their parameters and configurations, by reading alone."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from irscope import discover
from irscope.commands import did_you_mean, split_path
from irscope.request import usage_error


def run(arguments: argparse.Namespace) -> int:
    path, name = split_path(arguments.path)
    if not path.exists():
        raise usage_error(f"{path}: there is no such file")
    if path.is_file() and path.suffix != ".py":
        raise usage_error(f"{path} is not a Python file", hint=f"`irscope dump {path}` reads what the compiler made")
    there = discover.listed(path)
    found = [each for each in there if name in (None, each.kernel.name)]
    if name is not None and not found:
        names = [each.kernel.name for each in there]
        hint = did_you_mean(name, names) or (f"it has {', '.join(names[:20])}" if names else None)
        raise usage_error(f"{path} has no kernel '{name}'", hint=hint)
    if arguments.format == "json":
        print(json.dumps({"kernels": [as_json(each) for each in found]}, indent=2))
        return 0
    if not found:
        print(f"no kernel in {path}")
    for each in found:
        print(described(each, path))
    return 0


def as_json(found: discover.Listed) -> dict[str, Any]:
    return {**asdict(found.kernel), "specialization": {**asdict(found.prospect), "summary": str(found.prospect)}}


def described(found: discover.Listed, path: Path) -> str:
    kernel = found.kernel
    place = kernel.file if path.is_file() else Path(kernel.file).relative_to(path).as_posix()
    lines = [f"{place}::{kernel.name}  (line {kernel.line}{', Gluon' if kernel.dialect == 'gluon' else ''})"]
    for title, constexpr in (("parameters", False), ("constexprs", True)):
        names = [
            parameter.name + (f"={parameter.default}" if parameter.default is not None else "")
            for parameter in kernel.parameters
            if parameter.constexpr is constexpr
        ]
        if names:
            lines.append(f"  {title}: {', '.join(names)}")
    lines.append(f"  specialization: {found.prospect}")
    for number, configuration in enumerate(kernel.configurations):
        lines.append(f"  configuration {number}: {configuration}")
    if kernel.heuristics:
        lines.append(f"  heuristics: {', '.join(kernel.heuristics)}")
    return "\n".join(lines)
