"""Live registers at each instruction, the peak, and which values are held there.

nvdisasm says it for cubins in the ELF layout of its own generation (``-plr``). Triton's ptxas 12.9 writes the older
one for targets before Hopper, which nvdisasm 13 refuses; for these irscope follows the data itself, backwards over
the blocks, and `LiveRegisters.origin` says so. The tests hold both against each other wherever nvdisasm answers:
they are equal, except for predicates at ``P2R``, which nvdisasm takes for an instruction that reads none, and for
registers that nvdisasm has come alive at an instruction that does not write them, which it does in some kernels that
spill. Calls of functions in the same section are followed; nvdisasm takes the calling convention for what they do.

A register is live at an instruction that reads or writes it, and wherever a later one may read what it holds now. A
write under a predicate ends nothing, because the old value is there for the lanes that do not write; only of uniform
registers it does where all that read the value do so under the same predicate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from irscope import tools
from irscope.analysis.flow import Block, Flow
from irscope.analysis.live import LiveRegisters
from irscope.analysis.sass import life_ranges
from irscope.analysis.sass.blocks import flow
from irscope.analysis.sass.instructions import Function, Instruction, encodings
from irscope.analysis.sass.operands import PREDICATE, UNIFORM, UNIFORM_PREDICATE, bit, sets
from irscope.model import Failure
from irscope.request import IrscopeError

_FILE = (1 << 256) - 1
_PREDICATES = (1 << 8) - 1
_PREDICATE_BITS = _PREDICATES << PREDICATE | _PREDICATES << UNIFORM_PREDICATE
_EVERYTHING = (1 << UNIFORM_PREDICATE + 8) - 1
_UNIFORM_BITS = _FILE << UNIFORM | _PREDICATES << UNIFORM_PREDICATE


def live_registers(function: Function, cubin: bytes, timeout: float | None = 120) -> LiveRegisters:
    """Live registers of a function, from nvdisasm if it can (0.3 to 0.6 s: ask in the background), else irscope's own.

    Raises:
        IrscopeError: neither can; the message says why.
    """
    try:
        return from_nvdisasm(function, cubin, timeout)
    except IrscopeError as error:
        return own(function, encodings(cubin).get(function.name, {}), refused=error.failure.message)


def unavailable(message: str) -> IrscopeError:
    return IrscopeError(Failure("unavailable", message, stage="sass"))


def from_nvdisasm(function: Function, cubin: bytes, timeout: float | None = 120) -> LiveRegisters:
    """What nvdisasm prints; the newest one is asked first, then every other on this machine, Triton's among them.

    Raises:
        IrscopeError: none is there, or none accepts this cubin.
    """
    refused: IrscopeError | None = None
    for tool in _distinct(tools.candidates("nvdisasm")):
        try:
            text = tools.disassemble(cubin, "-c", "-plr", "-lrm", "narrow", timeout=timeout, tool=tool)
        except IrscopeError as error:
            refused = refused or error
            continue
        marks = life_ranges.parse(text).get(function.name)
        if marks is not None:
            return _from_marks(function, marks)
    raise refused or unavailable("nvdisasm prints no live registers for this function")


def _distinct(found: Iterator[tools.Tool]) -> Iterator[tools.Tool]:
    """Each version once: another copy of the same one would say the same. The first is not even asked for its own."""
    earlier: list[tools.Tool] = []
    for tool in found:
        if all(tool.version != before.version for before in earlier):
            yield tool
        earlier.append(tool)


def _from_marks(function: Function, marks: Mapping[int, life_ranges.Marks]) -> LiveRegisters:
    nothing = life_ranges.Marks(0, 0, 0)
    rows = [marks.get(instruction.address, nothing) for instruction in function.instructions]
    return LiveRegisters(
        "nvdisasm",
        tuple([row.live for row in rows]),
        tuple([row.read for row in rows]),
        tuple([row.written for row in rows]),
        _partly(function),
    )


def _partly(function: Function) -> tuple[bool, ...]:
    return tuple([instruction.predicate is not None for instruction in function.instructions])


def own(
    function: Function, encoded: Mapping[int, int], known_flow: Flow | None = None, refused: str = ""
) -> LiveRegisters:
    """irscope's own analysis; some 10 ms for a thousand instructions.

    Args:
        encoded: Of the function's instructions, by address, see `instructions.encodings`.
        known_flow: Its blocks, where they are known already.
        refused: Why nvdisasm did not do it, for the message of an error.

    Raises:
        IrscopeError: the function calls one that is not in its section, jumps to where a register says, or has an
            opcode that irscope's table lacks.
    """
    edges = known_flow or flow(function)
    both = [sets(instruction, encoded.get(instruction.address, 0)) for instruction in function.instructions]
    reason = _obstacle(function, edges, both)
    if reason is not None:
        raise unavailable(f"no live registers: {reason}{f'; {refused}' if refused else ''}")
    known = [
        _with_stack(instruction, each) for instruction, each in zip(function.instructions, both, strict=True) if each
    ]
    live = _backwards(function, edges, known)
    read, written = tuple([read for read, _ in known]), tuple([written for _, written in known])
    return LiveRegisters("irscope", live, read, written, _partly(function))


def _obstacle(function: Function, edges: Flow, both: Sequence[tuple[int, int] | None]) -> str | None:
    if any(call not in edges.targets for call in edges.calls):
        return "the kernel calls a function that is not in its code"
    if edges.unknown:
        return "an indirect jump has targets that nvdisasm does not name"
    for instruction, found in zip(function.instructions, both, strict=True):
        if found is None:
            return f"irscope does not know {instruction.name}"
    return None


def _with_stack(instruction: Instruction, known: tuple[int, int]) -> tuple[int, int]:
    """R1, the stack pointer, is kept to the very end."""
    read, written = known
    return (read | bit("R1") if instruction.name == "EXIT" else read), written


def _backwards(function: Function, edges: Flow, both: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The classic data-flow over blocks, then once through each.

    A function that the kernel calls is gone through with nothing and with everything needed behind it, which tells
    what it reads and what it leaves alone; then with all that is needed behind any call of it.
    """
    solver = _Solver(function, edges, both)
    functions = _functions(edges)
    passed: dict[int, tuple[int, int]] = dict.fromkeys(functions, (0, 0))
    for _ in functions:
        nothing, everything = (
            solver.entering(passed, {}),
            solver.entering(passed, dict.fromkeys(edges.reached, _EVERYTHING)),
        )
        passed = {first: (nothing[first], everything[first]) for first in functions}
    returned: dict[int, int] = {}
    entering = solver.entering(passed, returned)
    for _ in functions:
        for first, blocks in functions.items():
            behind = 0
            for call in edges.calls:
                if first in _called(edges, call):
                    behind |= _union_of(entering, edges.blocks[edges.block_of[call]].successors)
            returned.update(dict.fromkeys(blocks, behind))
        entering = solver.entering(passed, returned)
    result = [0] * len(both)
    for number in edges.reached:
        block = edges.blocks[number]
        leaving = solver.leaving(block, entering, passed, returned)
        result[block.first : block.last + 1] = _through(function, block, both, leaving)[1]
    return tuple(result)


