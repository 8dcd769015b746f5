"""``dump DIR``: the outcomes of a tree, as lines and as one JSON object (``tree_schema.json`` beside this)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from irscope import __version__
from irscope.model import Target
from irscope.report.document import in_json
from irscope.tree import COMPILED, STORED, Outcome, counts

#: What a summary says of a kind of outcome.
WORDS = {
    COMPILED: "compiled",
    STORED: "compiled, from the store",
    "compile": "does not compile",
    "api": "uses what this Triton does not have",
    "target": "not for this target",
    "file": "its file raises an error",
    "syntax": "its file has a syntax error",
    "missing": "a module or a tool is missing",
    "no_kernel": "loading its file gives no such kernel",
    "timeout": "timed out",
    "worker": "crashed the compiler",
    "memory": "ran out of memory",
    "usage": "the options do not fit it",
    "internal": "an error of irscope's",
}


def schema() -> dict[str, Any]:
    loaded = json.loads(Path(__file__).with_name("tree_schema.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def failure_line(outcome: Outcome) -> str:
    """``file:line: kernel: reason``, the line being the failure's own where that is in the kernel's file."""
    name = f"{outcome.kernel}: " if outcome.kernel else ""
    return f"{place(outcome)}: {name}{outcome.message}"


def place(outcome: Outcome) -> str:
    """Where the failure is; a place in another file is named as that file."""
    failure = outcome.failure
    file, line = outcome.file, outcome.line
    if failure is not None and failure.file is not None and failure.line is not None:
        same = Path(failure.file).absolute() == Path(file).absolute()
        file, line = (file if same else failure.file), failure.line
    return file if line is None else f"{file}:{line}"


def summary(outcomes: Sequence[Outcome], total: int, seconds: float) -> str:
    """How many came out how, as a small table below a heading."""
    failed = sum(outcome.failed for outcome in outcomes)
    done = f"{len(outcomes)} kernel{'s' if len(outcomes) != 1 else ''}"
    if len(outcomes) < total:
        done = f"stopped after {len(outcomes)} of {total} kernels"
    lines = [f"{done} in {seconds:.1f} s, {failed or 'none'} failed"]
    found = counts(outcomes)
    width = len(str(max(found.values(), default=0)))
    lines += [f"  {count:>{width}}  {WORDS.get(kind, kind.replace('_', ' '))}" for kind, count in found.items()]
    guessed = sum(not outcome.failed and "guessed" in outcome.provenance.values() for outcome in outcomes)
    if guessed:
        lines.append(
            f"of those that compiled, {guessed} with a guessed parameter: `irscope spec FILE::KERNEL` shows it"
        )
    return "\n".join(lines)


def document(
    path: Path,
    target: Target,
    triton: str | None,
    outcomes: Sequence[Outcome],
    total: int,
    seconds: float,
    files: Mapping[tuple[str, str], Mapping[str, Path]],
) -> dict[str, Any]:
    """The document; ``files`` says where the stages of a kernel, by its file and name, were written."""
    ordered = sorted(outcomes, key=lambda outcome: (outcome.file, outcome.line or 0, outcome.kernel))
    return {
        "irscope": __version__,
        "path": str(path),
        "target": asdict(target),
        "triton": triton,
        "seconds": seconds,
        "complete": len(outcomes) == total,
        "total": total,
        "failed": sum(outcome.failed for outcome in outcomes),
        "outcomes": counts(outcomes),
        "kernels": [described(outcome, files.get((outcome.file, outcome.kernel), {})) for outcome in ordered],
    }


def described(outcome: Outcome, files: Mapping[str, Path]) -> dict[str, Any]:
    specialization = outcome.specialization
    failure = outcome.failure
    shown = ("kind", "message", "file", "line", "column", "hint", "stage")
    return {
        "kernel": outcome.kernel,
        "file": outcome.file,
        "line": outcome.line,
        "outcome": outcome.kind,
        "seconds": outcome.seconds,
        "signature": dict(specialization.signature),
        "constexprs": in_json(specialization.constexprs),
        "configuration": specialization.configuration,
        "provenance": dict(outcome.provenance),
        "evidence": dict(specialization.evidence),
        "hidden": dict(specialization.hidden),
        "resources": asdict(outcome.resources),
        "occupancy": None if outcome.figures is None else asdict(outcome.figures.occupancy),
        "warnings": list(outcome.warnings),
        "files": {name: str(file) for name, file in files.items()},
        "error": None if failure is None else {name: asdict(failure)[name] for name in shown},
    }
