from __future__ import annotations

import random
import re

import pytest
from binaries import Binary

from irscope.ir import hsaco


def _in_assembly(binary: Binary, key: str) -> int:
    """A number of the metadata that LLVM printed into the assembly as YAML."""
    found = re.search(rf"^\s+(?:- )?\.{key}:\s+(\d+)$", binary.text, re.MULTILINE)
    assert found, key
    return int(found[1])


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("vgprs", "vgpr_count"),
        ("sgprs", "sgpr_count"),
        ("vgpr_spills", "vgpr_spill_count"),
        ("sgpr_spills", "sgpr_spill_count"),
        ("lds_bytes", "group_segment_fixed_size"),
        ("scratch_bytes", "private_segment_fixed_size"),
        ("kernarg_bytes", "kernarg_segment_size"),
        ("max_threads", "max_flat_workgroup_size"),
        ("wavefront_size", "wavefront_size"),
    ],
)
def test_figures_are_those_of_the_assembly(hsacos: list[Binary], field: str, key: str) -> None:
    for binary in hsacos:
        assert getattr(hsaco.read(binary.data).kernels[0], field) == _in_assembly(binary, key), binary


def test_accumulation_registers_are_told_where_there_are_any(hsacos: list[Binary]) -> None:
    for binary in hsacos:
        expected = _in_assembly(binary, "agpr_count") if binary.target.startswith("gfx9") else None
        assert hsaco.read(binary.data).kernels[0].agprs == expected


def test_target_and_kernel_are_the_ones_compiled(hsacos: list[Binary]) -> None:
    for binary in hsacos:
        read = hsaco.read(binary.data)
        assert read.arch == binary.target
        assert [kernel.name for kernel in read.kernels] == [binary.facts["name"]]
        assert len(read.kernels[0].arguments) == binary.text.count(".value_kind:")


def test_description_names_every_section_and_argument(hsacos: list[Binary]) -> None:
    for binary in hsacos:
        read = hsaco.read(binary.data)
        text = hsaco.describe(read)
        assert all(section.name in text for section in read.sections)
        assert all(len(line) <= 60 for line in text.splitlines())
        assert all(argument.kind in text for argument in read.kernels[0].arguments)


@pytest.mark.parametrize("data", [b"", b"not an ELF file", b"\x7fELF", b"\x7fELF" + bytes(200)])
def test_what_is_no_code_object_is_said_in_one_line(data: bytes) -> None:
    with pytest.raises(hsaco.DamagedHsaco) as failure:
        hsaco.read(data)
    assert "\n" not in str(failure.value)


def test_a_cubin_is_no_code_object(cubins: list[Binary]) -> None:
    with pytest.raises(hsaco.DamagedHsaco, match="CUDA"):
        hsaco.read(cubins[0].data)


def test_damage_is_read_or_told(hsacos: list[Binary]) -> None:
    numbers = random.Random(0)
    whole = hsacos[0].data
    told = 0
    cut = [whole[:length] for length in range(0, len(whole), 97)]
    flipped = []
    for _ in range(1000):
        data = bytearray(whole)
        data[numbers.randrange(min(len(data), 2500)) if numbers.random() < 0.7 else -numbers.randrange(1, 2500)] ^= (
            1 << numbers.randrange(8)
        )
        flipped.append(bytes(data))
    for damaged in cut + flipped:
        try:
            hsaco.describe(hsaco.read(damaged))
        except hsaco.DamagedHsaco:
            told += 1
    assert told >= len(cut) - 1
