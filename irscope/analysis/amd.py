"""AMD's code in depth, from the assembly alone: registers, spills, LDS, waves, instruction mix, blocks and loops.

The code of a kernel is its own function and, behind it, those that it calls (``noinline``), as in a cubin's section.

The figures of a kernel are those of the metadata at the end of the text, which the code object has too; waves are
LLVM's own comment (``; Occupancy: 3``, of a SIMD, by registers and static LDS). What Triton's dynamic LDS leaves of
them is `irscope.analysis.occupancy`.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from irscope.analysis.flow import Flow, build
from irscope.analysis.sass.kinds import OTHER, Access, Direction, Space
from irscope.analysis.sass.mix import Mix, tally
from irscope.model import Compilation

_INSTRUCTION = re.compile(r"\s+([a-z]\w+)\s*([^;\n]*)")
_LABEL = re.compile(r"([.$\w]+):")
_BEGIN = re.compile(r"\s*\.type\s+([.$\w]+),\s*@function")
_KERNELS = re.compile(r"^\s*\.amdhsa_kernel\s+(\S+)", re.MULTILINE)
_END = re.compile(r"\.Lfunc_end\d+:")
_METADATA = re.compile(r"^\s*-?\s*\.(\w+):\s+(\S+)\s*$", re.MULTILINE)
_KERNEL = re.compile(r"^  - ", re.MULTILINE)
_WAVES = re.compile(r"^; Occupancy:\s+(\d+)", re.MULTILINE)
_JUMP = re.compile(r"s_c?branch\w*")
_RETURNS = ("s_endpgm", "s_setpc_b64")
_SYMBOL = re.compile(r"([.$\w]+)@")
_PAIRS = re.compile(r"ds_(?:read|write|load|store)_?2(?:st64|addr)?")
_COPY_TO_LDS = re.compile(r"(?:buffer|global)_load_.*lds|.*\blds\b")

_SPACES: Mapping[str, Space] = {
    "global memory": "global",
    "shared memory": "shared",
    "local memory": "local",
    "constant memory": "constant",
}


@dataclass(frozen=True, slots=True)
class Instruction:
    #: Row in the text, from 0.
    row: int
    #: ``v_mfma_f32_32x32x8_f16``
    opcode: str
    #: As written, with modifiers behind the last one: ``v[2:3]``, ``s[4:7] offset:16``.
    operands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What the text's metadata says of the kernel; ``None`` where it does not."""

    #: Registers of a lane; accumulation registers (``agprs``) included where they share one file.
    vgprs: int | None
    agprs: int | None
    #: Registers of a wave.
    sgprs: int | None
    #: Registers, not bytes, that LLVM had to spill.
    vgpr_spills: int | None
    sgpr_spills: int | None
    #: Static LDS and scratch memory, in bytes of a workgroup and of a lane; Triton's LDS is dynamic.
    lds_bytes: int | None
    scratch_bytes: int | None
    #: Lanes of a wave.
    wave: int | None
    #: Waves that a SIMD can hold by registers and static LDS, as LLVM reckons.
    waves_per_simd: int | None


