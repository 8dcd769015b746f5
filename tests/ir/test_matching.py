"""Texts of one stage matched row to row, and what tells where unlocated rows belong."""

from __future__ import annotations

from irscope import ir
from irscope.ir.assembly import value_rows
from irscope.ir.constants import constants
from irscope.ir.matching import match
from irscope.ir.uses import block_copies, served, users

PLAIN = """\
#loc = loc("k.py":3:1)
module {
  tt.func @k(%x: i32 loc("x"(#loc))) {
    %0 = scf.for %i = %x to %x step %x iter_args(%acc = %x) -> (i32) : i32 {
      %1 = arith.addi %acc, %i : i32 loc(#loc1)
      scf.yield %1 : i32 loc(#loc1)
    } loc(#loc1)
    %1 = arith.muli %0, %x : i32 loc(#loc)
    tt.return loc(#loc)
  } loc(#loc)
} loc(#loc)
#loc1 = loc("k.py":4:1)
"""


def test_names_and_locations_make_no_difference() -> None:
    renamed = (
        PLAIN.replace("%acc", "%arg7").replace("#loc1", "#loc9").replace("%1 = arith.muli", "%product = arith.muli")
    )
    renamed = "#loc12 = loc(unknown)\n" + renamed
    found = match("ttir", ir.index("ttir", renamed), ir.index("ttir", PLAIN))
    assert found.reason is None
    assert found.rows == {row: row - 1 for row in range(2, 12)}


def test_other_operands_make_a_difference_and_the_rest_still_matches() -> None:
    for change in (("arith.muli %0, %x", "arith.muli %x, %0"), ("arith.addi", "arith.subi")):
        found = match("ttir", ir.index("ttir", PLAIN.replace(*change)), ir.index("ttir", PLAIN))
        assert found.reason == "1 of 10 rows differ"
        assert len(found.rows) == 9


def test_a_name_that_is_used_again_after_its_region_is_another_value() -> None:
    once_more = PLAIN.replace("%1 = arith.muli %0, %x", "%2 = arith.muli %0, %x")
    assert match("ttir", ir.index("ttir", once_more), ir.index("ttir", PLAIN)).reason is None


def test_constants_are_found_by_value_and_type_without_their_layout() -> None:
    above = constants(ir.index("ttir", "  %c = arith.constant dense<1> : tensor<8xi32> loc(#loc)\n"))
    tensor = "  %c_1 = arith.constant dense<1> : tensor<8xi32, #blocked> loc(#loc2)\n"
    below = constants(ir.index("ttgir", f"{tensor}  %c1_i32 = arith.constant 1 : i32 loc(#loc)\n"))
    assert list(above) == ["dense<1> : tensor<8xi32>"]
    assert list(below) == ["dense<1> : tensor<8xi32>", "1 : i32"]


LLVM = """\
define void @k(ptr %0) {
  %2 = load i32, ptr %0
  %3 = shl i32 %2, 1
  %4 = add i32 %3, 7
  %5 = mul i32 %3, %2
  store i32 %4, ptr %0
  store i32 %5, ptr %0
  br label %6
}
define void @other(ptr %0) {
  %2 = load i32, ptr %0
  ret void
}
"""


def test_uses_stay_within_a_function() -> None:
    found = users(ir.index("llir", LLVM), "llvm")
    assert {row: sorted(rows) for row, rows in found.items() if rows} == {1: [2, 4], 2: [3, 4], 3: [5], 4: [6]}


def test_an_instruction_serves_what_uses_its_value_and_not_too_many() -> None:
    index = ir.index("llir", LLVM)
    known = {5: (50,), 6: (60,)}
    assert served(index, "llvm", known, lambda row: (row,)) == {
        1: (50, 60), 2: (50, 60), 3: (50,), 4: (60,)
    }  # fmt: skip
    assert served(index, "llvm", known, lambda row: range(row, row + 5)) == {}


PTX = """\
.visible .entry k()
{
	.loc	1 2 1
	ld.global.b32 	%r1, [%rd1];
	.loc	1 0 0
	shl.b32 	%r2, %r1, 1;
$L__tmp0:
	//DEBUG_VALUE: k:row3 <- %7
	//DEBUG_VALUE: k:row5 <- undef
	mov.b32 	%r9, 0;
	bra 	$L__BB0_1;
$L__BB0_1:
	//DEBUG_VALUE: k:row4 <- %9
	add.s32 	%r3, %r2, 7;
	ret;
}
"""


def test_notes_of_values_locate_what_was_moved() -> None:
    index = ir.index("ptx", '\t.file 1 "k.llir"\n' + PTX)
    assert value_rows(index) == {6: (2,)}


def test_copies_at_the_end_of_a_block_belong_to_its_branch() -> None:
    index = ir.index("ptx", PTX)
    assert block_copies(index, ir.index("llir", LLVM), {3: (1,), 5: (2,)}) == {9: (7,)}
    assert block_copies(index, ir.index("llir", LLVM), {}) == {}
