"""What PTX registers hold in each thread of a block, as far as the text alone tells.

A value is known for each thread, or known up to an amount that is the same for all threads of a warp (an argument, a
loop counter, where shared memory begins), or unknown. That suffices for what the threads of a warp do to each other.
No step guesses: an instruction that is not modelled gives the unknown, unless all it reads is the same in a warp.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WARP = 32

_ENTRY = re.compile(r"^\s*(?:\.visible\s+|\.weak\s+)?\.entry\b")
_THREADS = re.compile(r"^\s*\.(?:reqntid|maxntid)\s+(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(\d+))?")
_INSTRUCTION = re.compile(r"^\s*(?:@(!?)(%p\d+)\s+)?([a-z][\w.:]*)\s*(.*?);")
_REGISTER = re.compile(r"%[a-zA-Z]\w*(?:\.[xyz])?")
_WIDTH = re.compile(r"\.(?:b|u|s|f)(8|16|32|64)\b")
#: A multiple of every power of two that occurs: there is no unknown part.
_EXACT = 1 << 64


@dataclass(frozen=True, slots=True)
class Value:
    """A number for each thread, to which in each warp the same unknown multiple of ``unit`` is added."""

    threads: tuple[int, ...]
    unit: int = _EXACT

    @property
    def exact(self) -> bool:
        return self.unit == _EXACT

    @property
    def uniform(self) -> bool:
        """Whether all threads of each warp hold the same."""
        return all(len(set(warp)) == 1 for warp in warps_of(self.threads))


#: Nothing is known. ``None`` in its place: not computed yet.
UNKNOWN = "unknown"
State = Value | str | None


@dataclass(frozen=True, slots=True)
class Instruction:
    row: int
    #: The predicate, and whether it must be false.
    guard: str | None
    negated: bool
    opcode: str
    operands: tuple[str, ...]


def warps_of(threads: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(threads), WARP):
        yield threads[start : start + WARP]


class Lanes:
    """The registers of a kernel's entry function. ``threads``: of a block, ``None`` where the text does not say."""

    def __init__(self, rows: Sequence[str]) -> None:
        self.instructions, self.threads = _entry(rows)
        self._states: dict[str, State] = {}
        self._diverges = False
        if self.threads is not None and self.threads % WARP == 0:
            self._settle()

    def value(self, operand: str) -> Value | None:
        """What an operand holds, ``None`` if unknown."""
        state = self._read(operand)
        return state if isinstance(state, Value) else None

    def active(self, instruction: Instruction) -> tuple[bool, ...] | None:
        """Which threads execute an instruction once control reaches it, ``None`` if unknown.

        A guard that is the same for a whole warp is taken as passed: what does not happen costs nothing.
        """
        assert self.threads is not None
        if instruction.guard is None:
            return (True,) * self.threads
        guard = self.value(instruction.guard)
        if guard is None:
            return None
        if guard.uniform:
            return (True,) * self.threads
        return tuple(bool(value) != instruction.negated for value in guard.threads) if guard.exact else None

    def _settle(self) -> None:
        # Each pass can only make states less certain, and a unit halves at most 64 times.
        for _ in range(100):
            before = dict(self._states), self._diverges
            for instruction in self.instructions:
                self._execute(instruction)
            if (self._states, self._diverges) == before:
                return
        self._states = {}

    def _execute(self, instruction: Instruction) -> None:
        opcode = instruction.opcode
        if opcode.startswith("bra") and instruction.guard is not None:
            guard = self._states.get(instruction.guard)
            if guard is not None and not (isinstance(guard, Value) and guard.uniform):
                self._diverges = True
            return
        if not instruction.operands or opcode.startswith(("st.", "red.", "bar", "cp.", "ret", "call", "membar")):
            return
        targets = _REGISTER.findall(instruction.operands[0].partition("|")[0])
        if not targets or instruction.operands[0].startswith("["):
            return
        state = self._result(instruction) if len(targets) == 1 else UNKNOWN
        if instruction.guard is not None:
            guard = self._states.get(instruction.guard)
            if not (isinstance(guard, Value) and guard.uniform):
                state = UNKNOWN
        for target in targets:
            self._states[target] = self._joined(self._states.get(target), state)

    def _joined(self, one: State, other: State) -> State:
        if one is None or other is None or one == other:
            return other if one is None else one
        if not isinstance(one, Value) or not isinstance(other, Value) or self._diverges:
            return UNKNOWN
        return _either(one, other) or UNKNOWN

    def _read(self, operand: str) -> State:
        assert self.threads is not None
        operand = operand.strip()
        threads = range(self.threads)
        if operand == "%tid.x":
            return Value(tuple(threads))
        if operand == "%laneid":
            return Value(tuple(thread % WARP for thread in threads))
        if operand in ("%tid.y", "%tid.z"):
            return Value((0,) * self.threads)
        if operand.startswith(("%ctaid", "%nctaid", "%ntid", "%clusterid", "%cluster_", "%warpid", "%nwarpid")):
            return self._same(1)
        if operand.startswith("%"):
            return self._states.get(operand, None if _REGISTER.fullmatch(operand) else UNKNOWN)
        try:
            return Value((int(operand, 0),) * self.threads)
        except ValueError:
            # A symbol: where shared memory begins is 16 bytes aligned, in every declaration of Triton's.
            return self._same(16) if re.fullmatch(r"[A-Za-z_$][\w$]*", operand) else UNKNOWN

    def _same(self, unit: int) -> Value:
        assert self.threads is not None
        return Value((0,) * self.threads, unit)

    def _result(self, instruction: Instruction) -> State:
        name, _, rest = instruction.opcode.partition(".")
        sources = instruction.operands[1:]
        if name in ("ld", "ldu"):
            address = sources[0].strip("[] ").partition("+")[0]
            if "param" in rest:
                return self._same(1) if "_param_" in address else UNKNOWN
            return self._if_uniform([self._read(address)]) if ".v" not in rest else UNKNOWN
        if name in ("atom", "ldmatrix", "mma", "wgmma", "vote", "match", "activemask", "elect", "redux"):
            return UNKNOWN
        states = [self._read(source) for source in sources]
        if any(state is None for state in states):
            return None
        values = [state for state in states if isinstance(state, Value)]
        if len(values) == len(states):
            if name == "shfl":
                return self._shuffled(rest, values)
            width = _WIDTH.findall(f".{rest}")
            computed = _compute(name, rest, values, int(width[-1]) if width else 32)
            if computed is not None:
                return computed
        return UNKNOWN if name == "shfl" else self._if_uniform(states)

    def _if_uniform(self, states: Sequence[State]) -> State:
        if any(state is None for state in states):
            return None
        same = all(isinstance(state, Value) and state.uniform for state in states)
        return self._same(1) if same else UNKNOWN

    def _shuffled(self, rest: str, values: Sequence[Value]) -> State:
        source, lane = values[0], values[1]
        if source.uniform:
            return source
        if not rest.startswith("sync.idx") or not lane.exact or not lane.uniform or not source.exact:
            return UNKNOWN
        chosen = [warp[lane.threads[0] % WARP] for warp in warps_of(source.threads)]
        return Value(tuple(value for value in chosen for _ in range(WARP)))


