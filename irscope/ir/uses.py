"""Which rows use the values that a row computes, in LLVM IR and in PTX.

Names are enough: LLVM IR assigns each once, and PTX's virtual registers nearly so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from typing import TypeAlias

from irscope.ir.lines import StageIndex

#: Names that a row defines, names that it uses.
_Names: TypeAlias = tuple[Sequence[str], Sequence[str]]

_LLVM_VALUE = re.compile(r'%(?:"[^"]*"|[\w$.-]+)')
_LLVM_RESULT = re.compile(r'  (%(?:"[^"]*"|[\w$.-]+)) = ')
_PTX_REGISTER = re.compile(r"%[a-z]+\d+")
_PTX_INSTRUCTION = re.compile(r"\s*(?:\{\s*)?(?:@!?(%p\d+)\s+)?([a-z][\w.:]*)\s+(\{[^}]*\}|[^,;]*)(.*)")
#: Instructions whose first operand is no result.
_NO_RESULT = ("st.", "bra", "ret", "red.", "bar", "cp.", "wgmma.", "prefetch", "mbarrier.", "fence", "membar", "call")

#: A value that serves more rows than these of the stage after next is no part of any of them.
MOST_USERS = 4


def users(index: StageIndex, language: str) -> Mapping[int, Set[int]]:
    """By row of an instruction, the rows that use a value of it; function by function."""
    read = _llvm_names if language == "llvm" else _ptx_names
    found: defaultdict[int, set[int]] = defaultdict(set)
    definitions: defaultdict[str, list[int]] = defaultdict(list)
    uses: defaultdict[str, list[int]] = defaultdict(list)

    def join() -> None:
        for name, rows in definitions.items():
            for row in rows:
                found[row].update(uses.get(name, ()))
        definitions.clear()
        uses.clear()

    for row, line in enumerate(index.lines):
        if index.operations[row]:
            defined, used = read(line)
            for name in defined:
                definitions[name].append(row)
            for name in used:
                uses[name].append(row)
        elif line == "}":
            join()
    join()
    return found


def _llvm_names(line: str) -> _Names:
    result = _LLVM_RESULT.match(line)
    if result is None:
        return (), _LLVM_VALUE.findall(line)
    return (result[1],), _LLVM_VALUE.findall(line, result.end())


def _ptx_names(line: str) -> _Names:
    parts = _PTX_INSTRUCTION.match(line)
    if parts is None or parts[2].startswith(_NO_RESULT):
        return (), _PTX_REGISTER.findall(line)
    guard, _, result, rest = parts.groups()
    return _PTX_REGISTER.findall(result), [*_PTX_REGISTER.findall(rest), *([guard] if guard else [])]


def served(
    index: StageIndex,
    language: str,
    known: Mapping[int, Sequence[int]],
    meaning: Callable[[int], Sequence[int]],
) -> dict[int, tuple[int, ...]]:
    """For instructions that are not in ``known``, the upper rows of those that their values are computed for.

    Followed from use to use as far as the first instructions that ``known`` has. Left out is what serves more than
    `MOST_USERS` rows of the stage that ``meaning`` leads an upper row to.
    """
    by_row = users(index, language)
    found = {}
    for row, is_operation in enumerate(index.operations):
        if not is_operation or row in known or row not in by_row:
            continue
        uppers: set[int] = set()
        seen = {row}
        waiting = [row]
        while waiting:
            for user in by_row.get(waiting.pop(), ()):
                if user in known:
                    uppers.update(known[user])
                elif user not in seen:
                    seen.add(user)
                    waiting.append(user)
        if uppers and len({far for upper in uppers for far in meaning(upper)}) <= MOST_USERS:
            found[row] = tuple(sorted(uppers))
    return found


_TERMINATOR = re.compile(r"  (?:br|switch|indirectbr|ret|unreachable)\b")
_PTX_BLOCK = re.compile(r"\$L__BB\d+_\d+:|// %bb\.\d+:")
_PTX_COPY = re.compile(r"\s*mov\.[a-z]\d+\s")


def block_copies(ptx: StageIndex, llvm: StageIndex, known: Mapping[int, Sequence[int]]) -> dict[int, tuple[int, ...]]:
    """For copies in the PTX that are not in ``known``, the instruction that ends their block in the LLVM IR.

    Code generation puts them there, for the values that the next block takes up (its phis).
    """
    ends: dict[int, int] = {}
    end: int | None = None
    for row in range(len(llvm.lines) - 1, -1, -1):
        if llvm.operations[row]:
            end = row if _TERMINATOR.match(llvm.lines[row]) else end
            if end is not None:
                ends[row] = end
    found: dict[int, tuple[int, ...]] = {}
    copies: list[int] = []
    end = None

    def settle() -> None:
        if end is not None:
            found.update(dict.fromkeys(copies, (end,)))
        copies.clear()

    for row, line in enumerate(ptx.lines):
        if ptx.operations[row]:
            if row in known:
                end = max([ends[upper] for upper in known[row] if upper in ends], default=end)
            elif _PTX_COPY.match(line):
                copies.append(row)
        elif _PTX_BLOCK.match(line):
            settle()
            end = None
    settle()
    return found
