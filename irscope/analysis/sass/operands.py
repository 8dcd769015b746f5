"""Which registers an instruction reads and writes, as bit sets: what nvdisasm's life ranges do not need us for.

nvdisasm prints live registers only for cubins of its own generation. For the others irscope follows the data
itself, and for that it must know how many registers an operand is. The rules below are checked against the marks
that nvdisasm prints (``^`` written, ``v`` read, ``x`` both) for every instruction of the test kernels on every
architecture; an opcode that is not in ``opcodes.json`` has no rule, and `sets` then says so.
"""

from __future__ import annotations

import re

from irscope.analysis.sass.instructions import Instruction
from irscope.analysis.sass.kinds import access, kind, known, opcodes

#: Where each file of registers begins in a bit set.
GENERAL, UNIFORM, PREDICATE, UNIFORM_PREDICATE = 0, 256, 512, 520
_FIRST_BIT = {"R": GENERAL, "UR": UNIFORM, "P": PREDICATE, "UP": UNIFORM_PREDICATE}
_PREDICATES = 7
_ALL_PREDICATES = {
    "PR": ((1 << _PREDICATES) - 1) << PREDICATE,
    "UPR": ((1 << _PREDICATES) - 1) << UNIFORM_PREDICATE,
}
_REGISTER = re.compile(r"(?<![\w.])(UR|R|UP|P)(\d+)\|?((?:\.\w+)*)")
_PREDICATE_OPERAND = re.compile(r"!?U?P(?:\d|T)(?![\w])")
_MMA_SHAPE = re.compile(r"\d{3,5}|(\d+)x(\d+)x(\d+)")
_GMMA_SHAPE = re.compile(r"64x(\d+)x\d+")

_NO_RESULT = opcodes("no result")
_COMPARE = opcodes("two predicates")
_ONE_PREDICATE = opcodes("one predicate")
_VOTES = opcodes("vote")
_PAIR_AS_TARGET = opcodes("register pair as target")
_PACKED = opcodes("packed")
_CONVERSIONS = opcodes("conversion of widths")
_FUNNELS = opcodes("funnel")
_DOUBLE = opcodes("double")
_TMA = opcodes("addresses in uniform registers")
_NOT_FOLLOWED = opcodes("not followed")
#: Those whose global address may lie behind a descriptor.
_DESCRIBED = ("LD", "ST", "ATOM", "RED")
_SIXTY_FOUR = frozenset(("64", "S64", "U64"))


def sets(instruction: Instruction, encoding: int = 0) -> tuple[int, int] | None:
    """Registers that it reads, and those that it writes, as bit sets; ``None`` where the opcode is not known.

    ``encoding`` names what nvdisasm does not print: the descriptors of Ampere's global accesses.

    A register that is written only under a predicate counts as written; see `registers` for what that means.
    """
    if not known(instruction.name) or instruction.name in _NOT_FOLLOWED:
        return None
    if instruction.name in _TMA and not _plain_tma(instruction):
        return None
    results = _results(instruction)
    read = written = 0
    for number, operand in enumerate(instruction.operands):
        bits = _bits(operand, _width(instruction, number, results), _address_width(instruction, number))
        if number in results:
            written |= bits
        else:
            read |= bits
    if instruction.name == "P2R":
        read &= ~_ALL_PREDICATES["PR"] | _masked_predicates(instruction) << PREDICATE
    elif instruction.name == "R2P":
        written &= ~_ALL_PREDICATES["PR"] | _masked_predicates(instruction) << PREDICATE
    if encoding:
        read |= _hidden_descriptor(instruction, encoding)
    if instruction.predicate is not None:
        read |= _bits(instruction.predicate, 1)
    return read, written


def bit(name: str) -> int:
    """The bit set of one register: ``R4``, ``UP1``."""
    return _bits(name, 1)


def _results(instruction: Instruction) -> range:
    """Numbers of the operands that are written."""
    name, operands = instruction.name, instruction.operands
    if name in _NO_RESULT or not operands:
        return range(0)
    if name in _COMPARE:
        return range(min(2, len(operands)))
    if name in _ONE_PREDICATE:
        return range(1)
    count = len(operands)
    first = 0
    while first < count and _PREDICATE_OPERAND.match(operands[first]):
        first += 1
        if name in _VOTES:
            break
    if first and (name == "VOTEU" or name == "VOTE"):
        return range(first)
    # Predicates, one register, and the predicates behind it: carries, votes.
    end = first + 1 if first < count and not operands[first].startswith("[") else first
    while name != "ELECT" and end < count and _PREDICATE_OPERAND.fullmatch(operands[end]):
        end += 1
        if name in _VOTES:
            break
    return range(end)


def _bits(operand: str, width: int, address_width: int = 1) -> int:
    """Registers that one operand names. ``width`` is that of a value, addresses mostly say their own."""
    found = 0
    for match in _REGISTER.finditer(operand):
        file, number, suffix = match.groups()
        before = operand[: match.start()]
        size = 1 if file in ("P", "UP") else width
        if "[" in before:
            size = _address_registers(before, suffix, address_width, width)
        elif ".64" in suffix or ".F32x2" in suffix:
            size = 2
        found |= (1 << size) - 1 << _FIRST_BIT[file] + int(number)
    return found | _ALL_PREDICATES.get(operand, 0)


def _address_registers(before: str, suffix: str, otherwise: int, descriptor: int) -> int:
    if before.endswith("gdesc["):
        return descriptor
    if otherwise > 2:
        return otherwise
    if ".64" in suffix or before.endswith(("cx[", " desc[")) or before == "desc[":
        return 2
    return 1 if ".U32" in suffix else otherwise


