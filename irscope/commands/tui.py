"""``irscope [PATH]``: open the terminal UI."""

from __future__ import annotations

import argparse


def run(arguments: argparse.Namespace) -> int:
    from irscope.commands import request_from

    arguments.path = arguments.path or "."
    request = request_from(arguments)
    if not request.path.exists():
        from irscope.request import usage_error

        raise usage_error(f"{request.path}: there is no such file")
    from irscope import session

    # Triton loads in the worker while Textual loads here.
    session.prestart(request)
    from irscope.tui.app import run as run_app

    return run_app(request, watch=arguments.watch)
