"""``irscope spec PATH``: what kernels would be compiled for, and where each value comes from."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from irscope import discover, saved, session, spec
from irscope.commands import Progress, exit_code, request_from, tell_failure
from irscope.model import Compilation, Failure
from irscope.report import spec as report
from irscope.request import IrscopeError, Request, usage_error

#: Options that are about one kernel's parameters.
OF_ONE_KERNEL = ("signature", "arg", "const", "config")


def run(arguments: argparse.Namespace) -> int:
    request = request_from(arguments)
    if not request.path.exists():
        raise usage_error(f"{request.path}: there is no such file")
    if request.path.suffix != ".py" or not request.path.is_file():
        hint = f"`irscope list {request.path}` shows the files" if request.path.is_dir() else None
        raise usage_error(f"{request.path} is not a Python file: what it was compiled for is settled", hint=hint)
    names = names_of(request)
    if len(names) > 1:
        idle = [f"--{name}" for name in OF_ONE_KERNEL if getattr(arguments, name) not in (None, [])]
        if idle:
            raise usage_error(
                f"{', '.join(idle)}: of one kernel, and {request.path} has {len(names)}",
                hint=f"name one: {request.path}::{names[0]}",
            )
    found, failures = specialized(request, names)
    if len(names) == 1 and failures:
        raise IrscopeError(failures[0][1])
    for compilation in found:
        for warning in compilation.warnings:
            print(f"irscope: warning: {warning}", file=sys.stderr)
    file = saved.path_of(request.path)
    kept = {
        compilation.kernel.name: spec.to_save(compilation, replace(request, kernel=compilation.kernel.name))
        for compilation in found
    }
    if arguments.save and kept:
        save(file, kept, found)
    show(arguments.format, request.path, file, kept, found, failures)
    for _, failure in failures if arguments.format != "json" else []:
        tell_failure(failure, "text")
    return exit_code(failures[0][1]) if failures else 0


def names_of(request: Request) -> list[str]:
    """The kernels that are asked for: the one named, else all of the file."""
    if request.kernel is not None:
        return [request.kernel]
    # Of a file where reading finds none, the worker says what is wrong, or what it finds.
    return list(dict.fromkeys(kernel.name for kernel in discover.kernels(request.path))) or [""]


def specialized(request: Request, names: list[str]) -> tuple[list[Compilation], list[tuple[str, Failure]]]:
    found: list[Compilation] = []
    failures: list[tuple[str, Failure]] = []
    progress = Progress()
    try:
        for name in names:
            progress.say(name or request.path.name)
            try:
                compilation = session.specialize(replace(request, kernel=name or None))
            except IrscopeError as error:
                failures.append((name, error.failure))
                continue
            if compilation.failure is not None:
                failures.append((name, compilation.failure))
            else:
                found.append(compilation)
    finally:
        progress.done()
    return found, failures


def save(file: Path, kept: dict[str, saved.Saved], found: list[Compilation]) -> None:
    try:
        saved.write(file, kept)
    except OSError as error:
        raise usage_error(f"cannot write {file}: {error.strerror or error}") from error
    print(f"irscope: wrote {file}", file=sys.stderr)
    for compilation in found:
        for name in spec.unsaved(compilation.specialization):
            value = spec.entry(name, compilation.specialization)
            print(f"irscope: warning: {name} = {value} cannot be written, and is left to irscope", file=sys.stderr)


def show(
    format: str,
    path: Path,
    file: Path,
    kept: dict[str, saved.Saved],
    found: list[Compilation],
    failures: list[tuple[str, Failure]],
) -> None:
    if format == "json":
        print(json.dumps(report.document(path, found, failures), indent=2))
    elif format == "toml":
        print(saved.text_with(file, kept), end="")
    else:
        print("\n\n".join(report.text(compilation) for compilation in found))
