"""MLIR as Triton prints it (TTIR, TTGIR, Gluon IR, passes between them): locations and clean text.

The grammar of locations is that of MLIR's language reference: an operation ends in ``loc(...)``, which names
an alias (``#loc12``), a file position or range, a named, fused or call-site location, or ``unknown``. An
operation with regions writes its location on its last row, so its first row (what a reader looks at) is given
the same.
Rows of one operation are told by their indentation, which MLIR's printer keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from irscope.ir.lines import (
    UNMAPPED,
    Chain,
    CleanText,
    Location,
    StageIndex,
    rows_of,
    split_lines,
    unescape_llvm,
    without_unknown_lines,
)

_DEFINITION = re.compile(r"^(#[\w$.-]+)[ ]*=[ ]*loc\((.*)\)[ \t\r]*$", re.MULTILINE)
#: The forms that make up nearly all of a real text, read without the parser below.
_COMMON = re.compile(r'"((?:[^"\\]|\\.)*)"(?::(\d+):(\d+)|\((#[\w$.-]+)\))|callsite\((#[\w$.-]+) at (#[\w$.-]+)\)')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|#[\w$.-]+|\w+|\S')
_STRING_OR_LOCATION = re.compile(r'"(?:[^"\\]|\\.)*"|[ ]?\bloc\(')
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[()]')
_FIRST_WORD = re.compile(r"[\w$.]+")
_LAST_LOCATION = re.compile(r"[ ]loc\((#[\w$.-]+)\)")
#: Operations that print without their dialect's prefix.
_PLAIN_OPERATIONS = frozenset({"module", "return", "call"})

#: From what is inside ``loc(...)`` to its frames.
_Resolve: TypeAlias = Callable[[str], Chain]


def index(text: str) -> StageIndex:
    """Locate every row of an MLIR text; operations whose location is ``unknown`` stay unmapped."""
    result = StageIndex.blank(split_lines(text))
    chains, operations = result.chains, result.operations
    resolver = _Resolver(dict(_DEFINITION.findall(text)))
    resolved = resolver.chain
    # By indentation, the rows of an operation whose location is still to come.
    unfinished: dict[int, list[int]] = {}
    for row, line in enumerate(result.lines):
        body = line.lstrip(" ")
        if not body or body[0] in "#/":
            continue
        if body[0] == "^":
            chains[row] = _block_argument_location(body, resolved)
            continue
        starts = _starts_operation(body)
        if starts:
            operations[row] = 1
        at = line.rfind(" loc(")
        if at >= 0 and line[-1] == ")":
            chain = resolved(line[at + 5 : -1])
            chains[row] = chain
            if not starts:
                for earlier in unfinished.pop(len(line) - len(body), ()):
                    chains[earlier] = chain
        elif starts:
            unfinished[len(line) - len(body)] = [row]
        else:
            unfinished.get(len(line) - len(body), []).append(row)
    return result


def _starts_operation(body: str) -> bool:
    first = body[0]
    if first in '%"':
        return True
    if not first.isalpha():
        return False
    word = _FIRST_WORD.match(body)
    return word is not None and ("." in word[0] or word[0] in _PLAIN_OPERATIONS)


def _block_argument_location(body: str, resolved: _Resolve) -> Chain:
    """Where the first argument of a block with a known location comes from."""
    for start, end in _locations(body):
        chain = resolved(body[body.index("(", start) + 1 : end - 1])
        if chain:
            return chain
    return UNMAPPED


class _Resolver:
    """Reads locations, each spelling once. One instance serves one text, as aliases are the text's own."""

    def __init__(self, definitions: dict[str, str]) -> None:
        self._definitions = definitions
        self._known: dict[str, Chain] = {}

    def chain(self, spec: str) -> Chain:
        """Frames of what is inside ``loc(...)``; none where it is unknown, undefined or not a location."""
        known = self._known.get(spec)
        if known is not None:
            return known
        self._known[spec] = UNMAPPED  # An alias that leads back to itself ends here.
        try:
            if spec[0:1] == "#":
                definition = self._definitions.get(spec)
                chain = UNMAPPED if definition is None else self.chain(definition)
            else:
                chain = self._read(spec)
        except RecursionError:  # No compiler inlines that deep, but a damaged file may say so.
            chain = UNMAPPED
        self._known[spec] = chain
        return chain

    def _read(self, spec: str) -> Chain:
        match = _COMMON.fullmatch(spec)
        if match is None:
            return _Parser(spec, self.chain).location()
        name, line, column, child, callee, caller = match.groups()
        if line:
            return (Location(unescape_llvm(name), int(line), int(column)),) if line != "0" else UNMAPPED
        if child:
            return self.chain(child)
        return self.chain(callee) + self.chain(caller)


