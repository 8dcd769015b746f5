"""Captured launches as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from irscope import __version__
from irscope.captured import Capture, CapturedLaunch
from irscope.report.launch import jsonable

#: Call sites of one specialization that the table names.
SITES = 3


def document(capture: Capture) -> dict[str, Any]:
    """What ``irscope capture --format json`` prints; `schema` says what it looks like."""
    return {
        "irscope": __version__,
        "file": capture.path,
        "target": asdict(capture.target),
        "triton": capture.triton,
        "gpu": capture.gpu,
        "entry": capture.entry,
        "script_arguments": None if capture.script_arguments is None else list(capture.script_arguments),
        "tests": capture.tests,
        "launches": [
            {**jsonable(asdict(launch)), "aot_signature": launch.aot_signature} for launch in capture.launches
        ],
        "ended": capture.ended,
        "complete": capture.complete,
        "parts": [dict(part) for part in capture.parts],
        "warnings": list(capture.warnings),
        "seconds": capture.seconds,
    }


def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("capture_schema.json").read_text(encoding="utf-8"))
    return loaded


def table(capture: Capture) -> str:
    """Each kernel, and below it its specializations in the order in which they were launched first."""

    def kernel_of(launch: CapturedLaunch) -> tuple[str, str, int]:
        return launch.file, launch.kernel, launch.line

    order = list(dict.fromkeys(map(kernel_of, capture.launches)))
    launches = sorted(capture.launches, key=lambda launch: order.index(kernel_of(launch)))
    blocks = []
    for (file, kernel, line), same in groupby(launches, kernel_of):
        lines = [f"{shortened(file)}::{kernel}  (line {line})"]
        for launch in same:
            lines += described(launch)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def described(launch: CapturedLaunch) -> list[str]:
    grid = "warmed up only" if launch.grid is None else f"grid {' x '.join(map(str, launch.grid))}"
    lines = [f"  {launch.number}  {places(launch)}  {grid}", f"     signature: {launch.aot_signature}"]
    for title, values in (("constexprs", launch.constexprs), ("options", launch.options)):
        if values:
            lines.append(f"     {title}: {', '.join(f'{name}={value}' for name, value in values.items())}")
    if launch.configuration is not None:
        lines[-1] += f"  (configuration {launch.configuration})"
    return lines


def places(launch: CapturedLaunch) -> str:
    shown = [f"{site} {site.function}{times(site.count)}" for site in launch.sites[:SITES]]
    more = len(launch.sites) - SITES
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def times(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""


def shortened(file: str) -> str:
    """A path as seen from here, where it lies below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def summary(capture: Capture) -> Sequence[str]:
    """How it went, in lines for standard error."""
    lines = []
    if capture.ended is not None:
        lines.append(f"the code did not come to its end: {capture.ended}")
    failed = [part for part in capture.parts if part["ended"] and not part["skipped"]]
    if len(failed) > 1:
        lines.append(f"{len(failed)} of {len(capture.parts)} parts (main block, tests, benchmarks) ended early")
    skipped = [f"{part['part']}: {part['ended']}" for part in capture.parts if part["skipped"]]
    if skipped:
        more = f" (and {len(skipped) - 1} more)" if len(skipped) > 1 else ""
        lines.append(f"not run: {skipped[0]}{more}")
    lines += capture.warnings
    return lines
