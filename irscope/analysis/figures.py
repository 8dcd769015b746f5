"""All figures of a compilation, as the TUI, ``dump`` and the reports show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from irscope import ir
from irscope.analysis.occupancy import Change, nearest_changes, occupancy
from irscope.analysis.resources import resources
from irscope.model import Compilation, Occupancy, Resources


@dataclass(frozen=True, slots=True)
class Figures:
    resources: Resources
    occupancy: Occupancy
    #: By text stage, how many operations (MLIR) or instructions it has.
    operations: Mapping[str, int]


def figures(compilation: Compilation) -> Figures:
    """Figures from the compilation's own files; parses every text stage, some ten milliseconds a megabyte."""
    try:
        used = resources(compilation)
    except ValueError:  # a damaged binary: nothing is known of it, and the disassembler's warning says why
        used = Resources()
    return Figures(
        resources=used,
        occupancy=theoretical_occupancy(compilation, used),
        operations={
            name: ir.index(name, stage.text).operation_count
            for name, stage in compilation.stages.items()
            if stage.text is not None
        },
    )


def theoretical_occupancy(compilation: Compilation, used: Resources) -> Occupancy:
    return occupancy(used, compilation.target, _num_warps(compilation))


def occupancy_changes(compilation: Compilation, used: Resources) -> tuple[Change, ...]:
    """What would raise the occupancy, nearest first."""
    return nearest_changes(used, compilation.target, _num_warps(compilation))


def _num_warps(compilation: Compilation) -> int | None:
    # The metadata first: warp specialization adds warps to those that were asked for.
    warps = compilation.metadata.get("num_warps", compilation.specialization.options.get("num_warps"))
    return warps if isinstance(warps, int) else None
