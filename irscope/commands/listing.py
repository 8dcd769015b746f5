"""``irscope list PATH``: kernels with their parameters and configurations, by reading alone."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from irscope import discover
from irscope.commands import split_path
from irscope.model import Kernel
from irscope.request import usage_error


def run(arguments: argparse.Namespace) -> int:
    path, name = split_path(arguments.path)
    if not path.exists():
        raise usage_error(f"{path}: there is no such file")
    found = [kernel for kernel in discover.kernels(path) if name in (None, kernel.name)]
    if name is not None and not found:
        raise usage_error(f"{path} has no kernel '{name}'")
    if arguments.format == "json":
        print(json.dumps({"kernels": [asdict(kernel) for kernel in found]}, indent=2))
        return 0
    if not found:
        print(f"no kernel in {path}")
    for kernel in found:
        print(described(kernel, path))
    return 0


def described(kernel: Kernel, path: Path) -> str:
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
    if not kernel.configurations_known:
        lines.append("  configurations: computed when the file runs")
    for number, configuration in enumerate(kernel.configurations):
        lines.append(f"  configuration {number}: {configuration}")
    if kernel.heuristics:
        lines.append(f"  heuristics: {', '.join(kernel.heuristics)}")
    return "\n".join(lines)
