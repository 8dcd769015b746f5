"""Blocks and edges against nvdisasm's control-flow graph, and loops of kernels whose source has known ones."""

from __future__ import annotations

import re
from collections.abc import Callable

from binaries import Binary
from machine_code import code
from samples import SAMPLES

from irscope import tools
from irscope.analysis import sass
from irscope.analysis.flow import Flow
from irscope.analysis.sass.blocks import flow
from irscope.analysis.sass.instructions import functions
from irscope.model import Compilation

#: nvdisasm analyses the flow of the newer ELF layout alone.
ANALYSED = ("sm_90", "sm_120")


def edges(found: Flow) -> dict[int, tuple[int, ...]]:
    return {block.number: block.successors for block in found.blocks}


def test_jumps_are_those_of_nvdisasm(cubins: list[Binary]) -> None:
    jumps = 0
    for binary in cubins:
        if binary.target not in ANALYSED or binary.name not in ("calls", "product", "softmax_32_registers"):
            continue
        theirs = printed_edges(tools.disassemble(binary.data, "-bbcfg", "-poff"))
        for function in functions(binary.sass):
            found = flow(function)
            addresses = [each.address for each in function.instructions]
            ours = {
                (addresses[block.last], addresses[found.blocks[to].first])
                for block in found.blocks
                if block.number in found.reached
                for to in block.successors
            }
            assert ours <= theirs, binary
            # nvdisasm begins a block at every label, named by a jump or not.
            assert {edge for edge in theirs - ours if edge[1] != edge[0] + 16} == set(), binary
            jumps += len([edge for edge in ours if edge[1] != edge[0] + 16])
    assert jumps > 4


def printed_edges(graph: str) -> set[tuple[int, int]]:
    """Last and first addresses of blocks that follow one another."""
    result = set()
    for part in re.split(r'^subgraph "cluster_', graph, flags=re.MULTILINE)[1:]:
        nodes = {
            name: [int(address, 16) for address in re.findall(r"(?:\\l|\{<entry>|\|<exit\d+>)([0-9a-f]{4,}):", label)]
            for name, label in re.findall(r'^"([^"\n]+)"\n\[label="(.*)"\]$', part, re.MULTILINE)
        }
        for before, after in re.findall(r'^"([^"\n]+)":\w+:\w -> "([^"\n]+)":entry', part, re.MULTILINE):
            if nodes.get(before) and nodes.get(after):
                result.add((nodes[before][-1], nodes[after][0]))
    return result


def test_a_matmul_has_one_loop_and_the_products_are_in_it(
    matmul: Compilation, compiled_sample: Callable[[str, str], Compilation]
) -> None:
    for compilation in (matmul, compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", "sm_80")):
        read = sass.read(compilation)
        assert read is not None
        (loop,) = read.flow.loops
        products = [n for n, each in enumerate(read.function.instructions) if sass.kind(each) == "tensor core"]
        assert products
        inside = {n for n in products if read.flow.loop_of(n) == loop}
        assert sum(read.loop_mixes[0].tensor.values()) == len(inside) > 0
        assert set(read.flow.instructions_of(loop)) < set(range(len(read.function.instructions)))


def test_causal_flash_attention_has_two_loops_after_one_another(
    compiled_sample: Callable[[str, str], Compilation],
) -> None:
    read = sass.read(compiled_sample(f"{SAMPLES / 'flash_attention.py'}::flash_attention_kernel", "sm_90"))
    assert read is not None
    assert [(loop.depth, loop.parent, loop.children) for loop in read.flow.loops] == [(1, None, ()), (1, None, ())]
    assert read.flow.loops[0].last < read.flow.loops[1].first


def test_loops_are_a_tree() -> None:
    found = flow(
        code("MOV R0, R1\n.L_a:\nIADD R0, R0, 1\n.L_b:\nIADD R2, R2, 1\n@P0 BRA `(.L_b)\n@P1 BRA `(.L_a)\nEXIT")
    )
    outer, inner = found.loops
    assert (outer.depth, outer.parent, outer.children, outer.first, outer.last) == (1, None, (1,), 1, 4)
    assert (inner.depth, inner.parent, inner.children, inner.first, inner.last) == (2, 0, (), 2, 3)
    assert found.loop_of(2) == inner
    assert found.loop_of(4) == outer
    assert found.loop_of(0) is None
    assert list(found.instructions_of(outer)) == [1, 2, 3, 4]
    assert found.targets == {3: (2,), 4: (1,)}


def test_the_jump_to_itself_behind_the_end_is_no_loop() -> None:
    found = flow(code("EXIT\n.L_end:\nBRA `(.L_end)\nNOP"))
    assert found.loops == ()
    assert found.reached == {0}


def test_an_exit_or_a_jump_under_a_predicate_goes_on() -> None:
    found = flow(code("@P0 EXIT\nBRA.U UP0, `(.L_x)\n@!PT BRA `(.L_x)\nEXIT\n.L_x:\nEXIT"))
    assert edges(found) == {0: (1,), 1: (2, 4), 2: (3,), 3: (), 4: ()}


def test_indirect_jumps_go_where_nvdisasm_says_or_are_unknown() -> None:
    found = flow(code('BRX R2 -0x10 (*"BRANCH_TARGETS .L_a,.L_b"*)\n.L_a:\nEXIT\n.L_b:\nEXIT'))
    assert edges(found)[0] == (1, 2)
    assert found.unknown == ()
    found = flow(code("BRX R2 -0x10\n.L_a:\nEXIT\n.L_b:\nEXIT"))
    assert found.unknown == (0,)
    assert [block.first for block in found.blocks] == [0, 1, 2]


def test_reconvergence_jumps_nowhere() -> None:
    found = flow(code("BSSY B0, `(.L_b)\n@P0 BRA `(.L_a)\nMOV R1, R2\n.L_a:\nBSYNC B0\n.L_b:\nEXIT"))
    assert edges(found) == {0: (1, 2), 1: (2,), 2: (3,), 3: ()}


def test_calls_of_functions_go_on_and_calls_of_labels_jump() -> None:
    found = flow(
        code("CALL.REL.NOINC `($f)\n@P0 CALL.REL.NOINC `(.L_a)\nEXIT\n.L_a:\nEXIT\n$f:\nRET.REL.NODEC R2 `(kernel)")
    )
    assert edges(found) == {0: (1,), 1: (2, 3), 2: (), 3: (), 4: ()}
    assert found.calls == (0,)
    assert found.targets == {0: (4,), 1: (3,)}
    assert found.reached == {0, 1, 2, 3, 4}


def test_a_cycle_with_two_entrances_is_no_natural_loop() -> None:
    found = flow(code("@P0 BRA `(.L_b)\n.L_a:\nMOV R1, R2\n.L_b:\nMOV R1, R2\n@P1 BRA `(.L_a)\nEXIT"))
    assert found.loops == ()
