"""Plain text tables, for the panes of binary stages and for what ``dump`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def aligned(rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> list[str]:
    """Rows with their columns aligned, those in ``right`` (from 0) to the right; a cell that is ``None`` is blank."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    sides = [str.rjust if column in right else str.ljust for column in range(len(widths))]
    return [
        "  ".join(side(cell, width) for side, cell, width in zip(sides, row, widths, strict=True)).rstrip()
        for row in cells
    ]


def table(title: str, rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> list[str]:
    """Lines of one table with its title above and a blank line after it; none where there are no rows."""
    lines = aligned(rows, right)
    return [title, *(f"  {line}" for line in lines), ""] if lines else []


def grouped(count: int) -> str:
    """``98 304``."""
    return f"{count:,}".replace(",", " ")


def size(count: int | None) -> str:
    """``98 304 B``; ``unknown`` for ``None``."""
    return "unknown" if count is None else f"{grouped(count)} B"
