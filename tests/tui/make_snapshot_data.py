"""Make the bundles that the pictures of the TUI show: ``python tests/tui/make_snapshot_data.py FOLDER``.

A picture must be the same on every machine and with every Triton, so what is shown is compiled once and kept.
The kernels are copied to FOLDER, as stages and cubin name it; give one that no machine has otherwise, such as
``/home/reader/kernels``. Times are set, and what else tells of the machine is left out.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from irscope import bundle, session
from irscope.model import Compilation, Target
from irscope.request import Request

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
KERNELS = {
    "vector_add": ROOT / "sample_kernels" / "vector_add.py",
    "compile_error": ROOT / "tests" / "kernels" / "compile_error.py",
}
SECONDS = (0.012, 0.16, 0.42, 0.095, 0.06, 0.31)


def settled(found: Compilation) -> Compilation:
    """The same compilation as if it had been made on a machine where nothing ever changes."""
    return replace(
        found,
        specialization=replace(found.specialization, options=without_paths(found.specialization.options)),
        metadata=without_paths(found.metadata),
        stages={
            name: replace(stage, seconds=seconds)
            for (name, stage), seconds in zip(found.stages.items(), SECONDS, strict=False)
        },
        failure=found.failure and replace(found.failure, detail=None),
        log="",
        ptxas_log="",
        seconds=1.5,
    )


def without_paths(values: Mapping[str, Any]) -> dict[str, Any]:
    """Options and metadata without the libraries of the Triton that compiled."""
    return {name: value for name, value in values.items() if name != "extern_libs"}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    DATA.mkdir(exist_ok=True)
    for name, kernel in KERNELS.items():
        file = Path(shutil.copy(kernel, folder))
        found = session.open(Request(file, target=Target.parse("sm_90"), fresh=True))
        bundle.write(settled(found), DATA / f"{name}.irscope")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
