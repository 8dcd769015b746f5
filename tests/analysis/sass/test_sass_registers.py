"""Live registers: nvdisasm's table, and irscope's own analysis against it wherever nvdisasm answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from binaries import Binary
from machine_code import code
from samples import SAMPLES

from irscope.analysis import sass
from irscope.analysis.flow import Flow
from irscope.analysis.live import LiveRegisters, register_names
from irscope.analysis.sass import operands
from irscope.analysis.sass.blocks import flow
from irscope.analysis.sass.instructions import Function, encodings, function
from irscope.analysis.sass.registers import from_nvdisasm, live_registers, own
from irscope.ir import cubin
from irscope.model import Compilation
from irscope.request import IrscopeError

#: It prints live registers for the newer ELF layout alone.
ANSWERED = ("sm_90", "sm_120")
PREDICATES = 0xFF << operands.PREDICATE


def main_function(binary: Binary) -> Function:
    found = function(binary.sass, binary.facts["name"])
    assert found is not None
    return found


def test_irscope_finds_what_nvdisasm_prints(cubins: list[Binary]) -> None:
    compared = 0
    for binary in cubins:
        if binary.target not in ANSWERED or binary.name in ("calls", "softmax_one_warp"):
            continue
        code_ = main_function(binary)
        edges = flow(code_)
        theirs = from_nvdisasm(code_, binary.data)
        ours = own(code_, encodings(binary.data)[code_.name], edges)
        assert (theirs.origin, ours.origin) == ("nvdisasm", "irscope")
        assert ours.peak == theirs.peak, binary
        left_out = appearing(theirs, edges)
        if any(each.name in ("P2R", "R2P") for each in code_.instructions):
            # nvdisasm takes them for instructions that touch no predicate.
            left_out |= PREDICATES
        for block in edges.blocks:
            if block.number in edges.reached:
                for number in range(block.first, block.last + 1):
                    differs = (ours.live[number] ^ theirs.live[number]) & ~left_out
                    assert not differs, (str(binary), code_.instructions[number], list(register_names(differs)))
                    compared += 1
        if binary.name in ("add", "product"):
            assert left_out == 0
    assert compared > 1000


def appearing(found: LiveRegisters, edges: Flow) -> int:
    """Registers that a table has live somewhere although nothing writes them there and they were not live before."""
    result = 0
    for block in edges.blocks:
        if block.number not in edges.reached:
            continue
        for number in range(block.first, block.last + 1):
            before = [number - 1] if number > block.first else [edges.blocks[each].last for each in block.predecessors]
            for each in before:
                result |= found.live[number] & ~found.live[each] & ~found.written[number]
    return result


def test_registers_read_and_written_are_those_that_nvdisasm_marks(cubins: list[Binary]) -> None:
    for binary in cubins:
        if binary.target not in ANSWERED or binary.name not in ("product", "softmax"):
            continue
        code_ = main_function(binary)
        theirs = from_nvdisasm(code_, binary.data)
        encoded = encodings(binary.data)[code_.name]
        for number, each in enumerate(code_.instructions):
            if each.name in ("NOP", "P2R", "R2P"):
                continue
            found = operands.sets(each, encoded[each.address])
            assert found is not None
            read, written = found
            # It marks the predicate of a copy to shared memory as written too.
            marked = theirs.written[number] & ~(PREDICATES if each.name == "LDGSTS" else 0)
            assert (list(register_names(read)), list(register_names(written))) == (
                list(register_names(theirs.read[number])),
                list(register_names(marked)),
            ), (str(binary), each)


def test_where_nvdisasm_refuses_irscope_says_that_it_is_its_own(cubins: list[Binary]) -> None:
    """Else nothing of the older layout would be seen."""
    for binary in cubins:
        if binary.name == "product" and binary.target not in ANSWERED:
            with pytest.raises(IrscopeError, match="flow analysis"):
                from_nvdisasm(main_function(binary), binary.data)
            assert live_registers(main_function(binary), binary.data).origin == "irscope"


def test_peaks_are_at_most_the_registers_allocated(cubins: list[Binary]) -> None:
    for binary in cubins:
        record = cubin.read(binary.data).kernel()
        code_ = main_function(binary)
        found = own(code_, encodings(binary.data)[code_.name])
        assert record is not None
        assert record.registers is not None
        assert 2 < found.peak <= record.registers, binary
        assert found.peak == max(found.count(number).general for number in found.peak_instructions)


def test_what_a_walk_through_calls_reads_was_live_since_it_was_written(cubins: list[Binary]) -> None:
    """The definition, executed. nvdisasm is no second source here: it takes the calling convention for the callee."""
    chooser = random.Random(5)
    for binary in cubins:
        if binary.name != "calls":
            continue
        code_ = main_function(binary)
        edges = flow(code_)
        found = own(code_, encodings(binary.data)[code_.name], edges)
        assert edges.calls
        assert sum(_walk(code_, edges, found, chooser) for _ in range(5)) > 100


def _walk(code_: Function, edges: Flow, found: LiveRegisters, chooser: random.Random) -> int:
    """Any way through the code, into called functions and back; how many reads were looked at."""
    since: dict[int, int] = {}
    path: list[int] = []
    behind: list[int] = []
    reads = 0
    following = [0]
    while following and len(path) < 3000:
        block = edges.blocks[chooser.choice(following)]
        for number in range(block.first, block.last + 1):
            path.append(number)
            for register in bits(found.read[number]):
                if register in since:
                    reads += 1
                    between = path[since[register] :]
                    assert all(found.live[at] >> register & 1 for at in between), (code_.instructions[number], register)
                    since[register] = len(path) - 1
            since.update(dict.fromkeys(bits(found.written[number]), len(path) - 1))
        following = list(block.successors)
        if block.last in edges.calls:
            behind += following
            following = [edges.block_of[to] for to in edges.targets[block.last]]
        elif code_.instructions[block.last].name == "RET" and behind:
            following = [behind.pop()]
    return reads


def bits(held: int) -> list[int]:
    return [position for position, digit in enumerate(reversed(bin(held)[2:])) if digit == "1"]


def test_a_function_that_is_elsewhere_is_not_followed(cubins: list[Binary]) -> None:
    binary = next(each for each in cubins if each.name == "calls")
    code_ = main_function(binary)
    edges = flow(code_)
    with pytest.raises(IrscopeError, match="not in its code"):
        own(code_, encodings(binary.data)[code_.name], replace(edges, targets={}))


def test_accumulators_of_a_matmul_are_live_at_its_peak_and_their_writers_are_found(
    compiled_sample: Callable[[str, str], Compilation],
) -> None:
    compilation = compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", "sm_80")
    read, found = sass.read(compilation), sass.live_registers(compilation)
    assert read is not None
    product = next(n for n, each in enumerate(read.function.instructions) if sass.kind(each) == "tensor core")
    result = read.function.instructions[product].operands[0]
    assert result in found.names(product)
    assert found.definitions(read.flow, product, result) == (product,)
    for number in found.peak_instructions:
        values = found.values(read.flow, number)
        assert len([name for name in values if name.startswith("R")]) == found.peak
        assert result in values
        for name, writers in values.items():
            assert writers
            assert all(found.written[writer] & operands.bit(name) for writer in writers)


def test_a_value_lives_from_its_writer_to_its_last_reader() -> None:
    found = own(code("MOV R0, 0x1\nMOV R2, 0x2\nIADD3 R4, R0, R2, RZ\nSTG.E [R6.64], R4\nEXIT"), {})
    assert [found.names(number) for number in range(5)] == [
        ("R0", "R1", "R6", "R7"),
        ("R0", "R1", "R2", "R6", "R7"),
        ("R0", "R1", "R2", "R4", "R6", "R7"),
        ("R1", "R4", "R6", "R7"),
        ("R1",),
    ]
    assert found.peak_instructions == (2,)
    assert found.count(0) == sass.Count(4, 0, 0, 0)


def test_a_write_under_a_predicate_leaves_the_old_value_to_some_lanes() -> None:
    body = code("MOV R0, 0x1\n@P0 MOV R0, 0x2\nSTG.E [R6.64], R0\nEXIT")
    found = own(body, {})
    assert "R0" in found.names(1)
    assert found.definitions(flow(body), 2, "R0") == (0, 1)
    assert found.definitions(flow(body), 2, "R6") == ()


def test_a_value_carried_by_a_loop_is_live_all_through_it() -> None:
    body = code("MOV R0, 0x1\n.L_a:\nIADD3 R0, R0, 0x1, RZ\nMOV R4, 0x2\n@P0 BRA `(.L_a)\nSTG.E [R6.64], R0\nEXIT")
    found = own(body, {})
    assert all("R0" in found.names(number) for number in range(5))
    assert found.definitions(flow(body), 1, "R0") == (1,)
    assert found.definitions(flow(body), 4, "R0") == (1,)


def test_an_unknown_opcode_shows_nothing_rather_than_something_wrong() -> None:
    with pytest.raises(IrscopeError, match="NEWTHING"):
        own(code("NEWTHING R0, R1\nEXIT"), {})
