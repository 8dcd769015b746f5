"""What was said of a kernel, and whether the rows that are named show it."""

from __future__ import annotations

from dataclasses import dataclass

from irscope.analysis.verdicts import Verdict
from irscope.ir import cubin, hsaco
from irscope.model import Compilation


@dataclass(frozen=True)
class Told:
    compilation: Compilation
    verdicts: tuple[Verdict, ...]

    def of(self, rule: str) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.rule == rule]

    def one(self, rule: str, part: str = "") -> Verdict:
        """The only verdict of a rule whose sentence has this in it."""
        (found,) = [verdict for verdict in self.of(rule) if part in verdict.sentence]
        return found

    def rows(self, verdict: Verdict, stage: str) -> list[str]:
        """The rows of a stage that show a verdict, whole."""
        lines = self.compilation.text(stage).split("\n")
        return [lines[place.row] for place in verdict.evidence if place.stage == stage]

    def source(self, verdict: Verdict) -> str:
        (row,) = [place.row for place in verdict.evidence if place.stage == "source"]
        source = self.compilation.source(self.compilation.kernel.file)
        assert source is not None
        return source.text.split("\n")[row]


def check(compilation: Compilation, verdict: Verdict) -> None:
    """Each piece of evidence is the text of the row that it names."""
    assert verdict.evidence
    for place in verdict.evidence:
        shown = place.text.removesuffix(" ...")
        if place.stage == "cubin":
            text = cubin.describe(cubin.read(compilation.stages["cubin"].data or b""))
        elif place.stage == "hsaco":
            text = hsaco.describe(hsaco.read(compilation.stages["hsaco"].data or b""))
        elif place.stage in compilation.stages:
            text = compilation.text(place.stage)
        else:
            # In a source file the text says what is there in words.
            path = compilation.kernel.file if place.stage == "source" else place.stage
            source = compilation.source(path)
            assert source is not None and source.text.split("\n")[place.row].strip()
            continue
        assert shown and shown in text.split("\n")[place.row]
