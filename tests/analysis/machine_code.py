"""Kernels with many sorts of instruction, and SASS written by hand."""

from __future__ import annotations

from pathlib import Path

from irscope import discover
from irscope.analysis.sass.instructions import Function, functions

VARIED = Path(__file__).parent / "kernels" / "instructions.py"
VARIED_KERNELS = tuple(f"{VARIED}::{each.name}" for each in discover.kernels(VARIED))


def code(body: str) -> Function:
    """A function of rows that are labels (``.L_a:``) or instructions."""
    rows, address = ['	.section	.text.kernel,"ax",@progbits'], 0
    for line in body.strip().split("\n"):
        if line.strip().endswith(":"):
            rows.append(line.strip())
        else:
            rows.append(f"        /*{address:04x}*/   {line.strip()} ;")
            address += 16
    return functions("\n".join(rows))[0]
