"""Which registers are live at each instruction, as a value: NVIDIA's and AMD's alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from irscope.analysis.flow import Flow

Origin = Literal["nvdisasm", "irscope"]
#: ``general`` are those of which each thread has its own; ``uniform`` those of a whole warp.
Kind = Literal["general", "predicate", "uniform", "uniform predicate"]


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """One file of registers, and its place in bit sets."""

    kind: Kind
    #: ``R`` of ``R4``.
    prefix: str
    first_bit: int
    size: int

    def held(self, bits: int) -> int:
        """The registers of this file alone, number 0 as bit 0."""
        return bits >> self.first_bit & (1 << self.size) - 1


NVIDIA = (
    RegisterFile("general", "R", 0, 256),
    RegisterFile("uniform", "UR", 256, 256),
    RegisterFile("predicate", "P", 512, 8),
    RegisterFile("uniform predicate", "UP", 520, 8),
)
#: VGPRs, accumulation registers (from gfx90a on both are parts of one file) and SGPRs.
AMD = (
    RegisterFile("general", "v", 0, 1024),
    RegisterFile("general", "a", 1024, 256),
    RegisterFile("uniform", "s", 1280, 128),
)


def register_names(bits: int, files: Sequence[RegisterFile] = NVIDIA) -> Iterator[str]:
    """``R4``, ``UR2``, ``P0``: the registers of a bit set, file by file."""
    for file in files:
        held = file.held(bits)
        while held:
            lowest = held & -held
            yield f"{file.prefix}{lowest.bit_length() - 1}"
            held ^= lowest


@dataclass(frozen=True, slots=True)
class Count:
    """Live registers of each kind at one instruction. 64-bit values count as two."""

    general: int
    predicate: int
    uniform: int
    uniform_predicate: int


@dataclass(frozen=True, slots=True)
class LiveRegisters:
    """By instruction of a function, what is live there, and what the instruction reads and writes."""

    origin: Origin
    #: Bit sets, as ``files`` has them.
    live: tuple[int, ...]
    read: tuple[int, ...]
    written: tuple[int, ...]
    #: Whether the instruction may leave the old value to some lanes, or leave a part of it.
    partly: tuple[bool, ...]
    files: tuple[RegisterFile, ...] = NVIDIA

    def count(self, instruction: int) -> Count:
        return Count(
            self._of("general", instruction),
            self._of("predicate", instruction),
            self._of("uniform", instruction),
            self._of("uniform predicate", instruction),
        )

    def _of(self, kind: Kind, instruction: int) -> int:
        held = self.live[instruction]
        return sum([file.held(held).bit_count() for file in self.files if file.kind == kind])

    @property
    def general(self) -> tuple[int, ...]:
        """Live general registers of a thread, by instruction: the curve."""
        return tuple([self._of("general", number) for number in range(len(self.live))])

    @property
    def peak(self) -> int:
        """The highest number of live general registers."""
        return max(self.general, default=0)

    @property
    def peak_instructions(self) -> tuple[int, ...]:
        """Numbers of the instructions where it is reached."""
        peak = self.peak
        return tuple(number for number, count in enumerate(self.general) if count == peak and peak > 0)

    def values(self, edges: Flow, instruction: int) -> dict[str, tuple[int, ...]]:
        """By general register that is live at an instruction, the numbers of those that may have written it."""
        return {
            name: self.definitions(edges, instruction, name)
            for name in register_names(self.live[instruction], [file for file in self.files if file.kind == "general"])
        }

    def definitions(self, edges: Flow, instruction: int, register: str) -> tuple[int, ...]:
        """Numbers of the instructions that may have written what ``register`` holds at an instruction.

        That one is among them where it writes it. Several where paths meet, or where a write leaves the old value to
        some lanes; none for what is there from the start.
        """
        wanted = self._bit(register)
        found: set[int] = set()
        seen: set[int] = set()
        waiting = [instruction]
        while waiting:
            number = waiting.pop()
            block = edges.blocks[edges.block_of[number]]
            for at in range(number, block.first - 1, -1):
                if self.written[at] & wanted:
                    found.add(at)
                    if not self.partly[at]:
                        break
            else:
                for before in block.predecessors:
                    if before not in seen:
                        seen.add(before)
                        waiting.append(edges.blocks[before].last)
        return tuple(sorted(found))

    def names(self, instruction: int) -> tuple[str, ...]:
        """``R4``, ``UR2``, ``P0``: what is live there, file by file."""
        return tuple(register_names(self.live[instruction], self.files))

    def _bit(self, register: str) -> int:
        prefix = register.rstrip("0123456789")
        first = next(file.first_bit for file in self.files if file.prefix == prefix)
        return 1 << first + int(register[len(prefix) :])
