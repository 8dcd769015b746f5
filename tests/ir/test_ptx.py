"""PTX that the sample kernels do not have, or not with every Triton."""

from __future__ import annotations

from irscope.ir import ptx
from irscope.ir.lines import Location

TEXT = r"""
.version 8.7
.target sm_90a
.address_size 64
.extern .func  (.param .b32 func_retval0) vprintf
(
	.param .b64 vprintf_param_0
)
;
.global .align 1 .b8 text[3] = {112, 105, 0};
.visible .entry kernel(
	.param .u64 .ptr .global .align 1 kernel_param_0
)
.reqntid 128
{
	.reg .pred 	%p<41>;
	.local .align 8 .b8 	__local_depot0[16];
	.loc	1 4 0                           // a.py:4:0
$L__func_begin0:
	ld.param.b64 	%rd15, [kernel_param_0];
$L__tmp0:
	.loc	1 7 13                          // a.py:7:13
	.loc	2 43 5, function_name $L__info_string0, inlined_at 1 7 13 // b.py:43:5
	.loc	3 9 1, function_name $L__info_string1, inlined_at 2 43 5 // c.py:9:1
	add.s32 	%r1, %r2, 127;
	.loc	3 9 2 is_stmt 0                 // c.py:9:2 @[ b.py:43:5 @[ a.py:7:13 ] ]
	@%p1 bra 	$L__BB0_2;
$L__BB0_2:                              // %loop
	.loc	1 0 0                           // a.py:0:0
	mov.b32 	%r3, 0;
	.loc	1 8 1                           // a.py:8:1
	// begin inline asm
	{
	.reg .pred complete;
	waitLoop:
	mbarrier.try_wait.parity.shared::cta.b64 complete, [%r1], %r2;
	@!complete bra.uni waitLoop;
	}
	// end inline asm
	{ .reg .b32 t; mov.b32 t, 1; }
	.local .b8 scratch[4];
	{ // callseq 0, 0
	.param .b32 param0;
	call.uni (retval0),
	helper,
	(
	param0
	);
	} // callseq 0
	wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%r1,
	%r2}, %rd1, 1;
	ret;
$L__tmp1:
$L__func_end0:
}
.func helper(
	.param .b32 helper_param_0
)
{
	ret;
}
	.file	1 "/k/a.py"
	.file	2 "C:\\lib\\b.py"
	.file	3 "/k/n\303\251{.py"
	.section	.debug_abbrev
	{
.b8 1                                   // Abbreviation Code
not_an_instruction;
	}
	.section	.debug_macinfo	{	}
"""

A, B = Location("/k/a.py", 7, 13), Location("C:\\lib\\b.py", 43, 5)


def row_of(part, index):
    return next(row for row, line in enumerate(index.lines) if part in line)


def chain(part):
    index = ptx.index(TEXT)
    return index.chains[row_of(part, index)]


def test_call_sites_from_operands_and_from_comments():
    assert chain("add.s32") == (Location("/k/né{.py", 9, 1), B, A)
    # Base names in a comment are completed from the file table.
    assert chain("@%p1 bra") == (Location("/k/né{.py", 9, 2), B, A)


def test_a_location_holds_until_the_next_and_line_zero_is_none():
    assert chain("ld.param") == (Location("/k/a.py", 4),)
    assert chain("mov.b32 	%r3") == ()
    assert chain("	ret;") == (Location("/k/a.py", 8, 1),)
    index = ptx.index(TEXT)
    assert index.chains[len(index.lines) - 1 - index.lines[::-1].index("	ret;")] == ()


def test_instructions_are_told_from_all_else():
    index = ptx.index(TEXT)
    operations = [line.strip() for row, line in enumerate(index.lines) if index.operations[row]]
    assert operations == [
        "ld.param.b64 	%rd15, [kernel_param_0];",
        "add.s32 	%r1, %r2, 127;",
        "@%p1 bra 	$L__BB0_2;",
        "mov.b32 	%r3, 0;",
        "mbarrier.try_wait.parity.shared::cta.b64 complete, [%r1], %r2;",
        "@!complete bra.uni waitLoop;",
        "{ .reg .b32 t; mov.b32 t, 1; }",
        "call.uni (retval0),",
        "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%r1,",
        "ret;",
        "ret;",
    ]
    assert index.mapped_count == 9


def test_further_rows_of_an_instruction_are_mapped():
    index = ptx.index(TEXT)
    call = row_of("call.uni", index)
    assert {index.chains[row] for row in range(call, call + 5)} == {(Location("/k/a.py", 8, 1),)}
    assert index.chains[row_of("%r2}", index)]


def test_clean_text():
    lines = ptx.clean(TEXT).lines
    text = "\n".join(lines)
    assert ".loc\t" not in text
    assert "	.local .align 8 .b8 	__local_depot0[16];" in lines
    assert ".file" not in text
    assert "debug" not in text
    assert "$L__tmp" not in text
    assert "$L__func" not in text
    assert "$L__BB0_2:                              // %loop" in lines
    assert "	.reg .pred complete;" in lines
    assert lines[-1] == "}"
    assert lines[0] == ".version 8.7"


def test_a_call_site_is_what_its_place_meant_last():
    """One place is plain code, then inlined, then plain again: code inlined there has no third frame."""
    plain = "\t.loc\t1 7 13\n"
    text = (
        '\t.file 1 "/k/a.py"\n\t.file 2 "/k/b.py"\n\t.file 3 "/k/c.py"\n.visible .entry kernel()\n{\n'
        f"{plain}\tret;\n\t.loc\t1 7 13, function_name $L, inlined_at 3 1 1\n\tret;\n"
        f"{plain}\t.loc\t2 43 5, function_name $L, inlined_at 1 7 13\n\tadd.s32 \t%r1, %r2, 1;\n}}\n"
    )
    index = ptx.index(text)
    assert index.chains[row_of("add.s32", index)] == (Location("/k/b.py", 43, 5), Location("/k/a.py", 7, 13))


def test_inline_assembly_of_several_rows_comes_from_one_place():
    """LLVM counts the lines of the assembly on from that of the source: a masked load seemed to be at the next line."""
    text = (
        ".visible .entry kernel()\n{\n\t.loc\t1 7 13\n\tadd.s64 \t%rd1, %rd2, 1;\n\t// begin inline asm\n"
        "\t.loc\t1 7 13\n\tmov.u32 %r1, 0x0;\n\t.loc\t1 8 13\n\t@%p1 ld.global.b32 { %r1 }, [ %rd1 + 0 ];\n"
        '\t// end inline asm\n\tadd.s32 \t%r2, %r1, 1;\n\t.loc\t1 9 1\n\tret;\n}\n.file\t1 "/k/a.py"\n'
    )
    index = ptx.index(text)
    assert index.chains[row_of("ld.global", index)] == (Location("/k/a.py", 7, 13),)
    assert index.chains[row_of("add.s32", index)] == (Location("/k/a.py", 7, 13),)
    assert index.chains[row_of("ret;", index)] == (Location("/k/a.py", 9, 1),)
