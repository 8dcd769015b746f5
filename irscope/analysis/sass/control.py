"""Control codes: what the compiler tells the scheduler with each instruction, of Volta and everything later.

NVIDIA does not document them. Bit positions of the 128-bit encoding are those of Jia, Maggioni, Staiger and
Scarpazza, "Dissecting the NVIDIA Volta GPU Architecture via Microbenchmarking" (arXiv 1804.06826, section 2.1),
and of Mesa's compiler for the same GPUs (NAK, ``set_instr_deps``):

    bits 105-108  stall cycles        bits 113-115  read barrier, 7 for none
    bit  109      no yield            bits 116-121  barriers waited for
    bits 110-112  write barrier, 7    bits 122-125  reuse of operands (up to sm_9x and sm_10x)

nvdisasm shows one of them, as ``.reuse`` behind an operand; the tests compare that for every instruction.
"""

from __future__ import annotations

from dataclasses import dataclass

_NO_BARRIER = 7
_BARRIERS = 6
_OPERANDS = 4


@dataclass(frozen=True, slots=True)
class Control:
    #: Cycles that the warp waits after this instruction before its next one is issued.
    stall: int
    #: The scheduler is asked to go on with another warp.
    yields: bool
    #: Of six barriers (0 to 5), the one raised until the result is written; ``None``: none.
    write_barrier: int | None
    #: The one raised until the operands are read; ``None``: none.
    read_barrier: int | None
    #: Those that must have come down before this instruction is issued.
    waits: tuple[int, ...]
    #: Numbers of the source operands that stay in the reuse cache for the next instruction.
    reuse: tuple[int, ...]

    def __str__(self) -> str:
        """As CuAssembler writes it: ``B01----:R-:W2:-:S04``, waits, read and write barrier, yield, stall."""
        waits = "".join(str(number) if number in self.waits else "-" for number in range(_BARRIERS))
        read = "-" if self.read_barrier is None else self.read_barrier
        write = "-" if self.write_barrier is None else self.write_barrier
        return f"B{waits}:R{read}:W{write}:{'Y' if self.yields else '-'}:S{self.stall:02}"


def decode(encoding: int) -> Control:
    """The control code of a 128-bit encoding, see `irscope.analysis.sass.instructions.encodings`."""
    bits = encoding >> 105
    write, read = bits >> 5 & 7, bits >> 8 & 7
    return Control(
        stall=bits & 15,
        yields=not bits >> 4 & 1,
        write_barrier=None if write == _NO_BARRIER else write,
        read_barrier=None if read == _NO_BARRIER else read,
        waits=tuple([number for number in range(_BARRIERS) if bits >> 11 + number & 1]),
        reuse=tuple([number for number in range(_OPERANDS) if bits >> 17 + number & 1]),
    )
