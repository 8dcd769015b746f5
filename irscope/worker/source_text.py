"""Whether a Python file is text, and if not, where. Imports nothing but the standard library."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

ENCODING_HINT = "save it as UTF-8, or declare its encoding in the first line: # -*- coding: latin-1 -*-"


@dataclass(frozen=True)
class Fault:
    """What keeps a file from being text, and its line, from 1."""

    message: str
    line: int
    hint: str | None = ENCODING_HINT


def fault_of(content: bytes) -> Fault | None:
    """Python names no line for most of these, and runs a file whose comments are no text, which Triton cannot read."""
    try:
        try:
            importlib.util.decode_source(content)
        except SyntaxError as error:  # of the lines that may declare an encoding
            content.decode("utf-8")
            return Fault(f"SyntaxError: {error.msg}", line_with(content, b"coding"))
    except UnicodeDecodeError as error:
        return Fault(f"the file is not {error.encoding} text: {error.reason}", content.count(b"\n", 0, error.start) + 1)
    if b"\0" in content:
        return Fault("the file is not text: it has a null byte", line_with(content, b"\0"), hint=None)
    return None


def line_with(content: bytes, what: bytes) -> int:
    return content.count(b"\n", 0, max(content.find(what), 0)) + 1
