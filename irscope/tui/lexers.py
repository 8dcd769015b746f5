"""Lexers of the compile stages, each right on one line by itself.

A pane colours only the lines that it shows, so that a text of 100k lines opens at once. All stages allow it,
for none of them has a token that spans lines; Python has, and is lexed as a whole.

Pygments has no lexer for MLIR or SASS. It has one for PTX and one for AMDGCN, which mark real code as errors
or split names such as ``add_kernel`` at the keyword inside; these four are our own, and tell an instruction
from its modifiers, types, registers and labels, which is what a reader's eye looks for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Literal

from pygments.lexer import Lexer, RegexLexer, bygroups, default, include, words
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
    Whitespace,
)

# The stubs leave it untyped.
groups: Callable[..., object] = bygroups

Language = Literal["python", "mlir", "llvm", "ptx", "sass", "amdgcn", "text"]

STRING = r'"(?:\\.|[^"\\])*"?'
_DECIMAL = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"


class MlirLexer(RegexLexer):
    """TTIR, TTGIR, Gluon IR and every other text form of MLIR."""

    name = "MLIR"
    tokens = {  # noqa: RUF012 (pygments' own convention)
        "root": [
            (r"\s+", Whitespace),
            (r"//.*", Comment.Single),
            # Locations are noise to who reads the operation: one dim run, three levels of parentheses deep.
            (
                r'\bloc\((?:"[^"]*"|[^()"]|\((?:"[^"]*"|[^()"]|\((?:"[^"]*"|[^()"])*\))*\))*\)?',
                Comment.Special,
            ),
            (STRING, String),
            (r"%[\w$.-]+(?:[#:]\d+)?", Name.Variable),
            (r"\^\w+", Name.Label),
            (rf"@(?:{STRING}|[\w$.-]+)", Name.Function.Magic),
            (r"#[a-zA-Z_][\w$.]*", Name.Constant),
            (r"![a-zA-Z_][\w$.]*", Keyword.Type),
            (r"(\d+|\?)(x)(?=[\d?a-z!])", groups(Number, Punctuation)),
            (r"(?:[su]?i\d+|b?f\d+\w*|tf32|index|none|tensor|memref|vector|tuple|complex)\b", Keyword.Type),
            (r"[a-zA-Z_][\w$.]*(?=\s*=(?!=))", Name.Attribute),
            (r"([a-zA-Z_][\w$]*\.)([a-zA-Z_][\w$.]*)", groups(Name.Namespace, Name.Function)),
            (words(("true", "false", "unit", "dense"), suffix=r"\b"), Keyword.Constant),
            (r"[a-zA-Z_][\w$]*", Keyword),
            (r"0x[0-9a-fA-F]+|-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?", Number),
            (r"->|==|[-+*=|]", Operator),
            (r"[\[\]{}()<>,:;?/]+", Punctuation),
        ]
    }


class PtxLexer(RegexLexer):
    name = "PTX"
    tokens = {  # noqa: RUF012
        "root": [
            include("blank"),
            (r"[$\w]+:(?!:)", Name.Label),
            (r"@!?(?=%)", Operator),
            (r"%[\w$.]+", Name.Variable, "operands"),
            (r"\.[a-z]\w*", Keyword.Reserved, "operands"),
            (r"[a-z]\w*", Name.Function, "modifiers"),
            (r"[{}();,]+", Punctuation),
            default("operands"),
        ],
        "blank": [(r"\s+", Whitespace), (r"//.*", Comment.Single), (r"/\*.*?\*/", Comment)],
        "modifiers": [
            (r"\.(?:[subf]\d+(?:x\d+)?|bf16(?:x2)?|tf32|e\dm\d(?:x\d)?|pred)\b", Keyword.Type),
            (r"(?:\.|::)\w+", Keyword.Pseudo),
            default("operands"),
        ],
        "operands": [
            (r"[;{}]", Punctuation, "#pop:2"),
            # A guarded instruction: what follows the predicate is the instruction itself.
            (r"(?<=\w)(\s+)([a-z]\w*)(?=\.|;|\s)", groups(Whitespace, Name.Function), "modifiers"),
            include("blank"),
            (r"\.(?:[subf]\d+|bf16|pred)\b", Keyword.Type),
            (r"\.\w+", Keyword.Reserved),
            (r"%[\w$.]+", Name.Variable),
            (rf"0[fFdD][0-9a-fA-F]+|0[xX][0-9a-fA-F]+U?|{_DECIMAL}U?", Number),
            (r"\$[\w$]+", Name.Label),
            (STRING, String),
            (r"[a-zA-Z_][\w$]*", Name),
            (r"[-+*|!=<>]", Operator),
            (r"[\[\]():,@$.]+", Punctuation),
        ],
    }


class SassLexer(RegexLexer):
    """SASS as nvdisasm prints it, and with the addresses as ``0x0010``."""

    name = "SASS"
    tokens = {  # noqa: RUF012
        "root": [
            include("blank"),
            (r"/\*[0-9a-f]{4,}\*/|0x[0-9a-f]{4,}(?=\s)", Comment.Special),
            (r"/\*.*?\*/", Comment.Multiline),
            (r"[$.\w]+:", Name.Label),
            (r"\.[a-z]\w*", Keyword.Reserved, "operands"),
            (r"@!?U?P[T\d]+", Keyword.Pseudo),
            (r"([A-Z][A-Z0-9_]*)((?:\.\w+)*)", groups(Name.Function, Keyword.Pseudo), "operands"),
            (r"[{};,]+", Punctuation),
        ],
        "blank": [(r"\s+", Whitespace), (r"//.*", Comment.Single)],
        "operands": [
            (r";", Punctuation, "#pop"),
            include("blank"),
            (r"/\*.*?\*/", Comment.Multiline),
            (r"U?R(?:\d+|Z)\b|U?P(?:\d+|T)\b|B\d+\b|SB\d+\b|SRZ\b|SR_[\w.]+", Name.Variable),
            (r"(?:c|cx|desc|gdesc|idesc|tmem)(?=\[)|gsb\d+", Name.Builtin),
            (r"`\([^)]*\)|\.L[\w.$]*", Name.Label),
            (STRING, String),
            (rf"0x[0-9a-f]+|{_DECIMAL}|[-+](?:INF|QNAN|SNAN)", Number),
            (r"\.\w+", Keyword.Pseudo),
            (r"[@?&]?[a-zA-Z_$][\w$]*", Name),
            (r"[-+*|!~=]", Operator),
            (r"[\[\](){},:@%?&]+", Punctuation),
        ],
    }


class AmdgcnLexer(RegexLexer):
    """AMDGCN assembly, its directives and the YAML metadata below it."""

    name = "AMDGCN"
    tokens = {  # noqa: RUF012
        "root": [
            include("blank"),
            (r"(-\s+)?(\.?[\w$.]+:)(?=\s|$)", groups(Punctuation, Name.Label), "operands"),
            (r"\.[a-z]\w*", Keyword.Reserved, "operands"),
            (r"[a-z]\w*", Name.Function, "operands"),
            default("operands"),
        ],
        "blank": [(r"\s+", Whitespace), (r"(?:;|//).*", Comment.Single)],
        "operands": [
            include("blank"),
            (r"[svat](?:\d+\b|(?=\[))|ttmp\d+\b", Name.Variable),
            (words(("vcc", "vcc_lo", "vcc_hi", "exec", "exec_lo", "exec_hi", "m0", "scc"), suffix=r"\b"),
             Name.Variable),
            (r"[a-z]\w*cnt(?=\()|\b(?:off|offen|glc|slc|dlc|sc[01]|nt|lds|gds)\b", Name.Builtin),
            (r"[a-z]\w*(?=:[\d\[])", Name.Attribute),
            (r"\.L[\w$.]*|\.?[a-zA-Z_$][\w$.]*", Name),
            (rf"0x[0-9a-fA-F]+|{_DECIMAL}", Number),
            (STRING, String),
            (r"[-+*|!@=<>&~^]+", Operator),
            (r"[\[\](){},:%?'.]+", Punctuation),
            (r".", Text),
        ],
    }  # fmt: skip


#: Module and class by language. Pygments' own are imported when they are used: Python's takes as long as a frame.
LEXERS: dict[Language, tuple[str, str]] = {
    "python": ("pygments.lexers.python", "PythonLexer"),
    "mlir": (__name__, "MlirLexer"),
    "llvm": ("irscope.tui.lexer_llvm", "IrLexer"),
    "ptx": (__name__, "PtxLexer"),
    "sass": (__name__, "SassLexer"),
    "amdgcn": (__name__, "AmdgcnLexer"),
    "text": ("pygments.lexers.special", "TextLexer"),
}


def lexer_for(language: Language) -> Lexer:
    """A new lexer; raises ``KeyError`` for a language that is not in `LEXERS`."""
    module, name = LEXERS[language]
    lexer = getattr(importlib.import_module(module), name)()
    assert isinstance(lexer, Lexer)
    return lexer
