"""What the host code around a kernel passes at its launches: read, not run.

``out = torch.empty_like(q, dtype=torch.float)`` and ``kernel[grid](q, out)`` say that ``out`` points to fp32.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import loading
from ..jitted import walk
from .host_files import HostFile, HostFiles
from .host_functions import HostFunction
from .host_literals import literal
from .host_reading import Reading
from .host_values import UNKNOWN, Passed, name_of


def passed_to(function: Any) -> dict[str, Passed]:
    """By parameter of a jit function; nothing where no host code launches it."""
    files = HostFiles(Path(function.fn.__code__.co_filename))
    constexprs = {parameter.name for parameter in function.params if parameter.is_constexpr}
    found = passed(files, function.fn.__name__, [parameter.name for parameter in function.params], constexprs)
    loading.note_files(path for path, file in files.known.items() if file is not None)
    return found


def passed(files: HostFiles, name: str, parameters: list[str], constexprs: Collection[str] = ()) -> dict[str, Passed]:
    """What the launch of which most is known passes; others add types to it."""
    own = files.open(files.path)
    launches = Launches(files, name, parameters, constexprs)
    found = list(launches.of(own)) if own is not None else []
    if not found:
        found = [launch for file in files.siblings() for launch in launches.of(file)]
    if not found:
        return {}
    found.sort(key=lambda launch: -sum(each.type is not None or each.like is not None for each in launch.values()))
    answer = dict(found[0])
    for launch in found[1:]:
        for parameter, value in launch.items():
            before = answer.get(parameter, UNKNOWN)
            if before.kind != value.kind and "none" in (before.kind, value.kind):
                known = value if before.kind == "none" else before
                answer[parameter] = replace(known, optional=True)
            elif value.type is not None and before.type is None and before.like is None:
                answer[parameter] = value
    return answer


def is_meant(names: set[str], launched: ast.expr, function: HostFunction) -> bool:
    """Whether a kernel of these names is launched, or a local name that may be it."""
    if mentions(names, launched):
        return True
    local = {name_of(node) for node in walk(launched)}
    return any(mentions(names, each.value) for name in local for each in function.assigned.get(name, ()))


def mentions(names: set[str], node: ast.expr) -> bool:
    return any(name_of(each) in names for each in walk(node))


class Launches:
    """Those of one kernel."""

    def __init__(self, files: HostFiles, name: str, parameters: list[str], constexprs: Collection[str]) -> None:
        self.name = name
        self.parameters = parameters
        self.constexprs = constexprs
        self.reading = Reading(files)

    def of(self, file: HostFile) -> Iterator[dict[str, Passed]]:
        names = {self.name, *self.tables(file)}
        seen = dict.fromkeys(function for name in names for function in file.mentioning(name))
        for function in seen:
            for _, call in function.calls:
                if isinstance(call.func, ast.Subscript) and is_meant(names, call.func.value, function):
                    yield self.arguments(call, function)

    def tables(self, file: HostFile) -> set[str]:
        """What the module has the kernel in: another name for it, or a table of kernels."""
        if "" not in file.words().get(self.name, ()):
            return set()
        assigned = next(iter(file.parsed("")), None)
        entries = assigned.assigned.items() if assigned is not None else ()
        return {name for name, values in entries if any(mentions({self.name}, each.value) for each in values)}

    def arguments(self, call: ast.Call, function: HostFunction) -> dict[str, Passed]:
        found = dict(zip(self.parameters, call.args, strict=False))
        if any(isinstance(each, ast.Starred) for each in call.args):
            found = {}
        found |= {each.arg: each.value for each in call.keywords if each.arg in self.parameters and each.arg}
        return {name: self.argument(name, value, function, call.lineno) for name, value in found.items()}

    def argument(self, name: str, node: ast.expr, function: HostFunction, line: int) -> Passed:
        if name in self.constexprs:
            return Passed(value=literal(self.reading, node, function, line), evidence=function.line_of(node))
        found = self.reading.value(node, function, line)
        return found if found.evidence else replace(found, evidence=function.line_of(node))
