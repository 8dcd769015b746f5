"""When the launches of a file are captured without anybody having asked: before its kernel is first compiled."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from irscope import captured, captures, discover, store
from irscope.events import CaptureStarted, Event
from irscope.request import IrscopeError, Request
from irscope.target import Target

#: Seconds that nobody waits for more than: the compile comes after it.
SECONDS = 20.0


def capture_if_due(
    request: Request, target: Target, on_event: Callable[[Event], None], cancel: threading.Event | None = None
) -> str | None:
    """Run the file's launch code, where the request wants that and it has not been run before.

    Returns:
        Why its launches are not known in spite of it, in one line.

    Raises:
        irscope.client.Cancelled: ``cancel`` was set meanwhile.
    """
    if request.kernel is None or request.signature or request.capture in ("kept", "never"):
        return None
    if request.capture == "auto" and not is_due(request):
        return None
    if request.capture == "once" and is_known(request):
        return None
    on_event(CaptureStarted())
    sets = 1 if request.capture == "auto" else None
    try:
        found = captures.run(request.path, target, python=request.python, timeout=SECONDS, sets=sets, cancel=cancel)
    except IrscopeError as error:
        captures.put(nothing(request, target, str(error)))
        return f"the file's own launches are not known: {error}"
    if not found.of(request.path, request.kernel):
        return f"the file's own code launched no {request.kernel}" + (f": {found.ended}" if found.ended else "")
    return None


def is_due(request: Request) -> bool:
    """Whether the file launches the kernel when it is run, imports torch anyway, and has not been run as it is."""
    with contextlib.suppress(IrscopeError, OSError):
        if is_known(request):
            return False
        return any(
            each.prospect.captured for each in discover.listed(request.path) if each.kernel.name == request.kernel
        )
    return False


def is_known(request: Request) -> bool:
    """Whether the file has been run as it is, or launches of its kernels have been captured in other code."""
    return any(capture.complete for capture in captures.kept(request.path))


def nothing(request: Request, target: Target, reason: str) -> captured.Capture:
    """A capture of no launch, kept so that the file need not be run again before it changes."""
    file = str(request.path.absolute())
    sha256 = store.sha256_of(file)
    return captured.Capture(file, target, (), ended=reason, sources={file: sha256} if sha256 is not None else {})
