"""LLVM IR that the sample kernels do not have, or not with every Triton."""

from __future__ import annotations

import pytest

from irscope.ir import llvm
from irscope.ir.lines import Location

TEXT = r"""
@global_smem = external addrspace(3) global [0 x i8], align 16

define void @kernel(i32 %0) !dbg !4 {
  %2 = add i32 %0, 1, !dbg !6
  call void @llvm.dbg.value(metadata i32 %2, metadata !20, metadata !DIExpression()), !dbg !6
    #dbg_value(i32 %2, !20, !DIExpression(), !6)
  switch i32 %2, label %other [
    i32 0, label %zero
    i32 1, label %one
  ], !dbg !7

zero:                                             ; preds = %1
  invoke void @helper()
          to label %one unwind label %other, !dbg !8

one:
  %3 = call i32 asm sideeffect "mov.u32 $0, %tid.x; // !dbg", "=r"(), !dbg !9, !srcloc !30
  br label %other, !llvm.loop !31

other:
  ; a comment
  ret void, !dbg !10
}

declare void @helper() #1

attributes #1 = { nounwind }

!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2, !40}
!nvvm.annotations = !{!41}

!0 = distinct !DICompileUnit(language: DW_LANG_C, file: !1, producer: "triton", emissionKind: LineTablesOnly)
!1 = !DIFile(filename: "kernel \22a\22.py", directory: "C:\\work\\x")
!2 = !{i32 2, !"Debug Info Version", i32 3}
!3 = !{null}
!4 = distinct !DISubprogram(name: "kernel", scope: !1, file: !1, line: 4, type: !5, unit: !0)
!5 = !DISubroutineType(types: !3)
!6 = !DILocation(line: 10, column: 3, scope: !4)
!7 = !DILocation(line: 11, scope: !11)
!8 = !DILocation(line: 12, column: 1, scope: !12, inlinedAt: !13)
!9 = !DILocation(line: 0, scope: !12, inlinedAt: !13)
!10 = !DILocation(line: 0, scope: !4)
!11 = distinct !DILexicalBlock(scope: !4, line: 10)
!12 = distinct !DILexicalBlockFile(scope: !4, file: !14, discriminator: 0)
!13 = !DILocation(line: 20, column: 2, scope: !15, inlinedAt: !16)
!14 = !DIFile(filename: "/lib/helper.py", directory: "/ignored")
!15 = !DISubprogram(name: "mid", file: !17, line: 3)
!16 = !DILocation(line: 30, column: 7, scope: !4)
!17 = !DIFile(filename: "mid.py", directory: "/lib/")
!20 = !DILocalVariable(name: "x", scope: !4, file: !1, line: 10)
!30 = !{i64 5}
!31 = distinct !{!31, !6}
!40 = !{i32 4, !"nvvm-reflect-ftz", i32 1}
!41 = !{ptr @kernel, !"maxntid", i32 128}
"""

KERNEL = 'C:\\work\\x\\kernel "a".py'


def rows(part, index):
    return [row for row, line in enumerate(index.lines) if part in line]


def chain(part):
    index = llvm.index(TEXT)
    return index.chains[rows(part, index)[0]]


def test_scopes_lead_to_files_and_call_sites():
    assert chain("%2 = add") == (Location(KERNEL, 10, 3),)
    assert chain("invoke void") == (
        Location("/lib/helper.py", 12, 1),
        Location("/lib/mid.py", 20, 2),
        Location(KERNEL, 30, 7),
    )
    assert chain("define void") == (Location(KERNEL, 4),)


def test_instructions_over_several_rows_have_the_location_of_the_last():
    index = llvm.index(TEXT)
    (start,) = rows("switch i32", index)
    assert {index.chains[row] for row in range(start, start + 4)} == {(Location(KERNEL, 11),)}
    assert [index.operations[row] for row in range(start, start + 4)] == [1, 0, 0, 0]


def test_line_zero_is_no_place_but_its_call_sites_are():
    assert chain("asm sideeffect") == (Location("/lib/mid.py", 20, 2), Location(KERNEL, 30, 7))
    assert chain("ret void") == ()


def test_debug_records_are_no_operations():
    index = llvm.index(TEXT)
    operations = [index.lines[row].split()[0] for row in range(len(index.lines)) if index.operations[row]]
    assert operations == ["%2", "switch", "invoke", "%3", "br", "ret"]
    assert index.mapped_count == 4


def test_clean_text_keeps_all_that_is_not_debug_information():
    lines = llvm.clean(TEXT).lines
    assert "define void @kernel(i32 %0) {" in lines
    assert "  ]" in lines
    assert '  %3 = call i32 asm sideeffect "mov.u32 $0, %tid.x; // !dbg", "=r"(), !srcloc !30' in lines
    assert "  br label %other, !llvm.loop !31" in lines
    assert "declare void @helper() #1" in lines
    assert "attributes #1 = { nounwind }" in lines
    metadata = [line.split(" ")[0] for line in lines if line.startswith("!")]
    assert metadata == ["!llvm.module.flags", "!nvvm.annotations", "!30", "!31", "!40", "!41"]
    assert not [line for line in lines if "dbg" in line and "//" not in line]


def test_metadata_that_leads_to_itself_or_nowhere_is_unmapped():
    text = (
        "define void @f() {\n  ret void, !dbg !1\n  unreachable, !dbg !9\n}\n"
        "!1 = !DILocation(line: 3, scope: !2, inlinedAt: !1)\n!2 = !DILexicalBlock(scope: !2)\n"
    )
    index = llvm.index(text)
    assert (index.operation_count, index.mapped_count) == (2, 0)


@pytest.mark.parametrize("link", ["!DILocation(line: 2, scope: !1, inlinedAt: !{})", "!DILexicalBlock(scope: !{})"])
def test_metadata_nested_deeper_than_any_compiler_nests_is_no_error(link):
    nodes = "".join(f"!{number} = {link.format(number + 1)}\n" for number in range(3, 5000))
    head = "define void @k() {\n  ret void, !dbg !2\n}\n"
    text = f"{head}!1 = !DISubprogram(file: !0, line: 1)\n!2 = !DILocation(line: 9, scope: !3, inlinedAt: !3)\n{nodes}"
    index = llvm.index(text)
    assert len(index.chains[1]) < 5000
    assert index.operation_count == 1
