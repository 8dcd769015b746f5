"""The pane's figures as rows; `benchmarks.pane` measures them."""

from __future__ import annotations

from benchmarks import pane
from benchmarks.measure import Row, Samples, fresh_folder, progress


def rows(presses: int) -> list[Row]:
    progress("\npane ")
    with fresh_folder() as folder:
        function = pane.llvm_ir(None)
        text = (function * (pane.LONG // len(function) + 1))[: pane.LONG]
        (folder / "text.ll").write_text("\n".join(text) + "\n", encoding="utf-8")
        pages = pane.page_down(presses, folder)
        progress(".")
        moves = pane.cursor_move(presses, folder)
        progress(".")
        used, size = pane.memory(folder)
    memory = Row(f"pane with {pane.LONG} lines, memory / its text", megabytes(used), megabytes(size), used / size, 4.0)
    return [*against_first(pages, [1.5]), *against_first(moves, [2.0, None]), memory]


def against_first(times: dict[str, list[float]], limits: list[float | None]) -> list[Row]:
    """A row for each but the first, which is what the others are measured against."""
    (base, base_times), *others = times.items()
    against = Samples(base_times)
    found = []
    for (what, seconds), limit in zip(others, limits, strict=True):
        samples = Samples(seconds)
        of_p95 = samples.p95 / against.p95 if samples.p95 and against.p95 else None
        ratio = samples.median / against.median
        found.append(Row(f"{what} / {base}", samples, against, ratio, limit, ratio_p95=of_p95))
    return found


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
