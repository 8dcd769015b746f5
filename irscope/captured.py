"""Launches that code has made, as they were captured. `captures` runs the code and keeps them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from irscope.launch.fields import from_fields
from irscope.model import Target


@dataclass(frozen=True, slots=True)
class Site:
    """Where a launch is in the code: its innermost line outside of Triton and torch, and how often it launched."""

    file: str
    line: int
    function: str
    count: int = 1

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.line}" if self.file else "generated code"


@dataclass(frozen=True, slots=True)
class CapturedLaunch:
    """One specialization of a kernel, as its launches have it; grid and arguments are those of the first."""

    #: From 0, among those of the kernel.
    number: int
    kernel: str
    #: The file that defines the kernel, and the line of its ``def``.
    file: str
    line: int
    #: ``None`` where the code only warms the kernel up.
    grid: tuple[int, ...] | None
    #: As Triton has them: types, values of constants, attributes by parameter.
    signature: Mapping[str, Any]
    constexprs: Mapping[str, Any]
    attributes: Mapping[str, Any]
    #: By parameter, as ``--arg`` and ``--const`` take it: ``*fp16:16``, ``i32:1``, ``128``, ``tl.float16``.
    entries: Mapping[str, str]
    #: Those that the launch gives, its autotune configuration's among them.
    options: Mapping[str, Any] = field(default_factory=dict)
    configuration: int | None = None
    #: By run-time parameter: ``type``, ``shape``, ``strides``, ``value``, those that it has.
    arguments: Mapping[str, Any] = field(default_factory=dict)
    dialect: str = "triton"
    count: int = 1
    sites: tuple[Site, ...] = ()

    @property
    def aot_signature(self) -> str:
        """As Triton's AOT tool takes it: ``*fp16:16, i32, 128``."""
        return ", ".join(self.entries.values())


@dataclass(frozen=True, slots=True)
class Capture:
    """All that a file's code launched."""

    path: str
    target: Target
    launches: tuple[CapturedLaunch, ...]
    #: Why the code did not come to its end, in one line.
    ended: str | None = None
    #: Not where the user stopped it.
    complete: bool = True
    #: What was run, each with what ended it: ``__main__``, tests, benchmarks.
    parts: tuple[Mapping[str, Any], ...] = ()
    #: What was not run as it would be with a GPU, a line each.
    warnings: tuple[str, ...] = ()
    #: SHA-256 by path of the files that took part.
    sources: Mapping[str, str] = field(default_factory=dict)
    gpu: bool = False
    entry: str | None = None
    script_arguments: tuple[str, ...] | None = None
    #: Only the file's tests were run, those of this name or pattern.
    tests: str | None = None
    triton: str | None = None
    seconds: float | None = None
    #: What the code printed.
    log: str = ""

    def of(self, kernel_file: Path, kernel: str) -> tuple[CapturedLaunch, ...]:
        return tuple(one for one in self.launches if one.kernel == kernel and is_same(one.file, kernel_file))


def launch_from(fields: Mapping[str, Any]) -> CapturedLaunch:
    sites = tuple(from_fields(Site, site) for site in fields["sites"])
    grid = fields["grid"]
    return replace(from_fields(CapturedLaunch, fields), sites=sites, grid=None if grid is None else tuple(grid))


def merged(several: Iterable[Sequence[CapturedLaunch]]) -> tuple[CapturedLaunch, ...]:
    """Launches of one kernel in several captures: the same specialization once, with all its call sites."""
    found: dict[str, CapturedLaunch] = {}
    for launch in (launch for launches in several for launch in launches):
        key = json.dumps([launch.entries, launch.options, launch.configuration, launch.line], default=str)
        known = found.get(key)
        sites = (*known.sites, *launch.sites) if known is not None else launch.sites
        counts: dict[Site, int] = {}
        for site in sites:  # one that two captures have counts as often as in the one where it counts more
            where = replace(site, count=0)
            counts[where] = max(site.count, counts.get(where, 0))
        sites = tuple(replace(site, count=count) for site, count in counts.items())
        first = replace(launch, number=len(found)) if known is None else known
        found[key] = replace(first, sites=sites, count=sum(site.count for site in sites))
    return tuple(found.values())


def is_same(file: str, other: Path) -> bool:
    return os.path.normcase(file) == os.path.normcase(other.absolute())


def only(capture: Capture, kernel: str) -> Capture:
    """The launches of one kernel."""
    return replace(capture, launches=tuple(launch for launch in capture.launches if launch.kernel == kernel))


def layer(launch: CapturedLaunch) -> dict[str, Any]:
    """A launch as a layer of a compile request."""
    return {
        "provenance": "captured",
        "origin": str(launch.sites[0]) if launch.sites else Path(launch.file).name,
        "entries": dict(launch.entries),
        "options": dict(launch.options),
        "configuration": launch.configuration,
    }
