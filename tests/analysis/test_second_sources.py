"""Figures of every sample against a second source: nvdisasm's JSON and control-flow graph, the registers allocated."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from samples import SAMPLE_KERNELS, sample_id, some_in_a_sweep

from irscope import tools
from irscope.analysis import sass
from irscope.analysis.cost import known_live_registers
from irscope.analysis.figures import figures
from irscope.analysis.machine import machine
from irscope.model import Compilation
from irscope.report.stats import stats

Compile = Callable[[str, str], Compilation]

TARGETS = ("sm_80", "sm_90", "sm_120")
#: nvdisasm analyses the flow of the newer ELF layout alone.
ANALYSED = ("sm_90", "sm_120")
every_sample = pytest.mark.parametrize("sample", SAMPLE_KERNELS, ids=sample_id)


def cubin_of(compilation: Compilation) -> bytes:
    data = compilation.stages["cubin"].data
    assert data is not None
    return data


def listed(compilation: Compilation) -> list[dict[str, Any]]:
    """The kernel's instructions in nvdisasm's JSON."""
    printed = json.loads(tools.disassemble(cubin_of(compilation), "-json"))[1]
    name = compilation.metadata["name"]
    (function,) = (each for each in printed if each["function-name"] == name)
    instructions: list[dict[str, Any]] = function["sass-instructions"]
    return instructions


@every_sample
@pytest.mark.parametrize("target", [some_in_a_sweep(target, "sm_90") for target in TARGETS])
def test_instructions_are_as_many_as_nvdisasm_json_has(compiled_sample: Compile, sample: str, target: str) -> None:
    found = compiled_sample(sample, target)
    theirs = listed(found)
    used = figures(found).resources
    read, code = sass.read(found), machine(found)
    assert read is not None and code is not None
    assert used.instructions == read.mix.instructions == len(code.rows) == len(theirs)
    # Each is 16 bytes long, and the code is nothing else.
    assert used.code_bytes == 16 * len(theirs)
    ours = Counter(each.opcode for each in read.function.instructions)
    assert ours == Counter(each["opcode"] for each in theirs)
    # Every instruction is of one kind.
    assert sum(read.mix.kinds.values()) == len(theirs)


@every_sample
@pytest.mark.parametrize("target", [some_in_a_sweep(target, "sm_90") for target in TARGETS])
def test_no_more_registers_are_live_than_are_allocated(compiled_sample: Compile, sample: str, target: str) -> None:
    found = compiled_sample(sample, target)
    live, reason = known_live_registers(found)
    assert live is not None, reason
    allocated = figures(found).resources.registers
    assert allocated is not None
    assert 0 < live.peak <= allocated
    assert len(live.live) == figures(found).resources.instructions
    told = stats(found)
    assert told.live is not None and told.live.peak == live.peak


@every_sample
@pytest.mark.parametrize("target", ANALYSED)
def test_blocks_begin_where_those_of_nvdisasm_do(compiled_sample: Compile, sample: str, target: str) -> None:
    found = compiled_sample(sample, target)
    read = sass.read(found)
    assert read is not None
    theirs = printed_blocks(tools.disassemble(cubin_of(found), "-bbcfg", "-poff"), found.metadata["name"])
    addresses = [each.address for each in read.function.instructions]
    ours = {addresses[block.first] for block in read.flow.blocks if block.number in read.flow.reached}
    assert ours <= theirs
    # nvdisasm begins a block at every label, too, whether anything jumps there or not; and it has the padding.
    labels = set(read.function.labels.values())
    starts = {addresses[at] for at in labels if at < len(addresses)}
    unreached = {addresses[block.first] for block in read.flow.blocks if block.number not in read.flow.reached}
    assert theirs - ours - starts - unreached == set()
    assert len(ours) >= 1 and all(before < after for before, after in pairwise(sorted(ours)))


def printed_blocks(graph: str, function: str) -> set[int]:
    """Addresses of the first instructions of the blocks of a function, and of those that it calls."""
    found = set()
    for part in re.split(r'^subgraph "cluster_', graph, flags=re.MULTILINE)[1:]:
        if not part.startswith((f'{function}"', f"${function}$")):
            continue
        for _, label in re.findall(r'^"([^"\n]+)"\n\[label="(.*)"\]$', part, re.MULTILINE):
            inside = re.findall(r"(?:\\l|\{<entry>|\|<exit\d+>)([0-9a-f]{4,}):", label)
            if inside:
                found.add(int(inside[0], 16))
    assert found
    return found
