"""LLVM IR, on top of Pygments' lexer, which takes longer to import than the others here together."""

from __future__ import annotations

from pygments.lexer import inherit
from pygments.lexers.asm import LlvmLexer
from pygments.token import Comment, Keyword, Name, Operator, Punctuation, String, Whitespace

from irscope.tui.lexers import STRING, groups


class IrLexer(LlvmLexer):
    """LLVM IR: Pygments' lexer, which also tells an instruction from its flags, and takes new words.

    LLVM gains keywords with every version (``disjoint``, ``captures``, ``samesign`` ...), so a word that no
    rule knows is taken for one, rather than listed here.
    """

    name = "LLVM IR"
    tokens = {  # noqa: RUF012
        "root": [
            (
                rf"(^\s+)(%(?:{STRING}|[\w$.-]+))(\s+)(=)(\s+)((?:tail |musttail |notail )?[a-z]\w+)",
                groups(Whitespace, Name.Variable, Whitespace, Operator, Whitespace, Name.Function),
            ),
            (r"(^\s+)((?:tail |musttail |notail )?[a-z]\w+)(?=\s|$)", groups(Whitespace, Name.Function)),
            # What most of a line is made of, before the long lists of words.
            (r"\s+", Whitespace),
            (r"%[\w$.-]+", Name.Variable),
            (r"[,(){}\[\]<>*]+", Punctuation),
            # A line may be lexed in part, so a string need not end: inline assembly is long.
            (r'c?"[^"]*"?', String),
            (r"!dbg(?= )|!\d+", Comment.Special),
            (r"![A-Z]\w+", Name.Class),
            (r"[a-zA-Z]+(?=: )", Name.Attribute),
            (r"@[\w$.-]+", Name.Function.Magic),
            (r"(?:i\d+|ptr|bfloat|half|float|double|void|metadata|label)\b", Keyword.Type),
            inherit,
            (r"[a-zA-Z_]\w*", Keyword),
            (r"\$[\w.]+", Name.Label),
            (r"[|:?/]+", Punctuation),
        ],
    }
