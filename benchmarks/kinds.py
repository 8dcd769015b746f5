"""Kinds and element types of parameters as irscope infers them, against launches that are known.

Scripts in ``benchmarks/launches`` call what packages offer, and the sample kernels launch themselves; all launches are
captured with no GPU. Each kernel is then specialized with nothing filled in and nothing captured. A kernel that is
launched in several ways is compared with the one of them that is nearest as a whole: a softmax takes any float type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.inference import SETS, fetched
from benchmarks.measure import ROOT, Row, progress
from irscope import captures, discover, session
from irscope.captured import CapturedLaunch
from irscope.model import Kernel, Specialization
from irscope.request import IrscopeError, Request
from irscope.target import Target

SCRIPTS = ROOT / "benchmarks" / "launches"
TARGET = Target.parse("sm_90")
LIMITS = {"kinds": 0.99, "element types": 0.95}


@dataclass(frozen=True, slots=True)
class Compared:
    """One parameter of a launch that its kernel's author does not declare a constexpr."""

    kernel: str
    file: str
    name: str
    launched: str
    inferred: str
    evidence: str

    @property
    def kind_is_right(self) -> bool:
        return kind(self.launched) == kind(self.inferred)

    @property
    def has_elements(self) -> bool:
        return kind(self.launched) in ("pointer", "descriptor")

    @property
    def type_is_near(self) -> bool:
        """Right but for the width of a float."""
        floats = ("*fp64", "*fp32", "*fp16", "*bf16")
        return self.type_is_right or (self.launched.partition(":")[0] in floats and self.inferred in floats)

    @property
    def type_is_right(self) -> bool:
        return self.launched.partition(":")[0] == self.inferred


def kind(entry: str) -> str:
    """Of an entry as ``--arg`` takes it: ``*fp16:16``, ``i32:1``, ``None``, ``0.5``."""
    text = entry.partition(":")[0]
    if text.startswith("*"):
        return "pointer"
    if text.startswith(("tensordesc", "nvTmaDesc")):
        return "descriptor"
    if text == "None":
        return "none"
    if text.startswith(("fp", "bf")) or ("." in text and text.replace(".", "", 1).isdecimal()):
        return "float"
    return "integer"


def rows(log: Path | None = None) -> list[Row]:
    """Three rows for each source of launches, and three for all. ``log``: where to write each parameter, as JSON."""
    found: list[Row] = []
    total: list[Compared] = []
    for source, launches in sources():
        progress(f"\n{source}, {len(launches)} launches ")
        compared = [each for kernel, ways in by_kernel(launches) for each in nearest(kernel, ways)]
        total += compared
        found += rows_of(source, compared)
        if log is not None:
            with log.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line(each)) + "\n" for each in compared)
    return [*found, *rows_of("all", total, LIMITS)]


def sources() -> Iterator[tuple[str, Sequence[CapturedLaunch]]]:
    """What is run, and what it launches."""
    folders = [fetched(package, SETS["seen"][package]) for package in SETS["launches"]["packages"]]
    folders += [fetched(package, version) for package, version in SETS["launches"]["requirements"].items()]
    arguments = tuple(map(str, folders))
    for script in sorted(SCRIPTS.glob("*_calls.py")):
        yield script.stem.removesuffix("_calls"), captures.run(
            script, TARGET, script_arguments=arguments, timeout=300.0
        ).launches  # fmt: skip
    samples: list[CapturedLaunch] = []
    for file in sorted((ROOT / "sample_kernels").glob("*.py")):
        if session.kernels(file):
            samples += captures.run(file, TARGET, timeout=120.0).launches
    yield "sample kernels", samples


def by_kernel(launches: Sequence[CapturedLaunch]) -> Iterator[tuple[Kernel, list[CapturedLaunch]]]:
    ways: dict[tuple[str, int], list[CapturedLaunch]] = {}
    for launch in launches:
        ways.setdefault((launch.file, launch.line), []).append(launch)
    for (file, line_), group in ways.items():
        for kernel in discover.kernels(Path(file)):
            if kernel.line == line_:
                yield kernel, group


def nearest(kernel: Kernel, ways: Sequence[CapturedLaunch]) -> list[Compared]:
    request = Request(Path(kernel.file), kernel.name, TARGET, capture="never", saved=False, fresh=True, timeout=60.0)
    try:
        specialization = session.specialize(request).specialization
    except IrscopeError as error:
        progress(f"\n{kernel.name}: {error}\n")
        return []
    progress(".")
    compared = [compare(kernel, launch, specialization) for launch in ways]
    return max(compared, key=lambda each: sum(one.kind_is_right + one.type_is_right for one in each))


def compare(kernel: Kernel, launch: CapturedLaunch, found: Specialization) -> list[Compared]:
    return [
        Compared(
            kernel.name, kernel.file, name, launch.entries[name], inferred(found, name), found.evidence.get(name, "")
        )
        for name in launch.arguments
    ]


def inferred(found: Specialization, name: str) -> str:
    type_ = str(found.signature[name])
    return str(found.constexprs.get(name)) if type_ == "constexpr" else type_


def rows_of(source: str, compared: Sequence[Compared], limits: dict[str, float] | None = None) -> list[Row]:
    elements = [each for each in compared if each.has_elements]
    right = {
        "kinds": [each.kind_is_right for each in compared],
        "element types": [each.type_is_right for each in elements],
        "element types, floats of any width": [each.type_is_near for each in elements],
    }
    kernels = len({(each.file, each.kernel) for each in compared})
    return [
        Row(
            f"{what}, {source} ({kernels} kernels)", f"{sum(each)} right", f"{len(each)} parameters",
            sum(each) / len(each) if each else 0.0, limits.get(what) if limits else None, at_least=True,
        )
        for what, each in right.items()
    ]  # fmt: skip


def line(each: Compared) -> dict[str, object]:
    return {
        "kernel": each.kernel, "file": Path(each.file).name, "name": each.name, "launched": each.launched,
        "inferred": each.inferred, "evidence": each.evidence, "kind": each.kind_is_right,
        "type": each.type_is_right if each.has_elements else None,
    }  # fmt: skip
