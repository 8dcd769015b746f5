"""Figures beside the lines of a pane: columns, the bar of the one that is chosen, and the way to its highest rows.

Free of widgets. Rows are raw ones, from 0: of the text as the compiler wrote it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

#: Cells of the bar.
BAR = 3
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of each row that has it."""

    name: str
    #: What it is, in a few words.
    meaning: str
    cells: Mapping[int, str]
    #: What rows are ranked by; empty where there is nothing to rank.
    values: Mapping[int, float]
    left: bool = False
    #: Neighbouring rows hang together: only tops of the curve are places of their own.
    curve: bool = False

    @property
    def width(self) -> int:
        return max([len(self.name), *map(len, self.cells.values())])

    def aligned(self, text: str) -> str:
        return text.ljust(self.width) if self.left else text.rjust(self.width)


@dataclass(frozen=True)
class Table:
    """The columns of one text."""

    columns: tuple[Column, ...]
    #: Where the figures are from, or why some are missing: one line.
    note: str = ""

    @property
    def ranked(self) -> list[str]:
        """Names of the columns that rows can be ranked by."""
        return [column.name for column in self.columns if column.values]

    def column(self, name: str | None) -> Column | None:
        """The column of that name; the first that ranks rows where there is none."""
        by_name = {column.name: column for column in self.columns if column.values}
        return by_name.get(name or "") or next(iter(by_name.values()), None)


class Margin:
    """As many columns as fit ``width`` cells, with the bar of the one that is chosen before them."""

    def __init__(self, table: Table, chosen: Column | None, width: int) -> None:
        self.chosen = chosen
        kept = [column for column in table.columns if column is chosen]
        left = width - BAR - sum(column.width + 1 for column in kept)
        for column in table.columns:
            if column is not chosen and column.width + 1 <= left:
                kept.append(column)
                left -= column.width + 1
        self.columns = [column for column in table.columns if column in kept]
        self.complete = len(self.columns) == len(table.columns)
        self._highest = max(chosen.values.values(), default=0) if chosen is not None else 0

    @cached_property
    def width(self) -> int:
        return BAR + sum(column.width + 1 for column in self.columns)

    def heat(self, row: int) -> float:
        """Of the highest value of the chosen column, from 0 to 1."""
        if self.chosen is None or not self._highest:
            return 0.0
        return self.chosen.values.get(row, 0) / self._highest

    def cells(self, row: int) -> str:
        """What stands behind the bar, each column with a space before it."""
        return "".join([" " + column.aligned(column.cells.get(row, "")) for column in self.columns])


def bar(share: float, width: int = BAR) -> str:
    """A bar that is as long as ``share`` (0 to 1) of ``width`` cells; something is seen of every share above 0."""
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    full, rest = divmod(min(eighths, width * 8), 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def places(column: Column) -> list[int]:
    """Rows by what they are worth, highest first: what ``next highest`` visits.

    Of a curve only its tops, each once.
    """
    values = column.values
    rows = sorted(values)
    if column.curve:
        # Neighbours among the rows that have a value: between two instructions there may be a label.
        rows = [row for at, row in enumerate(rows) if not at or values[rows[at - 1]] != values[row]]
        worth = [-1.0, *(values[row] for row in rows), -1.0]
        rows = [row for at, row in enumerate(rows, 1) if worth[at - 1] < worth[at] > worth[at + 1]]
    return sorted((row for row in rows if values[row] > 0), key=lambda row: (-values[row], row))


def next_place(ranking: Sequence[int], row: int | None, step: int) -> int | None:
    """Position in the ranking after (-1: before) that of a row, round the end; the first where it is not in it."""
    if not ranking:
        return None
    if row is None or row not in ranking:
        return 0 if step > 0 else len(ranking) - 1
    return (list(ranking).index(row) + step) % len(ranking)


def amount(value: int) -> str:
    """In four cells at most: 512, 9999, 16K, 3.2M."""
    if value < 10_000:
        return str(value)
    for unit in "KMGT":
        value_in_unit = value / 1024
        if value_in_unit < 9.95 and value % 1024:
            return f"{value_in_unit:.1f}{unit}"
        if value_in_unit < 999.5:
            return f"{value_in_unit:.0f}{unit}"
        value = int(value_in_unit)
    return f"{value}P"


def level(share: float, levels: int) -> int:
    """Which of so many colours a share (0 to 1) has."""
    return bisect_left([(at + 1) / levels for at in range(levels - 1)], share)
