"""``irscope shared PATH``: the map of a kernel's shared memory, and its bank conflicts."""

from __future__ import annotations

import argparse
import json
import sys

from irscope.allocation import shared_memory
from irscope.analysis.verdicts import SLOWER_RULES, Program
from irscope.commands import Progress, compiled, request_from
from irscope.report import shared as report


def run(arguments: argparse.Namespace) -> int:
    request = request_from(arguments)
    progress = Progress()
    try:
        compilation = compiled(request, progress)
        progress.say("placing shared memory")
        found = shared_memory(compilation, request.python, request.timeout)
        verdicts = [verdict for rule in SLOWER_RULES for verdict in rule(Program(compilation))]
    finally:
        progress.done()
    for warning in compilation.warnings:
        print(f"irscope: warning: {warning}", file=sys.stderr)
    if arguments.format == "json":
        print(json.dumps(report.document(compilation, found, verdicts), indent=2))
    else:
        print(report.text(compilation, found, verdicts))
    return 0
