"""``irscope cost PATH``: what each line of Python, or each row of a stage, costs in machine instructions."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace

from irscope import exact, session
from irscope.analysis import cost
from irscope.commands import Progress, exit_code, request_from, tell_failure
from irscope.correlate import SOURCE
from irscope.edges import Edges
from irscope.model import Compilation
from irscope.report.cost import LINE, SORTS, CostTable, document, text
from irscope.request import Request, missing, usage_error


def run(arguments: argparse.Namespace) -> int:
    if arguments.sort != LINE and arguments.sort not in SORTS:
        raise usage_error(
            f"--sort {arguments.sort}: there is no such figure", hint=f"there are {', '.join((*SORTS, LINE))}"
        )
    if arguments.top is not None and arguments.top < 1:
        raise usage_error(f"--top {arguments.top}: it is a number of lines, from 1")
    request = request_from(arguments)
    progress = Progress()
    try:
        compilation = session.open(request, progress)
        if request.path.suffix != ".py" and request.kernel not in (None, compilation.kernel.name):
            raise usage_error(
                f"{request.path} has no kernel '{request.kernel}'", hint=f"it has {compilation.kernel.name}"
            )
        if compilation.failure is not None:
            progress.done()
            tell_failure(compilation.failure, arguments.format)
            return exit_code(compilation.failure)
        check_stage(compilation, arguments.stage)
        if arguments.correlation == "exact":
            progress.say("compiling again for exact edges")
            compilation = exact.exact_edges(compilation, request)
        else:
            compilation = without_edges(compilation)
        table = table_of(compilation, request, arguments.stage)
    finally:
        progress.done()
    for warning in compilation.warnings:
        print(f"irscope: warning: {warning}", file=sys.stderr)
    if arguments.format == "json":
        print(json.dumps(document(table, arguments.sort, arguments.top), indent=2))
    else:
        print(text(table, arguments.sort, arguments.top))
    return 0


def check_stage(compilation: Compilation, stage: str) -> None:
    texts = [name for name, found in compilation.stages.items() if found.text is not None]
    here = f"there are {', '.join((SOURCE, *texts))}"
    if not {"sass", "amdgcn"}.intersection(texts):
        if "cubin" in compilation.stages:
            raise missing(next(iter(compilation.warnings), "no SASS"))
        raise usage_error(
            f"{compilation.kernel.name}: there is no machine code here", hint=f"there is {', '.join(texts)}"
        )
    if stage not in (SOURCE, *texts):
        raise usage_error(f"--stage {stage}: there is no such stage here", hint=here)


def without_edges(compilation: Compilation) -> Compilation:
    return replace(compilation, edges=Edges(reason="asked for by --correlation source"))


def table_of(compilation: Compilation, request: Request, stage: str) -> CostTable:
    live, no_live = cost.known_live_registers(compilation)
    try:
        found = cost.costs(compilation, live)
    except ValueError as error:
        raise usage_error(f"{request.path}: {error}") from error
    if found is None:
        raise usage_error(f"{request.path}: its machine code has no function")
    return CostTable(compilation, found, stage, live, no_live)
