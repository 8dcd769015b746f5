"""Which tensors a kernel reads and writes, from its Triton IR.

Pointers are followed from the parameters through the text: arithmetic, views, selections, descriptors, loops,
branches and calls. What takes a pointer and is not known here makes the tensors behind it unknown, and an access
through a pointer that comes from elsewhere (an address in memory or in a number) makes all of them unknown.
Masks are not looked at: a load counts although its mask may be all false.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from irscope.ir import ssa
from irscope.ir.flow import ENDS, edges
from irscope.ir.ssa import Function, Operation


@dataclass(frozen=True, slots=True)
class Access:
    """What a kernel does to one tensor. Where it is not ``known``, the others are what could be seen."""

    read: bool = False
    written: bool = False
    #: Read and written by atomic operations; both of the above are set too.
    atomic: bool = False
    known: bool = True

    @property
    def may_read(self) -> bool:
        return self.read or not self.known

    @property
    def may_write(self) -> bool:
        return self.written or not self.known

    @property
    def word(self) -> str:
        """For a reader: ``read and written``, ``atomically changed``, ``not used``, ``unknown``."""
        if not self.known:
            return "unknown"
        if self.atomic:
            return "atomically changed"
        words = [word for word, holds in (("read", self.read), ("written", self.written)) if holds]
        return " and ".join(words) or "not used"


def accesses(text: str, signature: Mapping[str, Any] | None = None) -> dict[str, Access]:
    """By parameter with a tensor behind it (pointer or tensor descriptor), what the kernel does to it.

    Takes TTIR, or TTGIR where there is none (Gluon). ``signature`` is the specialization's: it gives the Python
    names, which the text itself has only since Triton 3.6 (`irscope.ir.ssa.parameter_names`). Elements of a tuple
    are ``name.0``. Text with no kernel in it gives nothing.
    """
    functions = ssa.functions(text)
    kernel = ssa.entry(functions)
    if kernel is None:
        return {}
    memory = [(number, parameter) for number, parameter in enumerate(kernel.parameters) if parameter.is_memory]
    roots = [0] * len(kernel.parameters)
    for bit, (number, _) in enumerate(memory):
        roots[number] = _FIRST << bit
    seen = _Evaluator(functions).call(kernel, tuple(roots)).effects
    elsewhere = bool((seen.read | seen.written | seen.atomic | seen.unknown) & _ELSEWHERE)
    names = ssa.parameter_names(kernel, signature)
    result = {}
    for number, _ in memory:
        bit = roots[number]
        atomic = bool(seen.atomic & bit)
        known = not (elsewhere or seen.unknown & bit)
        result[names[number]] = Access(
            bool(seen.read & bit) or atomic, bool(seen.written & bit) or atomic, atomic, known
        )
    return result


def bytes_moved(accesses: Mapping[str, Access], sizes: Mapping[str, int]) -> int | None:
    """Bytes of the tensors read plus those written, one that is changed in place counted twice.

    The whole of a tensor counts, once, however often the kernel comes back to it and even where it uses a part:
    that is the traffic of an ideal cache, and the usual meaning of an achieved bandwidth. ``None`` where an
    access is not known, or the size of a tensor that is used is missing.
    """
    total = 0
    for name, access in accesses.items():
        if not access.known:
            return None
        times = access.read + access.written
        if times:
            size = sizes.get(name)
            if size is None:
                return None
            total += times * size
    return total


# Pointers are told by a mask: one bit for each parameter of the kernel, and two for what is no parameter.
_ELSEWHERE = 1
_SCRATCH = 2
_FIRST = 4

_READ, _WRITE, _CHANGE = "read", "written", "atomic"
#: What an operation does to the memory behind its first operand.
_MEMORY = {
    "tt.load": _READ,
    "tt.atomic_load": _READ,
    "tt.atomic_poll": _READ,
    "tt.descriptor_load": _READ,
    "tt.descriptor_gather": _READ,
    "tt.experimental_descriptor_load": _READ,
    "tt.experimental_descriptor_gather": _READ,
    "ttg.async_copy_global_to_local": _READ,
    "ttng.async_tma_copy_global_to_local": _READ,
    "ttng.async_tma_gather": _READ,
    "amdg.buffer_load": _READ,
    "amdgpu.buffer_load": _READ,
    "tt.store": _WRITE,
    "tt.atomic_store": _WRITE,
    "tt.descriptor_store": _WRITE,
    "tt.descriptor_scatter": _WRITE,
    "tt.experimental_descriptor_store": _WRITE,
    "tt.experimental_descriptor_scatter": _WRITE,
    "ttng.async_tma_copy_local_to_global": _WRITE,
    "ttng.async_tma_scatter": _WRITE,
    "tt.atomic_rmw": _CHANGE,
    "tt.atomic_cas": _CHANGE,
    "tt.descriptor_reduce": _CHANGE,
    "tt.experimental_descriptor_reduce": _CHANGE,
    "ttng.async_tma_reduce": _CHANGE,
}

#: Their results point to where their operands do.
_PASSES = frozenset(
    (
        "tt.addptr",
        "tt.splat",
        "tt.unsplat",
        "tt.broadcast",
        "tt.expand_dims",
        "tt.reshape",
        "tt.view",
        "tt.trans",
        "tt.cat",
        "tt.join",
        "tt.split",
        "tt.gather",
        "tt.bitcast",
        "tt.ptr_to_int",
        "tt.int_to_ptr",
        "tt.make_tensor_ptr",
        "tt.advance",
        "tt.make_tensor_descriptor",
        "ttg.convert_layout",
        "builtin.unrealized_conversion_cast",
    )
)

#: They look at an address, not at what is there.
_LOOKS = frozenset(("arith.cmpi", "tt.assert", "tt.print", "llvm.intr.assume"))

#: Operations with regions whose values go in and out as the edges below say.
_STRUCTURES = frozenset(
    (
        "scf.for",
        "scf.while",
        "scf.if",
        "ttg.warp_specialize",
        "tt.reduce",
        "tt.scan",
        "tt.map_elementwise",
    )
)

_DESCRIPTOR_FROM_MEMORY = frozenset(("tt.reinterpret_tensor_descriptor", "ttng.reinterpret_tensor_descriptor"))


@dataclass(slots=True)
class _Effects:
    """Masks of what was done, and to what."""

    read: int = 0
    written: int = 0
    atomic: int = 0
    unknown: int = 0

    def add(self, what: str, mask: int) -> None:
        setattr(self, what, getattr(self, what) | mask)

    def include(self, other: _Effects) -> None:
        for what in ("read", "written", "atomic", "unknown"):
            self.add(what, getattr(other, what))


@dataclass(slots=True)
class _Summary:
    """A function, for certain arguments: what it does, and where its results point to."""

    effects: _Effects
    results: list[int]


class _Evaluator:
    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        #: A call is evaluated for its own arguments, so that two uses of one helper stay apart.
        self._known: dict[tuple[str, tuple[int, ...]], _Summary] = {}

    def call(self, function: Function, arguments: tuple[int, ...]) -> _Summary:
        key = (function.name, arguments)
        known = self._known.get(key)
        if known is None:
            # Triton has no recursion; should there be one, what it does stays unknown.
            self._known[key] = _Summary(_Effects(unknown=_union(arguments)), [])
            known = self._known[key] = self._evaluate(function, arguments)
        return known

    def _evaluate(self, function: Function, arguments: tuple[int, ...]) -> _Summary:
        if not function.complete:
            return _Summary(_Effects(unknown=_union(arguments) | _ELSEWHERE), [])
        masks = [0] * function.values
        for parameter, mask in zip(function.parameters, arguments, strict=False):
            masks[parameter.value] = mask
        operations = list(function.body.operations())
        joined = list(edges(function.body))
        # First where the parameters get to; only then is a pointer with no origin known to be a stranger.
        for strangers in (False, True):
            changed = True
            while changed:
                changed = False
                for operation in operations:
                    reached = self._results(operation, masks, function, strangers)
                    for result, mask in zip(operation.results, reached, strict=False):
                        changed |= bool(mask & ~masks[result])
                        masks[result] |= mask
                for source, target in joined:
                    if masks[source] & ~masks[target]:
                        masks[target] |= masks[source]
                        changed = True
        effects = _Effects()
        results: list[int] = []
        for operation in operations:
            self._effect(operation, masks, effects)
            if operation.name == "tt.return":
                returned = [masks[operand] for operand in operation.operands]
                results = [a | b for a, b in zip(returned, results or [0] * len(returned), strict=False)]
        return _Summary(effects, results)

    def _results(self, operation: Operation, masks: list[int], function: Function, strangers: bool) -> Sequence[int]:
        """Where each result of an operation points to."""
        if operation.name in ("tt.call", "call"):
            called = self._called(operation, masks).results
            return called + [_ELSEWHERE] * (len(operation.results) - len(called))
        return [self._result(operation, masks, function, strangers)] * len(operation.results)

    def _result(self, operation: Operation, masks: list[int], function: Function, strangers: bool) -> int:
        name = operation.name
        if not operation.results or name in _STRUCTURES or name in _LOOKS:
            return 0
        if name in _MEMORY:
            # A pointer that was in memory: nobody knows where it leads.
            return _ELSEWHERE if strangers and operation.type.count("!tt.ptr") > 1 else 0
        if name == "ttg.global_scratch_alloc":
            return _SCRATCH
        mask = _union(masks[operand] for operand in operation.operands)
        if name in _DESCRIPTOR_FROM_MEMORY:
            # A parameter that is the descriptor itself, or memory in which one lies, for some other tensor.
            return mask if "tt.nv_tma_desc" in function.header else _ELSEWHERE
        if name == "arith.select":
            mask = _union(masks[operand] for operand in operation.operands[1:])
        if strangers and not mask and name != "ub.poison" and "!tt.ptr" in operation.type:
            return _ELSEWHERE
        return mask

    def _effect(self, operation: Operation, masks: list[int], effects: _Effects) -> None:
        name = operation.name
        if name in ("tt.call", "call"):
            effects.include(self._called(operation, masks).effects)
            return
        union = _union(masks[operand] for operand in operation.operands)
        what = _MEMORY.get(name)
        if what is not None:
            first = masks[operation.operands[0]] if operation.operands else 0
            effects.add(what, first or _ELSEWHERE)
            # A pointer that is stored can be read back anywhere.
            effects.unknown |= _union(masks[operand] for operand in operation.operands[1:])
        elif name in _DESCRIPTOR_FROM_MEMORY:
            effects.read |= union
        elif not (name in _PASSES or name in _LOOKS or name in ENDS or name in _STRUCTURES or name[:6] == "arith."):
            effects.unknown |= union

    def _called(self, operation: Operation, masks: list[int]) -> _Summary:
        function = self._functions.get(operation.symbol or "")
        arguments = tuple([masks[operand] for operand in operation.operands])
        if function is None:
            return _Summary(_Effects(unknown=_union(arguments)), [])
        return self.call(function, arguments)


def _union(masks: Iterable[int]) -> int:
    result = 0
    for mask in masks:
        result |= mask
    return result
