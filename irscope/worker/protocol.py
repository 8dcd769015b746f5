"""The wire between a worker and its client: JSON lines, out of reach of whatever else writes to stdout."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

#: How much of a log is searched for diagnostics, and told with a failure, in bytes.
LOG_LIMIT = 1 << 20


class Rejected(Exception):
    """A request that ends with a failure to tell the user; the fields are those of ``model.Failure``."""

    def __init__(self, kind: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.failure = {"kind": kind, "message": message, **fields}


def names_hint(name: str, names: Iterable[str]) -> str:
    """What there is instead of ``name``, the nearest first."""
    import difflib

    known = list(names)
    near = difflib.get_close_matches(name, known, 1)
    listed = f"it has {', '.join(known)}" if known else "it has none"
    return f"did you mean '{near[0]}'? {listed}" if near else listed


class Wire:
    """Requests in, events out; descriptors 0, 1 and 2 are taken away from everything else.

    The user's file, ptxas and MLIR write to stdout and stderr at will: those go to the log. What they
    read from stdin is at its end.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self._requests: TextIO = os.fdopen(os.dup(0), encoding="utf-8")
        self._events: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(written, 1)
        os.dup2(written, 2)
        os.close(written)
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]

    def requests(self) -> Iterator[dict[str, Any]]:
        """The requests as they come. A thread reads them: a worker whose client is gone ends, whatever it is at."""
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()

        def read() -> None:
            for line in self._requests:
                lines.put(line)
            os._exit(0)

        threading.Thread(target=read, name="requests", daemon=True).start()
        while True:
            yield json.loads(lines.get())

    def send(self, event: str, **fields: Any) -> None:
        self._events.write(json.dumps({"event": event, **fields}, default=str) + "\n")
        self._events.flush()

    def logged_since(self, offset: int) -> str:
        """What was written to the log from byte ``offset`` on, its last `LOG_LIMIT` bytes: diagnostics come last."""
        sys.stdout.flush()
        sys.stderr.flush()
        with self.log.open("rb") as log:
            log.seek(max(offset, self.log.stat().st_size - LOG_LIMIT))
            return log.read().decode("utf-8", errors="replace")

    def log_size(self) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        return self.log.stat().st_size
