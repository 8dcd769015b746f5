"""Verdicts as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from irscope.analysis.verdicts import Evidence, Verdict
from irscope.ir.table import aligned


def verdict_lines(found: Sequence[Verdict]) -> str:
    """One line a verdict with the first row of each stage that shows it (from 1), and below it what to try."""
    rows: list[tuple[str, str]] = []
    for verdict in found:
        rows.append((verdict.tone, f"{verdict.sentence} [{shown_by(verdict.evidence)}]"))
        if verdict.advice:
            rows.append(("", f"-> {verdict.advice}"))
    return "\n".join(aligned(rows)) if rows else ""


def shown_by(evidence: Iterable[Evidence]) -> str:
    """``source 81, ttgir 117, ptx 433``."""
    first: dict[str, int] = {}
    for place in evidence:
        first.setdefault(place.stage, place.row + 1)
    return ", ".join(f"{stage} {line}" for stage, line in first.items())


def verdict_list(found: Iterable[Verdict]) -> list[dict[str, Any]]:
    """For the JSON document; lines count from 1."""
    return [
        {
            "rule": verdict.rule,
            "tone": verdict.tone,
            "sentence": verdict.sentence,
            "advice": verdict.advice,
            "evidence": [
                {"stage": place.stage, "line": place.row + 1, "text": place.text} for place in verdict.evidence
            ],
        }
        for verdict in found
    ]