_EXACT_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "and": operator.and_, "or": operator.or_, "xor": operator.xor, "add": operator.add, "sub": operator.sub,
    "shl": lambda a, b: a << b, "min": min, "max": max,
}  # fmt: skip


def _compute(name: str, rest: str, values: Sequence[Value], width: int) -> Value | None:
    """The result of an instruction, ``None`` where it is not modelled for such values."""
    mask = (1 << width) - 1
    signed = f".{rest}".endswith((".s32", ".s64", ".s16"))
    first = values[0]
    if name == "mov" or (name == "cvt" and all(part[0] in "us" for part in rest.split(".") if part[-1].isdigit())):
        return Value(tuple(value & mask for value in first.threads), first.unit) if len(values) == 1 else None
    if name in ("cvta",):
        return first
    if name == "neg":
        return Value(tuple(-value & mask for value in first.threads), first.unit)
    if name in ("mul", "mad") and rest.startswith(("lo.", "wide.")):
        product = _product(
            values[0], values[1], mask if rest.startswith("lo.") else (1 << 2 * width) - 1, signed, width
        )
        return product if name == "mul" or product is None else _sum(product, values[2], mask)
    if len(values) == 2 and name in ("add", "sub"):
        other = values[1] if name == "add" else Value(tuple(-value for value in values[1].threads), values[1].unit)
        return _sum(first, other, mask)
    if all(value.exact for value in values):
        return _exact(name, rest, values, mask, signed, width)
    if name == "selp" and len(values) == 3 and values[2].uniform:
        return _either(first, values[1])
    if len(values) == 2 and name == "shl" and values[1].exact and values[1].uniform:
        by = values[1].threads[0]
        return Value(tuple(value << by & mask for value in first.threads), min(first.unit << by, _EXACT))
    if len(values) == 2 and name in ("and", "or", "xor"):
        return _bitwise(name, first, values[1])
    return None


