"""Locations in MLIR that the sample kernels do not have, or not with every Triton."""

from __future__ import annotations

import pytest

from irscope.ir import mlir
from irscope.ir.lines import Location

A, B, C = Location("a.py", 1, 2), Location("b.py", 3, 4), Location("c.py", 5, 6)

ALIASES = """\
#loc1 = loc("a.py":1:2)
#late = loc("x"(#loc4))
module {
  %0 = tt.get_program_id x : i32 loc(SPEC)
} loc(#loc1)
#loc4 = loc(#loc2)
#loc2 = loc("b.py":3:4)
#loc3 = loc("c.py":5:6)
#unknown = loc(unknown)
#loop1 = loc(#loop2)
#loop2 = loc("n"(#loop1))
"""


@pytest.mark.parametrize(
    ("spec", "chain"),
    [
        ("#loc1", (A,)),
        ("#late", (B,)),
        ("unknown", ()),
        ("#unknown", ()),
        ("#undefined", ()),
        ("#loop1", ()),
        ("?", ()),
        ('"a.py":1:2', (A,)),
        ('"a.py":1', (Location("a.py", 1),)),
        ('"a.py":1:2 to 3:4', (A,)),
        ('"a.py":1:2 to :9', (A,)),
        ('"name"', ()),
        ('"name"("a.py":1:2)', (A,)),
        ('"outer"("inner"(#loc1))', (A,)),
        ("callsite(#loc1 at #loc2)", (A, B)),
        ("callsite(callsite(#loc1 at #loc2) at #loc3)", (A, B, C)),
        ("callsite(#loc1 at callsite(#loc2 at #loc3))", (A, B, C)),
        ('callsite("f"("a.py":1:2) at "b.py":3:4)', (A, B)),
        ("callsite(unknown at #loc2)", (B,)),
        ("callsite(#loc1 at unknown)", (A,)),
        ("fused[#loc1, #loc2]", (A,)),
        ("fused[#unknown, callsite(#loc1 at #loc2), #loc3]", (A, B)),
        ('fused<"why [not]">[#loc2]', (B,)),
        ("fused<#di<a = <b>>>[#loc2, #loc1]", (B,)),
        ("fused[]", ()),
        ('"a.py":0:0', ()),
        (r'"C:\\Users\\me\\a.py":1:2', (Location(r"C:\Users\me\a.py", 1, 2),)),
        (r'"C:\5CUsers\5Ca.py":1:2', (Location(r"C:\Users\a.py", 1, 2),)),
        (r'"say \22hi\22 (loc).py":1:2', (Location('say "hi" (loc).py', 1, 2),)),
        (r'"n\C3\A9.py":1:2', (Location("né.py", 1, 2),)),
        ('"né.py":1:2', (Location("né.py", 1, 2),)),
    ],
)
def test_a_location_is_read_in_every_form(spec, chain):
    index = mlir.index(ALIASES.replace("SPEC", spec))
    row = next(row for row, line in enumerate(index.lines) if "program_id" in line)
    assert index.chains[row] == chain
    assert index.operations[row]
    (cleaned,) = [line for line in mlir.clean(index).lines if "program_id" in line]
    assert cleaned == "  %0 = tt.get_program_id x : i32"


REGIONS = """\
#loc = loc("a.py":1:1)
#loc9 = loc("a.py":9:1)
#blocked = #ttg.blocked<{sizePerThread = [1]}>
module attributes {"ttg.num-warps" = 4 : i32} {
  tt.func private @declared(i32) loc(#loc9)
  tt.func @f(%a: i32 {tt.divisibility = 16 : i32} loc("a"(#loc)), %b: i32 loc("b"(#loc))) {
    ttg.warp_specialize(%a) attributes {requestedRegisters = array<i32: 24>}
    default {
      ttg.warp_yield loc("a.py":3:1)
    }
    partition0(%c: i32 loc(unknown)) num_warps(4) {
      ttg.warp_return loc("a.py":4:1)
    } : (i32) -> () loc("a.py":2:1)
    %r = "tt.reduce"(%a) <{axis = 0 : i32}> ({
    ^bb0(%x: f32 loc(unknown), %y: f32 loc("a.py":5:7)):
      tt.reduce.return %x : f32 loc("a.py":6:1)
    }) : (tensor<4xf32>) -> f32 loc("a.py":5:1)
    cf.switch %a : i32, [
      default: ^bb1,
      42: ^bb1
    ] loc("a.py":7:1)
  ^bb1:  // 2 preds: ^bb0, ^bb0
    tt.print " loc(#loc) " {hex = false} : %a : i32 loc("a.py":8:1)
    tt.return loc(unknown)
  } loc(#loc9)
} loc(#loc)
"""


