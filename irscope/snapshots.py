"""Edges out of the texts of a compile whose locations name rows of the stage before (`irscope.worker.snapshots`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from irscope import ir
from irscope.edges import Edge, Edges, Span, Spans
from irscope.ir import Chain, Location, StageIndex
from irscope.ir.assembly import value_rows
from irscope.ir.constants import constants
from irscope.ir.llvm import definition_rows
from irscope.ir.matching import Match, match
from irscope.ir.ptx import prologue_rows
from irscope.ir.sass import ptx_rows
from irscope.ir.uses import block_copies, served
from irscope.model import Compilation

#: How a file's base name begins whose rows snapshot locations name; the stage's name follows.
FILE = "irscope-snapshot."


#: By row of a stage, rows of the stage before.
Rows: TypeAlias = dict[int, tuple[int, ...]]


class Joining:
    """Takes the snapshot texts as they come and compares each with the plain stage of ``compilation``.

    Why the SASS needs no second ptxas: an edge is exact only if its stage and all before it are, row for row, those
    of the plain compile. The last text compared is the PTX, without what no code comes from: ``.loc``, ``.file``,
    debug sections and the labels that these alone refer to, comments about variables. ptxas with ``-lineinfo`` makes
    the same code whatever these say (a test assembles both), and it is never asked to: the SASS in view is the plain
    compile's, and which PTX row an instruction is from is read from that very cubin. So PTX that is the same makes
    the whole way down exact, and PTX that is not marks the edges above it as approximate, with the number of rows.
    """

    def __init__(self, compilation: Compilation) -> None:
        self._compilation = compilation
        #: How the second compile did not begin with the code that the first one did.
        self.stale: str | None = None
        self._plain: dict[str, StageIndex] = {}
        self._found: list[Edge] = []
        self._first: tuple[StageIndex, Match] | None = None
        self._before: tuple[str, Match] | None = None

    def plain(self, name: str) -> StageIndex:
        if name not in self._plain:
            self._plain[name] = ir.index(name, self._compilation.text(name))
        return self._plain[name]

    def add(self, name: str, text: str) -> list[Edge]:
        """The edges that a snapshot's text tells: that to the stage before it; none from the first.

        None at all where the first stage's code is not that of the compilation: ``stale`` says so then.
        """
        if self.stale is not None:
            return []
        snapshot = ir.index(name, text)
        matched = match(name, snapshot, self.plain(name))
        found = []
        if self._before is None:
            if matched.reason:
                self.stale = f"the kernel has changed since: compiled again, {matched.reason} in its {name}"
                return []
            self._first = snapshot, matched
        else:
            upper, above = self._before
            uppers = self._named_rows(snapshot, matched, upper, above)
            languages = ir.language(upper), ir.language(name)
            if languages == ("mlir", "mlir"):
                uppers = {**self._constants(upper, name), **uppers}
            if languages == ("llvm", "ptx"):
                uppers = {**self._prologue(upper, name), **uppers}
            if languages[0] == "llvm":
                uppers = {**self._computed(snapshot, matched, above), **uppers}
            by_use = self._served(name, uppers)
            if languages == ("llvm", "ptx"):
                by_use |= block_copies(self.plain(name), self.plain(upper), {**by_use, **uppers})
            reason = above.reason or matched.reason
            note = reason and f"the {name} of the second compile is not the first's: {reason}"
            rows = dict(sorted({**by_use, **uppers}.items()))
            found.append(Edge(upper, name, not reason, note, rows, frozenset(by_use)))
            if name == "ptx":
                found += self._machine_edge()
        self._before = name, matched
        self._found += found
        return found

    def _named_rows(self, snapshot: StageIndex, matched: Match, upper: str, above: Match) -> Rows:
        """Rows whose location names a row of the stage before."""
        known: dict[int, int | None] = {}
        found: Rows = {}
        for row, chain in enumerate(snapshot.chains):
            if not chain or (plain := matched.rows.get(row)) is None:
                continue
            if id(chain) not in known:
                line = next((frame.line for frame in chain if frame.file.endswith(FILE + upper)), None)
                known[id(chain)] = above.rows.get(line - 1) if line else None
            if (origin := known[id(chain)]) is not None:
                found[plain] = (origin,)
        return found

    def _constants(self, upper: str, lower: str) -> Rows:
        """Constants, which the compiler keeps one of each and takes the location from."""
        above, below = constants(self.plain(upper)), constants(self.plain(lower))
        return {row: tuple(above[value]) for value, rows in below.items() if value in above for row in rows}

    def _prologue(self, upper: str, lower: str) -> Rows:
        """Heads of functions and the loads of their parameters."""
        above = definition_rows(self.plain(upper))
        below = prologue_rows(self.plain(lower))
        return {row: (above[name],) for row, name in below.items() if name in above}

    def _computed(self, snapshot: StageIndex, matched: Match, above: Match) -> Rows:
        """Instructions that were moved, and are known by the values that they compute."""
        found: Rows = {}
        for row, values in value_rows(snapshot).items():
            uppers = tuple(sorted({above.rows[value] for value in values if value in above.rows}))
            if uppers and row in matched.rows:
                found[matched.rows[row]] = uppers
        return found

    def _served(self, name: str, uppers: Rows) -> Rows:
        """Instructions that have no location, by what uses their values."""
        language = ir.language(name)
        if language not in ("llvm", "ptx"):
            return {}
        before = self._found[-1].uppers if language == "ptx" and self._found else None
        return served(self.plain(name), language, uppers, lambda row: (row,) if before is None else before.get(row, ()))

    def _machine_edge(self) -> Iterator[Edge]:
        if not self._compilation.text("sass"):
            return
        ptx = self.plain("ptx")
        heads = prologue_rows(ptx)
        rows = ptx_rows(self.plain("sass"), ptx)
        uppers = {
            row: (upper,)
            for row, upper in rows.items()
            if upper < len(ptx.lines) and (ptx.operations[upper] or upper in heads)
        }
        if uppers:
            yield Edge("ptx", "sass", True, None, uppers)

    def edges(self, answer: Mapping[str, Any]) -> Edges:
        """All of them, with what the worker's answer says about AST nodes."""
        if self._first is None:
            return Edges(reason="the second compile told no stage")
        snapshot, matched = self._first
        frames = Frames(answer["nodes"], answer["stride"])
        spans: dict[int, Spans] = {}
        for row, chain in enumerate(snapshot.chains):
            plain_row = matched.rows.get(row)
            if plain_row is not None and chain:
                spans[plain_row] = frames.spans(chain)
        # What the compiler made one of where it saw the same place twice, and saw two nodes here.
        for row, chain in enumerate(self.plain(self._found[0].upper).chains if self._found else ()):
            if chain and row not in spans:
                spans[row] = tuple(place_of(frame) for frame in chain)
        return Edges(tuple(self._found), spans)


def place_of(frame: Location) -> Span:
    column = max(frame.column, 1)
    return Span(frame.file, frame.line, column, frame.line, column)


class Frames:
    """Reads locations whose columns are numbers of AST nodes."""

    def __init__(self, nodes: Sequence[tuple[int, int, int]], stride: int) -> None:
        self._nodes = nodes
        self._stride = stride
        self._known: dict[int, Spans] = {}
        self._chains: list[Chain] = []

    def spans(self, chain: Chain) -> Spans:
        known = self._known.get(id(chain))
        if known is None:
            self._chains.append(chain)  # or its identity would be another's one day
            known = self._known[id(chain)] = tuple(self._span(frame) for frame in chain)
        return known

    def _span(self, frame: Location) -> Span:
        number = frame.column // self._stride
        if not 0 < number < len(self._nodes):
            return place_of(frame)
        start, more_rows, end = self._nodes[number]
        return Span(frame.file, frame.line, start, frame.line + more_rows, end)
