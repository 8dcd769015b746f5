"""Constants of MLIR texts by their value.

MLIR keeps one constant of a value and takes its location away when it does; the value itself still says which one
of the stage before it was.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from irscope.ir.lines import StageIndex

_CONSTANT = re.compile(r"\s*%[\w$.-]+ = arith\.constant (?:\{[^}]*\} )?(.+?)(?: loc\([^()]*(?:\([^()]*\))?\))?\s*$")
#: What lowering adds to a tensor's type: its layout.
_LAYOUT = re.compile(r", (?:#[\w.]+(?:<[^<>]*>)?)>")


def constants(index: StageIndex) -> Mapping[str, Sequence[int]]:
    """By value with its type, layouts left off, the rows of a text that define it."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row, line in enumerate(index.lines):
        if "arith.constant" in line and (match := _CONSTANT.match(line)):
            found[_LAYOUT.sub(">", match[1])].append(row)
    return found