def _address_width(instruction: Instruction, number: int) -> int:
    """Registers of an address that does not say so: on Turing those of global memory are 64 bits."""
    name = instruction.name
    if name in _TMA:
        # In shared memory the address, of loads a barrier too, and the coordinates; then the descriptor's address.
        return (2 if name == "UTMALDG" else 1) + int(instruction.modifiers[0][0]) if number == 0 else 2
    if name.startswith(("CCTL", "UTMACCTL")):
        return 2
    is_global = kind(instruction) == "global memory" and "E" in instruction.modifiers
    return 2 if is_global and not (instruction.name == "LDGSTS" and number == 0) else 1


def _plain_tma(instruction: Instruction) -> bool:
    """Whether it is a copy of a box: two addresses, and its dimensions as the first modifier."""
    first = instruction.modifiers[:1]
    return len(instruction.operands) == 2 and bool(first) and first[0] in ("1D", "2D", "3D", "4D", "5D")


def _hidden_descriptor(instruction: Instruction, encoding: int) -> int:
    """Ampere's descriptors of global memory, a pair of uniform registers that nvdisasm does not print."""
    described = kind(instruction) == "global memory" and instruction.name.startswith(_DESCRIBED)
    if not described or not encoding >> 91 & 1:
        return 0
    position = 32 if instruction.name in ("LDG", "LD") else 64
    register = encoding >> position & 63
    return 0 if register == 63 else 3 << UNIFORM + register


def _masked_predicates(instruction: Instruction) -> int:
    """P2R reads those predicates that its mask names, R2P writes them."""
    mask = instruction.operands[-1]
    return (int(mask, 16) & (1 << _PREDICATES) - 1) if mask.startswith("0x") else (1 << _PREDICATES) - 1


def _width(instruction: Instruction, number: int, results: range) -> int:
    """Registers of a value operand; of a matrix unit's descriptor, uniform registers."""
    name, modifiers = instruction.name, instruction.modifiers
    written = number in results
    if "MMA" in name:
        return _matrix_width(instruction, number - len(results), written)
    if moved := access(instruction):
        # 256 bits of global memory are two operands.
        return max(1, (moved.bits or 32) // (64 if moved.bits == 256 and moved.space == "global" else 32))
    if name in _PAIR_AS_TARGET:
        return 2
    if "WIDE" in modifiers:
        return 2 if written or number == len(results) + 2 else 1
    if name == "CS2R":
        return 1 if "32" in modifiers else 2
    if name in _PACKED:
        return 2 if written else 1
    if name in _CONVERSIONS:
        return _conversion_width(name, modifiers, written)
    if name in _FUNNELS:
        return 1
    if name in _DOUBLE or name == "LEPC" or any(modifier in _SIXTY_FOUR for modifier in modifiers):
        return 2
    return 1


def _conversion_width(name: str, modifiers: tuple[str, ...], written: bool) -> int:
    if name == "F2F":
        types = [modifier for modifier in modifiers if modifier in ("F16", "F32", "F64", "BF16", "TF32")]
        return 2 if types[: 1 if written else None][-1:] == ["F64"] else 1
    if name == "FRND":
        return 2 if "F64" in modifiers else 1
    wide_integer = "S64" in modifiers or "U64" in modifiers
    wide_float = "F64" in modifiers
    return 2 if (wide_integer if (name == "F2I") == written else wide_float) else 1


def _matrix_width(instruction: Instruction, source: int, written: bool) -> int:
    """Registers of a matrix instruction's operand, by the elements of its tile that each of 32 lanes holds.

    ``source`` counts from 0: A, B, C. HMMA.16816.F32 multiplies 16 x 16 by 16 x 8: 4, 2 and 4 registers.
    """
    modifiers = instruction.modifiers
    if group := next((found for modifier in modifiers if (found := _GMMA_SHAPE.fullmatch(modifier))), None):
        # A and B are one descriptor, or A is 4 registers and B a descriptor; descriptors are 4 uniform registers.
        if (source == 0 and not written) or "gdesc[" in instruction.operands[source + 1]:
            return 4
        return int(group[1]) // (4 if modifiers[1] == "F16" else 2)
    shape = next((modifier for modifier in modifiers if _MMA_SHAPE.fullmatch(modifier)), None)
    if shape is None:
        return 2
    m, n, k = _tile(shape)
    if written or source == 2:
        return max(1, m * n * _accumulator_bits(instruction) // 1024)
    if source > 2:
        return 1
    return max(1, (m if source == 0 else n) * k * _element_bits(instruction) // 1024)


def _tile(shape: str) -> tuple[int, int, int]:
    """``16816`` is 16 x 8 x 16; ``884`` and ``8x8x4`` are 8 x 8 x 4."""
    if "x" in shape:
        m, n, k = map(int, shape.split("x"))
        return m, n, k
    first = 16 if shape.startswith("16") else 8
    return first, 8, int(shape[len(str(first)) + 1 :])


def _accumulator_bits(instruction: Instruction) -> int:
    if instruction.name == "DMMA":
        return 64
    return 16 if "F16" in instruction.modifiers[1:2] else 32


def _element_bits(instruction: Instruction) -> int:
    name, modifiers = instruction.name, instruction.modifiers
    if name == "DMMA":
        return 64
    if "TF32" in modifiers:
        return 32
    if any(modifier in ("S4", "U4") for modifier in modifiers) or name == "OMMA":
        return 4
    return {"BMMA": 1, "IMMA": 8, "QMMA": 8}.get(name, 16)
