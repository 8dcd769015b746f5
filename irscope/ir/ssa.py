"""MLIR text as operations, blocks and regions: which value is made where, and what uses it.

A reader of what MLIR's printer writes for Triton's stages (TTIR, TTGIR), no general MLIR parser: it relies on one
row an operation, regions that open at the end of a row and close at the start of one, and the printed forms of
``scf.for``, ``scf.while`` and the branches of ``cf``. Types and attributes stay text.

Values are numbers within their function. Names cannot be: the printer uses a name again in a sibling region.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from irscope.ir.lines import split_lines

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_VALUE = re.compile(r"%([\w$.-]+)(?:#(\d+))?")
_RESULTS = re.compile(r"((?:%[\w$.-]+(?::\d+)?(?:, )?)+) = ")
_RESULT = re.compile(r"%([\w$.-]+)(?::(\d+))?")
_NAME = re.compile(r'"?([A-Za-z_][\w.$]*)"?')
_FOR = re.compile(r"scf\.for (?:unsigned )?%([\w$.-]+) = (.*?)(?: iter_args\((.*?)\) ->.*| *:.*)$")
_INITIAL = re.compile(r"%([\w$.-]+) = (%[\w$.-]+(?:#\d+)?)")
_SUCCESSOR = re.compile(r"\^([\w$.-]+)(?:\(([^)]*)\))?")
_SYMBOL = re.compile(r'@("(?:[^"\\]|\\.)*"|[\w$.-]+)')
_ARGUMENT = re.compile(r'"(?:[^"\\]|\\.)*"|%([\w$.-]+): ')
_TYPE_END = re.compile(r" (?:\{|loc\()|, $|\)")
_ALIAS = re.compile(r"^(#[\w$.-]+)[ ]*=[ ]*loc\((.*)\)[ \t]*$")
_NAMED = re.compile(r'"((?:[^"\\]|\\.)*)"\((.*)\)')
_RANK = re.compile(r"<(?:tensor<)?((?:\d+x)+)")


@dataclass(slots=True)
class Operation:
    """One operation. ``text`` begins with its name, and has neither results nor location."""

    name: str
    text: str
    #: From 0, in the whole text.
    row: int
    results: list[int]
    #: Every value that is used, in the order of the text; those for a branch's blocks too.
    operands: list[int]
    regions: list[Region] = field(default_factory=list)
    #: Blocks that a branch may go to, with what it hands to their arguments.
    successors: list[tuple[str, list[int]]] = field(default_factory=list)

    @property
    def symbol(self) -> str | None:
        """The function that a call names."""
        found = _SYMBOL.search(self.text)
        return None if found is None else found[1].strip('"')

    @property
    def type(self) -> str:
        """What is after the last colon."""
        return self.text.rpartition(" : ")[2]


@dataclass(slots=True)
class Block:
    label: str
    arguments: list[int]
    operations: list[Operation] = field(default_factory=list)


@dataclass(slots=True)
class Region:
    blocks: list[Block]

    def operations(self) -> Iterator[Operation]:
        """All operations inside, an operation before those of its regions."""
        for block in self.blocks:
            for operation in block.operations:
                yield operation
                for region in operation.regions:
                    yield from region.operations()


@dataclass(slots=True)
class Parameter:
    """``name`` is the Python one, ``None`` where the text has none (Triton before 3.6)."""

    name: str | None
    type: str
    value: int

    @property
    def is_memory(self) -> bool:
        """Whether a tensor is behind it: a pointer or a tensor descriptor."""
        return self.type.startswith(("!tt.ptr", "!tt.tensordesc", "!ttng.tensordesc"))


@dataclass(slots=True)
class Function:
    name: str
    public: bool
    #: The whole row, with its attributes.
    header: str
    parameters: list[Parameter]
    body: Region
    #: How many values it has.
    values: int
    #: Whether each name that is used was found: if not, nothing should be concluded.
    complete: bool


def functions(text: str) -> dict[str, Function]:
    """Functions with a body, by symbol. Text that is no MLIR has none."""
    return {function.name: function for function in _Reader(split_lines(text)).functions()}


def entry(found: Mapping[str, Function]) -> Function | None:
    """The kernel: the public function."""
    return next((function for function in found.values() if function.public), None)


def parameter_names(function: Function, signature: Mapping[str, Any] | None = None) -> list[str]:
    """A name for each parameter; a tuple's elements and a descriptor's extents are ``t.0`` and ``d.shape.0``.

    ``signature`` is that of the specialization (type by Python name, ``constexpr`` for what is no parameter). It
    is trusted where it fits, as the text has no names before Triton 3.6. Without either: ``%arg0``.
    """
    types = [parameter.type for parameter in function.parameters]
    if signature is not None:
        names = _names_by_position(signature, types)
        if names is not None:
            return names
    inside = [parameter.name for parameter in function.parameters]
    result: list[str] = []
    for number, name in enumerate(inside):
        if name is None:
            result.append(f"%arg{number}")
        elif inside.count(name) == 1:
            result.append(name)
        else:
            first = inside.index(name)
            descriptor = types[first].startswith("!tt.tensordesc")
            parts = [name, *_extents(name, types[first])] if descriptor else []
            result.append(parts[number - first] if number - first < len(parts) else f"{name}.{number - first}")
    return result


def _names_by_position(signature: Mapping[str, Any], types: list[str]) -> list[str] | None:
    names: list[str] = []

    def add(name: str, kind: Any) -> None:
        if isinstance(kind, (tuple, list)):
            for number, element in enumerate(kind):
                add(f"{name}.{number}", element)
        elif kind != "constexpr":
            names.append(name)
            if len(names) <= len(types) and types[len(names) - 1].startswith("!tt.tensordesc"):
                names.extend(_extents(name, types[len(names) - 1]))

    for name, kind in signature.items():
        add(name, kind)
    return names if len(names) == len(types) else None


def _extents(name: str, type_: str) -> list[str]:
    """What Triton passes along with a tensor descriptor."""
    rank = _RANK.search(type_)
    axes = range(rank[1].count("x") if rank else 0)
    return [f"{name}.{what}.{axis}" for what in ("shape", "stride") for axis in axes]


class _Scope:
    """Names that one region sees."""

    def __init__(self, parent: _Scope | None) -> None:
        self.parent = parent
        self.names: dict[str, int] = {}


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._row = -1
        self._body = ""
        self._rest = ""
        self._values = 0
        self._aliases = {alias[1]: alias[2] for line in lines if line[:1] == "#" and (alias := _ALIAS.match(line))}
        #: Used before it was defined: blocks may be printed in any order.
        self._forward: dict[str, int] = {}

    def functions(self) -> Iterator[Function]:
        while self._next():
            if self._body.startswith("tt.func") and self._body[-1] == "{":
                yield self._function(self._body)

    def _next(self) -> bool:
        """Go to the next row with something in it, and cut off its location."""
        while self._row + 1 < len(self._lines):
            self._row += 1
            body = self._lines[self._row].strip()
            if body and body[0] != "#":
                if body[-1] == ")" and body[0] != "^":
                    at = body.rfind(" loc(")
                    body = body if at < 0 else body[:at]
                self._body = body
                return True
        return False

    def _function(self, header: str) -> Function:
        self._values = 0
        self._forward = {}
        scope = _Scope(None)
        symbol = _SYMBOL.search(header)
        parameters = [
            Parameter(self._python_name(rest), type_, self._define(name, scope))
            for name, type_, rest in _arguments(header)
        ]
        body = self._region(scope, [parameter.value for parameter in parameters])
        name = symbol[1].strip('"') if symbol else ""
        public = " public " in header[:16]
        return Function(name, public, header, parameters, body, self._values, not self._forward)

    def _python_name(self, rest: str) -> str | None:
        """From ``loc("x_ptr"(#loc))``. A name inside another is the older, so the parameter's own."""
        at = rest.find("loc(")
        spec = rest[at + 4 : rest.rfind(")")] if at >= 0 else ""
        name = None
        for _ in range(len(self._aliases) + 1):
            if spec.startswith("loc("):
                spec = spec[4:-1]
            spec = self._aliases.get(spec, spec)
            named = _NAMED.match(spec)
            if named is None:
                break
            name, spec = named.groups()
        return name

    def _region(self, scope: _Scope, arguments: list[int]) -> Region:
        """Read up to the row that closes the region; what follows its bracket is left in ``_rest``."""
        block = Block("", arguments)
        blocks = [block]
        self._rest = ""
        while self._next():
            body = self._body
            if body[0] == "}":
                self._rest = body[1:]
                break
            if body[0] == "^":
                own = [self._define(name, scope) for name, _, _ in _arguments(body)]
                label = body[1:].partition(":")[0].partition("(")[0]
                if len(blocks) == 1 and not block.operations and not arguments:
                    block.label, block.arguments = label, own
                else:
                    block = Block(label, own)
                    blocks.append(block)
            else:
                block.operations.append(self._operation(body, scope))
        return Region(blocks)

    def _operation(self, body: str, scope: _Scope) -> Operation:
        results = _RESULTS.match(body) if body[0] == "%" else None
        text = body[results.end() :] if results else body
        name_match = _NAME.match(text)
        name = name_match[1] if name_match else ""
        operation = Operation(name, text, self._row, [], [])
        inner = _Scope(scope)
        first: list[int] = []
        plain = _STRING.sub('""', text) if '"' in text else text
        loop = _FOR.match(plain) if name == "scf.for" else None
        if loop or name == "scf.while":
            initial = _INITIAL.findall(loop[3] or "" if loop else plain.partition(" : ")[0])
            uses = (loop[2] if loop else "") + "".join(value for _, value in initial)
            operation.operands = self._uses(uses, scope)
            first = [self._define(name, inner) for name in ([loop[1]] if loop else []) + [name for name, _ in initial]]
        else:
            operation.operands = self._uses(plain, scope)
        if name.startswith("cf."):
            found = _SUCCESSOR.findall(plain)
            operation.successors = [(label, self._uses(handed, scope)) for label, handed in found]
        if text[-1] == "{":
            operation.regions.append(self._region(inner, first))
            while self._rest.endswith("{"):  # "} else {", "} do {", "}, {"
                operation.regions.append(self._region(_Scope(scope), []))
        elif name == "ttg.warp_specialize":
            self._partitions(operation, scope)
        if results:
            for result, count in _RESULT.findall(results[1]):
                number = int(count or 1)
                start = self._define(result, scope, number)
                operation.results.extend(range(start, start + number))
        return operation

    def _partitions(self, operation: Operation, scope: _Scope) -> None:
        """``default {...} partition0(%a: ...) {...}``, each on rows of its own."""
        while self._lines[self._row + 1 :] and self._lines[self._row + 1].lstrip().startswith(("default", "partition")):
            self._next()
            inner = _Scope(scope)
            arguments = [self._define(name, inner) for name, _, _ in _arguments(self._body)]
            operation.regions.append(self._region(inner, arguments))

    def _define(self, name: str, scope: _Scope, count: int = 1) -> int:
        forward = self._forward.pop(name, None) if scope.parent is None and count == 1 else None
        if forward is None:
            forward = self._values
            self._values += count
        scope.names[name] = forward
        return forward

    def _uses(self, text: str, scope: _Scope) -> list[int]:
        return [self._value(name, scope) + int(number or 0) for name, number in _VALUE.findall(text)]

    def _value(self, name: str, scope: _Scope | None) -> int:
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        if name not in self._forward:
            self._forward[name] = self._values
            self._values += 1
        return self._forward[name]


def _arguments(text: str) -> list[tuple[str, str, str]]:
    """Name, type and the rest (attributes, location) of the arguments in a function's or a block's header."""
    found = [match for match in _ARGUMENT.finditer(text) if match[1] is not None]
    result = []
    for number, match in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        body = text[match.end() : end]
        stop = _TYPE_END.search(body)
        type_ = body[: stop.start()] if stop else body
        result.append((match[1], type_.rstrip(", "), body[len(type_) :]))
    return result
