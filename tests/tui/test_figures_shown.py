"""What the figures are called. Without an app."""

from collections.abc import Callable
from pathlib import Path

import pytest

from irscope.analysis.figures import figures
from irscope.model import Compilation
from irscope.tui.figures import sections

VECTOR_ADD = f"{Path(__file__).parents[2] / 'sample_kernels' / 'vector_add.py'}::vector_add_kernel"


@pytest.mark.parametrize(
    ("target", "unit", "has_agprs"), [("sm_90", "SM", False), ("gfx942", "CU", True), ("gfx1100", "WGP", False)]
)
def test_occupancy_is_of_what_holds_a_block(
    compiled_sample: Callable[[str, str], Compilation], target: str, unit: str, has_agprs: bool
) -> None:
    found = compiled_sample(VECTOR_ADD, target)
    known = figures(found)
    shown = sections(found, known.resources, known.occupancy, known.operations)
    names = [figure.name for section in shown for figure in section.figures]
    assert f"blocks per {unit}" in names and f"warps per {unit}" in names
    assert ("AGPRs" in names) == has_agprs
