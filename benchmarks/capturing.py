"""How many scripts that run on a GPU come to their end without one: the test's own, or those of a folder."""

from __future__ import annotations

import contextlib
from pathlib import Path

from benchmarks.measure import Row, progress
from irscope import captures
from irscope.model import Target
from irscope.request import IrscopeError

ROOT = Path(__file__).parent.parent

#: Its scripts, and the samples; those that only have what others use launch nothing and do not count.
FOLDERS = (ROOT / "tests" / "kernels" / "capture" / "scripts", ROOT / "sample_kernels")
HELPERS = frozenset({"harness.py", "activations.py"})


def rows() -> list[Row]:
    scripts = [file for folder in FOLDERS for file in sorted(folder.glob("*.py")) if file.name not in HELPERS]
    ended = []
    for number, script in enumerate(scripts, 1):
        progress(f"\rcapture: {number} of {len(scripts)}: {script.name:30}")
        why: str | None = "it launched nothing"
        with contextlib.suppress(IrscopeError):
            why = captures.run(script, Target.parse("sm_90"), timeout=120.0).ended
        if why is not None:
            progress(f"\n{script.name}: {why}\n")
        ended.append(why is None)
    what = "capture: scripts that come to their end with no GPU"
    return [Row(what, f"{sum(ended)} scripts", f"{len(ended)} scripts", sum(ended) / len(ended), 0.98, at_least=True)]