def _called(edges: Flow, call: int) -> list[int]:
    """First blocks of what a call calls."""
    return [edges.block_of[to] for to in edges.targets.get(call, ())]


def _functions(edges: Flow) -> dict[int, frozenset[int]]:
    """By first block, the blocks of each function that is called; those behind calls in it are its own."""
    found = {}
    for first in {first for call in edges.calls for first in _called(edges, call)}:
        seen, waiting = {first}, [first]
        while waiting:
            following = [to for to in edges.blocks[waiting.pop()].successors if to not in seen]
            seen.update(following)
            waiting += following
        found[first] = frozenset(seen)
    return found


def _union_of(entering: Sequence[int], blocks: Sequence[int]) -> int:
    held = 0
    for number in blocks:
        held |= entering[number]
    return held


class _Solver:
    """What is live before each block of a function."""

    def __init__(self, function: Function, edges: Flow, both: Sequence[tuple[int, int]]) -> None:
        self._edges = edges
        self._used, self._ended = [0] * len(edges.blocks), [0] * len(edges.blocks)
        self._returns = {number for number, each in enumerate(function.instructions) if each.name == "RET"}
        for block in edges.blocks:
            self._used[block.number] = _through(function, block, both, 0)[0]
            for number in range(block.first, block.last + 1):
                if function.instructions[number].predicate is None:
                    self._ended[block.number] |= both[number][1]

    def entering(self, passed: Mapping[int, tuple[int, int]], returned: Mapping[int, int]) -> list[int]:
        """By block. ``passed``: by first block of a called function, what it needs, and that with all it leaves alone.

        ``returned``: by block, what is needed behind the calls of its function.
        """
        blocks, reached = self._edges.blocks, self._edges.reached
        result = [0] * len(blocks)
        waiting = set(reached)
        while waiting:
            number = max(waiting)
            waiting.remove(number)
            leaving = self.leaving(blocks[number], result, passed, returned)
            before = leaving & ~self._ended[number] | self._used[number]
            if before != result[number]:
                result[number] = before
                waiting.update(reached.intersection(blocks[number].predecessors))
        return result

    def leaving(
        self, block: Block, entering: Sequence[int], passed: Mapping[int, tuple[int, int]], returned: Mapping[int, int]
    ) -> int:
        held = _union_of(entering, block.successors)
        if block.last in self._returns:
            held |= returned.get(block.number, 0)
        if block.last in self._edges.calls:
            functions = [passed[first] for first in _called(self._edges, block.last)]
            behind, held = held, 0
            for needs, leaves in functions:
                held |= needs | behind & leaves
        return held


def _through(function: Function, block: Block, both: Sequence[tuple[int, int]], leaving: int) -> tuple[int, list[int]]:
    """What is live before a block, and at each of its instructions, given what is live behind it.

    A uniform value that is written and read under one predicate, which does not change between, is live only from the
    one to the other; so nvdisasm has it, for uniform registers alone.
    """
    held = leaving
    under: dict[str, int] = {}
    rows: list[int] = []
    for number in range(block.last, block.first - 1, -1):
        read, written = both[number]
        predicate = function.instructions[number].predicate
        if under and written & _PREDICATE_BITS:
            for condition in [each for each in under if bit(each) & written]:
                held |= under.pop(condition)
        rows.append(held | _union(under) | read | written)
        if predicate is None:
            held = held & ~written | read
            for condition, kept in under.items():
                under[condition] = kept & ~written
        else:
            conditional = read & _UNIFORM_BITS & ~bit(predicate)
            held |= read & ~conditional
            under[predicate] = under.get(predicate, 0) & ~written | conditional
    return held | _union(under), rows[::-1]


def _union(under: Mapping[str, int]) -> int:
    held = 0
    for kept in under.values():
        held |= kept
    return held