#: Its name, its instructions, and by label the number of the instruction that it stands before.
_Function = tuple[str, tuple[Instruction, ...], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Amd:
    """What is known of a kernel's code. Tuples are in the order of ``instructions``."""

    name: str
    instructions: tuple[Instruction, ...]
    #: By label, the number of the instruction that it stands before.
    labels: Mapping[str, int]
    flow: Flow
    figures: Figures
    mix: Mix
    #: By number of a loop, inner loops included.
    loop_mixes: tuple[Mix, ...]

    @property
    def numbers(self) -> dict[int, int]:
        """By row of the text, from 0, the number of the instruction there."""
        return {each.row: number for number, each in enumerate(self.instructions)}

    def part(self, numbers: Iterable[int]) -> Mix:
        """The mix of some instructions, by number."""
        return _mix(self.instructions, numbers, self.figures)


def read(compilation: Compilation) -> Amd | None:
    """Everything about the kernel and what it calls; ``None`` where there is no assembly."""
    name = compilation.metadata.get("name") or compilation.kernel.name
    return parse(compilation.text("amdgcn"), name)


def parse(text: str, name: str | None = None) -> Amd | None:
    """The kernel of that name in an assembly text; the first kernel where that name is not there."""
    found: dict[str, _Function] = {function[0]: function for function in _functions(text)}
    kernels = _KERNELS.findall(text)
    chosen = next((found[each] for each in (name, *kernels, *found) if each in found), None)
    if chosen is None:
        return None
    kernel, instructions, labels, entries = _with_called(chosen, found)
    edges = _flow(instructions, labels, entries)
    figures = _figures(text, kernel)
    return Amd(
        kernel,
        instructions,
        labels,
        edges,
        figures,
        _mix(instructions, range(len(instructions)), figures),
        tuple(_mix(instructions, edges.instructions_of(loop), figures) for loop in edges.loops),
    )


def _functions(text: str) -> Iterator[_Function]:
    name: str | None = None
    found: list[Instruction] = []
    labels: dict[str, int] = {}
    for row, line in enumerate(text.split("\n")):
        if begin := _BEGIN.match(line):
            name, found, labels = begin[1], [], {}
        elif name is None:
            continue
        elif _END.match(line):
            yield name, tuple(found), labels
            name = None
        elif line[:1].isspace():
            if match := _INSTRUCTION.match(line):
                operands = match[2].strip()
                found.append(Instruction(row, match[1], tuple(operands.split(", ")) if operands else ()))
        elif label := _LABEL.match(line):
            labels[label[1]] = len(found)


def _with_called(
    kernel: _Function, functions: Mapping[str, _Function]
) -> tuple[str, tuple[Instruction, ...], dict[str, int], dict[str, int]]:
    """A function with those that it calls behind it; by name, the first instruction of each of them."""
    name, own, labels = kernel
    instructions, labels, entries = list(own), dict(labels), {name: 0}
    for instruction in instructions:  # It grows meanwhile: what is called may call.
        for symbol in _symbols(instruction):
            if symbol in functions and symbol not in entries:
                entries[symbol] = first = len(instructions)
                instructions.extend(functions[symbol][1])
                labels.update({label: first + number for label, number in functions[symbol][2].items()})
    return name, tuple(instructions), labels, entries


def _symbols(instruction: Instruction) -> Iterator[str]:
    return (found[1] for operand in instruction.operands if (found := _SYMBOL.match(operand)))


def _flow(instructions: tuple[Instruction, ...], labels: Mapping[str, int], entries: Mapping[str, int]) -> Flow:
    jumps = {
        number: (labels[instruction.operands[-1]],)
        for number, instruction in enumerate(instructions)
        if _JUMP.fullmatch(instruction.opcode) and instruction.operands and instruction.operands[-1] in labels
    }
    calls = _calls(instructions, entries)
    firsts = set(entries.values())

    def following(last: int) -> Iterator[int]:
        opcode = instructions[last].opcode
        yield from jumps.get(last, ())
        if opcode != "s_branch" and not opcode.startswith(_RETURNS) and last + 1 not in firsts:
            yield last + 1

    starts = {to for found in jumps.values() for to in found} | firsts
    starts |= {number + 1 for number, each in enumerate(instructions) if _ends_block(each.opcode)}
    return build(len(instructions), starts, following, {**jumps, **calls}, tuple(calls))


def _calls(instructions: Sequence[Instruction], entries: Mapping[str, int]) -> dict[int, tuple[int, ...]]:
    """By number of a call, where it goes: to what was named since the call before it; any where nothing was."""
    calls: dict[int, tuple[int, ...]] = {}
    named: dict[int, None] = {}
    for number, instruction in enumerate(instructions):
        named.update({entries[symbol]: None for symbol in _symbols(instruction) if symbol in entries})
        if instruction.opcode.startswith("s_swappc"):
            calls[number] = tuple(named) or tuple(entries.values())[1:]
            named = {}
    return calls


def _ends_block(opcode: str) -> bool:
    return _JUMP.fullmatch(opcode) is not None or opcode.startswith(_RETURNS)


def _figures(text: str, kernel: str) -> Figures:
    _, _, notes = text.rpartition("amdhsa.kernels:")
    entries = [dict(_METADATA.findall(entry)) for entry in _KERNEL.split(notes)[1:]] if notes != text else []
    found = next((entry for entry in entries if entry.get("name") == kernel), entries[0] if len(entries) == 1 else {})

    def number(key: str) -> int | None:
        value = found.get(key, "")
        return int(value) if value.isdigit() else None

    _, _, behind = text.partition(f"\n{kernel}:")
    waves = _WAVES.search(behind)
    return Figures(
        number("vgpr_count"),
        number("agpr_count"),
        number("sgpr_count"),
        number("vgpr_spill_count"),
        number("sgpr_spill_count"),
        number("group_segment_fixed_size"),
        number("private_segment_fixed_size"),
        number("wavefront_size"),
        int(waves[1]) if waves else None,
    )


@functools.cache
def _data() -> Any:
    file = resources.files(__package__).joinpath("amd_opcodes.json")
    data = json.loads(file.read_text(encoding="utf-8"))
    return [(name, re.compile(pattern)) for name, pattern in data["kinds"]], data["widths"]


@functools.lru_cache(4096)
def kind(opcode: str) -> str:
    """The kind of an instruction, in the words of `irscope.analysis.sass.kinds`; ``other`` where nothing matches."""
    return next((name for name, pattern in _data()[0] if pattern.fullmatch(opcode)), OTHER)


def access(instruction: Instruction, wave: int | None) -> Access | None:
    """What it moves, of a wave of so many lanes; ``None`` for what is no memory instruction."""
    space = _SPACES.get(kind(instruction.opcode))
    if space is None:
        return None
    opcode = instruction.opcode
    if space == "global" and _COPY_TO_LDS.match(" ".join((opcode, *instruction.operands))):
        space = "global to shared"
    bits = _bits(opcode)
    direction = _direction(opcode, space)
    if bits is None or wave is None:
        return Access(space, direction, bits, None)
    return Access(space, direction, bits, bits // 8 * (1 if opcode.startswith("s_") else wave))


def _direction(opcode: str, space: Space) -> Direction:
    if " to " in space:
        return "copy"
    if "load" in opcode or "read" in opcode:
        return "load"
    return "store" if "store" in opcode or "write" in opcode else "atomic"


@functools.lru_cache(4096)
def _bits(opcode: str) -> int | None:
    """Of each lane: the last part of the name that is a width, twice that of instructions with two addresses."""
    widths: Mapping[str, int] = _data()[1]
    parts = opcode.split("_")
    found = next((widths[part] for part in reversed(parts) if part in widths), None)
    if found is None:
        return 32 if "atomic" in opcode else None
    return 2 * found if _PAIRS.match(opcode) else found


def _mix(instructions: tuple[Instruction, ...], numbers: Iterable[int], figures: Figures) -> Mix:
    of = [instructions[number] for number in sorted(set(numbers))]
    spills = sum(kind(each.opcode) == "local memory" for each in of) if _spills(figures) else _spills(figures)
    return tally([(kind(each.opcode), each.opcode, each.opcode, access(each, figures.wave)) for each in of], spills)


def _spills(figures: Figures) -> int | None:
    """Registers spilled: to scratch memory, which Triton's kernels use for nothing else."""
    if figures.vgpr_spills is None or figures.sgpr_spills is None:
        return None
    return figures.vgpr_spills + figures.sgpr_spills
