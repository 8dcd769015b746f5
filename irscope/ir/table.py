"""Plain text tables for the panes of binary stages: a title, then rows in aligned columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(title: str, rows: Iterable[Sequence[object]], right: str = "") -> list[str]:
    """Lines of one table with a blank line after it; none where there are no rows.

    ``right`` has an ``r`` for each column that is aligned right: ``" r r"`` for the second and fourth.
    """
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not cells:
        return []
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [title]
    for row in cells:
        padded = (
            cell.rjust(width) if right[column : column + 1] == "r" else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append(("  " + "  ".join(padded)).rstrip())
    return [*lines, ""]


def size(count: int | None) -> str:
    """``98 304 B``; ``unknown`` for ``None``."""
    return "unknown" if count is None else f"{count:,}".replace(",", " ") + " B"
