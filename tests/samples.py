"""Where the tests find kernels: the samples, and files that are bad on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from irscope import discover

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_kernels"
KERNELS = Path(__file__).parent / "kernels"

#: Every sample kernel, as ``irscope dump`` takes it.
SAMPLE_KERNELS = tuple(
    f"{kernel.file}::{kernel.name}" for file in sorted(SAMPLES.glob("*.py")) for kernel in discover.kernels(file)
)


def some_in_a_sweep(target: str, *always: str) -> object:
    """A parameter that is only run with ``-m sweep``, unless it is one of ``always``."""
    return pytest.param(target, marks=[] if target in always else pytest.mark.sweep)


def sample_id(path: str) -> str:
    return path.rpartition("::")[2].removesuffix("_kernel")


#: Scripts as people write them, each of which launches kernels: the samples too, but for the one that only has helpers.
SCRIPTS = tuple(
    file
    for folder in (KERNELS / "capture" / "scripts", SAMPLES)
    for file in sorted(folder.glob("*.py"))
    if file.name not in ("harness.py", "activations.py")
)
