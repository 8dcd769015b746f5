"""AMD GPU assembly that the sample kernels do not have."""

from __future__ import annotations

from irscope.ir import amdgcn
from irscope.ir.lines import Location

TEXT = """\
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
	.text
	.globl	kernel                          ; -- Begin function kernel
	.type	kernel,@function
kernel:                                 ; @kernel
.Lfunc_begin0:
	.cfi_startproc
; %bb.0:
	.file	1 "/k" "a.py"
	.loc	1 4 0 prologue_end              ; a.py:4:0
	s_load_dwordx2 s[2:3], s[0:1], 0x0
	.loc	1 0 0 is_stmt 0                 ; :0:0
.Ltmp0:
	.p2align	8
.LBB0_0:
	.local	symbol
	s_waitcnt lgkmcnt(0)
	.file	2 "/lib" "b.py"
	.loc	2 43 13 is_stmt 1               ; b.py:43:13 @[ b.py:8 @[ a.py:8:13 ] ]
	s_add_i32 s1, s9, 0x7f
	.loc	2 44 13                         ; b.py:44:13 @[ elsewhere.py:8:13 ]
	.local	symbol
	;;#ASMSTART
	v_add_u32 v1, v1, v2
	;;#ASMEND
	s_endpgm
.Lfunc_end0:
	s_code_end
	.cfi_endproc
	.section	.rodata,"a",@progbits
	.amdhsa_kernel kernel
	.end_amdhsa_kernel
	.section	.debug_abbrev,"",@progbits
	.byte	1                               ; Abbreviation Code
	.section	".note.GNU-stack","",@progbits
	.amdgpu_metadata
---
amdhsa.kernels:
  - .agpr_count:     0
    args:
...
	.end_amdgpu_metadata
	.section	.debug_line,"",@progbits
.Lline_table_start0:
"""


def test_frames():
    index = amdgcn.index(TEXT)
    found = {
        line.split()[0]: chain
        for line, chain, operation in zip(index.lines, index.chains, index.operations, strict=True)
        if operation
    }
    assert found == {
        "s_load_dwordx2": (Location("/k/a.py", 4),),
        "s_waitcnt": (),
        "s_add_i32": (Location("/lib/b.py", 43, 13), Location("/lib/b.py", 8), Location("/k/a.py", 8, 13)),
        "v_add_u32": (Location("/lib/b.py", 44, 13), Location("elsewhere.py", 8, 13)),
        "s_endpgm": (Location("/lib/b.py", 44, 13), Location("elsewhere.py", 8, 13)),
        "s_code_end": (),
    }


def test_clean_text():
    lines = amdgcn.clean(TEXT).lines
    text = "\n".join(lines)
    assert ".loc\t" not in text
    assert "	.local	symbol" in lines
    assert ".cfi" not in text
    assert ".file" not in text
    assert ".Ltmp" not in text
    assert "Abbreviation" not in text
    assert ".Lline_table_start0:" not in lines
    assert "  - .agpr_count:     0" in lines
    assert "	.amdhsa_kernel kernel" in lines
    assert ".LBB0_0:" in lines
