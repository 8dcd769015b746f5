"""``irscope [PATH]``: open the terminal UI."""

from __future__ import annotations

import argparse
import gc
import sys


def run(arguments: argparse.Namespace) -> int:
    # All that is imported stays; `irscope.tui.app.run` enables the collector again.
    gc.disable()
    from irscope.commands import request_from
    from irscope.request import usage_error

    arguments.path = arguments.path or "."
    request = request_from(arguments)
    if not request.path.exists():
        raise usage_error(f"{request.path}: there is no such file")
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise usage_error("the terminal UI needs a terminal", hint="`irscope dump` is for scripts and pipes")
    from irscope.tui.app import run as run_app

    return run_app(request, watch=arguments.watch)
