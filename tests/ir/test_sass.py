"""Forms of nvdisasm's output."""

from __future__ import annotations

from irscope.ir import sass
from irscope.ir.lines import Location

TEXT = """\
	.target	sm_90a

//--------------------- .text.kernel       --------------------------
	.section	.text.kernel,"ax",@progbits
	.align	128
        .global         kernel
kernel:
.text.kernel:
        /*0000*/                   NOP ;
	//## File "/k/a.py", line 4
        /*0010*/                   LDC R1, c[0x0][0x28] ;
                                                            /* 0x00000a00ff017b82 */
	//## File "/lib/c.py", line 7 inlined at "/lib/b.py", line 13
	//## File "/lib/b.py", line 13 inlined at "/k/a.py", line 26
	//## File "/k/a.py", line 26
        /*0020*/              @!P0 FADD R32, R32, 1 ;
.L_x_1:
        /*0030*/                   EXIT ;
	//## File "/lib/b.py", line 13 inlined at "/k/a.py", line 27
	//## File "/k/a.py", line 27
	//## File "/k/a.py", line 30
        /*0040*/                   BRA `(.L_x_1);
	//## File ".nv_debug_ptx_txt", line 99
        /*0050*/                   NOP;
	//## File "/lib/b.py", line 14 inlined at "/k/a.py", line 31
        /*0060*/                   NOP;
	//## File "C:\\\\k\\\\a.py", line 0
        /*0070*/                   NOP;

//--------------------- .text.other       --------------------------
	.section	.text.other,"ax",@progbits
        /*0000*/                   NOP;
"""

A = "/k/a.py"


def chains():
    index = sass.index(TEXT)
    return [chain for chain, operation in zip(index.chains, index.operations, strict=True) if operation]


def test_frames():
    assert chains() == [
        (),
        (Location(A, 4),),
        (Location("/lib/c.py", 7), Location("/lib/b.py", 13), Location(A, 26)),
        (Location("/lib/c.py", 7), Location("/lib/b.py", 13), Location(A, 26)),
        # Two chains with no instruction between them: the last one counts.
        (Location(A, 30),),
        (Location(A, 30),),
        # The caller's own row is missing.
        (Location("/lib/b.py", 14), Location(A, 31)),
        (),
        (),
    ]


def test_clean_text_is_labels_and_instructions():
    lines = sass.clean(TEXT).lines
    assert lines[:2] == ["kernel:", "/*0000*/       NOP"]
    assert ".L_x_1:" in lines
    assert not [line for line in lines if "##" in line or ".section" in line or "----" in line]
    index = sass.index(TEXT)
    assert index.operation_count == 9


def test_clean_text_keeps_predicates_and_pairs_within_few_columns():
    text = "        /*0470*/              @!P1 IADD3 R0, R1 ;\n{       /*0480*/                   IADD3 R2, R3 ;\n"
    text += "        /*0490*/              @UP0 XMAD R4, R5  }\n"
    assert sass.clean(text).lines == [
        "/*0470*/  @!P1 IADD3 R0, R1",
        "{/*0480*/       IADD3 R2, R3",
        "/*0490*/  @UP0 XMAD R4, R5  }",
    ]
