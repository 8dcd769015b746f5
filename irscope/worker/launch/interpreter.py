"""Triton's interpreter, by what every version of it has: programs, accesses of memory and products can be watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def on_grid(grid: tuple[int, ...], begin: Callable[[int], tuple[int, ...]]) -> Iterator[None]:
    """Within, a launch of an InterpretedFunction on a grid ``(n, 1, 1)`` runs ``n`` programs of ``grid``.

    ``begin`` is called before each with its number, and returns which program of ``grid`` it is to be. It may raise
    a BaseException to end the launch; arguments on the CPU hold what has been written until then.
    """
    from triton.runtime import interpreter

    builder = interpreter.interpreter_builder
    set_position, set_grid = builder.set_grid_idx, builder.set_grid_dim
    builder.set_grid_idx = lambda x, y, z: set_position(*begin(x))
    builder.set_grid_dim = lambda *_: set_grid(*grid)
    try:
        yield
    finally:
        del builder.set_grid_idx, builder.set_grid_dim


@contextmanager
def accesses(observer: Callable[[str, Any, Any, int], None]) -> Iterator[None]:
    """Within, the interpreter tells each access of memory before it makes it.

    ``observer`` gets "load", "store" or "atomic", numpy arrays of addresses and of the mask (or ``None``), and the
    bytes of an element. In every version they pass through these four functions of a C++ module.
    """
    import numpy
    from triton.runtime import interpreter

    memory = interpreter._interpreter

    class Observed:
        def __getattr__(self, name: str) -> Any:
            return getattr(memory, name)

        def load(self, pointers: Any, mask: Any, other: Any, dtype: Any) -> Any:
            observer("load", pointers, mask, numpy.dtype(dtype).itemsize)
            return memory.load(pointers, mask, other, dtype)

        def store(self, pointers: Any, value: Any, mask: Any) -> Any:
            observer("store", pointers, mask, value.dtype.itemsize)
            return memory.store(pointers, value, mask)

        def atomic_cas(self, pointers: Any, expected: Any, value: Any, order: Any) -> Any:
            observer("atomic", pointers, None, value.dtype.itemsize)
            return memory.atomic_cas(pointers, expected, value, order)

        def atomic_rmw(self, operation: Any, pointers: Any, value: Any, mask: Any, order: Any) -> Any:
            observer("atomic", pointers, mask, value.dtype.itemsize)
            return memory.atomic_rmw(operation, pointers, value, mask, order)

    interpreter._interpreter = Observed()
    try:
        yield
    finally:
        interpreter._interpreter = memory


#: Triton's names of the element types of products, as torch has them.
_TORCH_NAMES = {
    "fp64": "float64", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16",
    "fp8e4nv": "float8_e4m3fn", "fp8e5": "float8_e5m2",
}  # fmt: skip


@contextmanager
def products(observer: Callable[[str], None]) -> Iterator[None]:
    """Within, each matrix product in the interpreter tells the element type of its operands, in torch's names.

    Of fp32 operands that a GPU may round to tf32, ``"tf32"``.
    """
    from triton.runtime import interpreter

    builder = interpreter.interpreter_builder
    create_dot = builder.create_dot

    def observed(a: Any, b: Any, d: Any, precision: Any, *rest: Any) -> Any:
        for operand in (a, b):
            name = str(operand.dtype.scalar)
            tf32 = name == "fp32" and str(precision).upper().endswith("TF32")
            observer("tf32" if tf32 else _TORCH_NAMES.get(name, name))
        return create_dot(a, b, d, precision, *rest)

    builder.create_dot = observed
    try:
        yield
    finally:
        del builder.create_dot


@contextmanager
def repaired() -> Iterator[None]:
    """Within, older interpreters work with newer numpy: from 2.4 on it takes no array of one element as a number."""
    from triton.runtime import interpreter

    patch = interpreter._patch_lang_tensor

    def patch_index(tensor: Any, *scope: Any) -> None:
        patch(tensor, *scope)
        tensor.__index__ = lambda scalar: int(scalar.handle.data.item())

    interpreter._patch_lang_tensor = patch_index
    try:
        yield
    finally:
        interpreter._patch_lang_tensor = patch


@contextmanager
def before_each_program(callback: Callable[[], None]) -> Iterator[None]:
    """Within, the interpreter calls this before each program of whatever is launched; it may raise."""
    from triton.runtime import interpreter

    builder = interpreter.interpreter_builder
    set_position = builder.set_grid_idx

    def begin(x: int, y: int, z: int) -> None:
        callback()
        set_position(x, y, z)

    builder.set_grid_idx = begin
    try:
        yield
    finally:
        del builder.set_grid_idx
