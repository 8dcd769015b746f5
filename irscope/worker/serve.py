"""The worker's loop: one request after the other, each ending in exactly one ``result`` or ``failure``."""

from __future__ import annotations

import faulthandler
import gc
import sys
from pathlib import Path
from typing import Any

from . import failures
from .protocol import Rejected, Wire


def serve(log: Path) -> None:
    wire = Wire(log)
    # A crash leaves the Python lines it happened in, in the log.
    faulthandler.enable()
    # Loading Triton takes longer than the client needs to say what it wants: begin before it is asked for.
    try:
        from . import compiling, versions

        wire.send("ready", triton=versions.TRITON, python=sys.version.split()[0])
    except BaseException as error:
        wire.send("failure", failure=failures.of_triton_import(error))
        return
    actions = {"compile": compiling.compile_kernel}
    for request in wire.requests():
        start = wire.log_size()
        if timeout := request.get("timeout"):
            # The client ends a worker that passes the limit; shortly before, note where it is.
            faulthandler.dump_traceback_later(max(timeout - 0.5, 0.8 * timeout))
        try:
            wire.send("result", **actions[request["do"]](request, wire))
        except Rejected as rejection:
            wire.send("failure", failure=rejection.failure)
        except MemoryError:
            gc.collect()
            wire.send("failure", failure=failures.out_of_memory())
        # SystemExit and KeyboardInterrupt too: a file that calls sys.exit() must not take the worker along.
        except BaseException as error:
            wire.send("failure", failure=describe(error, request, wire.logged_since(start)))
        finally:
            faulthandler.cancel_dump_traceback_later()


def describe(error: BaseException, request: dict[str, Any], logged: str) -> dict[str, Any]:
    try:
        return failures.describe(error, Path(request["path"]), logged)
    except Exception as second:
        return {"kind": "internal", "message": f"{type(error).__name__}: {error} ({second!r} while describing it)"}
