"""The columns of each text, made of what is known of the machine code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise

from irscope.analysis.cost import Cost, RowCost
from irscope.analysis.flow import Flow
from irscope.analysis.sass import Control, LiveRegisters
from irscope.explain.figures import kind_columns
from irscope.tui.columns import Column, Table, amount


def cost_table(rows: Mapping[int, RowCost], note: str = "", warp: str = "warp") -> Table:
    """Of a text that machine code was made from: instructions, live registers and bytes of each row."""
    costs = {row: found.cost for row, found in rows.items()}
    columns = (
        _figure("instr", "instructions that came from the line", costs, lambda cost: cost.instructions),
        _figure("regs", "highest number of live registers of a thread", costs, lambda cost: cost.registers),
        _figure("glob", f"bytes of global memory of a {warp}", costs, lambda cost: cost.global_bytes, True),
        _figure("shm", f"bytes of shared memory of a {warp}", costs, lambda cost: cost.shared_bytes, True),
        _figure("spill", "bytes of a thread that spill code stores and loads", costs, lambda cost: cost.spill_bytes),
        _figure("cvt", "instructions of ttg.convert_layout", costs, _converting),
        _figure("looped", "instructions inside loops", costs, lambda cost: cost.in_loops),
        *(
            _figure(name, f"{kind} instructions", costs, partial(_of_kind, kind))
            for kind, name in kind_columns().items()
        ),
    )
    known = tuple(column for column in columns if column.cells)
    return Table(known, note if known else "")


def _converting(cost: Cost) -> int | None:
    if cost.convert_layout_instructions is None:
        return cost.convert_layouts
    return cost.convert_layout_instructions


def _of_kind(kind: str, cost: Cost) -> int:
    return cost.kinds.get(kind, 0)


def _figure(
    name: str, meaning: str, costs: Mapping[int, Cost], figure: Callable[[Cost], int | None], size: bool = False
) -> Column:
    """Zeros are left blank; what nobody knows is a question mark, if any row's is known."""
    found = {row: figure(cost) for row, cost in costs.items()}
    known = {row: value for row, value in found.items() if value}
    if not known:
        return Column(name, meaning, {}, {})
    cells = {row: amount(value) if size else str(value) for row, value in known.items()}
    return Column(name, meaning, cells | {row: "?" for row, value in found.items() if value is None}, known)


def sass_table(
    rows: Sequence[int],
    flow: Flow,
    live: LiveRegisters | None,
    controls: Sequence[Control] | None,
    note: str = "",
) -> Table:
    """Of SASS: live registers, control codes and loops of each instruction; ``rows`` are the instructions' own."""
    columns: list[Column] = []
    if live is not None:
        counts = [live.count(number) for number in range(len(rows))]
        columns += [
            _count("R", "live general registers", rows, [count.general for count in counts]),
            _count("P", "live predicates", rows, [count.predicate for count in counts]),
            _count("UR", "live uniform registers", rows, [count.uniform for count in counts]),
            _count("UP", "live uniform predicates", rows, [count.uniform_predicate for count in counts]),
        ]
    if controls is not None:
        columns += [
            _count("st", "cycles to stall", rows, [control.stall for control in controls], curve=False),
            _words("set", "barriers raised until it has written (W) or read (R)", rows, map(_raised, controls)),
            _words("wait", "barriers waited for", rows, ["".join(map(str, control.waits)) for control in controls]),
            _words("Y", "the scheduler may go on with another warp", rows, ["Y" * each.yields for each in controls]),
            _words("reuse", "operands kept for the next instruction", rows, map(_reused, controls)),
        ]
    columns.append(loop_column(rows, flow))
    return Table(tuple(column for column in columns if column.cells), note)


def amd_table(
    rows: Sequence[int], flow: Flow, live: LiveRegisters | None, moved: Iterable[Column], note: str = ""
) -> Table:
    """Of AMD's code: live registers, bytes moved (of ``moved``, see `cost_table`) and loops of each instruction."""
    columns: list[Column] = []
    if live is not None:
        counts = [live.count(number) for number in range(len(rows))]
        columns += [
            _count("V", "live vector registers", rows, [count.general for count in counts]),
            _count("S", "live scalar registers", rows, [count.uniform for count in counts]),
        ]
    columns += [column for column in moved if column.name in ("glob", "shm")]
    columns.append(loop_column(rows, flow))
    return Table(tuple(column for column in columns if column.cells), note)


def _count(name: str, meaning: str, rows: Sequence[int], counts: Sequence[int], curve: bool = True) -> Column:
    """Zeros are left blank, and a column of nothing else is left out."""
    values = {row: count for row, count in zip(rows, counts, strict=True) if count}
    return Column(name, meaning, {row: str(count) for row, count in values.items()}, values, curve=curve)


def _words(name: str, meaning: str, rows: Sequence[int], words: Iterable[str]) -> Column:
    return Column(name, meaning, {row: word for row, word in zip(rows, words, strict=True) if word}, {}, left=True)


def _raised(control: Control) -> str:
    write = "" if control.write_barrier is None else f"W{control.write_barrier}"
    return write if control.read_barrier is None else f"{write}R{control.read_barrier}"


def _reused(control: Control) -> str:
    return "".join(map(str, control.reuse))


def loop_column(rows: Sequence[int], flow: Flow) -> Column:
    """Brackets along the loops, the outermost on the left; broken where code in between is not of the loop."""
    depth = max((loop.depth for loop in flow.loops), default=0)
    brackets = [[" "] * depth for _ in rows]
    for loop in flow.loops:
        for number in range(loop.first, loop.last + 1):
            inside = flow.block_of[number] in loop.blocks
            brackets[number][loop.depth - 1] = "│" if inside else "┊"
        brackets[loop.first][loop.depth - 1] = "╭"
        brackets[loop.last][loop.depth - 1] = "╰" if loop.last > loop.first else "○"
    cells = {row: "".join(cell) for row, cell in zip(rows, brackets, strict=True) if any(c != " " for c in cell)}
    for before, after in pairwise(rows):
        # Labels and remarks between two instructions, where a bracket goes on.
        if after > before + 1 and before in cells and after in cells:
            both = zip(cells[before], cells[after], strict=True)
            between = "".join(["│" if up in "╭│┊" and down in "╰│┊" else " " for up, down in both])
            cells.update(dict.fromkeys(range(before + 1, after), between))
    return Column("loop", "loops, the outermost on the left", cells, {}, left=True)
