"""Text forms of a kernel: one module each, all with ``index(text)`` and ``clean(text)``.

This package chooses the module by the stage's name, and for stages that a newer Triton or another
backend adds, by the text itself.
"""

from __future__ import annotations

import importlib
import re
from types import ModuleType
from typing import Literal

from irscope.ir.lines import Chain, CleanText, Location, StageIndex, rows_of, split_lines

__all__ = ["Chain", "CleanText", "Language", "Location", "StageIndex", "clean", "index", "language"]

Language = Literal["mlir", "llvm", "ptx", "sass", "amdgcn", "text"]

_LANGUAGES: dict[str, Language] = {
    "ttir": "mlir",
    "ttgir": "mlir",
    "glir": "mlir",
    "llir": "llvm",
    "ptx": "ptx",
    "sass": "sass",
    "amdgcn": "amdgcn",
}

#: What only one form has, most telling first; LLVM IR within MLIR (``llvm.func``) is MLIR.
_SIGNS: tuple[tuple[Language, re.Pattern[str]], ...] = (
    ("amdgcn", re.compile(r"^\s*\.amdgcn_target\b", re.MULTILINE)),
    ("ptx", re.compile(r"^\s*\.version\s+\d+\.\d+\s*\n\s*\.target\s", re.MULTILINE)),
    ("sass", re.compile(r"^\s+/\*[0-9a-f]{4,}\*/\s", re.MULTILINE)),
    ("llvm", re.compile(r"^(?:; ModuleID = |target (?:triple|datalayout) = |define .*@.*\{$)", re.MULTILINE)),
    ("mlir", re.compile(r"^\s*(?:#\w+ = (?:loc\(|#)|module\b|(?:%\S+ = )?\"?[a-z]\w*\.\w+)", re.MULTILINE)),
)


def language(stage: str, text: str = "") -> Language:
    """The form of a stage's text; stages with a name unknown to us are told by their text."""
    known = _LANGUAGES.get(stage)
    if known:
        return known
    return next((name for name, sign in _SIGNS if sign.search(text)), "text")


def _module(language: Language) -> ModuleType | None:
    """The module of a form. Loaded when there is a text of it: nothing that only starts should wait for all of them."""
    return None if language == "text" else importlib.import_module(f"irscope.ir.{language}")


def index(stage: str, text: str) -> StageIndex:
    """Where each row of a stage's text came from; nothing is mapped in a text of no known form."""
    module = _module(language(stage, text))
    if module is None:
        return StageIndex.blank(split_lines(text))
    result: StageIndex = module.index(text)
    return result


def clean(stage: str, text_or_index: str | StageIndex) -> CleanText:
    """A stage's text without its bookkeeping; a text of no known form as it is."""
    rows = rows_of(text_or_index)
    module = _module(language(stage, "" if stage in _LANGUAGES else "\n".join(rows)))
    if module is None:
        return CleanText(enumerate(rows))
    result: CleanText = module.clean(text_or_index)
    return result
