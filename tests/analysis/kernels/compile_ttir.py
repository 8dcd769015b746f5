"""Writes OUTPUT/KERNEL.ttir for each kernel beside this file that this Triton can compile: ``compile_ttir.py OUTPUT``.

In a process of its own, as all that imports Triton; with any Triton that irscope supports. Nothing after TTIR is made.
"""

import sys
from pathlib import Path

import dots
import memory
import triton
import triton.language as tl
from triton.backends import backends
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

VERSION = tuple(map(int, triton.__version__.split(".")[:2]))
MISSING = {
    "block_pointers": VERSION >= (3, 9),
    "descriptors": not hasattr(tl, "make_tensor_descriptor"),
    "host_descriptors": not hasattr(tl, "make_tensor_descriptor"),
}
NUMBERS = {"n": "i32", "m": "i32", "flag": "i32", "SIZE": "constexpr"}


class _Enough(Exception):
    """TTIR is there."""


def write_ttir(path, kernel, signature, constants):
    backend = backends["nvidia"].compiler
    plain = backend.make_ttir

    def make_ttir(module, *rest):
        path.write_text(str(plain(module, *rest)), encoding="utf-8")
        raise _Enough

    backend.make_ttir = staticmethod(make_ttir)
    try:
        positions = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
        triton.compile(ASTSource(kernel, signature, positions), target=GPUTarget("cuda", 90, 32))
    except _Enough:
        pass
    finally:
        backend.make_ttir = staticmethod(plain)


def main(output):
    for name, signature in memory.SIGNATURES.items():
        constants = {"BLOCK": 32} if "BLOCK" in signature else {}
        if not MISSING.get(name):
            write_ttir(output / f"{name}.ttir", getattr(memory, name), signature, constants)
    pointers = {"x_ptr": "*fp32", "out_ptr": "*fp32"}
    for name in dots.KERNELS:
        size = 128 if name == "scaled" else 32
        for precision in ("tf32", "tf32x3", "ieee") if name == "precisions" else ("",):
            more = {"PRECISION": precision} if precision else {}
            signature = {**pointers, **NUMBERS, **dict.fromkeys(more, "constexpr")}
            path = output / f"{'_'.join(filter(None, (name, precision)))}.ttir"
            write_ttir(path, getattr(dots, name), signature, {"SIZE": size, **more})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
