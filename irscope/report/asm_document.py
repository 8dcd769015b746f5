"""``irscope asm --format json``. Lines count from 1."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from irscope import __version__
from irscope.analysis import amd
from irscope.analysis.figures import theoretical_occupancy
from irscope.analysis.flow import Block
from irscope.analysis.live import LiveRegisters
from irscope.analysis.resources import resources
from irscope.analysis.sass.mix import Mix
from irscope.report.asm import Code, values_at_peak
from irscope.report.places import called_from


def document(code: Code) -> dict[str, Any]:
    """The JSON document of ``irscope asm --format json``."""
    return {
        "irscope": __version__,
        "kernel": code.compilation.kernel.name,
        "file": code.compilation.kernel.file,
        "target": asdict(code.compilation.target),
        "stage": code.machine.stage,
        "mix": _mix(code.mix),
        "loops": [
            {
                "number": loop.number,
                "parent": loop.parent,
                "depth": loop.depth,
                "lines": [code.line(loop.first), code.line(loop.last)],
                "mix": _mix(code.loop_mixes[loop.number]),
            }
            for loop in code.flow.loops
        ],
        "blocks": [_block(code, block) for block in code.flow.blocks],
        "live_registers": None if code.live is None else _live(code, code.live),
        "no_live_registers": code.no_live,
        "amd": None if code.amd is None else _amd(code, code.amd),
        "instructions": [_instruction(code, number) for number in range(len(code.machine.rows))],
    }


def _amd(code: Code, found: amd.Amd) -> dict[str, Any]:
    fits = theoretical_occupancy(code.compilation, resources(code.compilation))
    return {
        **asdict(found.figures),
        "lds_dynamic_bytes": resources(code.compilation).shared_dynamic_bytes,
        "occupancy": asdict(fits),
    }


def _block(code: Code, block: Block) -> dict[str, Any]:
    loop = code.flow.loop_of(block.first)
    return {
        "number": block.number,
        "loop": None if loop is None else loop.number,
        "lines": [code.line(block.first), code.line(block.last)],
        "instructions": block.last - block.first + 1,
        "successors": list(block.successors),
        "reached": block.number in code.flow.reached,
    }


def _mix(mix: Mix) -> dict[str, Any]:
    return {
        "instructions": mix.instructions,
        "kinds": dict(mix.kinds),
        "tensor": dict(mix.tensor),
        "accesses": [asdict(each) for each in mix.accesses],
        "spills": mix.spills,
    }


def _live(code: Code, live: LiveRegisters) -> dict[str, Any]:
    return {
        "origin": live.origin,
        "peak": live.peak,
        "peak_lines": [code.line(number) for number in live.peak_instructions],
        "values": [
            {
                "file": chain[0].file if chain else None,
                "line": chain[0].line if chain else None,
                "called_from": called_from(chain, code.compilation.kernel.file),
                "registers": count,
            }
            for chain, count in values_at_peak(code, live)
        ],
    }


def _instruction(code: Code, number: int) -> dict[str, Any]:
    loop = code.flow.loop_of(number)
    entry: dict[str, Any] = {"line": code.line(number), "loop": None if loop is None else loop.number}
    if code.live is not None:
        entry["live"] = asdict(code.live.count(number))
    if code.sass is not None and code.sass.controls is not None:
        control = code.sass.controls[number]
        entry["control"] = {**asdict(control), "text": str(control)}
    if targets := code.flow.targets.get(number):
        entry["targets"] = [code.line(target) for target in targets if target < len(code.machine.rows)]
    return entry
