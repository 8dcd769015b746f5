from __future__ import annotations

import random
import re
import struct

import pytest
from binaries import Binary

from irscope import tools
from irscope.ir import cubin, nvinfo

#: nvdisasm's word for a record whose name it does not tell.
UNTOLD = "UNKNOWN"


def test_architecture_is_the_one_that_ptxas_was_asked_for(cubins: list[Binary]) -> None:
    for binary in cubins:
        asked = next(option for option in binary.facts["ptxas"] if option.startswith("--gpu-name="))
        assert cubin.read(binary.data).arch == asked.partition("=")[2], binary


def test_release_is_that_of_the_ptxas_that_triton_ran(cubins: list[Binary]) -> None:
    for binary in cubins:
        version = tools.Tool("ptxas", binary.facts["ptxas"][0], "Triton").version
        assert version is not None
        assert version.startswith(f"{cubin.read(binary.data).toolkit}."), binary


def test_both_elf_layouts_are_met(cubins: list[Binary]) -> None:
    """Else the tests above would say nothing about one of the two."""
    assert {cubin.read(binary.data).abi for binary in cubins} == {7, 8}


def test_newer_layout_records_the_tool(cubins: list[Binary]) -> None:
    for binary in cubins:
        read = cubin.read(binary.data)
        if read.abi >= 8:
            (tool,) = read.tools
            assert tool.name.startswith("ptxas")
            assert read.toolkit is not None
            assert f"V{read.toolkit}." in tool.version
            assert f"-arch {read.arch}" in tool.arguments


@pytest.mark.parametrize("field", ["name", "required_threads"])
def test_kernel_is_the_one_that_triton_compiled(cubins: list[Binary], field: str) -> None:
    for binary in cubins:
        (kernel,) = cubin.read(binary.data).kernels
        expected = {"name": binary.facts["name"], "required_threads": (binary.facts["num_warps"] * 32, 1, 1)}
        assert getattr(kernel, field) == expected[field], binary


def test_parameters_are_those_of_the_ptx(cubins: list[Binary]) -> None:
    for binary in cubins:
        kernel = cubin.read(binary.data).kernels[0]
        entry = binary.text[binary.text.index(".entry") :].partition(")")[0]
        bits = [int(width) for width in re.findall(r"\.param \.[bus](\d+)", entry)]
        assert [parameter.size * 8 for parameter in kernel.parameters] == bits, binary
        assert [parameter.ordinal for parameter in kernel.parameters] == list(range(len(bits)))
        last = kernel.parameters[-1]
        assert kernel.parameter_bytes == last.offset + last.size
        assert all(
            b.offset >= a.offset + a.size for a, b in zip(kernel.parameters, kernel.parameters[1:], strict=False)
        )


def test_attributes_are_those_that_nvdisasm_lists(cubins: list[Binary]) -> None:
    for binary in cubins:
        if binary.name in ("add", "softmax_32_registers", "calls"):
            listed = re.findall(r"//----- nvinfo : EIATTR_(\w+)", tools.disassemble(binary.data))
            ours = [attribute.name for attribute in cubin.read(binary.data).attributes]
            assert len(ours) == len(listed)
            assert [a for a, b in zip(ours, listed, strict=True) if b not in (a, UNTOLD)] == [], binary


