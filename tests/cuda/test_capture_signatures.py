"""What a capture records is what Triton compiles: each script runs for real, and its kernels are compared.

``pytest -m cuda -n 8 --dist loadgroup tests/cuda/test_capture_signatures.py``
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samples import SCRIPTS

from irscope import devices

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not devices.devices(), reason="there is no CUDA device here"),
]

COMPILED_BY = Path(__file__).parent / "compiled_by.py"

#: They run each benchmark at all of its sizes; a capture takes the first.
OF_MANY_VALUES = ("benchmark",)

#: Inductor compiles its kernels with several of these; a capture takes those that it launches.
BLOCKS_OF_INDUCTOR = ["XBLOCK", "YBLOCK", "ZBLOCK", "R0_BLOCK", "R1_BLOCK"]

#: What no capture without a GPU can know, or knows not yet.
UNKNOWN = {
    "compaction": "a size that a kernel computes is a launch's argument",
}

GROUPED = [pytest.param(script, marks=pytest.mark.xdist_group(script.stem), id=script.stem) for script in SCRIPTS]


def environment() -> dict[str, str]:
    """Inductor compiles in its own process, and finds nothing that it has compiled before."""
    folder = tempfile.mkdtemp(dir=os.environ["IRSCOPE_CACHE_DIR"])
    return {**os.environ, "TORCHINDUCTOR_COMPILE_THREADS": "1", "TORCHINDUCTOR_CACHE_DIR": folder}


@cache
def compiled_by(script: Path) -> dict[str, Any]:
    """What Triton says of a script that runs by itself."""
    out = Path(os.environ["IRSCOPE_CACHE_DIR"]) / f"{script.stem}.json"
    command = [sys.executable, str(COMPILED_BY), str(out), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=out.parent, env=environment())
    assert done.returncode == 0, f"{script.name} does not run: {done.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    assert found["compiled"]
    return found


def captured(script: Path, *options: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "irscope.cli", "capture", str(script), "--format", "json", *options]
    command += ["--timeout", "150"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["ended"] is None, document["ended"]
    launches: list[dict[str, Any]] = document["launches"]
    return launches


def specializations(found: list[dict[str, Any]], left_out: dict[str, list[str]]) -> set[str]:
    def of(one: dict[str, Any]) -> str:
        names = left_out.get(one["kernel"], [])
        parts = {
            part: {name: short(value) for name, value in one[part].items() if name.partition(".")[0] not in names}
            for part in ("signature", "constexprs", "attributes")
        }
        return json.dumps([one["kernel"], parts], sort_keys=True)

    return {of(one) for one in found}


def short(value: Any) -> Any:
    """Layouts of Gluon are told field by field, or by name."""
    return "layout" if (isinstance(value, dict) and "order" in value) or str(value).endswith("Layout") else value


def compare(script: Path, launches: list[dict[str, Any]]) -> None:
    truth = compiled_by(script)
    known, exact = specializations(truth["compiled"], {}), specializations(launches, {})
    assert exact <= known, f"launched by nobody: {exact - known}\nof {known}"
    # Which configuration an autotuner chooses is the GPU's word: it compiles them all, and a capture takes the first.
    of_inductor = {one["kernel"] for one in truth["compiled"] if one["kernel"].startswith("triton_")}
    tuned = truth["tuned"] | dict.fromkeys(of_inductor, BLOCKS_OF_INDUCTOR)
    missed = specializations(truth["compiled"], tuned) - specializations(launches, tuned)
    assert exact and (script.stem in OF_MANY_VALUES or not missed), f"not captured: {missed}\nof {exact}"


@pytest.mark.parametrize("script", GROUPED)
def test_without_the_gpu(script: Path, request: pytest.FixtureRequest) -> None:
    if script.stem in UNKNOWN:
        request.applymarker(pytest.mark.xfail(reason=UNKNOWN[script.stem], strict=True))
    compare(script, captured(script, "--no-gpu"))


@pytest.mark.parametrize("script", GROUPED)
def test_with_the_gpu(script: Path) -> None:
    compare(script, captured(script))
