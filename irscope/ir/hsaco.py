"""What an AMD code object (hsaco) says about its kernels: registers, LDS, scratch, spills, arguments.

The facts are those of the AMDGPU metadata note, a MessagePack map that LLVM specifies ("User Guide for AMDGPU
Backend", Code Object V3 and later metadata).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgpack
from elftools.elf.elffile import ELFFile

from irscope.ir.table import size, table

_NT_AMDGPU_METADATA = 32


class DamagedHsaco(ValueError):
    """The bytes are no AMD code object, or a truncated or damaged one."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A kernel argument in the kernarg segment; sizes and offsets in bytes."""

    offset: int
    size: int
    kind: str


@dataclass(frozen=True, slots=True)
class KernelRecord:
    """What the code object says about one kernel. Sizes in bytes; ``None``: it does not say."""

    name: str
    #: Vector registers of a lane, accumulation registers (``agprs``) included where they share one file.
    vgprs: int | None
    agprs: int | None
    sgprs: int | None
    #: Registers, not bytes, that LLVM had to spill.
    vgpr_spills: int | None
    sgpr_spills: int | None
    #: Static LDS; Triton's own is dynamic and in its metadata.
    lds_bytes: int | None
    scratch_bytes: int | None
    kernarg_bytes: int | None
    max_threads: int | None
    wavefront_size: int | None
    #: Of the functions that it calls too.
    code_bytes: int | None
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    type: str
    size: int
    offset: int


@dataclass(frozen=True, slots=True)
class Hsaco:
    #: ``gfx942``, as the target in the metadata ends.
    arch: str
    target: str
    #: Version of the metadata, "1.2".
    metadata_version: str
    kernels: tuple[KernelRecord, ...]
    sections: tuple[Section, ...]

    def kernel(self, name: str | None = None) -> KernelRecord | None:
        """The kernel of that name; the only (or first) one where that name is not there."""
        return next((kernel for kernel in self.kernels if kernel.name == name), next(iter(self.kernels), None))


def read(data: bytes) -> Hsaco:
    """Read a code object.

    Raises:
        DamagedHsaco: it is not one, or not a whole one; the message is one line.
    """
    if not data.startswith(b"\x7fELF"):
        raise DamagedHsaco("not an AMD code object: it does not begin as an ELF file does")
    try:
        elf = ELFFile(io.BytesIO(data))
        if elf["e_machine"] != "EM_AMDGPU":
            raise DamagedHsaco(f"not an AMD code object: the ELF file is for {elf['e_machine']}")
        return _read(elf, len(data))
    except DamagedHsaco:
        raise
    # pyelftools meets damage wherever it trusts a field: over a dozen exception types, assertions among them.
    except Exception as error:
        raise DamagedHsaco(f"the code object is damaged or cut short ({type(error).__name__})") from error


def _read(elf: Any, length: int) -> Hsaco:
    sections = list(elf.iter_sections())
    for section in sections:
        if section["sh_type"] != "SHT_NOBITS" and section["sh_offset"] + section["sh_size"] > length:
            raise DamagedHsaco(f"the code object is cut short: section {section.name} lies beyond its end")
    metadata = next(_metadata(sections), None)
    if metadata is None:
        raise DamagedHsaco("the code object has no AMDGPU metadata")
    code_sizes = {
        symbol.name: symbol["st_size"]
        for section in sections
        if section["sh_type"] == "SHT_SYMTAB"
        for symbol in section.iter_symbols()
        if symbol["st_info"]["type"] == "STT_FUNC"
    }
    entries = metadata.get("amdhsa.kernels", ())
    if len(entries) == 1:
        # What else there is are functions that the kernel calls.
        code_sizes = dict.fromkeys(code_sizes.keys() & {str(entries[0][".name"])}, sum(code_sizes.values()))
    target = str(metadata.get("amdhsa.target", ""))
    return Hsaco(
        # Features such as ":sramecc+" may follow the processor.
        arch=target.rpartition("-")[2].partition(":")[0],
        target=target,
        metadata_version=".".join(map(str, metadata.get("amdhsa.version", ()))),
        kernels=tuple(_kernel(entry, code_sizes) for entry in entries),
        sections=tuple(
            Section(s.name, str(s["sh_type"]).removeprefix("SHT_"), s["sh_size"], s["sh_offset"]) for s in sections[1:]
        ),
    )


def _metadata(sections: list[Any]) -> Iterator[Mapping[str, Any]]:
    for section in sections:
        if section["sh_type"] == "SHT_NOTE":
            for note in section.iter_notes():
                if note["n_name"] == "AMDGPU" and note["n_type"] == _NT_AMDGPU_METADATA:
                    yield msgpack.unpackb(note["n_descdata"])


def _kernel(entry: Mapping[str, Any], code_sizes: Mapping[str, int]) -> KernelRecord:
    name = str(entry[".name"])
    return KernelRecord(
        name=name,
        vgprs=entry.get(".vgpr_count"),
        agprs=entry.get(".agpr_count"),
        sgprs=entry.get(".sgpr_count"),
        vgpr_spills=entry.get(".vgpr_spill_count"),
        sgpr_spills=entry.get(".sgpr_spill_count"),
        lds_bytes=entry.get(".group_segment_fixed_size"),
        scratch_bytes=entry.get(".private_segment_fixed_size"),
        kernarg_bytes=entry.get(".kernarg_segment_size"),
        max_threads=entry.get(".max_flat_workgroup_size"),
        wavefront_size=entry.get(".wavefront_size"),
        code_bytes=code_sizes.get(name),
        arguments=tuple(
            Argument(argument[".offset"], argument[".size"], str(argument[".value_kind"]))
            for argument in entry.get(".args", ())
        ),
    )


def describe(hsaco: Hsaco) -> str:
    """A text of the whole, for reading."""
    lines = table(
        "AMD code object",
        [("architecture", hsaco.arch), ("target", hsaco.target), ("metadata", hsaco.metadata_version)],
    )
    for kernel in hsaco.kernels:
        lines += table(
            f"Kernel {kernel.name}",
            [
                ("vector registers", kernel.vgprs, "a lane"),
                ("of these accumulation", kernel.agprs, "a lane"),
                ("scalar registers", kernel.sgprs, "a wave"),
                ("vector registers spilled", kernel.vgpr_spills, ""),
                ("scalar registers spilled", kernel.sgpr_spills, ""),
                ("LDS, static", size(kernel.lds_bytes), "a workgroup"),
                ("scratch", size(kernel.scratch_bytes), "a lane"),
                ("arguments", size(kernel.kernarg_bytes), ""),
                ("threads of a workgroup", kernel.max_threads, "at most"),
                ("lanes of a wave", kernel.wavefront_size, ""),
                ("code", size(kernel.code_bytes), ""),
            ],
            (1,),
        )
        lines += table(
            "Arguments (number, offset, size, kind)",
            (
                (number, f"{argument.offset:#x}", size(argument.size), argument.kind)
                for number, argument in enumerate(kernel.arguments)
            ),
            (0, 1, 2),
        )
    lines += table(
        "Sections (type, bytes, offset)",
        ((section.name, section.type.lower(), section.size, f"{section.offset:#x}") for section in hsaco.sections),
        (2, 3),
    )
    return "\n".join(lines)
