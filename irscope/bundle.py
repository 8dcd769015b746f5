"""A compilation on disk: a directory, or one ``.irscope`` zip of it.

``manifest.json`` says everything but the long texts, which are files beside it: one a stage, one a source
file. Every file is listed with its SHA-256, so that a damaged bundle is known for one. Reading runs no
code and unpacks nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import uuid
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irscope import __version__, edges
from irscope.model import (
    Compilation,
    Configuration,
    Failure,
    Kernel,
    Parameter,
    SourceFile,
    Specialization,
    Stage,
    Target,
)

if TYPE_CHECKING:
    from irscope.launch.model import Launch

FORMAT = 1
MANIFEST = "manifest.json"
SUFFIX = ".irscope"
LOG, PTXAS_LOG, EDGES = "log.txt", "ptxas.log", "edges.json"

#: A member of a bundle larger than this is refused; real stages have some tens of megabytes.
MAX_MEMBER_BYTES = 1 << 30


class DamagedBundle(ValueError):
    """Not a bundle, or not a whole one."""


def files_of(compilation: Compilation) -> dict[str, bytes]:
    """The bundle's files by name, the manifest last."""
    files: dict[str, bytes] = {}
    stages = []
    for stage in compilation.stages.values():
        name = stage_file(compilation, stage.name)
        files[name] = stage.data if stage.data is not None else (stage.text or "").encode()
        stages.append(
            {
                "name": stage.name,
                "file": name,
                "text": stage.data is None,
                "seconds": stage.seconds,
            }
        )
    sources = []
    for number, source in enumerate(compilation.sources):
        name = f"source_{number}_{Path(source.path.replace(chr(92), '/')).name}"
        files[name] = source.text.encode()
        sources.append({"path": source.path, "sha256": source.sha256, "file": name})
    files[LOG] = compilation.log.encode()
    files[PTXAS_LOG] = compilation.ptxas_log.encode()
    if compilation.edges is not None:
        files[EDGES] = json.dumps(edges.to_json(compilation.edges), separators=(",", ":")).encode()
    manifest = {
        "bundle": FORMAT,
        "irscope": __version__,
        "kernel": asdict(compilation.kernel),
        "target": asdict(compilation.target),
        "triton": compilation.triton,
        "specialization": asdict(compilation.specialization),
        "metadata": dict(compilation.metadata),
        "pipeline": list(compilation.pipeline),
        "stages": stages,
        "sources": sources,
        "failure": asdict(compilation.failure) if compilation.failure else None,
        "warnings": list(compilation.warnings),
        "seconds": compilation.seconds,
        "launches": [asdict(launch) for launch in compilation.launches],
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files[MANIFEST] = json.dumps(manifest, indent=1, default=str).encode()
    return files


def stage_file(compilation: Compilation, stage: str) -> str:
    """``matmul_kernel.ttgir``: the name of a stage's file, here and in ``dump -o``."""
    return f"{safe_name(compilation.kernel.name)}.{safe_name(stage)}"


def safe_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_-." else "_" for letter in name)[:150] or "kernel"


def write(compilation: Compilation, path: Path) -> None:
    """Write a bundle: a zip where ``path`` ends in ``.irscope``, else a directory.

    Either appears whole or not at all. An existing zip is replaced; an existing directory is an error.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    files = files_of(compilation)
    if path.suffix == SUFFIX:
        # Not mkstemp's, which nobody else may read: bundles are made to be handed on.
        part_file = path.with_name(f".{safe_name(path.stem)}-{uuid.uuid4().hex[:8]}.part")
        try:
            with part_file.open("xb") as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
                for member, content in files.items():
                    archive.writestr(member, content)
            part_file.replace(path)
        except BaseException:
            part_file.unlink(missing_ok=True)
            raise
        return
    part_folder = path.with_name(f".{safe_name(path.name)}-{uuid.uuid4().hex[:8]}")
    part_folder.mkdir()
    try:
        for member, content in files.items():
            (part_folder / member).write_bytes(content)
        part_folder.rename(path)
    except BaseException:
        shutil.rmtree(part_folder, ignore_errors=True)
        raise


def is_bundle(path: Path) -> bool:
    if not path.is_dir():
        return path.suffix == SUFFIX
    try:
        return (path / MANIFEST).is_file()
    except PermissionError:  # that nothing of the folder can be read is told where the rest of it is wanted
        return False


def read(path: Path) -> Compilation:
    """Read a bundle.

    Raises:
        DamagedBundle: it is not one, something is missing, or a file is not what the manifest says.
    """
    try:
        if path.is_dir():
            return from_files(lambda name: (path / name).read_bytes())
        with zipfile.ZipFile(path) as archive:
            return from_files(lambda name: read_member(archive, name))
    except DamagedBundle as error:
        raise DamagedBundle(f"{path} is not a whole bundle: {error}") from error
    except zipfile.BadZipFile as error:
        raise DamagedBundle(f"{path} is not a whole bundle: it is no zip file, or cut short") from error
    except OSError as error:
        reason = f"{Path(error.filename or path).name}: {error.strerror or error}"
        raise DamagedBundle(f"{path} is not a whole bundle: {reason}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"its {MANIFEST} is not as irscope writes it ({type(error).__name__}: {error})"
        raise DamagedBundle(f"{path} is not a whole bundle: {reason}") from error


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        raise DamagedBundle(f"it has no {name}")
    if archive.getinfo(name).file_size > MAX_MEMBER_BYTES:
        raise DamagedBundle(f"{name} is larger than any stage")
    return archive.read(name)


def from_files(load: Callable[[str], bytes]) -> Compilation:
    manifest = json.loads(load(MANIFEST))
    if manifest.get("bundle") != FORMAT:
        raise DamagedBundle(
            f"its format is {manifest.get('bundle')!r}, this irscope ({__version__}) reads {FORMAT}; "
            f"another irscope ({manifest.get('irscope')}) wrote it"
        )

    def member(name: str) -> bytes:
        # A name from a manifest is not trusted to stay within the bundle.
        if Path(name).name != name or "\\" in name:
            raise DamagedBundle(f"{name!r} is not a file name")
        content = load(name)
        if hashlib.sha256(content).hexdigest() != manifest["sha256"][name]:
            raise DamagedBundle(f"{name} was changed")
        return content

    stages = {}
    for entry in manifest["stages"]:
        content = member(entry["file"])
        stages[entry["name"]] = Stage(
            entry["name"],
            text=content.decode("utf-8") if entry["text"] else None,
            data=None if entry["text"] else content,
            seconds=entry["seconds"],
        )
    failure = manifest["failure"]
    return Compilation(
        kernel=kernel_from(manifest["kernel"]),
        target=Target(**manifest["target"]),
        specialization=Specialization(**manifest["specialization"]),
        stages=stages,
        sources=[
            SourceFile(entry["path"], entry["sha256"], member(entry["file"]).decode("utf-8"))
            for entry in manifest["sources"]
        ],
        triton=manifest["triton"],
        metadata=manifest["metadata"],
        pipeline=tuple(manifest["pipeline"]),
        failure=Failure(**failure) if failure else None,
        warnings=tuple(manifest["warnings"]),
        log=member(LOG).decode("utf-8"),
        ptxas_log=member(PTXAS_LOG).decode("utf-8"),
        seconds=manifest["seconds"],
        launches=launches_from(manifest.get("launches", ())),
        edges=edges.from_json(json.loads(member(EDGES))) if EDGES in manifest["sha256"] else None,
    )


def launches_from(entries: Sequence[Mapping[str, Any]]) -> tuple[Launch, ...]:
    if not entries:
        return ()
    from irscope.launch.fields import from_fields
    from irscope.launch.model import Launch

    return tuple(from_fields(Launch, entry) for entry in entries)


def kernel_from(fields: Mapping[str, Any]) -> Kernel:
    return Kernel(
        **{
            **fields,
            "parameters": tuple(Parameter(**parameter) for parameter in fields["parameters"]),
            "configurations": tuple(Configuration(**entry) for entry in fields["configurations"]),
            "heuristics": tuple(fields["heuristics"]),
        }
    )


def manifest_sources(path: Path) -> list[tuple[str, str]]:
    """Path and SHA-256 of the source files of a bundle directory, without reading the rest of it."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        manifest = json.loads((path / MANIFEST).read_bytes())
        return [(entry["path"], entry["sha256"]) for entry in manifest["sources"]]
    return []