class _Parser:
    """Recursive descent over one location. Unknown forms read as unknown: a newer MLIR must not stop us."""

    def __init__(self, spec: str, resolve: _Resolve) -> None:
        self._tokens = _TOKEN.findall(spec)
        self._at = 0
        self._resolve = resolve

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _accept(self, token: str) -> bool:
        found = self._peek() == token
        self._at += found
        return found

    def location(self) -> Chain:
        token = self._next()
        if token == "loc" and self._accept("("):
            inner = self.location()
            self._accept(")")
            return inner
        if token.startswith("#"):
            return self._resolve(token)
        if token.startswith('"'):
            return self._file_or_name(token[1:-1])
        if token == "callsite" and self._accept("("):
            callee = self.location()
            self._accept("at")
            caller = self.location()
            self._accept(")")
            return callee + caller
        if token == "fused":
            return self._fused()
        return UNMAPPED

    def _file_or_name(self, name: str) -> Chain:
        if self._accept("("):
            child = self.location()
            self._accept(")")
            return child
        numbers = []
        while self._accept(":"):
            numbers.append(self._number())
        if self._accept("to"):  # A range is known by its start; its end is "4:9", or ":9" on the same line.
            while self._peek().isdecimal() or self._peek() == ":":
                self._at += 1
        if not numbers:
            return UNMAPPED
        line, column = (*numbers, 0)[:2]
        return without_unknown_lines((Location(unescape_llvm(name), line, column),))

    def _number(self) -> int:
        token = self._next()
        return int(token) if token.isdecimal() else 0

    def _fused(self) -> Chain:
        """The first member that names a file: Triton and MLIR put the operation that is kept there."""
        depth = 0
        while (token := self._peek()) and (depth or token != "["):
            depth += (token == "<") - (token == ">")
            self._at += 1
        first = UNMAPPED
        if self._accept("["):
            while self._peek() not in ("", "]"):
                member = self.location()
                first = first or member
                if not self._accept(","):
                    break
            self._accept("]")
        return first


def clean(text_or_index: str | StageIndex) -> CleanText:
    """The text without ``loc(...)``, the aliases of locations and those of LLVM's debug information."""
    return CleanText(_clean_rows(rows_of(text_or_index)))


def _clean_rows(lines: list[str]) -> Iterator[tuple[int, str]]:
    for row, line in enumerate(lines):
        if line.startswith("#") and (_DEFINITION.match(line) or line.startswith("#di_")):
            continue
        yield row, _without_locations(line).rstrip()


def _without_locations(line: str) -> str:
    count = line.count("loc(")
    if not count:
        return line
    if count == 1:
        at = line.rfind(" loc(")
        if at >= 0 and _LAST_LOCATION.fullmatch(line, at):
            return line[:at]
    kept = []
    end = 0
    for start, stop in _locations(line):
        kept.append(line[end:start])
        end = stop
    kept.append(line[end:])
    return "".join(kept)


def _locations(line: str) -> Iterator[tuple[int, int]]:
    """Start and end of every ``loc(...)`` of a row, outside strings, with the space before it."""
    end = 0
    for match in _STRING_OR_LOCATION.finditer(line):
        if match.start() < end or match[0][0] == '"':
            continue
        depth = 1
        for token in _STRING_OR_BRACKET.finditer(line, match.end()):
            depth += (token[0] == "(") - (token[0] == ")")
            if depth == 0:
                end = token.end()
                yield match.start(), end
                break
        else:  # Cut short: what follows is inside it.
            return
