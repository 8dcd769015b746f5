"""``irscope launch PATH``: run a kernel on the GPU, time it, check what it wrote."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from irscope.commands import Progress, pairs, request_from
from irscope.events import Event
from irscope.launch import history
from irscope.launch import run as launching
from irscope.launch.model import LaunchRequest, Source
from irscope.report import launch as report
from irscope.request import usage_error

#: Exit code where a check says that the kernel's results are wrong.
WRONG = 1


def run(arguments: argparse.Namespace) -> int:
    request = launch_request(arguments)
    progress = Progress()

    def follow(event: Event) -> None:
        progress(event)
        if isinstance(event, launching.Phase):
            counted = f" {event.done} of {event.total}" if event.total else ""
            progress.say(event.name + counted)

    try:
        if arguments.list:
            return print_sites(request, follow, arguments.format)
        found = launching.launch(request, follow)
    finally:
        progress.done()
    for warning in found.warnings:
        warn(warning)
    if arguments.target and not arguments.interpret:
        warn(f"--target {arguments.target} does not count: a launch is compiled for its GPU")
    earlier = history.load(found.file, found.kernel)[:-1]
    if arguments.format == "json":
        print(json.dumps(report.document(found, earlier), indent=2))
    else:
        print(report.summary(found, earlier))
    return WRONG if found.check is not None and found.check.comparisons and not found.check.passed else 0


def warn(message: str) -> None:
    print(f"irscope: warning: {message}", file=sys.stderr)


def print_sites(request: LaunchRequest, follow: launching.Follow, format: str) -> int:
    warnings: list[str] = []

    def heard(event: Event) -> None:
        if isinstance(event, launching.Warned):
            warnings.append(event.message)
        follow(event)

    found = launching.sites(request, heard)
    for warning in warnings:
        warn(warning)
    if format == "json":
        print(json.dumps(report.sites_document(found, warnings), indent=2))
    elif found:
        print(report.site_table(found))
    else:
        print(f"{request.compile.path} launches no kernel of its own; --arg and --grid make inputs for one")
    return 0


def launch_request(arguments: argparse.Namespace) -> LaunchRequest:
    """The request that the options make.

    Raises:
        IrscopeError: one of them cannot be read (exit code 2).
    """
    reject_contradictions(arguments)
    given = pairs("--arg", arguments.arg)
    types = {name: value for name, value in given.items() if is_type(value)}
    arguments.arg = [f"{name}={value}" for name, value in types.items()]
    compile_request = request_from(arguments)
    return LaunchRequest(
        compile=replace(compile_request, configuration=None if arguments.autotune else compile_request.configuration),
        source=source_of(arguments),
        entry=arguments.entry,
        number=arguments.number or 0,
        inputs={name: value for name, value in given.items() if name not in types},
        grid=arguments.grid,
        seed=arguments.seed,
        device=arguments.device,
        autotune=arguments.autotune,
        check=arguments.check,
        interpret=arguments.interpret,
        check_seconds=arguments.check_seconds,
        bytes=arguments.bytes,
        flops=arguments.flops,
        save=Path(arguments.save) if arguments.save else None,
    )


def reject_contradictions(arguments: argparse.Namespace) -> None:
    """Options of which one would go unheard are a mistake. Raises `IrscopeError` (kind "usage")."""
    for one, other, why in (
        ("inputs", "entry", "what irscope makes, or what a function of the file launches"),
        ("inputs", "number", "made inputs make one launch"),
        ("inputs", "list", "the launches that are listed are the file's own"),
        ("autotune", "config", "the autotuner chooses, or you do"),
    ):
        if getattr(arguments, one) and getattr(arguments, other) is not None and getattr(arguments, other) is not False:
            flag = "--launch" if other == "number" else f"--{other}"
            raise usage_error(f"--{one} and {flag} cannot both hold: {why}")


def source_of(arguments: argparse.Namespace) -> Source | None:
    if arguments.inputs:
        return "inputs"
    return "file" if arguments.entry or arguments.list else None


def is_type(text: str) -> bool:
    """Whether an ``--arg`` names a type (``*fp16:16``, ``i32``), as for ``dump``, rather than contents."""
    return text.startswith("*") or text.partition(":")[0] in SCALAR_TYPES


SCALAR_TYPES = frozenset(
    ["i1", "i8", "i16", "i32", "i64", "u1", "u8", "u16", "u32", "u64", "fp16", "bf16", "fp32", "fp64"]
)
