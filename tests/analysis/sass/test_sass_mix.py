"""Kinds of instruction, what they move, spill code; every opcode that the kernels here make must be known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from binaries import Binary
from machine_code import VARIED_KERNELS, code
from samples import KERNELS, SAMPLE_KERNELS, SAMPLES, sample_id

from irscope import tools
from irscope.analysis import sass
from irscope.analysis.resources import ptxas_reports
from irscope.analysis.sass.instructions import function, functions
from irscope.analysis.sass.kinds import OTHER, access, all_kinds, kind
from irscope.analysis.sass.mix import mix_of, mix_of_loop
from irscope.analysis.sass.spills import spill_code
from irscope.ir import cubin
from irscope.model import Compilation

Compile = Callable[[str, str], Compilation]

TARGETS = ("sm_75", "sm_80", "sm_89", "sm_90", "sm_100", "sm_120")
SPILLING = f"{KERNELS / 'spills.py'}::spilling_kernel"
#: Turing has neither products of bytes with 64 x 64 blocks nor conversions of fp8.
IMPOSSIBLE = {("sm_75", "bytes_dot"), ("sm_75", "float8_dot")}


@pytest.mark.sweep
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", (*SAMPLE_KERNELS, SPILLING, *VARIED_KERNELS), ids=sample_id)
def test_every_opcode_has_a_kind(compiled_sample: Compile, path: str, target: str) -> None:
    if (target, sample_id(path)) in IMPOSSIBLE:
        pytest.skip("it does not compile for this target")
    read = sass.read(compiled_sample(path, target))
    assert read is not None
    assert read.mix.other == {}
    assert OTHER not in read.mix.kinds
    assert sum(read.mix.kinds.values()) == read.mix.instructions == len(read.function.instructions)
    assert read.controls is not None
    assert len(read.controls) == read.mix.instructions


def test_every_opcode_of_the_binaries_has_a_kind(cubins: list[Binary]) -> None:
    assert {
        each.opcode for b in cubins for f in functions(b.sass) for each in f.instructions if kind(each) == OTHER
    } == set()


def test_an_unknown_opcode_counts_as_other() -> None:
    found = mix_of(code("NEWTHING.X R0, R1\nEXIT"))
    assert found.other == {"NEWTHING": 1}
    assert found.kinds == {"control": 1, OTHER: 1}
    assert set(found.kinds) <= set(all_kinds())


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("LDG.E.128.CONSTANT R4, desc[UR4][R2.64]", ("global", "load", 128, 512)),
        ("LDG.E.LTC128B R4, desc[UR4][R2.64]", ("global", "load", 32, 128)),
        ("LDG.E.U8 R4, [R2.64]", ("global", "load", 8, 32)),
        ("LDG.E.ENL2.256 R4, R8, desc[UR4][R2.64]", ("global", "load", 256, 1024)),
        ("STG.E.64 desc[UR4][R2.64], R4", ("global", "store", 64, 256)),
        ("LDGSTS.E.BYPASS.LTC128B.128 [R9], desc[UR14][R16.64], P2", ("global to shared", "copy", 128, 512)),
        ("UTMALDG.2D [UR8], [UR4]", ("global to shared", "copy", None, None)),
        ("LDSM.16.MT88.4 R12, [R84+UR9]", ("shared", "load", 128, 512)),
        ("LDSM.16.M88 R12, [R84+UR9]", ("shared", "load", 32, 128)),
        ("LDS.U.128 R4, [R52+0x8000]", ("shared", "load", 128, 512)),
        ("STS.U16 [R4], R5", ("shared", "store", 16, 64)),
        ("LDL.LU.64 R22, [R1+0xc8]", ("local", "load", 64, 256)),
        ("ATOMG.E.CAS.64.STRONG.GPU PT, R4, desc[UR4][R2.64], R6, R8", ("global", "atomic", 64, 256)),
        ("REDG.E.ADD.F16x2.RN.STRONG.GPU desc[UR10][R2.64], R12", ("global", "atomic", 32, 128)),
        ("RED.E.ADD.F32.FTZ.RN.STRONG.GPU [R2.64], R0", ("global", "atomic", 32, 128)),
        ("LDC.64 R10, c[0x0][0x210]", ("constant", "load", 64, 256)),
        ("ULDC.64 UR4, c[0x0][0x118]", ("constant", "load", 64, 8)),
        ("LDTM.x64 R8, tmem[UR14+0x40]", ("tensor", "load", 2048, 8192)),
    ],
)
def test_what_memory_instructions_move(instruction: str, expected: tuple[object, ...]) -> None:
    (each,) = code(instruction).instructions
    found = access(each)
    assert found is not None
    assert (found.space, found.direction, found.bits, found.bytes_per_warp) == expected
    once_a_warp = found.bits is not None and found.bytes_per_warp == found.bits // 8
    assert found.bytes_per_thread == (None if found.bits is None or once_a_warp else found.bits // 8)


def test_what_never_executes_is_padding_and_moves_nothing() -> None:
    found = mix_of(code("@!PT LDS RZ, [RZ]\n@!P0 LDS R4, [R5]"))
    assert found.kinds == {"shared memory": 1, "padding": 1}
    assert found.bytes_per_warp("shared") == 128


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("IMAD.MOV.U32 R4, RZ, RZ, R5", "data movement"),
        ("IMAD.WIDE.U32 R4, R5, 0x4, R6", "integer"),
        ("HADD2.F32 R27, -RZ, R33.H1_H1", "conversion"),
        ("HADD2.BF16_V2 R27, R3, R4", "float"),
        ("HGMMA.64x64x16.F32 R56, gdesc[UR32], RZ, !UPT", "tensor core"),
        ("MUFU.EX2 R4, R4", "special function"),
        ("UIADD3 UR4, UR5, UR6, URZ", "uniform datapath"),
        ("SHFL.BFLY PT, R7, R6, 0x10, 0x1f", "warp exchange"),
        ("BAR.SYNC.DEFER_BLOCKING 0x0", "barrier"),
    ],
)
def test_kinds(instruction: str, expected: str) -> None:
    (each,) = code(instruction).instructions
    assert kind(each) == expected


def test_spill_code_moves_the_bytes_that_ptxas_reports(cubins: list[Binary]) -> None:
    seen = 0
    for binary in cubins:
        found = function(binary.sass, binary.facts["name"])
        reported = ptxas_reports(binary.ptxas_log)[binary.facts["name"]]
        assert found is not None
        numbers = spill_code(found, cubin.read(binary.data).kernel(), binary.text)
        assert numbers is not None
        mix = mix_of(found, numbers, numbers)
        assert mix.spills == len(numbers)
        moved = {each.direction: 0 for each in mix.accesses} | {"store": 0, "load": 0}
        for each in mix.accesses:
            assert each.bits is not None
            moved[each.direction] += each.instructions * each.bits // 8
        assert (moved["store"], moved["load"]) == (reported.spill_store_bytes, reported.spill_load_bytes), binary
        seen += bool(numbers)
    assert seen > 2


def test_the_marks_in_the_cubin_tell_the_same_spills_as_nvdisasm(cubins: list[Binary]) -> None:
    for binary in cubins:
        if binary.name == "softmax_32_registers":
            found = function(binary.sass)
            assert found is not None
            bare = function(tools.disassemble(binary.data, "-c").replace('(*"SpillRefill"*)', ""))
            assert bare is not None
            assert spill_code(bare, cubin.read(binary.data).kernel()) == spill_code(found)
            assert spill_code(bare) is None
            assert spill_code(bare, None, ".local .align 4 .b8 own[4];") is None


def test_loops_and_the_rest_make_up_the_whole(compiled_sample: Compile) -> None:
    read = sass.read(compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", "sm_80"))
    assert read is not None
    (loop,) = read.flow.loops
    inside = set(read.flow.instructions_of(loop))
    rest = read.part(number for number in range(read.mix.instructions) if number not in inside)
    together = {name: rest.kinds.get(name, 0) + read.loop_mixes[0].kinds.get(name, 0) for name in read.mix.kinds}
    assert together == dict(read.mix.kinds)
    assert mix_of_loop(read.function, read.flow, loop, read.spills, inner=False) == read.loop_mixes[0]
    # Two tiles of fp16, 128 x 64 and 64 x 128, come once an iteration; the kernel has 8 warps.
    assert read.loop_mixes[0].bytes_per_warp("global to shared") == 2 * 128 * 64 * 2 // 8
    assert read.numbers[read.function.instructions[7].row] == 7