def test_table_of_names_agrees_with_nvdisasm(cubins: list[Binary]) -> None:
    """One record of each code in place of a long attribute section, so that one run lists them all."""
    binary = next(b for b in cubins if str(b) == "sm_90/softmax_32_registers")
    section = next(s for s in cubin.read(binary.data).sections if s.name.startswith(".nv.info.") and s.size > 512)
    codes = sorted(nvinfo.attribute_names())
    records = b"".join(struct.pack("<BBH", 3, code, 0) for code in codes)
    padding = struct.pack("<BBH", 3, 0x01, 0) * ((section.size - len(records)) // 4)
    changed = bytearray(binary.data)
    changed[section.offset : section.offset + section.size] = records + padding
    listing = tools.disassemble(bytes(changed)).partition(section.name + " ")[2]
    listed = re.findall(r"//----- nvinfo : EIATTR_(\w+)", listing)[: len(codes)]
    names = [nvinfo.attribute_names()[code] for code in codes]
    assert len(listed) == len(codes)
    assert [(ours, theirs) for ours, theirs in zip(names, listed, strict=True) if theirs not in (ours, UNTOLD)] == []
    assert listed.count(UNTOLD) < len(codes) / 5


def test_code_size_is_sixteen_bytes_an_instruction(cubins: list[Binary]) -> None:
    for binary in cubins:
        instructions = len(re.findall(r"^\s+/\*[0-9a-f]{4,}\*/", binary.sass, re.MULTILINE))
        assert cubin.read(binary.data).kernels[0].code_bytes == 16 * instructions, binary


def test_marked_spills_are_local_accesses(cubins: list[Binary]) -> None:
    marked = [binary for binary in cubins if cubin.read(binary.data).kernels[0].spills]
    for binary in marked:
        accesses = {int(a, 16) for a in re.findall(r"/\*([0-9a-f]+)\*/\s+(?:@!?U?P\w+ +)?(?:STL|LDL)", binary.sass)}
        spills = cubin.read(binary.data).kernels[0].spills
        assert spills is not None
        assert spills <= accesses, binary


def test_symbols_have_the_kernel_in_its_code_section(cubins: list[Binary]) -> None:
    for binary in cubins:
        read = cubin.read(binary.data)
        kernel = read.kernels[0]
        symbol = next(symbol for symbol in read.symbols if symbol.name == kernel.name)
        assert (symbol.kind, symbol.section, symbol.size) == ("func", f".text.{kernel.name}", kernel.code_bytes)


def test_description_fits_sixty_columns_and_has_the_facts(cubins: list[Binary]) -> None:
    for binary in cubins:
        read = cubin.read(binary.data)
        text = cubin.describe(read)
        # Functions, sections and symbols have names of the file's own, as long as they like.
        rows = [line for line in text.partition("\nSections")[0].splitlines() if line.startswith("  ")]
        assert max(map(len, rows)) <= 60, binary
        functions = {symbol.name for symbol in read.symbols if symbol.kind == "func"} - {read.kernels[0].name}
        assert all(f"\nFunction {name}\n" in text for name in functions)
        assert bool(functions) == (binary.name == "calls"), binary
        assert re.search(rf"^  registers +{read.kernels[0].registers}  a thread", text, re.MULTILINE)
        for section in read.sections:
            assert section.name in text


@pytest.mark.parametrize("data", [b"", b"not an ELF file", b"\x7fELF", b"\x7fELF" + bytes(200)])
def test_what_is_no_cubin_is_said_in_one_line(data: bytes) -> None:
    with pytest.raises(cubin.DamagedCubin) as failure:
        cubin.read(data)
    assert "\n" not in str(failure.value)


def test_an_amd_code_object_is_no_cubin(hsacos: list[Binary]) -> None:
    with pytest.raises(cubin.DamagedCubin, match="AMDGPU"):
        cubin.read(hsacos[0].data)


def test_a_cut_cubin_is_told(cubins: list[Binary]) -> None:
    for binary in cubins:
        if binary.name == "add":
            for length in range(0, len(binary.data), 97):
                try:
                    read = cubin.read(binary.data[:length])
                except cubin.DamagedCubin:
                    continue
                # Only the program headers, which nobody here reads, may be what is missing.
                assert read == cubin.read(binary.data), (binary, length)


def test_flipped_bytes_are_read_or_told(cubins: list[Binary]) -> None:
    numbers = random.Random(0)
    told = 0
    for binary in (binary for binary in cubins if binary.name == "add"):
        for _ in range(1500):
            data = bytearray(binary.data)
            for _ in range(numbers.randrange(1, 4)):
                # Half of the flips in the headers and attributes, where they matter most.
                spot = numbers.randrange(len(data)) if numbers.random() < 0.5 else -numbers.randrange(1, 2500)
                data[spot] ^= 1 << numbers.randrange(8)
            try:
                cubin.describe(cubin.read(bytes(data)))
            except cubin.DamagedCubin:
                told += 1
    assert told > 0
