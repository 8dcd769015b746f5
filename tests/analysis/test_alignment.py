"""What is known of neighbouring elements, on Triton IR as text; that it predicts widths is tested with the verdicts."""

from __future__ import annotations

from collections.abc import Callable

from samples import SAMPLES

from irscope.analysis.alignment import Alignment, Assumption
from irscope.analysis.axes import Axes, pointee_bits, shape_of
from irscope.ir import ssa
from irscope.ir.ssa import Function, Operation
from irscope.model import Compilation

TTIR = """
module {
  tt.func public @kernel(%x: !tt.ptr<f16> {tt.divisibility = 16 : i32}, %n: i32, %s: i32 {tt.divisibility = 16 : i32}) {
    %c0 = arith.constant 0 : i32
    %c12 = arith.constant dense<12> : tensor<64xi32>
    %c64 = arith.constant 64 : i32
    %at = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
    %n_all = tt.splat %n : i32 -> tensor<64xi32>
    %mask = arith.cmpi slt, %at, %n_all : tensor<64xi32>
    %twelve = arith.cmpi slt, %at, %c12 : tensor<64xi32>
    %halves = arith.divsi %at, %c12 : tensor<64xi32>
    %x_all = tt.splat %x : !tt.ptr<f16> -> tensor<64x!tt.ptr<f16>>
    %first = tt.addptr %x_all, %at : tensor<64x!tt.ptr<f16>>, tensor<64xi32>
    %hinted = arith.muli %n, %c64 {tt.divisibility = dense<8> : tensor<1xi32>} : i32
    %last = scf.for %i = %c0 to %n step %c64 iter_args(%p = %first) -> (tensor<64x!tt.ptr<f16>>)  : i32 {
      %v = tt.load %p, %mask : tensor<64x!tt.ptr<f16>>
      %s_all = tt.splat %s : i32 -> tensor<64xi32>
      %next = tt.addptr %p, %s_all : tensor<64x!tt.ptr<f16>>, tensor<64xi32>
      scf.yield %next : tensor<64x!tt.ptr<f16>>
    }
    %down = tt.expand_dims %at {axis = 1 : i32} : tensor<64xi32> -> tensor<64x1xi32>
    %tile = tt.broadcast %down : tensor<64x1xi32> -> tensor<64x32xi32>
    tt.store %last, %v2, %twelve : tensor<64x!tt.ptr<f16>>
    tt.return
  }
}
"""


def made(function: Function, start: str) -> Operation:
    (found,) = [operation for operation in function.body.operations() if operation.text.startswith(start)]
    return found


def axes(start: str, assumptions: dict[int, Assumption] | None = None) -> Axes | None:
    function = ssa.functions(TTIR)["kernel"]
    (value,) = made(function, start).results
    return Alignment(function, [value]).axes(value, assumptions)


def test_indices() -> None:
    assert axes("tt.make_range") == Axes((64,), (1 << 62,), (1,))
    # Only the first of a column of indices is 0: none of the others is divisible by anything.
    assert axes("tt.expand_dims") == Axes((64, 1), (1 << 62, 1), (1, 1))
    assert axes("tt.broadcast") == Axes((64, 1), (1 << 62, 1), (1, 32))
    assert axes("arith.divsi") == Axes((1,), (1,), (4,))


def test_masks() -> None:
    mask = "arith.cmpi slt, %at, %n_all"
    known, assumed = axes(mask), axes(mask, {1: Assumption(16)})
    assert known and assumed and (known.constancy, assumed.constancy) == ((1,), (16,))
    twelve = axes("arith.cmpi slt, %at, %c12")
    assert twelve and twelve.constancy == (4,)


def test_a_hint_has_the_last_word() -> None:
    hinted = axes("arith.muli")
    assert hinted and hinted.divisibility == (8,)


def test_a_pointer_that_a_loop_carries() -> None:
    """It starts at a multiple of 16 bytes, and each step is a multiple of 16 elements."""
    function = ssa.functions(TTIR)["kernel"]
    load = made(function, "tt.load")
    alignment = Alignment(function, load.operands)
    found = alignment.axes(load.operands[0])
    assert found == Axes((64,), (16,), (1,)) and found.aligned_elements(16) == 8
    assert alignment.bases(load.operands[0]) == [0]
    assert alignment.parameters(load.operands[1]) == [1]
    assert not alignment.from_memory(load.operands[0])
    one = alignment.axes(load.operands[0], {2: Assumption(value=1)})
    assert one is not None and one.aligned_elements(16) == 1


def test_types() -> None:
    assert shape_of("tensor<4x8x!tt.ptr<f16>, #blocked>") == (4, 8) and shape_of("i32") == ()
    bits = {type_: pointee_bits(f"!tt.ptr<{type_}>") for type_ in ("f16", "bf16", "f32", "i8", "i1", "f8E4M3FN", "i64")}
    assert bits == {"f16": 16, "bf16": 16, "f32": 32, "i8": 8, "i1": 1, "f8E4M3FN": 8, "i64": 64}


def test_real_kernels(compiled_sample: Callable[..., Compilation]) -> None:
    matmul = compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", "sm_90")
    function = ssa.entry(ssa.functions(matmul.text("ttir")))
    assert function is not None
    names = ssa.parameter_names(function, matmul.specialization.signature)
    bases = []
    for operation in function.body.operations():
        if operation.name in ("tt.load", "tt.store"):
            alignment = Alignment(function, operation.operands[:1])
            found = alignment.axes(operation.operands[0])
            assert found is not None and found.fastest == 1 and found.aligned_elements(16) == 8
            bases += [names[number] for number in alignment.bases(operation.operands[0])]
    assert bases == ["a_ptr", "b_ptr", "c_ptr"]
