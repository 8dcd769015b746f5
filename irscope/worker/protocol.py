"""The wire between a worker and its client: JSON lines, out of reach of whatever else writes to stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO


class Rejected(Exception):
    """A request that ends with a failure to tell the user; the fields are those of ``model.Failure``."""

    def __init__(self, kind: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.failure = {"kind": kind, "message": message, **fields}


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
        for line in self._requests:
            yield json.loads(line)

    def send(self, event: str, **fields: Any) -> None:
        self._events.write(json.dumps({"event": event, **fields}, default=str) + "\n")
        self._events.flush()

    def logged_since(self, offset: int) -> str:
        """What was written to the log from byte ``offset`` on."""
        sys.stdout.flush()
        sys.stderr.flush()
        with self.log.open("rb") as log:
            log.seek(offset)
            return log.read().decode("utf-8", errors="replace")

    def log_size(self) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        return self.log.stat().st_size
