"""What a cubin says about its kernels: resources, parameters, attributes, sections, symbols, tool versions.

A cubin is an ELF file. Two layouts are in use: up to CUDA 12.x for targets before Blackwell (ELF ABI 7), and
from CUDA 12.8 for Blackwell and CUDA 13 for Hopper on (ABI 8). They differ in where the architecture, the
number of barriers and the tool's version are. None is documented by NVIDIA; each fact read here is compared
with what ``ptxas -v`` and ``nvdisasm`` print for the same kernel, in tests/ir/test_cubin.py.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from elftools.elf.elffile import ELFFile

from irscope.ir import nvinfo
from irscope.ir.nvinfo import Attribute, DamagedCubin
from irscope.ir.table import size, table

__all__ = ["Attribute", "Cubin", "DamagedCubin", "KernelRecord", "describe", "read"]

#: The newer ELF layout; see the module's docstring.
_NEW_ABI = 8
#: From Hopper on, .nv.shared.<kernel> begins with the bytes that the system takes from every block.
_SYSTEM_SHARED_BYTES = 1024
#: The first CUDA release that marks spills in the cubin, as ``major * 10 + minor``.
_MARKS_SPILLS = 128
#: Columns for an attribute's value in `describe`; lists of addresses can have thousands of entries.
_VALUE_COLUMNS = 32

_CUDA_INFO = 0x70000000
_SECTION_TYPES = {
    _CUDA_INFO: "CUDA_INFO",
    0x70000001: "CUDA_CALLGRAPH",
    0x7000000B: "CUDA_RELOCINFO",
    0x70000086: "CUDA_COMPAT_INFO",
}
_SECTION_FLAGS = ((0x1, "W"), (0x2, "A"), (0x4, "X"), (0x40, "I"))


@dataclass(frozen=True, slots=True)
class Section:
    """One ELF section; ``size`` and ``offset`` in bytes, ``flags`` as readelf writes them."""

    name: str
    type: str
    size: int
    flags: str
    offset: int


@dataclass(frozen=True, slots=True)
class Symbol:
    name: str
    kind: str
    binding: str
    section: str
    value: int
    size: int


@dataclass(frozen=True, slots=True)
class KernelParameter:
    """A parameter as it lies in the constant bank; ``offset`` counts from the first one, in bytes."""

    ordinal: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class ToolRecord:
    """A program that wrote the cubin, as it recorded itself."""

    name: str
    version: str
    build: str
    arguments: str


@dataclass(frozen=True, slots=True)
class KernelRecord:
    """What the cubin says about one kernel. Sizes in bytes; ``None``: the cubin does not say."""

    name: str
    #: 32-bit registers of a thread, as the driver allocates them.
    registers: int | None
    #: ptxas' "stack frame": local memory of the kernel's own frame, for each thread.
    frame_bytes: int | None
    #: ptxas' "cumulative stack size": the frame and those of the functions it calls.
    stack_bytes: int | None
    #: Named barriers (``bar.sync 0`` to 15).
    barriers: int | None
    shared_static_bytes: int
    #: Constant bank 0: driver's area and parameters.
    constant_bytes: int | None
    parameter_bytes: int | None
    code_bytes: int
    #: The limit that the compiler worked under, 255 where there was none.
    max_registers: int | None
    #: Threads of a block in each dimension, where the kernel was compiled for exactly these.
    required_threads: tuple[int, ...] | None
    parameters: tuple[KernelParameter, ...]
    #: Addresses of the instructions that spill or refill a register; ``None`` where no tool marked them.
    spills: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Cubin:
    arch: str
    abi: int
    #: CUDA release, "13.4".
    toolkit: str | None
    flags: int
    kernels: tuple[KernelRecord, ...]
    attributes: tuple[Attribute, ...]
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    tools: tuple[ToolRecord, ...]

    def kernel(self, name: str | None = None) -> KernelRecord | None:
        """The kernel of that name; the only (or first) one where that name is not there."""
        return next((kernel for kernel in self.kernels if kernel.name == name), next(iter(self.kernels), None))


def read(data: bytes) -> Cubin:
    """Read a cubin.

    Raises:
        DamagedCubin: it is not one, or not a whole one; the message is one line.
    """
    if not data.startswith(b"\x7fELF"):
        raise DamagedCubin("not a cubin: it does not begin as an ELF file does")
    try:
        elf = ELFFile(io.BytesIO(data))
        if elf["e_machine"] != "EM_CUDA":
            raise DamagedCubin(f"not a cubin: the ELF file is for {elf['e_machine']}")
        return _read(elf, len(data))
    except DamagedCubin:
        raise
    # pyelftools meets damage wherever it trusts a field: over a dozen exception types, assertions among them.
    except Exception as error:
        raise DamagedCubin(f"the cubin is damaged or cut short ({type(error).__name__})") from error


def _read(elf: Any, length: int) -> Cubin:
    sections = list(elf.iter_sections())
    by_name = {section.name: section for section in sections}
    for section in sections:
        if section["sh_type"] != "SHT_NOBITS" and section["sh_offset"] + section["sh_size"] > length:
            raise DamagedCubin(f"the cubin is cut short: section {section.name} lies beyond its end")
    symbols = tuple(_symbols(by_name.get(".symtab"), sections))
    names = [symbol.name for symbol in symbols]
    attributes = tuple(
        attribute
        for section in sections
        if section["sh_type"] == _CUDA_INFO
        for attribute in nvinfo.attributes(section.data(), section.name.removeprefix(".nv.info").lstrip("."), names)
    )
    abi = int(elf["e_ident"]["EI_ABIVERSION"])
    tools, release = _notes(by_name)
    if abi < _NEW_ABI and isinstance(elf["e_version"], int):
        release = elf["e_version"]
    arch = _arch(elf["e_flags"], abi, tools, by_name.get(".nv.compat"))
    kernels = tuple(
        _kernel(name, by_name, attributes, abi, int(re.sub(r"\D", "", arch)), release)
        for name in (name.removeprefix(".text.") for name in by_name if name.startswith(".text."))
        if f".nv.constant0.{name}" in by_name or f".nv.info.{name}" in by_name
    )
    return Cubin(
        arch,
        abi,
        nvinfo.release(release) if release else None,
        elf["e_flags"],
        kernels,
        attributes,
        tuple(
            Section(section.name, _section_type(section), section["sh_size"], _flags(section), section["sh_offset"])
            for section in sections[1:]
        ),
        symbols,
        tools,
    )


def _kernel(
    name: str, sections: dict[str, Any], attributes: Sequence[Attribute], abi: int, sm: int, release: int | None
) -> KernelRecord:
    code = sections[f".text.{name}"]
    own: dict[str, Any] = {}
    parameters: list[KernelParameter] = []
    spills: set[int] = set()
    for attribute in attributes:
        if attribute.function != name:
            continue
        if attribute.name == "KPARAM_INFO" and isinstance(attribute.value, tuple):
            parameters.append(KernelParameter(*attribute.value))
        elif attribute.name == "ANNOTATIONS" and isinstance(attribute.value, tuple):
            spills.update(attribute.value)
        else:
            own.setdefault(attribute.name, attribute.value)
    # The older layout has these two in the header of the code's section.
    barriers = own.get("NUM_BARRIERS", 0) if abi >= _NEW_ABI else (code["sh_flags"] >> 20) & 0x7F
    registers = own.get("REGCOUNT", code["sh_info"] >> 24 if abi < _NEW_ABI else None)
    shared, constants = sections.get(f".nv.shared.{name}"), sections.get(f".nv.constant0.{name}")
    system = _SYSTEM_SHARED_BYTES if sm >= 90 else 0
    return KernelRecord(
        name=name,
        registers=registers,
        frame_bytes=own.get("FRAME_SIZE"),
        stack_bytes=own.get("MIN_STACK_SIZE"),
        barriers=barriers,
        shared_static_bytes=max(0, shared["sh_size"] - system) if shared else 0,
        constant_bytes=constants["sh_size"] if constants else None,
        parameter_bytes=own.get("CBANK_PARAM_SIZE"),
        code_bytes=code["sh_size"],
        max_registers=own.get("MAXREG_COUNT"),
        required_threads=own.get("REQNTID"),
        parameters=tuple(sorted(parameters, key=lambda parameter: parameter.ordinal)),
        spills=frozenset(spills) if spills or (release or 0) >= _MARKS_SPILLS else None,
    )


def _arch(flags: int, abi: int, tools: Sequence[ToolRecord], compatibility: Any) -> str:
    """``sm_90a``: the number is in the header; what follows it, in several places."""
    sm = (flags >> 8) & 0xFF if abi >= _NEW_ABI else flags & 0xFF
    for tool in tools:
        asked = re.search(rf"-arch(?:=| +)(sm_{sm}[af]?)\b", tool.arguments)
        if asked:
            return asked[1]
    accelerated = flags & (0x8 if abi >= _NEW_ABI else 0x800)
    if compatibility is not None:
        accelerated = accelerated or dict(nvinfo.records(compatibility.data())).get(9) == 1
    return f"sm_{sm}{'a' if accelerated else ''}"


def _notes(sections: dict[str, Any]) -> tuple[tuple[ToolRecord, ...], int | None]:
    """The tools, and the CUDA release as ``major * 10 + minor``."""
    tools, release = [], None
    if ".note.nv.tkinfo" in sections:
        for note in sections[".note.nv.tkinfo"].iter_notes():
            # A version, then where in the strings after it the object, tool, version, build, arguments begin.
            fields, strings = struct.unpack_from("<6I", note["n_descdata"]), note["n_descdata"][24:]
            texts = [strings[start:].split(b"\0")[0].decode("utf-8", "replace").strip() for start in fields[2:]]
            tools.append(ToolRecord(*texts))
            written = re.search(r"release (\d+)\.(\d+)", texts[1])
            release = int(written[1]) * 10 + int(written[2]) if written else None
    if ".note.nv.cuinfo" in sections:
        for note in sections[".note.nv.cuinfo"].iter_notes():
            release = struct.unpack_from("<3H", note["n_descdata"])[2]
    return tuple(tools), release


def _symbols(table: Any, sections: Sequence[Any]) -> Iterator[Symbol]:
    for symbol in table.iter_symbols() if table is not None else ():
        place = symbol["st_shndx"]
        yield Symbol(
            symbol.name,
            str(symbol["st_info"]["type"]).removeprefix("STT_").lower(),
            str(symbol["st_info"]["bind"]).removeprefix("STB_").lower(),
            sections[place].name if isinstance(place, int) and place < len(sections) else "",
            symbol["st_value"],
            symbol["st_size"],
        )


def _section_type(section: Any) -> str:
    kind = section["sh_type"]
    return _SECTION_TYPES.get(kind, f"{kind:#x}") if isinstance(kind, int) else kind.removeprefix("SHT_")


def _flags(section: Any) -> str:
    return "".join(letter for bit, letter in _SECTION_FLAGS if section["sh_flags"] & bit)


def describe(cubin: Cubin) -> str:
    """A text of the whole, for reading: at most 60 columns but for titles, sections and symbols with long names."""
    lines = table(
        "Cubin",
        [
            ("architecture", cubin.arch),
            ("CUDA release", cubin.toolkit or "unknown"),
            ("ELF ABI", cubin.abi),
            ("ELF flags", f"{cubin.flags:#x}"),
        ],
    )
    for kernel in cubin.kernels:
        lines += _describe_kernel(kernel)
        lines += table(
            "Attributes",
            (_wrapped(a) for a in cubin.attributes if a.function == kernel.name and a.name != "KPARAM_INFO"),
        )
    lines += table("Attributes of the whole cubin", map(_wrapped, (a for a in cubin.attributes if not a.function)))
    known = {"", *(kernel.name for kernel in cubin.kernels)}
    for function in dict.fromkeys(a.function for a in cubin.attributes if a.function not in known):
        lines += table(f"Function {function}", (_wrapped(a) for a in cubin.attributes if a.function == function))
    lines += table(
        "Sections (type, flags, bytes, offset)",
        ((s.name, s.type.lower(), s.flags, s.size, f"{s.offset:#x}") for s in cubin.sections),
        (3, 4),
    )
    lines += table(
        "Symbols (binding, kind, value, bytes)",
        ((s.name, s.binding, s.kind, f"{s.value:#x}", s.size) for s in cubin.symbols if s.kind != "section"),
        (3, 4),
    )
    for tool in cubin.tools:
        lines += table(
            "Written by",
            [("tool", tool.name), ("version", tool.version), ("build", tool.build), ("options", tool.arguments)],
        )
    return "\n".join(lines)


def _describe_kernel(kernel: KernelRecord) -> list[str]:
    threads = kernel.required_threads
    limit = kernel.max_registers
    lines = table(
        f"Kernel {kernel.name}",
        [
            ("registers", kernel.registers, f"a thread, {limit} allowed" if limit else "a thread"),
            ("stack frame", size(kernel.frame_bytes), "a thread"),
            ("stack with callees", size(kernel.stack_bytes), "a thread"),
            ("barriers", kernel.barriers, "a block"),
            ("static shared memory", size(kernel.shared_static_bytes), "a block"),
            ("constant bank 0", size(kernel.constant_bytes), ""),
            ("parameters", size(kernel.parameter_bytes), ""),
            ("code", size(kernel.code_bytes), ""),
            ("threads", " x ".join(map(str, threads)) if threads else "any", "a block"),
            ("marked spills", "not recorded" if kernel.spills is None else len(kernel.spills), "instructions"),
        ],
        (1,),
    )
    return lines + table(
        "Parameters (number, offset, size)",
        ((p.ordinal, f"{p.offset:#x}", size(p.size)) for p in kernel.parameters),
        (0, 1, 2),
    )


def _wrapped(attribute: Attribute) -> tuple[str, str]:
    text = attribute.text
    return attribute.name.lower(), text if len(text) <= _VALUE_COLUMNS else text[: _VALUE_COLUMNS - 4] + " ..."
