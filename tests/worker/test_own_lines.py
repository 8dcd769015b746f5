"""LLVM IR that names its own lines; the compiler's reading of it is tested in ``tests/test_exact.py``."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from irscope import ir

# The worker's package needs Triton; this module of it does not.
_SPEC = importlib.util.spec_from_file_location("own_lines", Path(ir.__file__).parent.parent / "worker" / "own_lines.py")
assert _SPEC is not None
assert _SPEC.loader is not None
own_lines = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(own_lines)
type_of: Callable[[str, str], str | None] = own_lines.type_of

TEXT = """\
define void @k(i32 %0) !dbg !4 {
  %2 = add nsw i32 %0, 1, !dbg !7
    #dbg_value(i32 %2, !9, !DIExpression(), !7)
  switch i32 %2, label %5 [
    i32 1, label %4
  ], !dbg !8

4:
  br label %5

5:
  %6 = phi i32 [ 1, %1 ], [ 2, %4 ]
  %7 = phi <2 x float> [ zeroinitializer, %1 ], [ zeroinitializer, %4 ]
  ret void
}

!llvm.module.flags = !{!0}
!llvm.dbg.cu = !{!1}

!0 = !{i32 2, !"Debug Info Version", i32 3}
!1 = distinct !DICompileUnit(language: DW_LANG_C, file: !2)
"""


def test_every_instruction_names_its_own_row() -> None:
    made = own_lines.with_own_lines(TEXT, "snapshot.llir")
    index, plain = ir.index("llir", made), ir.index("llir", TEXT)
    lines = [chain[0].line for row, chain in enumerate(index.chains) if index.operations[row]]
    assert lines == [2, 6, 9, 12, 13, 14]
    assert {chain[0].file for chain in index.chains if chain} == {"snapshot.llir"}
    assert ir.clean("llir", index).lines[:13] == ir.clean("llir", plain).lines[:13]
    # Records of phis come after all of them.
    records = [row.split()[0] for row in made.split("\n") if " = phi " in row or "#dbg_value" in row]
    assert [record.partition("(")[0] for record in records] == ["#dbg_value", "%6", "%7", "#dbg_value", "#dbg_value"]


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("add nuw nsw i32 %1, 2", "i32"),
        ("fmul contract <4 x float> %1, %2", "<4 x float>"),
        ("zext nneg i32 %1 to i64", "i64"),
        ("sext <8 x i32> %1 to <8 x i64>", "<8 x i64>"),
        ("icmp slt i32 %1, %2", "i1"),
        ("icmp samesign ult i32 %1, %2", "i1"),
        ("fcmp olt <4 x float> %1, %2", "<4 x i1>"),
        ("getelementptr inbounds nuw i8, ptr addrspace(3) @s, i32 %1", "ptr addrspace(3)"),
        ("getelementptr [4 x i8], ptr addrspace(1) %1, i64 %2", "ptr addrspace(1)"),
        ("getelementptr float, ptr %1, <2 x i64> %2", None),
        ("select i1 %1, i32 16, i32 0", "i32"),
        ("extractelement <4 x i32> %1, i64 0", "i32"),
        ("insertelement <2 x i32> poison, i32 %1, i64 0", "<2 x i32>"),
        ("shufflevector <4 x float> %1, <4 x float> poison, <8 x i32> zeroinitializer", "<8 x float>"),
        ("extractvalue { i32, float } %1, 1", "float"),
        ("extractvalue { { i32 }, float } %1, 1", None),
        ("tail call float @llvm.maxnum.f32(float %1, float %2)", "float"),
        ('call { i32, i32 } asm sideeffect "x", "=r"(i32 %1)', None),
        ("atomicrmw add ptr addrspace(3) %1, i32 1 monotonic, align 4", None),
    ],
)
def test_types_of_results(instruction: str, expected: str | None) -> None:
    operation, _, rest = instruction.partition(" ")
    assert type_of(operation, rest) == expected
