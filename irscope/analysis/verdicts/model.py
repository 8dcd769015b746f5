"""What a verdict is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: ``good``: as one would want it; ``note``: worth to know; ``bad``: costs time, and could be otherwise; ``unknown``:
#: something was seen, but the reason or the consequence is not certain, and the sentence says why.
Tone = Literal["good", "note", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A row that a verdict rests on."""

    #: A stage's name, ``source`` for the kernel's own file, or the path of another source file.
    stage: str
    #: From 0.
    row: int
    #: What is there, in a few words.
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One fact about a kernel in a plain sentence, with the rows that show it; never without any."""

    rule: str
    tone: Tone
    sentence: str
    #: What to try, where something is known to help.
    advice: str | None
    evidence: tuple[Evidence, ...]
