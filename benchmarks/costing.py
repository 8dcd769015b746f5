"""Costs by line of the matmul sample, beside what its compile took; `python -m benchmarks cost`."""

from __future__ import annotations

import time

from benchmarks.measure import ROOT, Row, Samples, compared, progress
from irscope import session
from irscope.analysis.cost import Costs
from irscope.analysis.machine import machine
from irscope.exact import exact_edges
from irscope.model import Compilation, Target
from irscope.request import Request

TARGETS = ("sm_80", "sm_90")


def rows(rounds: int) -> list[Row]:
    found = []
    for target in TARGETS:
        progress(f"\ncosts by line, {target} ")
        request = Request(ROOT / "sample_kernels" / "matmul.py", None, Target.parse(target), fresh=True)
        compiled, taken = [], []
        for turn in range(rounds + 1):
            start = time.perf_counter()
            compilation = session.open(request)
            seconds = time.perf_counter() - start
            costing = seconds_of_costs(exact_edges(compilation, request))
            if turn:
                compiled.append(seconds)
                taken.append(costing)
            progress(".")
        found.append(
            compared(f"costs of every line and row, matmul, {target} / compile", Samples(taken), Samples(compiled), 0.1)
        )
    session.close()
    return found


def seconds_of_costs(compilation: Compilation) -> float:
    """Every figure of every line of Python, TTIR row and TTGIR row, the SASS read already."""
    code = machine(compilation)
    assert code is not None
    start = time.perf_counter()
    costs = Costs(compilation, code, None)
    for stage in (costs.lines, costs.stage("ttir"), costs.stage("ttgir")):
        for row in stage.rows.values():
            assert row.own.instructions <= row.cost.instructions
    return time.perf_counter() - start
