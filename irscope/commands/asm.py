"""``irscope asm PATH``: the machine code in depth: instruction mix, loops, live registers, control codes."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace

from irscope.analysis import amd, sass
from irscope.analysis.cost import known_live_registers
from irscope.analysis.machine import machine
from irscope.commands import Progress, compiled, request_from
from irscope.model import Compilation
from irscope.report import asm as report
from irscope.report.asm_document import document
from irscope.request import usage_error


def run(arguments: argparse.Namespace) -> int:
    request = request_from(arguments)
    progress = Progress()
    try:
        compilation = compiled(request, progress)
        progress.say("live registers")
        code = replace(read(compilation, str(request.path)), blocks=arguments.blocks)
    finally:
        progress.done()
    for warning in compilation.warnings:
        print(f"irscope: warning: {warning}", file=sys.stderr)
    if arguments.format == "json":
        print(json.dumps(document(code), indent=2))
    elif arguments.listing:
        print(report.listing(code))
    else:
        print(report.text(code))
    return 0


def read(compilation: Compilation, path: str) -> report.Code:
    """All that is reported on. Raises `IrscopeError` where there is no machine code that can be read."""
    try:
        nvidia, other, found = sass.read(compilation), amd.read(compilation), machine(compilation)
    except ValueError as error:
        raise usage_error(f"{path}: {error}") from error
    both = nvidia or other
    if found is None or both is None:
        raise usage_error(
            f"{path}: there is no machine code here", hint=f"there is {', '.join(compilation.stages) or 'no stage'}"
        )
    live, no_live = known_live_registers(compilation)
    return report.Code(compilation, found, both.mix, both.loop_mixes, nvidia, other, live, no_live)