def lines_by_text(index):
    return {
        line.split(" loc(")[0].strip(): chain[0].line if chain else None
        for line, chain in zip(index.lines, index.chains, strict=True)
    }


def test_rows_of_an_operation_over_several_rows_share_its_location():
    index = mlir.index(REGIONS)
    lines = lines_by_text(index)
    assert lines["ttg.warp_specialize(%a) attributes {requestedRegisters = array<i32: 24>}"] == 2
    assert lines["default {"] == 2
    assert lines["partition0(%c: i32"] == 2
    assert lines["} : (i32) -> ()"] == 2
    assert lines['%r = "tt.reduce"(%a) <{axis = 0 : i32}> ({'] == 5
    assert lines["^bb0(%x: f32"] == 5
    assert lines["cf.switch %a : i32, ["] == 7
    assert lines["tt.func private @declared(i32)"] == 9
    assert lines["tt.func @f(%a: i32 {tt.divisibility = 16 : i32}"] == 9
    assert lines['module attributes {"ttg.num-warps" = 4 : i32} {'] == 1
    assert lines["tt.return"] is None


def test_operations_are_counted_once_each():
    index = mlir.index(REGIONS)
    assert index.operation_count == 11
    assert index.mapped_count == 10
    assert [index.lines[row].strip() for row in range(len(index.lines)) if index.operations[row]][-1].startswith(
        "tt.return"
    )


def test_clean_text_keeps_everything_but_locations():
    clean = mlir.clean(REGIONS)
    assert clean.lines[0] == "#blocked = #ttg.blocked<{sizePerThread = [1]}>"
    assert "  tt.func @f(%a: i32 {tt.divisibility = 16 : i32}, %b: i32) {" in clean.lines
    assert "    ^bb0(%x: f32, %y: f32):" in clean.lines
    assert '    tt.print " loc(#loc) " {hex = false} : %a : i32' in clean.lines
    assert clean.lines[-1] == "}"
    assert len(clean.lines) == len(REGIONS.splitlines()) - 2


def test_text_without_locations_is_indexed_and_left_as_it_is():
    text = "module {\n  tt.func @f() {\n    tt.return\n  }\n}\n"
    index = mlir.index(text)
    assert (index.operation_count, index.mapped_count) == (3, 0)
    assert mlir.clean(text).lines == text.splitlines()


def test_windows_line_ends():
    index = mlir.index(ALIASES.replace("SPEC", "#late").replace("\n", "\r\n"))
    assert index.chains[3] == (B,)
    assert index.lines[3].endswith("loc(#late)")


@pytest.mark.parametrize("text", ["", "\n", "loc(", "#loc = loc(", "module {", '  %0 = tt.x "', "}\n} loc(#x)"])
def test_damaged_text_is_no_error(text):
    index = mlir.index(text)
    assert len(index.lines) == len(index.chains) == len(index.operations)
    mlir.clean(text)


@pytest.mark.parametrize("link", ["loc(#loc{})", 'loc(callsite("/k/a.py":1:1 at #loc{}))'])
def test_locations_nested_deeper_than_any_compiler_nests_are_no_error(link):
    aliases = "".join(f"#loc{number} = {link.format(number + 1)}\n" for number in range(5000))
    index = mlir.index(f"{aliases}%0 = x.y loc(#loc0)\n%1 = x.y loc(#loc4990)\n")
    assert len(index.chains[5000]) < 5000
    assert index.operation_count == 2


def test_a_row_cut_within_its_locations_keeps_the_rest():
    assert mlir.clean("%0 = x.y loc(#loc1) : i32 loc(callsite(#loc1 at").lines == [
        "%0 = x.y : i32 loc(callsite(#loc1 at"
    ]
    # Looking for the end of each of these would take as many steps for each.
    endless = "%0 = x.y" + " loc(" * 100_000
    assert mlir.clean(endless).lines == [endless]
