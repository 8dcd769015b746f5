"""TTGIR after Triton has placed its shared memory: which operations were given some, and where.

Offsets stand on the operations as ``allocation.offset``. Their sizes, where the text lacks them, are asked for one by
one: `Owner.alone` is a module in which nothing but that operation needs memory, so that what Triton places in all is
its size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from irscope import ir
from irscope.ir import ssa

#: The file that locations in the worker's answer name; their lines are those of the text asked about.
FILE = "irscope-allocation.ttgir"

_OFFSET = re.compile(r"allocation\.offset = (?:(\d+)|\[([^\]]*)\])")
_SIZE = re.compile(r"allocation\.size = (\d+)")
_SHARED = re.compile(r",? ?\bttg\.shared = \d+ : i\d+")
_WARPS = re.compile(r'("ttg\.num-warps" = )\d+')
_PARTITION = re.compile(r"\s*partition\d+\(.*num_warps\((\d+)\)")
_VALUE = re.compile(r"%[\w$.-]+(?:#\d+)?")
_PARTITION_WARPS = re.compile(r"^\s*partition\d+\(.*num_warps\((\d+)\)", re.MULTILINE)
#: What a tensor map takes, in every Triton: CUDA's CUtensorMap has this size.
_TENSOR_MAP_BYTES = 128


@dataclass(frozen=True, slots=True)
class Owner:
    """An operation that was given shared memory."""

    function: str
    operation: str
    #: Its result's type.
    type: str
    #: From 0, in the text that was asked about; ``None`` where nothing tells.
    row: int | None
    #: One, or one for each part of a partitioned buffer; from the start of the function's own memory.
    offsets: tuple[int | None, ...]
    #: Of all parts together; ``None`` where the text does not tell.
    bytes: int | None
    #: A module in which this operation alone needs memory; ``None`` where it cannot be taken out.
    alone: str | None
    callee: str | None


def owners(allocated: str) -> list[Owner]:
    """Every operation that the worker's answer gives an offset, in the order of the text."""
    index = ir.index("ttgir", allocated)
    clean = ir.clean("ttgir", index)
    module = _Module(clean.lines)
    result = []
    for function in ssa.functions("\n".join(clean.lines)).values():
        own = _OFFSET.search(function.header)
        if own is not None:
            warps = sum(map(int, _PARTITION_WARPS.findall("\n".join(clean.lines))))
            result.append(
                Owner(function.name, "tt.func", "a byte for each specialized warp", None,
                      (int(own[1]),), warps or None, None, None)
            )  # fmt: skip
        for operation in function.body.operations():
            last = module.last_row(operation)
            attributes = clean.lines[operation.row] + (clean.lines[last] if last != operation.row else "")
            found = _OFFSET.search(attributes)
            if found is None:
                continue
            chain = index.chains[clean.raw_row(operation.row)]
            place = chain[0] if chain and chain[0].file.endswith(FILE) else None
            size = _SIZE.search(attributes)
            offsets = (found[1],) if found[1] else [part.partition(":")[0] for part in found[2].split(",")]
            result.append(
                Owner(
                    function=function.name,
                    operation=operation.name,
                    type=_result_type(clean.lines[last]),
                    row=place.line - 1 if place else None,
                    offsets=tuple(int(offset) for offset in offsets),
                    bytes=int(size[1]) if size else _known_size(operation),
                    alone=None if size else module.alone(operation),
                    callee=operation.symbol if operation.name == "tt.call" else None,
                )
            )
    return result


def total(allocated: str) -> int | None:
    """Bytes of shared memory that Triton placed in a module."""
    found = re.search(r"\bttg\.shared = (\d+)", allocated)
    return None if found is None else int(found[1])


def _known_size(operation: ssa.Operation) -> int | None:
    return _TENSOR_MAP_BYTES if operation.name == "ttng.tensormap_create" else None


