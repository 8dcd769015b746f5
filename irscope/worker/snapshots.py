"""One more compile, whose locations name rows of the stage before instead of Python lines.

After each MLIR stage Triton's location snapshot (`create_location_snapshot`, what ``USE_IR_LOC`` does) gives every
operation its own row as its location; LLVM IR gets the same as debug information. The code is not touched, so the
stages must come out as they did in the plain compile, which whoever reads them here checks.
"""

from __future__ import annotations

import ast
import contextlib
import time
from pathlib import Path
from typing import Any

import triton

from . import compiling, versions
from .own_lines import with_own_lines
from .protocol import Wire

#: Base name of the file whose rows a stage's locations name: that of the stage before.
FILE = "irscope-snapshot."

#: Columns between the numbers of two nodes: Triton adds a function's indentation to them.
STRIDE = 4096


def compile_snapshots(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Answer a ``snapshots`` request, which has the fields of a ``compile``: the stages up to the assembly text.

    Each event ``snapshot`` has the stage's name, text and seconds. Locations in the first one name AST nodes, by
    column: number in ``nodes`` times ``stride``, plus the indentation. With ``afresh``, the file is loaded again.
    """
    make = compiling.prepare if request.get("afresh") else compiling.prepared
    subject = make(request, wire)
    source = subject.source()
    nodes = Nodes()
    with compiling.fresh_cache(wire.log.parent) as folder, versions.unhashed_compiler():
        binary = versions.pipeline(subject.backend, subject.options, source)[-1]
        snapshots = Snapshots(wire, folder, binary, Path(request["stop"]))
        observed = versions.observed_stages(snapshots.run), versions.observed_trees(nodes.number)
        # The binary is not made: what would be compiled next ends the compile.
        with observed[0], observed[1], contextlib.suppress(Complete):
            triton.compile(source, target=subject.target, options=subject.asked)
    return {"nodes": nodes.ends, "stride": STRIDE}


class Complete(Exception):
    """The last text is there, or nobody waits for it any more."""


class Snapshots:
    def __init__(self, wire: Wire, folder: Path, binary: str, stop: Path) -> None:
        """Goes as far as the stage ``binary``; not that far once there is a file ``stop``."""
        self.wire = wire
        self.folder = folder
        self.binary = binary
        self.stop = stop
        self.begun = time.perf_counter()

    def run(self, name: str, function: versions.StageFunction, module: Any, metadata: dict[str, Any]) -> Any:
        if name == self.binary or self.stop.exists():
            raise Complete
        self.wire.send("stage_started", name=name)
        result = function(module, metadata)
        if versions.is_module(result):
            text = versions.snapshot_locations(result, self.folder / f"{FILE}{name}")
        else:
            text = str(result)
            if name == "llir":
                result = with_own_lines(text, f"{FILE}{name}")
        now = time.perf_counter()
        self.wire.send("snapshot", name=name, text=text, seconds=now - self.begun)
        self.begun = now
        return result


class Nodes:
    """Numbers for the nodes of every function's tree, in place of their columns."""

    def __init__(self) -> None:
        #: By number: the column of a node, from 1 and in characters, in its file; the rows it has more than one; the
        #: column after its end.
        self.ends: list[tuple[int, int, int]] = [(0, 0, 0)]
        self._first: dict[Any, int] = {}

    def number(self, function: Any, tree: ast.AST) -> None:
        """Called with each tree that Triton is about to compile; a function's may come several times."""
        nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.expr, ast.stmt))]
        first = self._first.setdefault(function, len(self.ends))
        if first == len(self.ends):
            rows, indent = versions.source_rows(function)
            for node in nodes:
                start = characters(rows, node.lineno, node.col_offset)
                last, column = end_of(node)
                end = characters(rows, last, column)
                self.ends.append((start + indent + 1, last - node.lineno, end + indent + 1))
        for number, node in enumerate(nodes, first):
            node.col_offset = number * STRIDE


def end_of(node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Line and column after a node's last character; of a statement with a body, after its head."""
    head: ast.AST = node
    if isinstance(node, ast.FunctionDef):
        return node.lineno, node.col_offset + len(f"def {node.name}".encode())
    if isinstance(node, ast.For):
        head = node.iter
    elif isinstance(node, (ast.If, ast.While)):
        head = node.test
    elif isinstance(node, ast.With):
        head = node.items[-1].context_expr
    return head.end_lineno, head.end_col_offset  # type: ignore[attr-defined]


def characters(rows: list[str], line: int, column: int) -> int:
    """A column in characters, from one in bytes of UTF-8 as ``ast`` counts them."""
    row = rows[line - 1] if line <= len(rows) else ""
    return column if row.isascii() else len(row.encode()[:column].decode(errors="ignore"))
