"""Instructions of a SASS text as values: address, predicate, opcode, operands, and the row where each stands.

The text is what nvdisasm prints, with or without ``-g``, ``-gi``, ``-gp``, ``-hex`` and ``-plr``: rows that are
no instruction are passed over. Encodings are read from the cubin itself, which saves a start of nvdisasm.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

_INSTRUCTION = re.compile(r"\s*\{?\s*/\*([0-9a-f]{4,})\*/\s+(?:@(!?U?P\w+)\s+)?([A-Z]\w*(?:\.\w+)*)\s*([^;\n]*)")
_LABEL = re.compile(r"([.$\w]\S*):\s*(?://.*)?$")
_SECTION = re.compile(r"\s*\.section\s+\.text\.([^,\s]+)")
_TARGET = re.compile(r"`\(([^)]+)\)")
#: nvdisasm's own remarks behind the operands: ``(*"SpillRefill"*)``, ``(*"BRANCH_TARGETS .L_x_1,.L_x_2"*)``.
_REMARK = re.compile(r'\s*\(\*"([^"]*)"\*\)')
_TARGETS = "BRANCH_TARGETS "
#: Volta's and every later architecture's instructions have 128 bits.
INSTRUCTION_BYTES = 16


@dataclass(frozen=True, slots=True)
class Instruction:
    #: Row in the text, from 0.
    row: int
    #: Byte offset in the function's section.
    address: int
    #: ``P0`` or ``!UP1``; ``None``: it always executes.
    predicate: str | None
    #: With modifiers: ``LDG.E.128``.
    opcode: str
    #: As printed: ``R8``, ``desc[UR6][R4.64+0x800]``, ``c[0x0][0x28]``.
    operands: tuple[str, ...]
    #: What nvdisasm remarks: ``SpillRefill``, ``BRANCH_TARGETS .L_x_1,.L_x_2``.
    remark: str | None = None

    @property
    def name(self) -> str:
        """The opcode without modifiers: ``LDG``."""
        return self.opcode.partition(".")[0]

    @property
    def modifiers(self) -> tuple[str, ...]:
        """``("E", "128")``"""
        return tuple(self.opcode.split(".")[1:])

    @property
    def targets(self) -> tuple[str, ...]:
        """Labels that it names: where a jump or a call goes, where a reconvergence barrier ends."""
        if self.remark is not None and self.remark.startswith(_TARGETS):
            return tuple(label.strip() for label in self.remark.removeprefix(_TARGETS).split(","))
        return tuple(label for operand in self.operands for label in _TARGET.findall(operand))


@dataclass(frozen=True, slots=True)
class Function:
    """One section of code: a kernel, and the functions it calls where ptxas left them in its section."""

    #: Name of the section without ``.text.``, which is the kernel's.
    name: str
    instructions: tuple[Instruction, ...]
    #: By label, the number of the instruction that it stands before (may be one past the last).
    labels: dict[str, int]
    #: By label, its row in the text, from 0.
    label_rows: dict[str, int]

    def at(self, address: int) -> Instruction | None:
        """The instruction at a byte offset; ``None`` where there is none."""
        number = address // INSTRUCTION_BYTES
        if number < len(self.instructions) and self.instructions[number].address == address:
            return self.instructions[number]
        return next((found for found in self.instructions if found.address == address), None)


def functions(sass: str) -> tuple[Function, ...]:
    """Every function of a SASS text, in its order; a text that has no ``.section`` is one function without a name."""
    result: list[Function] = []
    current = Function("", (), {}, {})
    found: list[Instruction] = []

    def close() -> None:
        if found:
            result.append(Function(current.name, tuple(found), current.labels, current.label_rows))

    for row, line in enumerate(sass.split("\n")):
        body = line.lstrip()
        first = body[:1]
        if first == "/" or first == "{":
            match = _INSTRUCTION.match(line)
            if match is not None:
                address, predicate, opcode, operands = match.groups()
                remark = None
                if "(*" in operands and (remarked := _REMARK.search(operands)):
                    operands, remark = operands[: remarked.start()] + operands[remarked.end() :], remarked[1]
                # A label stands behind a register without a comma: RET.REL.NODEC R2 `(kernel).
                operands = operands.rstrip().replace(" `(", ", `(").removeprefix(", ")
                parts = tuple(operands.split(", ")) if operands else ()
                found.append(Instruction(row, int(address, 16), predicate, opcode, parts, remark))
        elif body.startswith(".section"):
            if section := _SECTION.match(line):
                close()
                current, found = Function(section[1], (), {}, {}), []
        elif ":" in line and (label := _LABEL.match(line)):
            current.labels[label[1]] = len(found)
            current.label_rows[label[1]] = row
    close()
    return tuple(result)


def function(sass: str, name: str | None = None) -> Function | None:
    """The function of that name; the first one where that name is not there, ``None`` where there is no code."""
    found = functions(sass)
    return next((each for each in found if each.name == name), next(iter(found), None))


def encodings(cubin: bytes) -> dict[str, dict[int, int]]:
    """By function and address, the 128 bits of each instruction, the first byte lowest, as ``nvdisasm -hex`` has them.

    Raises:
        DamagedCubin: the bytes are no cubin, or a damaged one.
    """
    # Here: the ELF reader takes longer to import than the rest of this package.
    from irscope.ir.cubin import DamagedCubin

    try:
        return {name: dict(_words(code)) for name, code in _code_sections(cubin)}
    # pyelftools meets damage wherever it trusts a field: over a dozen exception types, assertions among them.
    except Exception as error:
        raise DamagedCubin(f"the cubin is damaged or cut short ({type(error).__name__})") from error


def _code_sections(cubin: bytes) -> Iterator[tuple[str, bytes]]:
    from elftools.elf.elffile import ELFFile

    for section in ELFFile(io.BytesIO(cubin)).iter_sections():
        if section.name.startswith(".text."):
            yield section.name.removeprefix(".text."), section.data()


def _words(code: bytes) -> Iterator[tuple[int, int]]:
    for address in range(0, len(code) - INSTRUCTION_BYTES + 1, INSTRUCTION_BYTES):
        yield address, int.from_bytes(code[address : address + INSTRUCTION_BYTES], "little")
