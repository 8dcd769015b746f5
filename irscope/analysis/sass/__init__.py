"""SASS in depth: instructions, control codes, blocks and loops, live registers, the instruction mix.

`read` gives all that needs no program (some 10 ms for a thousand instructions); `live_registers` asks nvdisasm and
belongs in the background. Instructions are numbered from 0 within their function; ``Instruction.row`` is the row in
the stage's text, `Sass.numbers` the way back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from irscope.analysis.flow import Block, Flow, Loop
from irscope.analysis.live import Count, LiveRegisters
from irscope.analysis.sass import control
from irscope.analysis.sass.blocks import flow
from irscope.analysis.sass.control import Control
from irscope.analysis.sass.instructions import Function, Instruction, encodings, function
from irscope.analysis.sass.kinds import Access, access, all_kinds, kind
from irscope.analysis.sass.mix import Mix, mix_of, mix_of_loop
from irscope.analysis.sass.registers import live_registers as registers_of
from irscope.analysis.sass.spills import spill_code
from irscope.model import Compilation

__all__ = [
    "Access", "Block", "Control", "Count", "Flow", "Function", "Instruction", "LiveRegisters", "Loop", "Mix", "Sass",
    "access", "all_kinds", "kind", "live_registers", "mix_of", "mix_of_loop", "read",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sass:
    """What is known of a kernel's code. Tuples are in the order of ``function.instructions``."""

    function: Function
    flow: Flow
    #: ``None`` where there is no cubin to read them from.
    controls: tuple[Control, ...] | None
    #: Numbers of the spill code; ``None``: nothing tells it from the program's own local memory.
    spills: frozenset[int] | None
    mix: Mix
    #: By number of a loop, inner loops included.
    loop_mixes: tuple[Mix, ...]

    @property
    def numbers(self) -> dict[int, int]:
        """By row of the text, from 0, the number of the instruction there."""
        return {each.row: number for number, each in enumerate(self.function.instructions)}

    def part(self, numbers: Iterable[int]) -> Mix:
        """The mix of some instructions, by number: those of a line, say."""
        return mix_of(self.function, numbers, self.spills)


def read(compilation: Compilation) -> Sass | None:
    """Everything about the kernel's own function; ``None`` where there is no SASS.

    Raises:
        ValueError: the cubin is damaged.
    """
    code = _code(compilation)
    if code is None:
        return None
    from irscope.ir import cubin

    binary = _cubin(compilation)
    record = cubin.read(binary).kernel(code.name) if binary else None
    edges = flow(code)
    spilling = spill_code(code, record, compilation.text("ptx"))
    return Sass(
        code,
        edges,
        _controls(code, binary) if binary else None,
        spilling,
        mix_of(code, None, spilling),
        tuple(mix_of_loop(code, edges, loop, spilling) for loop in edges.loops),
    )


def live_registers(compilation: Compilation, timeout: float | None = 120) -> LiveRegisters:
    """Live registers at each instruction of the kernel's function; `LiveRegisters.origin` says who found out.

    Raises:
        IrscopeError: there is no SASS, or neither nvdisasm nor irscope can tell; the message says why.
    """
    from irscope.analysis.sass.registers import unavailable

    code, binary = _code(compilation), _cubin(compilation)
    if code is None or binary is None:
        raise unavailable("no live registers: there is no SASS")
    return registers_of(code, binary, timeout)


def _code(compilation: Compilation) -> Function | None:
    return function(compilation.text("sass"), compilation.metadata.get("name") or compilation.kernel.name)


def _cubin(compilation: Compilation) -> bytes | None:
    stage = compilation.stages.get("cubin")
    return stage.data if stage is not None else None


def _controls(code: Function, binary: bytes) -> tuple[Control, ...] | None:
    encoded = encodings(binary).get(code.name, {})
    if any(each.address not in encoded for each in code.instructions):
        return None
    return tuple([control.decode(encoded[each.address]) for each in code.instructions])
