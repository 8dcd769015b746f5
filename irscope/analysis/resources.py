"""What a compiled kernel occupies, read from its own binary.

Registers, stack, barriers, static shared memory, constants and code come from the cubin (AMD: the code object's
metadata), dynamic shared memory from Triton's metadata, instructions from the disassembly. Spill bytes are
ptxas' own, from its log where there is one, else counted in the SASS; the two agree, see `sass_spills`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from irscope.ir import cubin, hsaco
from irscope.model import Compilation, Resources

_SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers(.*)")
_USED_PARTS = {
    "barriers": re.compile(r"used (\d+) barriers"),
    "local_bytes": re.compile(r"(\d+) bytes cumulative stack size"),
    "shared_static_bytes": re.compile(r"(\d+) bytes smem"),
    "constant_bytes": re.compile(r"(\d+) bytes cmem\[0\]"),
}
_ENTRY = re.compile(r"Compiling entry function '([^']+)'")

_SASS_INSTRUCTION = re.compile(r"^\s*\{?\s*/\*[0-9a-f]+\*/", re.MULTILINE)
_LOCAL_ACCESS = re.compile(r"/\*([0-9a-f]+)\*/\s+(?:@!?U?P\w+ +)?(STL|LDL)((?:\.\w+)*)")
_WIDTHS = {".U8": 1, ".S8": 1, ".U16": 2, ".S16": 2, ".64": 8, ".128": 16}
#: ptxas marks spills in a record whose length is 16 bits, 8 bytes a mark; from here on it wraps and loses some.
_MARKS_AT_MOST = 8192
#: Local memory that the program itself asks for; registers are spilled without one.
_PTX_LOCAL = re.compile(r"^\s*\.local\b", re.MULTILINE)

_SASS_SECTION = re.compile(r"^\s*\.section\s+\.text\.([^,\s]+)", re.MULTILINE)

_AMD_COMMENT = re.compile(r"(\d+)-byte Folded (Spill|Reload)")
_AMD_SCRATCH = re.compile(r"^\tscratch_(store|load)_(?:b(32|64|96|128)|dword(?:x([234]))?)\b", re.MULTILINE)
_AMD_INSTRUCTION = re.compile(r"^\t[a-z]\w+", re.MULTILINE)


def resources(compilation: Compilation) -> Resources:
    """What the kernel takes; all but dynamic shared memory ``None`` where no binary was reached.

    Raises:
        ValueError: the cubin or the code object is damaged.
    """
    name = compilation.metadata.get("name") or compilation.kernel.name
    shared = compilation.metadata.get("shared")
    dynamic = shared if isinstance(shared, int) else None
    binary = compilation.stages.get("cubin")
    if binary is not None and binary.data is not None:
        sass, ptx = compilation.text("sass"), compilation.text("ptx")
        found = from_cubin(binary.data, name, sass, ptx, compilation.ptxas_log)
        return replace(found, shared_dynamic_bytes=dynamic)
    binary = compilation.stages.get("hsaco")
    if binary is not None and binary.data is not None:
        return replace(from_hsaco(binary.data, name, compilation.text("amdgcn")), shared_dynamic_bytes=dynamic)
    return Resources(shared_dynamic_bytes=dynamic)


def from_cubin(data: bytes, name: str | None = None, sass: str = "", ptx: str = "", ptxas_log: str = "") -> Resources:
    """Figures of one kernel of a cubin; spills and instructions need its ``sass`` or ptxas' log.

    ``ptx`` is the text the cubin was made of; without it, local accesses that no tool marked stay unknown.
    """
    kernel = cubin.read(data).kernel(name)
    if kernel is None:
        return Resources()
    sass = sass_of(sass, kernel.name)
    spills = _spills_in_log(ptxas_log, kernel.name) or sass_spills(kernel, sass, ptx)
    return Resources(
        registers=kernel.registers,
        spill_store_bytes=spills[0] if spills else None,
        spill_load_bytes=spills[1] if spills else None,
        stack_bytes=kernel.frame_bytes,
        local_bytes=kernel.stack_bytes,
        shared_static_bytes=kernel.shared_static_bytes,
        barriers=kernel.barriers,
        parameter_bytes=kernel.parameter_bytes,
        constant_bytes=kernel.constant_bytes,
        code_bytes=kernel.code_bytes,
        instructions=len(_SASS_INSTRUCTION.findall(sass)) or None,
    )


def from_hsaco(data: bytes, name: str | None = None, amdgcn: str = "") -> Resources:
    """Figures of one kernel of an AMD code object; spills and instructions need its assembly."""
    kernel = hsaco.read(data).kernel(name)
    if kernel is None:
        return Resources()
    spills = amd_spills(kernel, amdgcn)
    return Resources(
        registers=kernel.vgprs,
        spill_store_bytes=spills[0] if spills else None,
        spill_load_bytes=spills[1] if spills else None,
        stack_bytes=kernel.scratch_bytes,
        local_bytes=kernel.scratch_bytes,
        shared_static_bytes=kernel.lds_bytes,
        parameter_bytes=kernel.kernarg_bytes,
        code_bytes=kernel.code_bytes,
        instructions=len(_AMD_INSTRUCTION.findall(amdgcn)) or None,
        sgprs=kernel.sgprs,
        agprs=kernel.agprs,
    )


def sass_of(sass: str, kernel: str) -> str:
    """The section of one kernel: addresses begin anew in each. All of a text that has no such section."""
    starts = list(_SASS_SECTION.finditer(sass))
    for number, start in enumerate(starts):
        if start[1] == kernel:
            return sass[start.start() : starts[number + 1].start() if number + 1 < len(starts) else None]
    return sass


def sass_spills(kernel: cubin.KernelRecord, sass: str, ptx: str) -> tuple[int, int] | None:
    """Bytes of spill stores and loads as ptxas counts them: each instruction once, by its width.

    ``None`` where the SASS cannot tell a spill from the program's own local memory: no tool marked the spills
    (before CUDA 12.8) or the marks overflowed, and the PTX has local memory of its own or is not there.
    """
    if kernel.stack_bytes == 0:
        return 0, 0
    accesses = [(int(address, 16), kind, suffixes) for address, kind, suffixes in _LOCAL_ACCESS.findall(sass)]
    if not sass:
        return None
    if ptx and not _PTX_LOCAL.search(ptx):
        spills = accesses
    elif kernel.spills is not None and len(accesses) < _MARKS_AT_MOST:
        spills = [access for access in accesses if access[0] in kernel.spills]
    else:
        return None
    bytes_of = {"STL": 0, "LDL": 0}
    for _, kind, suffixes in spills:
        bytes_of[kind] += next((width for suffix, width in _WIDTHS.items() if suffix in suffixes), 4)
    return bytes_of["STL"], bytes_of["LDL"]


def amd_spills(kernel: hsaco.KernelRecord, amdgcn: str) -> tuple[int, int] | None:
    """Bytes of spill stores and loads of an AMD kernel.

    LLVM comments spills and reloads with their bytes; before Triton 3.9 some have no comment, but are accesses to
    scratch memory all the same. Whichever stores as much as the metadata has registers spilled, 4 bytes each, is
    the whole of it; where neither does (scratch memory of the program's own, several kernels), ``None``.
    """
    if kernel.vgpr_spills is None:
        return None
    if kernel.vgpr_spills == 0:
        return 0, 0
    comments = [(kind == "Spill", int(count)) for count, kind in _AMD_COMMENT.findall(amdgcn)]
    scratch = [
        (kind == "store", int(bits) // 8 if bits else 4 * int(words or 1))
        for kind, bits, words in _AMD_SCRATCH.findall(amdgcn)
    ]
    for accesses in (comments, scratch):
        stores = sum(width for is_store, width in accesses if is_store)
        if stores == 4 * kernel.vgpr_spills:
            return stores, sum(width for is_store, width in accesses if not is_store)
    return None


def ptxas_reports(log: str) -> dict[str, Resources]:
    """By kernel, what ``ptxas -v`` printed; ``None`` for what it left out (zeros, and the barriers of old ones).

    ptxas prints a kernel, then the functions it calls; their spills are added, since the kernel runs them.
    """
    reports: dict[str, Resources] = {}
    kernel = None
    for line in log.splitlines():
        if entry := _ENTRY.search(line):
            kernel = entry[1]
            reports[kernel] = Resources()
        if kernel is None:
            continue
        known = reports[kernel]
        if spills := _SPILLS.search(line):
            frame, stores, loads = map(int, spills.groups())
            known = replace(
                known,
                stack_bytes=frame if known.stack_bytes is None else known.stack_bytes,
                spill_store_bytes=(known.spill_store_bytes or 0) + stores,
                spill_load_bytes=(known.spill_load_bytes or 0) + loads,
            )
        elif used := _USED.search(line):
            parts = {name: pattern.search(used[2]) for name, pattern in _USED_PARTS.items()}
            figures = {name: int(found[1]) for name, found in parts.items() if found}
            known = replace(known, registers=int(used[1]), **figures)
        reports[kernel] = known
    return reports


def _spills_in_log(log: str, kernel: str) -> tuple[int, int] | None:
    report = ptxas_reports(log).get(kernel)
    if report is None or report.spill_store_bytes is None or report.spill_load_bytes is None:
        return None
    return report.spill_store_bytes, report.spill_load_bytes
