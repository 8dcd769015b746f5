"""How fast the pane is on real LLVM IR, from a key to the last byte of the repaint, through a pty.

    python benchmarks/pane.py [--llir FILE] [--rounds N]

Compiles the matmul sample with Triton for its LLVM IR (or reads ``--llir``), repeats its function to 100k
lines, and runs small applications that hold nothing but panes in a terminal of 200x50. Linux only. Prints a table;
exit status 1 where a bound is not held.

- Page-down in 100k lines against page-down in 1k lines: two applications side by side, pressed in turn.
- A cursor move that lights 500 lines over four panes against one that lights none, in turn in one
  application. Lit rows are spread over their texts evenly, as they are for a source line; the table also has
  the worst there is, that every row in view of all four panes changes.
- Memory that ``tracemalloc`` counts from before the text is read until after loading, paging, a search and
  500 marks: the text itself, the pane, and whatever else Textual allocates meanwhile.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import json
import os
import pty
import random
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
import tracemalloc
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from irscope.tui.code_view import CodeView  # noqa: E402
from irscope.tui.themes import THEMES  # noqa: E402

WIDTH, HEIGHT = 200, 50
LONG, SHORT, LIT = 100_000, 1_000, 500
#: Silence after which a repaint counts as complete, in seconds (it is not part of the measurement).
SILENCE = 0.12

COMPILE = """
import sys
sys.path.insert(0, "sample_kernels")
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from matmul import matmul_kernel
kernel = getattr(matmul_kernel, "fn", matmul_kernel)
constants = dict(BLOCK_M=128, BLOCK_N=128, BLOCK_K=64, GROUP_M=8)
signature = {
    name: "constexpr" if name in constants else "*fp16" if name.endswith("_ptr") else "i32"
    for name in kernel.arg_names
}
attributes = {
    (at,): [["tt.divisibility", 16]] for at, name in enumerate(kernel.arg_names) if name not in constants
}
constants = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
source = ASTSource(kernel, signature, constants, attributes)
compiled = compile(source, target=GPUTarget("cuda", 90, 32), options=dict(num_warps=8, num_stages=3))
sys.stdout.write(compiled.asm["llir"])
"""


def llvm_ir(file: Path | None) -> list[str]:
    """A thousand lines of a real module's functions, without the metadata around them."""
    if file is not None:
        text = file.read_text(encoding="utf-8")
    else:
        text = subprocess.run(
            [sys.executable, "-c", COMPILE], cwd=ROOT, check=True, stdout=subprocess.PIPE, encoding="utf-8"
        ).stdout
    lines = text.splitlines()
    begin = next(at for at, line in enumerate(lines) if line.startswith("define "))
    end = max(at for at, line in enumerate(lines) if line == "}") + 1
    functions = lines[begin:end]
    # So that the short text and the long one have the same pages.
    return (functions * (SHORT // len(functions) + 1))[:SHORT]


class Bench(App[None]):
    """Panes and nothing else. The measuring process presses its keys."""

    CSS = """
    Vertical { border: round $border-blurred; width: 1fr; }
    Vertical:focus-within { border: round $border; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        ("1", "light('')", "Light nothing"),
        ("2", "light('spread')", "Light rows all over the texts"),
        ("3", "light('view')", "Light every row in view"),
    ]

    def __init__(self, lines: list[str], panes: int, report: Path | None) -> None:
        super().__init__()
        self.text, self.panes, self.report = lines, panes, report
        self.how = ""
        self.moves = 0

    def compose(self) -> ComposeResult:
        with Horizontal():
            for _ in range(self.panes):
                with Vertical():
                    yield CodeView(language="llvm")

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        for view in self.query(CodeView):
            view.load(self.text)
            self.watch(view, "visited", self._light, init=False)
        # As irscope's own application does once it is up: a full collection would visit every line object.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        if self.report is not None:
            self.run_worker(self._exercise(self.report))

    def action_light(self, how: str) -> None:
        self.how = how

    def _light(self) -> None:
        self.moves += 1
        count = LIT // self.panes
        for view in self.query(CodeView):
            if self.how == "spread":
                step = len(view.lines) // count
                view.set_marks({at * step + self.moves % step for at in range(count)})
            elif self.how == "view":
                top = view.scroll_offset.y
                view.set_marks(range(top, top + count) if self.moves % 2 else range(top + 200, top + 200 + count))

    async def _exercise(self, report: Path) -> None:
        """What a user does with a long text, then what memory it all takes."""
        view = self.query_one(CodeView)
        for _ in range(100):
            view.action_page(1)
            await view.wait_for_refresh()
        view.search("getelementptr")
        view.set_marks(range(0, len(view.lines), len(view.lines) // LIT))
        await view.wait_for_refresh()
        gc.collect()
        size = sum(len(line.encode()) + 1 for line in view.lines)
        report.write_text(json.dumps([tracemalloc.get_traced_memory()[0], size]), encoding="utf-8")
        self.exit()


class Terminal:
    """A terminal of 200x50 with this file's application in it."""

    def __init__(self, *arguments: str) -> None:
        self.process, self.master = pty.fork()
        if self.process == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            environment |= {"TEXTUAL_ANIMATIONS": "none", "LINES": str(HEIGHT), "COLUMNS": str(WIDTH)}
            os.execve(sys.executable, [sys.executable, __file__, "--app", *arguments], environment)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.bytes = 0

    def settle(self, silence: float = SILENCE, patience: float = 60.0) -> float:
        """Reads until nothing comes any more; returns when the last byte came."""
        last = time.perf_counter()
        begun = False
        while True:
            wait = silence if begun else patience
            ready, _, _ = select.select([self.master], [], [], wait)
            if not ready:
                return last
            try:
                data = os.read(self.master, 1 << 20)
            except OSError:
                return last
            last, begun = time.perf_counter(), True
            self.bytes += len(data)
            if b"\x1b[?2026$p" in data:
                # Synchronized output: yes, like every current terminal.
                os.write(self.master, b"\x1b[?2026;2$y")

    def press(self, key: bytes) -> float:
        """Seconds from a key to the last byte of what it repaints."""
        start = time.perf_counter()
        os.write(self.master, key)
        return self.settle(patience=5.0) - start

    def close(self) -> None:
        os.write(self.master, b"\x11")
        self.settle(patience=5.0)
        os.close(self.master)
        os.waitpid(self.process, 0)


PAGE_DOWN, DOWN, HOME = b"\x1b[6~", b"\x1b[B", b"\x1b[H"


def page_down(rounds: int, folder: Path) -> dict[str, list[float]]:
    terminals = {f"page-down, {count} lines": Terminal(str(folder / "text.ll"), str(count), "1")
                 for count in (SHORT, LONG)}  # fmt: skip
    times: dict[str, list[float]] = {what: [] for what in terminals}
    for terminal in terminals.values():
        terminal.settle(silence=2.0)
        for _ in range(3):
            terminal.press(PAGE_DOWN)
    for turn in range(rounds):
        for what, terminal in terminals.items():
            times[what].append(terminal.press(PAGE_DOWN))
            if turn % 16 == 15 and str(LONG) not in what:
                # A short text ends; the strips of its beginning are no longer kept by then.
                terminal.press(HOME)
    for terminal in terminals.values():
        terminal.close()
    return times


def cursor_move(rounds: int, folder: Path) -> dict[str, list[float]]:
    terminal = Terminal(str(folder / "text.ll"), str(SHORT), "4")
    terminal.settle(silence=2.0)
    keys = {
        "cursor move": b"1",
        f"cursor move, {LIT} lines lit": b"2",
        "cursor move, every row in view lit or unlit": b"3",
    }
    times: dict[str, list[float]] = {what: [] for what in keys}
    for turn in range(rounds):
        if turn % 5 == 0:
            terminal.press(HOME)
        for what, key in random.Random(turn).sample(sorted(keys.items()), len(keys)):
            os.write(terminal.master, key)
            # The first move takes away what the last kind has lit.
            terminal.press(DOWN)
            times[what].append(terminal.press(DOWN))
    terminal.close()
    return times


def memory(folder: Path) -> tuple[int, int]:
    """Bytes that ``tracemalloc`` counts, and bytes of text, for one pane with 100k lines."""
    report = folder / "memory.json"
    terminal = Terminal(str(folder / "text.ll"), str(LONG), "1", str(report))
    terminal.settle(silence=20.0)
    os.close(terminal.master)
    os.waitpid(terminal.process, 0)
    used, text = json.loads(report.read_text(encoding="utf-8"))
    return used, text


def application(file: str, count: str, panes: str, report: str = "") -> None:
    if report:
        tracemalloc.start()
    with Path(file).open(encoding="utf-8") as lines:
        text = [line.rstrip("\n") for line, _ in zip(lines, range(int(count)), strict=False)]
    Bench(text, int(panes), Path(report) if report else None).run()


def main() -> int:
    options = argparse.ArgumentParser(description="Speed and memory of irscope's pane, through a terminal.")
    options.add_argument("--llir", type=Path, help="LLVM IR to repeat, instead of compiling the matmul sample")
    options.add_argument("--rounds", type=int, default=60, help="key presses of each kind (default: 60)")
    given = options.parse_args()
    held = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = llvm_ir(given.llir) * (LONG // SHORT)
        (folder / "text.ll").write_text("\n".join(text) + "\n", encoding="utf-8")
        print(f"{LONG} lines of LLVM IR, {sum(map(len, text)) / 1e6:.1f} MB; screen {WIDTH}x{HEIGHT}")
        print(f"{'':46}{'median':>9}{'p95':>9}{'ratio':>8}{'p95':>6}{'bound':>7}")
        for bounds, times in (
            ((None, 1.5), page_down(given.rounds, folder)),
            ((None, 2.0, None), cursor_move(given.rounds, folder)),
        ):
            base: tuple[float, float] | None = None
            for (what, samples), bound in zip(times.items(), bounds, strict=True):
                median, p95 = statistics.median(samples), statistics.quantiles(samples, n=20)[-1]
                base = base or (median, p95)
                ratios = median / base[0], p95 / base[1]
                shown = f"{bound:7.1f}" if bound else ""
                figures = f"{median * 1e3:6.1f} ms{p95 * 1e3:6.1f} ms{ratios[0]:8.2f}{ratios[1]:6.2f}"
                print(f"{what:46}{figures}{shown}")
                held &= bound is None or max(ratios) <= bound
        used, size = memory(folder)
        what = "memory of a pane and its text (tracemalloc)"
        print(f"{what:46}{used / 1e6:6.1f} MB{'':9}{used / size:8.2f}{'':6}{4.0:7.1f}")
        held &= used / size <= 4
    print("all bounds held" if held else "a bound is not held")
    return 0 if held else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--app"]:
        application(*sys.argv[2:])
    else:
        sys.exit(main())
