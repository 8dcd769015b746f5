"""Compiler output that is already there: single IR files, and entries of Triton's cache. No code runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from irscope import ir
from irscope.ir.calls import distinct_chains
from irscope.model import Compilation, InvalidTarget, Kernel, SourceFile, Specialization, Stage, Target
from irscope.request import usage_error

TEXT_SUFFIXES = (".ttir", ".ttgir", ".glir", ".llir", ".ptx", ".sass", ".amdgcn")
BINARY_SUFFIXES = (".cubin", ".hsaco")
SUFFIXES = frozenset(TEXT_SUFFIXES + BINARY_SUFFIXES)

#: The order in which stages are made.
ORDER = ("ttir", "glir", "ttgir", "llir", "ptx", "amdgcn", "sass", "cubin", "hsaco")

#: How each text form names its target.
_TARGETS = (
    re.compile(r'ttg\.target = "(?P<target>(?:cuda|hip):\w+)"'),
    re.compile(r"^\s*\.target\s+(?P<target>sm_\d+)", re.MULTILINE),
    # SASS before Hopper.
    re.compile(r"\.headerflags\s.*\bEF_CUDA_SM(?P<target>\d+)"),
    re.compile(r"-amd-amdhsa-\w*-(?P<target>gfx\w+)"),
    re.compile(r'"target-cpu"="(?P<target>gfx\w+|sm_\d+)'),
)
#: LLVM IR since Triton 3.9 has the architecture in its triple: ``amdgpu9.42-amd-amdhsa`` for gfx942.
_AMD_TRIPLE = re.compile(r'^target triple = "amdgpu(\d+\.\w+)-amd-', re.MULTILINE)

#: How each text form begins a kernel.
_KERNEL_NAMES = (
    re.compile(r"tt\.func public @\"?([\w.$]+)"),
    re.compile(r"\.entry\s+([\w$%]+)"),
    re.compile(r"define (?:ptx_kernel|amdgpu_kernel) void @([\w.$]+)"),
    re.compile(r"\.amdhsa_kernel ([\w.$]+)"),
    re.compile(r'\.other\s+([\w.$]+),@"STO_CUDA_ENTRY'),
)


def read(path: Path, target: Target | None = None) -> Compilation:
    """One IR file as a compilation of a single stage. ``target`` overrides what the file says of it."""
    stage = read_stage(path)
    name, found = identify(stage, path)
    return Compilation(
        kernel=Kernel(str(path), name or path.stem),
        target=target or found or Target("cuda", "unknown", 32),
        specialization=Specialization(),
        stages={stage.name: stage},
        sources=sources_of([stage]),
        pipeline=(stage.name,),
    )


def read_stage(path: Path) -> Stage:
    name = path.suffix.removeprefix(".")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise usage_error(f"cannot read {path}: {error.strerror}") from error
    if not content:
        raise usage_error(f"{path} is empty")
    if path.suffix in BINARY_SUFFIXES:
        return Stage(name, data=content)
    try:
        return Stage(name, text=content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise usage_error(f"{path} is not text, as a {path.suffix} file should be") from error


def identify(stage: Stage, path: Path) -> tuple[str | None, Target | None]:
    """The kernel's name and the target, as the stage itself has them."""
    if stage.data is not None:
        return identify_binary(stage, path)
    text = stage.text or ""
    name = next((found[1] for pattern in _KERNEL_NAMES if (found := pattern.search(text))), None)
    if triple := _AMD_TRIPLE.search(text):
        return name, Target.parse(f"gfx{triple[1].replace('.', '')}")
    for pattern in _TARGETS:
        if found := pattern.search(text):
            try:
                return name, Target.parse(found["target"])
            except InvalidTarget:
                continue
    return name, None


def identify_binary(stage: Stage, path: Path) -> tuple[str | None, Target | None]:
    # Here, because their ELF reader takes long to import, and .py files need none of it.
    from irscope.ir import cubin, hsaco

    assert stage.data is not None
    try:
        binary = hsaco.read(stage.data) if stage.name == "hsaco" else cubin.read(stage.data)
        name = binary.kernels[0].name if binary.kernels else None
        return name, Target.parse(binary.arch) if binary.arch else None
    except ValueError as error:
        raise usage_error(f"{path} is not a whole {stage.name}: {error}") from error


# Triton's cache


def is_cache_entry(path: Path) -> bool:
    """A directory of Triton's cache: a kernel's stages and its metadata; or that metadata file itself."""
    if path.is_dir():
        return bool(metadata_files(path))
    return path.suffix == ".json" and any(path.with_suffix(suffix).is_file() for suffix in SUFFIXES)


def metadata_files(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.glob("*.json")
        if not file.name.startswith("__grp__") and any(file.with_suffix(suffix).is_file() for suffix in SUFFIXES)
    )


def read_cache_entry(path: Path, kernel: str | None = None) -> Compilation:
    """A kernel of Triton's cache with all of its stages that are there."""
    candidates = [path] if path.is_file() else metadata_files(path)
    if kernel is not None:
        candidates = [file for file in candidates if file.stem == kernel]
        if not candidates:
            raise usage_error(f"{path}: no kernel '{kernel}' in this cache entry")
    metadata_file = candidates[0]
    try:
        metadata = json.loads(metadata_file.read_text(encoding="utf-8"))
        if not isinstance(metadata, dict):
            raise ValueError("it is no JSON object")
        target = target_from(metadata.get("target"))
    except KeyError as error:
        raise usage_error(f"{metadata_file} is not Triton's metadata of a kernel: its target has no {error}") from error
    except (OSError, ValueError) as error:
        raise usage_error(f"{metadata_file} is not Triton's metadata of a kernel: {error}") from error
    stages = {}
    for suffix in (f".{name}" for name in ORDER):
        file = metadata_file.with_suffix(suffix)
        if file.is_file():
            stages[file.suffix[1:]] = read_stage(file)
    if target is None:
        target = next((found for stage in stages.values() if (found := identify(stage, metadata_file)[1])), None)
    options = {name: metadata[name] for name in sorted(metadata) if name not in ("target", "hash", "triton_version")}
    return Compilation(
        kernel=Kernel(str(metadata_file), str(metadata.get("name") or metadata_file.stem)),
        target=target or Target("cuda", "unknown", 32),
        specialization=Specialization(options=options),
        stages=stages,
        sources=sources_of(stages.values()),
        triton=metadata.get("triton_version"),
        metadata=metadata,
        pipeline=tuple(stages),
    )


def target_from(entry: Any) -> Target | None:
    if not isinstance(entry, dict):
        return None
    return Target.parse(f"{entry['backend']}:{entry['arch']}")


def sources_of(stages: Iterable[Stage]) -> list[SourceFile]:
    """The Python files that locations name, those that are on this machine: read, never run."""
    indices = [ir.index(stage.name, stage.text) for stage in stages if stage.text]
    names = {frame.file: None for index in indices for chain in distinct_chains(index) for frame in chain}
    sources = (read_source(name) for name in names if name.endswith(".py"))
    return [source for source in sources if source is not None]


def read_source(name: str) -> SourceFile | None:
    """A file as a stage names it; ``None`` where it is not here, or cannot be read."""
    file = Path(name)
    try:
        if not (file.is_absolute() and file.is_file()):
            return None
        content = file.read_bytes()
    except OSError:
        return None
    return SourceFile(name, hashlib.sha256(content).hexdigest(), content.decode("utf-8", errors="replace"))