class _Module:
    """The rows of a module, to take operations out of it."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._head = [line for line in lines if line.startswith("#")]
        self._opening = _SHARED.sub("", next((line for line in lines if line.startswith("module")), "module {"))

    def last_row(self, operation: ssa.Operation) -> int:
        """Of the bracket that closes an operation's regions: its attributes may stand there."""
        if not operation.regions:
            return operation.row
        indent = _indent(self._lines[operation.row])
        rows = range(operation.row + 1, len(self._lines))
        closing = (row for row in rows if self._lines[row][: indent + 1] == " " * indent + "}")
        return next((row for row in closing if not self._lines[row].endswith("{")), operation.row)

    def alone(self, operation: ssa.Operation) -> str | None:
        """A module with this operation only. Its operands are parameters, its results are returned."""
        if operation.name in ("tt.call", "ttg.warp_specialize"):
            return None
        last = self.last_row(operation)
        operands, results = _types(self._lines[last])
        rows = [self._lines[row] for row in range(operation.row, last + 1)]
        if operation.name == "ttg.local_alloc":
            # What it is filled with does not matter, but without it the memory must be mutable.
            if not results.endswith("mutable>") and "mutable," not in results:
                results = f"{results[:-1]}, mutable>"
            return self._around([f"    %r = ttg.local_alloc : () -> {results}"], "", "%r", results, operation)
        head, equals, text = rows[0].partition(" = ")
        if not equals or not head.lstrip().startswith("%"):
            return None
        names = list(dict.fromkeys(_VALUE.findall(text)))
        types = _split(operands)
        if len(_VALUE.findall(text)) != len(types):
            return None
        type_of = dict(zip(_VALUE.findall(text), types, strict=True))
        for number, name in enumerate(names):
            text = re.sub(re.escape(name) + r"(?![\w$.#-])", f"%irscope{number}", text)
        parameters = ", ".join(f"%irscope{number}: {type_of[name]}" for number, name in enumerate(names))
        result, _, count = head.strip().partition(":")
        returned = ", ".join(f"{result}#{number}" for number in range(int(count))) if count else result
        return self._around([f"{head} = {text}", *rows[1:]], parameters, returned, results, operation)

    def _around(self, rows: list[str], parameters: str, returned: str, type_: str, operation: ssa.Operation) -> str:
        opening = self._opening
        warps = self._partition_warps(operation.row)
        if warps is not None:
            opening = _WARPS.sub(rf"\g<1>{warps}", opening)
        results = type_ if type_.startswith("(") else f"({type_})"
        signature = f"  tt.func public @irscope({parameters}) -> {results} {{"
        end = f"    tt.return {returned} : {', '.join(_split(type_))}"
        return "\n".join([*self._head, opening, signature, *rows, end, "  }", "}", ""])

    def _partition_warps(self, row: int) -> int | None:
        """How many warps run this row, where that is not what the module says."""
        indent = _indent(self._lines[row])
        for above in range(row - 1, -1, -1):
            line = self._lines[above]
            if line.strip() and not line.lstrip().startswith("^") and _indent(line) < indent:
                indent = _indent(line)
                partition = _PARTITION.match(line)
                if partition:
                    return int(partition[1])
        return None


def _types(row: str) -> tuple[str, str]:
    """Types of the operands and of the results, from an operation's last row; one list where it prints but one."""
    text = row.rpartition(" : ")[2].strip()
    operands, arrow, results = text.rpartition(" -> ")
    return (operands, results) if arrow else (text, text)


def _result_type(row: str) -> str:
    type_ = _types(row)[1]
    return "" if type_ in ("()", "}") else type_


def _split(types: str) -> list[str]:
    """The types of a list, with or without the round brackets around it."""
    if types.startswith("(") and types.endswith(")"):
        types = types[1:-1]
    return [part for part in _parts(types) if part]


def _parts(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for at, character in enumerate(text):
        if character in "<({[":
            depth += 1
        elif character in ")}]" or (character == ">" and text[at - 1] != "-"):
            depth -= 1
        elif character == "," and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    yield text[start:].strip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
