"""The worker's loop: one request after the other, each ending in exactly one ``result`` or ``failure``."""

from __future__ import annotations

import faulthandler
import gc
import importlib
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import failures
from .protocol import Rejected, Wire

#: What answers a request, by its word: a function of a module here, which is loaded when it is first asked for.
ACTIONS = {
    "compile": "compiling.compile_kernel",
    "specialize": "compiling.specialize",
    "snapshots": "snapshots.compile_snapshots",
    "allocate": "allocation.allocate",
    "prepare_launch": "launch.prepare.prepare_launch",
    "capture": "capture.answer.capture",
    "list_launches": "launch.listing.list_launches",
    "measure_launch": "launch.measure.measure_launch",
    "save_launch": "launch.handover.save_launch",
    "measure_device": "launch.ceilings.measure_device",
    "interpret": "launch.interpret.interpret",
    "check_against_file": "launch.file_check.check_against_file",
}


def action(name: str) -> Callable[[dict[str, Any], Wire], dict[str, Any]]:
    module, _, function = ACTIONS[name].rpartition(".")
    found: Callable[[dict[str, Any], Wire], dict[str, Any]] = getattr(
        importlib.import_module(f".{module}", __package__), function
    )
    return found


def serve(log: Path) -> None:
    wire = Wire(log)
    # A crash leaves the Python lines it happened in, in the log.
    faulthandler.enable()
    # Loading Triton takes longer than the client needs to say what it wants: begin before it is asked for.
    try:
        from . import compiling, versions  # noqa: F401

        wire.send("ready", triton=versions.TRITON, python=sys.version.split()[0])
    except BaseException as error:
        wire.send("failure", failure=failures.of_triton_import(error))
        return
    for request in wire.requests():
        start = wire.log_size()
        watch = watchdog(request)
        try:
            wire.send("result", **action(request["do"])(request, wire))
        except Rejected as rejection:
            wire.send("failure", failure=rejection.failure)
        except MemoryError as error:
            traceback.clear_frames(error.__traceback__)  # what they hold is what filled the memory
            gc.collect()
            wire.send("failure", failure=failures.out_of_memory(error, Path(request.get("path", ""))))
        # SystemExit and KeyboardInterrupt too: a file that calls sys.exit() must not take the worker along.
        except BaseException as error:
            wire.send("failure", failure=describe(error, request, wire.logged_since(start)))
        finally:
            watch.cancel()


def watchdog(request: dict[str, Any]) -> threading.Timer:
    """Shortly before the client ends a worker that passes its limit, note in the log where that is.

    A thread of Python's own: faulthandler's reads the frames of a running thread, and may crash on them.
    """
    timeout, end = request.get("timeout"), request.get("end")
    left = timeout if timeout is None or end is None else max(min(timeout, end - time.time()), 0.0)
    limit = min(left or 0, threading.TIMEOUT_MAX)
    timer = threading.Timer(max(limit - 0.5, 0.8 * limit), note_place)
    timer.daemon = True
    if timeout:
        timer.start()
    return timer


def note_place() -> None:
    main = sys._current_frames().get(threading.main_thread().ident or 0)
    frames = traceback.extract_stack(main) if main is not None else []
    print("The time limit is near. Main thread (most recent call first):", file=sys.stderr)
    for frame in reversed(frames):
        print(f'  File "{frame.filename}", line {frame.lineno} in {frame.name}', file=sys.stderr)


def describe(error: BaseException, request: dict[str, Any], logged: str) -> dict[str, Any]:
    from . import compiling, reasons, versions

    try:
        failure = failures.describe(error, Path(request.get("path", "")), logged)
        return reasons.explained(failure, versions.TRITON, request.get("target"), compiling.latest_function())
    except Exception as second:
        return {"kind": "internal", "message": f"{type(error).__name__}: {error} ({second!r} while describing it)"}
