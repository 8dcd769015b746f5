"""Basic blocks of SASS, what follows what, and the loops they make, as a tree.

Edges are those of the code as written: a jump, what is behind a conditional one, the targets that nvdisasm found
for an indirect one. A call of a function goes on behind itself (`Flow.calls`); one of a label inside the function,
which ptxas writes for some loop exits, is a jump. ``EXIT`` and ``RET`` end. The reconvergence instructions (``BSSY``,
``BSYNC``, ``WARPSYNC``) order lanes and jump nowhere. The tests compare with ``nvdisasm -bbcfg``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from irscope.analysis.flow import Flow, build
from irscope.analysis.sass.instructions import Function, Instruction

_JUMPS = frozenset(("BRA", "JMP"))
_INDIRECT = frozenset(("BRX", "BRXU", "JMX", "JMXU"))
_ENDS = frozenset(("EXIT", "RET", "KILL"))
_CALL = "CALL"
#: How labels inside a function begin; functions have names of their own.
_LOCAL = ".L"


def flow(function: Function) -> Flow:
    """Blocks, edges and loops of one function."""
    instructions, labels = function.instructions, function.labels
    targets = {
        number: found
        for number, instruction in enumerate(instructions)
        if (found := tuple(labels[label] for label in instruction.targets if label in labels))
        and (_jumps(instruction) or instruction.name == _CALL)
    }
    calls = tuple(number for number, instruction in enumerate(instructions) if _calls(instruction))
    unknown = tuple(
        number
        for number, instruction in enumerate(instructions)
        if number not in targets and _jumps(instruction) and instruction.name not in _ENDS
    )
    return build(
        len(instructions),
        _starts(function, targets, every_label=bool(unknown)),
        lambda last: _next(instructions, last, targets),
        targets,
        calls,
        unknown,
    )


def _jumps(instruction: Instruction) -> bool:
    if instruction.name == _CALL:
        return not _calls(instruction)
    return instruction.name in _JUMPS or instruction.name in _INDIRECT


def _calls(instruction: Instruction) -> bool:
    """Whether it calls a function: a symbol of its own, or an address in a register."""
    return instruction.name == _CALL and not any(label.startswith(_LOCAL) for label in instruction.targets)


def _conditional(instruction: Instruction) -> bool:
    """Whether execution can go on behind a jump or an end: a predicate before it, or one among its operands."""
    if instruction.predicate is not None:
        return instruction.predicate != "PT"
    return len(instruction.operands) > 1 and instruction.name not in ("RET", *_INDIRECT)


def _starts(function: Function, targets: dict[int, tuple[int, ...]], every_label: bool) -> set[int]:
    """Before which instructions a block begins: where a jump goes, behind one, where lanes come together again."""
    instructions, labels = function.instructions, function.labels
    starts = {0, *(to for found in targets.values() for to in found)}
    for number, instruction in enumerate(instructions):
        if _jumps(instruction) or instruction.name in _ENDS or instruction.name == _CALL:
            starts.add(number + 1)
        elif instruction.name == "BSSY":
            starts.update(labels[label] for label in instruction.targets if label in labels)
    if every_label:
        starts.update(labels.values())
    return {start for start in starts if start < len(instructions)}


def _next(instructions: Sequence[Instruction], last: int, targets: dict[int, tuple[int, ...]]) -> Iterator[int]:
    instruction = instructions[last]
    ends = instruction.name in _ENDS
    if _jumps(instruction) and instruction.predicate != "!PT":
        yield from targets.get(last, ())
    if not (ends or _jumps(instruction)) or _conditional(instruction):
        yield last + 1
