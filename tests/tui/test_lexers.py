"""Every stage of real kernels, lexed line by line: no character is an error, and what matters has its token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Name, Number, String, _TokenType

from irscope.model import Compilation
from irscope.tui.lexers import LEXERS, Language, lexer_for

SAMPLES = Path(__file__).parent.parent.parent / "sample_kernels"
LANGUAGES: dict[str, Language] = {
    "ttir": "mlir",
    "ttgir": "mlir",
    "llir": "llvm",
    "ptx": "ptx",
    "sass": "sass",
    "amdgcn": "amdgcn",
}


def tokens(language: Language, line: str) -> list[tuple[_TokenType, str]]:
    found = lexer_for(language).get_tokens_unprocessed(line + "\n")
    return [(token, text) for _, token, text in found if text.strip()]


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "gfx942"])
@pytest.mark.parametrize("sample", ["matmul.py::matmul_kernel", "dropout.py::dropout_kernel"])
def test_real_stages_have_no_errors(
    compiled_sample: Callable[[str, str], Compilation], sample: str, target: str
) -> None:
    compilation = compiled_sample(f"{SAMPLES}/{sample}", target)
    assert compilation.failure is None
    lexed = 0
    for name, stage in compilation.stages.items():
        if stage.text is None or name not in LANGUAGES:
            continue
        lexer = lexer_for(LANGUAGES[name])
        for line in stage.text.splitlines():
            lexed += 1
            wrong = [text for _, token, text in lexer.get_tokens_unprocessed(line + "\n") if token in Error]
            assert not wrong, (name, line)
    assert lexed > 500


@pytest.mark.parametrize("language", LEXERS)
def test_nothing_is_lost(language: Language) -> None:
    line = 'x = "é\\" 日本 %r1, @p !4 `\\ ~ … 0x1F'
    assert "".join(text for _, _, text in lexer_for(language).get_tokens_unprocessed(line)) == line


def test_mlir() -> None:
    line = "%a_22 = arith.muli %a, %b : tensor<128x1xi32, #blocked1> loc(#loc72)"
    found = tokens("mlir", line)
    assert (Name.Variable, "%a_22") in found
    assert (Name.Namespace, "arith.") in found
    assert (Name.Function, "muli") in found
    assert [text for token, text in found if token is Number] == ["128", "1"]
    assert (Keyword.Type, "i32") in found
    assert (Name.Constant, "#blocked1") in found
    assert found[-1] == (Comment.Special, "loc(#loc72)")


def test_mlir_location_with_parentheses_is_one_token() -> None:
    assert tokens("mlir", 'loc("a(b"(callsite(#loc9 at #loc61)))') == [
        (Comment.Special, 'loc("a(b"(callsite(#loc9 at #loc61)))')
    ]


def test_mlir_attribute_is_no_operation() -> None:
    assert (Name.Attribute, "ttg.target") in tokens("mlir", 'module attributes {ttg.target = "cuda:90"}')


def test_llvm_keyword_newer_than_pygments() -> None:
    found = tokens("llvm", "  %105 = or disjoint i32 %102, 4096, !dbg !44")
    assert (Name.Function, "or") in found
    assert (Keyword, "disjoint") in found
    assert (Comment.Special, "!44") in found


def test_llvm_word_that_nobody_knows_is_a_keyword() -> None:
    assert (Keyword, "nosuchflagyet") in tokens("llvm", "  %1 = add nosuchflagyet i32 %0, 1")


def test_ptx_instruction_and_its_types() -> None:
    found = tokens("ptx", "\t@%p1 cp.async.cg.shared.global.f32 [ %r29 + 0 ], 0x10; // note")
    assert (Name.Function, "cp") in found
    assert (Keyword.Pseudo, ".async") in found
    assert (Keyword.Type, ".f32") in found
    assert (Name.Variable, "%p1") in found
    assert found[-1] == (Comment.Single, "// note")


def test_ptx_name_that_begins_like_an_instruction_is_one_name() -> None:
    assert (Name, "add_kernel_param_0") in tokens("ptx", "\tld.param.b64 %rd1, [add_kernel_param_0];")


def test_sass_instruction() -> None:
    found = tokens("sass", "        /*1cc0*/              @!P0 HGMMA.64x128x16.F32 R24, gdesc[UR8].tnspB, RZ ;")
    assert found[0] == (Comment.Special, "/*1cc0*/")
    assert (Keyword.Pseudo, "@!P0") in found
    assert (Name.Function, "HGMMA") in found
    assert (Name.Builtin, "gdesc") in found
    assert [text for token, text in found if token is Name.Variable] == ["R24", "UR8", "RZ"]


def test_sass_address_without_comment_signs() -> None:
    assert tokens("sass", "0x1cc0 MOV R1, 0x2 ;")[:2] == [(Comment.Special, "0x1cc0"), (Name.Function, "MOV")]


def test_amdgcn_instruction_and_metadata() -> None:
    found = tokens("amdgcn", "\tglobal_load_dwordx4 v[52:55], v[84:85], off ; note")
    assert found[0] == (Name.Function, "global_load_dwordx4")
    assert (Name.Builtin, "off") in found
    assert found[-1] == (Comment.Single, "; note")
    assert tokens("amdgcn", "    .vgpr_count:     130") == [(Name.Label, ".vgpr_count:"), (Number, "130")]
    assert (String, '"triton"') in tokens("amdgcn", '\t.asciz\t"triton"')
