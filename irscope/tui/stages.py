"""How stages are called on screen: one table, and the order of the boxes and panes made from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SOURCE = "source"
LOG = "log"


@dataclass(frozen=True, slots=True)
class StageTitle:
    """The words for one stage."""

    name: str
    title: str
    #: For a strip that must fit 80 columns.
    short: str
    #: The key that shows and hides its pane; empty where it has none.
    letter: str
    #: What its operations are called where there is little room.
    unit: str = "ops"


_KNOWN = {
    entry.name: entry
    for entry in (
        StageTitle(SOURCE, "Python", "Py", "S"),
        StageTitle("glir", "Gluon IR", "GlIR", "U"),
        StageTitle("ttir", "TTIR", "TTIR", "T"),
        StageTitle("ttgir", "TTGIR", "TTGIR", "G"),
        StageTitle("llir", "LLVM IR", "LLVM", "I", "instr"),
        StageTitle("ptx", "PTX", "PTX", "P", "instr"),
        StageTitle("sass", "SASS", "SASS", "A", "instr"),
        StageTitle("cubin", "cubin", "cubin", "C"),
        # No compilation has both sass and amdgcn, or cubin and hsaco, so these share a letter.
        StageTitle("amdgcn", "AMDGCN", "GCN", "A", "instr"),
        StageTitle("hsaco", "hsaco", "hsaco", "C"),
        StageTitle(LOG, "log", "log", "O"),
    )
}

#: Which panes matter most, most wanted first: a narrow terminal shows the first ones that there are.
DEFAULT_SHOWN = (SOURCE, "ttgir", "sass", "amdgcn", "ptx")

#: Which stages a letter may stand for, by letter.
LETTERS: dict[str, tuple[str, ...]] = {
    letter: tuple(entry.name for entry in _KNOWN.values() if entry.letter == letter)
    for letter in dict.fromkeys(entry.letter for entry in _KNOWN.values())
}


def describe(name: str) -> StageTitle:
    """The words for a stage; one that no table knows (another backend's) is called by its own name."""
    return _KNOWN.get(name) or StageTitle(name, name, name, "")


def sequence(pipeline: Iterable[str], reached: Iterable[str] = ()) -> tuple[str, ...]:
    """Every stage to show, in the order of the pipeline, with the source before it.

    SASS is no stage of Triton's own: it is read back from the cubin and stands before it, beside the
    PTX it was made from. ``reached`` adds stages that the pipeline does not name (from an older bundle).
    """
    order = [SOURCE, *(name for name in pipeline if name != SOURCE)]
    if "cubin" in order and "sass" not in order:
        order.insert(order.index("cubin"), "sass")
    order += [name for name in reached if name not in order]
    return tuple(order)
