"""Workers: start them, ask them, and outlive them.

A worker is a process of the interpreter that has Triton (`irscope.worker`). It answers one request at a
time; one that dies, hangs or is cancelled costs that request, and the next gets a fresh one.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from irscope.model import Failure
from irscope.request import IrscopeError

WORKER = Path(__file__).parent / "worker"

#: How often a waiting request looks whether it was cancelled, in seconds.
POLL = 0.05

#: What a worker ends by itself when it is cancelled, and how long it may take; loading Triton anew takes longer.
STOPPABLE = ("snapshots",)
STOP_SECONDS = 1.0

#: How much of the end of a dead worker's log a failure shows, in bytes.
LOG_TAIL = 8_000

#: How much of a log is kept with a compilation, in bytes: a file may print without end.
LOG_LIMIT = 1 << 20

#: Exit statuses that say more in words; negative ones are signals, large ones Windows' NTSTATUS.
EXIT_WORDS = {
    -6: "aborted (SIGABRT)",
    -9: "was killed (SIGKILL; the system does this when memory runs out)",
    -11: "crashed with a segmentation fault (SIGSEGV)",
    -7: "crashed with a bus error (SIGBUS)",
    -4: "crashed with an illegal instruction (SIGILL)",
    -8: "crashed with an arithmetic error (SIGFPE)",
    -15: "was terminated (SIGTERM)",
    3: "aborted (exit code 3, as abort() does on Windows)" if sys.platform == "win32" else "ended with exit code 3",
    0xC0000005: "crashed with an access violation",
    0xC00000FD: "crashed with a stack overflow",
    0xC0000409: "aborted (fail-fast exception)",
    0xC0000017: "ran out of memory",
}


_FRAME = re.compile(r'^  File "([^"<]+)", line (\d+) in ', re.MULTILINE)


class Cancelled(Exception):
    """The user gave up on a request; its worker is gone."""


class Worker:
    """One worker process. Not for several threads at once: `Client` sees to that."""

    def __init__(self, python: Path, environment: Mapping[str, str] | None = None) -> None:
        self.python = python
        self._folder = tempfile.TemporaryDirectory(prefix="irscope-worker-", ignore_cleanup_errors=True)
        self.log = Path(self._folder.name) / "log.txt"
        self.log.touch()
        #: A file that is there while the worker is to stop what it does.
        self._stop_sign = self.log.with_name("stop")
        try:
            # Until the worker has taken over its descriptors, a word of the interpreter's goes to the log too.
            with self.log.open("ab") as early:
                self._process = subprocess.Popen(
                    [str(python), "-X", "utf8", str(WORKER), str(self.log)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=early,
                    env={**os.environ, **(environment or {})},
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
        except OSError as error:
            self._folder.cleanup()
            raise IrscopeError(
                Failure("missing", f"cannot start {python}: {error.strerror or error}",
                        hint="--python takes the path of a Python interpreter that has Triton")
            ) from error  # fmt: skip
        self._messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="irscope-worker-reader", daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):  # closed, or cut off within a line
            for line in self._process.stdout:
                self._messages.put(json.loads(line))
        self._messages.put(None)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self,
        request: Mapping[str, Any],
        on_message: Callable[[dict[str, Any]], None],
        timeout: float | None,
        cancel: threading.Event,
    ) -> dict[str, Any]:
        """Send a request and hand on its messages until the ``result`` or ``failure``, which is returned.

        Raises:
            Cancelled: ``cancel`` was set.
            IrscopeError: the worker died or passed ``timeout`` seconds; kinds "worker" and "timeout".
        """
        self._file = request.get("path")
        deadline = None if timeout is None else time.monotonic() + timeout
        last_stage = None
        with contextlib.suppress(OSError):  # a dead worker shows as the end of its messages
            assert self._process.stdin is not None
            # Beside the seconds, the time of day: loading Triton is not over yet, and counts.
            end = None if timeout is None else time.time() + timeout
            asked = {**request, "timeout": timeout, "end": end, "stop": str(self._stop_sign)}
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        while True:
            if cancel.is_set():
                if request.get("do") not in STOPPABLE or not self._stops_in_time():
                    self.close()
                raise Cancelled
            if deadline is not None and time.monotonic() > deadline:
                self.close()
                raise self._error(
                    "timeout", f"no answer within {timeout:g} s{during(last_stage)}; the worker was stopped",
                    last_stage, hint="--timeout sets the limit, in seconds",
                )  # fmt: skip
            try:
                message = self._messages.get(timeout=POLL)
            except queue.Empty:
                continue
            if message is None:
                code = self._process.wait()
                self.close()
                raise self._error("worker", f"the worker {in_words(code)}{during(last_stage)}", last_stage)
            if message["event"] in ("result", "failure"):
                return message
            if message["event"] == "stage_started":
                last_stage = message["name"]
            on_message(message)

    def _stops_in_time(self) -> bool:
        """Have the worker stop after the stage that it is at, so that it lives on for the next request."""
        end = time.monotonic() + STOP_SECONDS
        try:
            self._stop_sign.touch()
            while (message := self._messages.get(timeout=max(end - time.monotonic(), 0))) is not None:
                if message["event"] in ("result", "failure"):
                    self._stop_sign.unlink(missing_ok=True)
                    return True
        except (queue.Empty, OSError):
            pass
        return False

    def _error(self, kind: str, message: str, stage: str | None, hint: str | None = None) -> IrscopeError:
        file, line = last_frame(self._tail, self._file)
        return IrscopeError(
            Failure(kind, message, file=file, line=line, stage=stage, detail=self._tail or None, hint=hint)
        )

    def log_text(self, offset: int = 0) -> str:
        """What the worker and all in it wrote to stdout and stderr, from byte ``offset`` on.

        Of more than `LOG_LIMIT` bytes the first and the last half of that.
        """
        try:
            with self.log.open("rb") as log:
                left_out = log.seek(0, os.SEEK_END) - offset - LOG_LIMIT
                log.seek(offset)
                if left_out <= 0:
                    return log.read().decode("utf-8", errors="replace")
                first = log.read(LOG_LIMIT // 2).decode("utf-8", errors="replace")
                log.seek(left_out, os.SEEK_CUR)
                return f"{first}\n[{left_out} bytes left out]\n{log.read().decode('utf-8', errors='replace')}"
        except OSError:
            return self._tail

    _tail = ""
    _file: str | None = None

    def close(self) -> None:
        """Stop the process and what it started (ptxas may outlast it otherwise)."""
        if self.alive:
            kill_tree(self._process)
        # Afterwards: a worker whose requests are at their end ends too, and leaves ptxas running.
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        self._process.wait()
        if self._folder is not None and self.log.exists():
            self._tail = self.log_text()[-LOG_TAIL:].strip()
            self._folder.cleanup()


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    import psutil

    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    process.kill()


def last_frame(log: str, requested: str | None) -> tuple[str | None, int | None]:
    """File and line of the user's that were running, from the traceback that is left in a log.

    The requested file's own line where it has one, else that of a file beside it: what runs deeper is in
    libraries, Triton's compiler above all.
    """
    if requested is None:
        return None, None
    _, crashed, trace = log.rpartition(" (most recent call first):")
    frames = [(file, int(line)) for file, line in _FRAME.findall(trace if crashed else "")]
    folder = Path(requested).parent
    beside = [frame for frame in frames if Path(frame[0]).is_relative_to(folder) and "site-packages" not in frame[0]]
    own = [frame for frame in beside if frame[0] == requested]
    return next(iter(own or beside), (None, None))


def in_words(code: int) -> str:
    unsigned = code & 0xFFFFFFFF if code > 255 else code
    return EXIT_WORDS.get(unsigned) or (f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}")


def during(stage: str | None) -> str:
    return f" during {stage}" if stage else ""


class Client:
    """Keeps one worker an interpreter, and replaces those that have died.

    ``environment`` is set in its workers beside what irscope has itself.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment
        self._workers: dict[Path, Worker] = {}
        self._lock = threading.Lock()

    def start(self, python: Path) -> Worker:
        """A living worker for ``python``; loading Triton goes on while the caller does other things."""
        worker = self._workers.get(python)
        if worker is None or not worker.alive:
            worker = self._workers[python] = Worker(python, self._environment)
        return worker

    def ask(
        self,
        python: Path,
        request: Mapping[str, Any],
        on_message: Callable[[dict[str, Any]], None],
        timeout: float | None = None,
        cancel: threading.Event | None = None,
    ) -> tuple[dict[str, Any], str]:
        """Answer of a worker to ``request``, and what was logged meanwhile. See `Worker.ask` for what it raises."""
        with self._lock:
            worker = self.start(python)
            offset = worker.log.stat().st_size
            answer = worker.ask(request, on_message, timeout, cancel or threading.Event())
            return answer, worker.log_text(offset)

    def discard(self, python: Path) -> None:
        """Stop the worker of ``python``: the next request gets a fresh one."""
        worker = self._workers.pop(python, None)
        if worker is not None:
            worker.close()

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
