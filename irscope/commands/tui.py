"""``irscope [PATH]``: open the terminal UI."""

from __future__ import annotations

import argparse
import gc


def run(arguments: argparse.Namespace) -> int:
    from irscope.commands import request_from

    arguments.path = arguments.path or "."
    request = request_from(arguments)
    if not request.path.exists():
        from irscope.request import usage_error

        raise usage_error(f"{request.path}: there is no such file")
    from irscope import session

    # The compiler works in its own process while Textual loads here.
    session.begin(request)
    # All that is imported stays; `irscope.tui.app.run` enables the collector again.
    gc.disable()
    from irscope.tui.app import run as run_app

    return run_app(request, watch=arguments.watch)