def _either(one: Value, other: Value) -> Value | None:
    """One of two values, the same one for a whole warp, where they are apart by the same in each thread of it."""
    apart = [a - b for a, b in zip(one.threads, other.threads, strict=True)]
    if not all(len(set(warp)) == 1 for warp in warps_of(apart)):
        return None
    return Value(one.threads, math.gcd(one.unit, other.unit, *apart))


def _sum(one: Value, other: Value, mask: int) -> Value:
    threads = tuple(a + b & mask for a, b in zip(one.threads, other.threads, strict=True))
    return Value(threads, math.gcd(one.unit, other.unit))


def _product(one: Value, other: Value, mask: int, signed: bool, width: int) -> Value | None:
    if not one.exact:
        one, other = other, one
    if one.exact and other.exact:
        pairs = zip(one.threads, other.threads, strict=True)
        return Value(tuple(_signed(a, signed, width) * _signed(b, signed, width) & mask for a, b in pairs))
    if one.exact and len(set(one.threads)) == 1:
        by = one.threads[0]
        return Value(tuple(value * by & mask for value in other.threads), min(other.unit * (by & -by or 1), _EXACT))
    return None


def _bitwise(name: str, one: Value, other: Value) -> Value | None:
    """Where only one side has an unknown part, and the other has no bit that this part may have."""
    if not one.exact:
        one, other = other, one
    if not one.exact or (name == "and" and len(set(one.threads)) != 1):
        return None
    if max(one.threads) >= other.unit:
        return None
    low = other.unit - 1
    operation = _EXACT_OPERATIONS[name]
    if name == "and":
        return Value(tuple(operation(a, b & low) for a, b in zip(one.threads, other.threads, strict=True)))
    pairs = zip(one.threads, other.threads, strict=True)
    return Value(tuple(operation(a, b & low) + (b & ~low) for a, b in pairs), other.unit)


def _exact(name: str, rest: str, values: Sequence[Value], mask: int, signed: bool, width: int) -> Value | None:
    rows = list(zip(*(value.threads for value in values), strict=True))
    if name in _EXACT_OPERATIONS and len(values) == 2:
        operation = _EXACT_OPERATIONS[name]
        numbers = [tuple(_signed(n, signed, width) for n in row) for row in rows] if name in ("min", "max") else rows
        return Value(tuple(operation(*row) & mask for row in numbers))
    if name == "shr" and len(values) == 2:
        return Value(tuple((_signed(a & mask, signed, width) >> min(b, width)) & mask for a, b in rows))
    if name == "not":
        return Value(tuple(~row[0] & mask for row in rows))
    if name in ("div", "rem") and not signed and len(values) == 2 and all(row[1] for row in rows):
        return Value(tuple((a // b if name == "div" else a % b) for a, b in rows))
    if name == "bfe" and len(values) == 3 and all(count > 0 and start + count <= width for _, start, count in rows):
        fields = [((a >> start) & ((1 << count) - 1), count) for a, start, count in rows]
        return Value(tuple(_signed(field, signed, count) & mask for field, count in fields))
    if name == "selp" and len(values) == 3:
        return Value(tuple(a if chosen else b for a, b, chosen in rows))
    if name == "setp" and len(values) == 2:
        compare = getattr(operator, {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}.get(rest[:2], rest[:2]), None)
        if compare is not None and rest.count(".") == 1:
            return Value(
                tuple(int(compare(_signed(a & mask, signed, width), _signed(b & mask, signed, width))) for a, b in rows)
            )
    return None


def _signed(value: int, signed: bool, width: int) -> int:
    return value - (1 << width) if signed and value >> (width - 1) & 1 else value


def _entry(rows: Sequence[str]) -> tuple[list[Instruction], int | None]:
    """The instructions of the kernel, and the threads of its block."""
    instructions: list[Instruction] = []
    threads: int | None = None
    inside, depth = False, 0
    for row, line in enumerate(rows):
        if not inside:
            inside = _ENTRY.match(line) is not None
            continue
        # Inline assembly may have blocks of its own.
        code = line.partition("//")[0]
        change = code.count("{") - code.count("}")
        depth += change
        if change < 0 and depth == 0:
            break
        if found := _THREADS.match(line):
            threads = math.prod(int(number or 1) for number in found.groups())
        elif match := _INSTRUCTION.match(line):
            instructions.append(Instruction(row, match[2], match[1] == "!", match[3], tuple(_operands(match[4]))))
    return instructions, threads


def _operands(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for at, character in enumerate(text):
        depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    if text[start:].strip():
        yield text[start:].strip()
