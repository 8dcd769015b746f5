"""``irscope stats PATH``: a kernel's figures, where they come from, and its verdicts."""

from __future__ import annotations

import argparse
import json
import sys

from irscope.commands import Progress, compiled, request_from
from irscope.report import stats as report
from irscope.request import usage_error


def run(arguments: argparse.Namespace) -> int:
    request = request_from(arguments)
    progress = Progress()
    try:
        compilation = compiled(request, progress)
        if request.path.suffix != ".py" and request.kernel not in (None, compilation.kernel.name):
            raise usage_error(
                f"{request.path} has no kernel '{request.kernel}'", hint=f"it has {compilation.kernel.name}"
            )
        progress.say("verdicts")
        found = report.stats(compilation)
    finally:
        progress.done()
    for warning in compilation.warnings:
        print(f"irscope: warning: {warning}", file=sys.stderr)
    print(json.dumps(report.document(found), indent=2) if arguments.format == "json" else report.text(found))
    return 0
