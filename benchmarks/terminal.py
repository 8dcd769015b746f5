"""The terminal UI in a real terminal (a pty of 200x50): its first paint, and the last stage on screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte

from benchmarks.command_line import SAMPLE, TARGET, bare_dump, irscope_command, specialization
from benchmarks.measure import ROOT, Row, compared, environment_with, fresh_folder, in_turns, progress

WIDTH, HEIGHT = 200, 50
EMPTY_APP = ROOT / "benchmarks" / "empty_app.py"

#: Seconds without a byte after which the screen is looked at; irscope's clock ticks while anything is going on.
SILENCE = 1.5
PATIENCE = 120.0
CTRL_Q = b"\x11"

#: A terminal with synchronized output shows nothing between these two; pyte keeps a private mode shifted by 5.
ASKS_FOR_FRAMES, HAS_FRAMES, IN_FRAME = b"\x1b[?2026$p", b"\x1b[?2026;2$y", 2026 << 5

Condition = Callable[[pyte.Screen], bool]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a program wrote to its terminal, in pieces with the seconds since it was started."""

    pieces: list[tuple[float, bytes]]

    def first(self, condition: Condition) -> float | None:
        """When the screen first fulfilled a condition, not counting frames that were not yet complete."""
        screen = pyte.Screen(WIDTH, HEIGHT)
        screen.dirty.clear()
        stream = pyte.ByteStream(screen)
        for seconds, data in self.pieces:
            stream.feed(without_keyboard_protocol(data))
            if IN_FRAME not in screen.mode and condition(screen):
                return seconds
        return None


def without_keyboard_protocol(data: bytes) -> bytes:
    """Without the one sequence in Textual's output that pyte would print instead of passing over."""
    return re.sub(rb"\x1b\[[<>=]\d*u", b"", data)


def record(command: Sequence[str | Path], variables: Mapping[str, str | Path], until: Condition) -> Recording:
    """Run a program in a terminal until it is silent and its screen fulfils a condition."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    environment = environment_with({**variables, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
    start = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=ROOT, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    recording = Recording([])
    try:
        while time.perf_counter() - start < PATIENCE:
            if select.select([master], [], [], SILENCE)[0]:
                data = read(master)
                if not data:
                    break
                recording.pieces.append((time.perf_counter() - start, data))
                if ASKS_FOR_FRAMES in data:
                    os.write(master, HAS_FRAMES)
            elif recording.first(until) is not None:
                return recording
    finally:
        quit_program(process, master)
    raise SystemExit(f"{' '.join(map(str, command))}\nnever showed what was waited for; its screen:\n{last(recording)}")


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 20)
    except OSError:  # Linux's way to say that the other side was closed
        return b""


def quit_program(process: subprocess.Popen[bytes], terminal: int) -> None:
    with contextlib.suppress(OSError):
        os.write(terminal, CTRL_Q)
    deadline = time.perf_counter() + 10
    while process.poll() is None and time.perf_counter() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            read(terminal)
    process.kill()
    process.wait()
    os.close(terminal)


def last(recording: Recording) -> str:
    shown: list[str] = []

    def keep(screen: pyte.Screen) -> bool:
        shown[:] = screen.display
        return False

    recording.first(keep)
    return "\n".join(shown)


def painted(screen: pyte.Screen) -> bool:
    """Every row was written once: the first frame is complete."""
    return len(screen.dirty) == HEIGHT


def all_stages_done(screen: pyte.Screen) -> bool:
    """Every box of the pipeline strip but the GPU's has the mark of a stage that is done."""
    for row in range(4):
        strip = "".join(screen.buffer[row][column].data for column in range(WIDTH))
        boxes = strip.split(">")
        if len(boxes) > 5 and "SASS" in strip:
            return all("✓" in box for box in boxes[:-1])
    return False


def interface(rounds: int) -> list[Row]:
    progress("\nterminal UI ")
    last_stage: list[float] = []

    def empty() -> float:
        return record([sys.executable, EMPTY_APP], {}, painted).first(painted) or 0.0

    def ours() -> float:
        with fresh_folder() as folder:
            command = [*irscope_command(), str(SAMPLE), "--target", TARGET]
            variables = {"IRSCOPE_CACHE_DIR": folder / "store", "IRSCOPE_CONFIG_DIR": folder / "config"}
            recording = record(command, variables, all_stages_done)
        last_stage.append(recording.first(all_stages_done) or 0.0)
        return recording.first(painted) or 0.0

    def bare() -> float:
        with fresh_folder() as folder:
            return bare_dump(wanted, folder / "cache", folder / "out")

    with fresh_folder() as prepared:
        wanted = specialization(prepared)
        first_paint, empty_paint, whole = in_turns(rounds, ours, empty, bare)
    finished = type(first_paint)(last_stage[1:])
    return [
        compared("first paint / empty Textual app", first_paint, empty_paint, 1.4),
        compared("last stage on screen / bare script, cache empty", finished, whole, 1.3),
    ]
