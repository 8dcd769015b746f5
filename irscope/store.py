"""Compilations that were done before, under the user's cache directory.

An entry is a bundle directory that never changes once it is there. A request finds it by a key of all
that it says and of the Triton that would do it; the entry counts only if every source file that took part
is still, byte for byte, what it was. So an unchanged kernel opens without Triton, and a changed helper in
another file does not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from dataclasses import asdict
from pathlib import Path

from irscope import bundle, layers
from irscope.interpreter import Interpreter
from irscope.model import Compilation, Target
from irscope.paths import cache_directory
from irscope.request import Request

#: Raised when entries of earlier versions of irscope would be read wrongly.
LAYOUT = 3

#: Entries kept of one request, newest first: a kernel is edited, and edited back.
ENTRIES_PER_REQUEST = 8

#: Bytes of the whole store above which the entries that were used longest ago go.
MAX_BYTES = 2 << 30

#: Variables that change what Triton, LLVM or ptxas do.
ENVIRONMENT = ("TRITON_", "LLVM_", "MLIR_", "DISABLE_", "PTXAS_", "NVPTX_", "AMDGCN_", "USE_IR_LOC", "PYTHONPATH")

#: Variables with these prefixes that say only where and what to print.
IRRELEVANT = ("TRITON_CACHE_", "TRITON_PRINT_", "TRITON_DUMP_DIR", "TRITON_HOME")


def root() -> Path:
    return cache_directory() / f"compilations-{LAYOUT}"


def key_of(request: Request, target: Target, interpreter: Interpreter) -> str:
    """Key of all that decides a compilation besides the contents of the files."""
    decisive = {
        "path": str(request.path.absolute()),
        "kernel": request.kernel,
        "target": asdict(target),
        "signature": request.signature,
        "arguments": dict(request.arguments),
        "constants": dict(request.constants),
        "configuration": request.configuration,
        "options": dict(request.options),
        "layers": layers.of(request),
        "interpreter": interpreter.fingerprint,
        "environment": {
            name: value
            for name, value in os.environ.items()
            if name.startswith(ENVIRONMENT) and not name.startswith(IRRELEVANT)
        },
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:40]


def find(key: str) -> Compilation | None:
    """The stored compilation for ``key`` whose source files are as they were, if there is one."""
    for entry in entries(root() / key):
        sources = bundle.manifest_sources(entry)
        if not sources:
            discard(entry)
            continue
        if any(sha256_of(path) != sha256 for path, sha256 in sources):
            continue
        try:
            compilation = bundle.read(entry)
        except bundle.DamagedBundle:
            discard(entry)
            continue
        with contextlib.suppress(OSError):
            os.utime(entry)
        return compilation
    return None


def put(key: str, compilation: Compilation) -> None:
    """Keep a compilation. A store that cannot be written is a slower irscope, not a failing one."""
    # A name of its own for every writer's attempt: two irscopes at once write two entries, both right.
    entry = root() / key / f"{sources_digest(compilation)}-{uuid.uuid4().hex[:8]}"
    with contextlib.suppress(OSError):
        bundle.write(compilation, entry)
        for old in entries(entry.parent)[ENTRIES_PER_REQUEST:]:
            discard(old)
        trim()


def put_edges(key: str, compilation: Compilation) -> None:
    """Keep a compilation that is there already, now that it has its edges, in place of the one without.

    A new entry, as entries do not change: somebody may be reading the old one.
    """
    same = sources_digest(compilation)
    old = [entry for entry in entries(root() / key) if entry.name.startswith(same)]
    put(key, compilation)
    if any(entry not in old for entry in entries(root() / key) if entry.name.startswith(same)):
        for entry in old:
            discard(entry)


def sources_digest(compilation: Compilation) -> str:
    digest = hashlib.sha256()
    for source in compilation.sources:
        digest.update(f"{source.path}\0{source.sha256}\0".encode())
    return digest.hexdigest()[:16]


def entries(folder: Path) -> list[Path]:
    """Entries of a request, the one used last first."""
    found = []
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if not entry.name.startswith("."):
                with contextlib.suppress(OSError):
                    found.append((entry.stat().st_mtime_ns, entry))
    return [entry for _, entry in sorted(found, reverse=True)]


def trim() -> None:
    """Drop what was used longest ago until the store is within its limit; looked at once in a while only."""
    mark = root() / ".trimmed"
    try:
        writes = int(mark.read_bytes())
    except (OSError, ValueError):  # not there yet, or damaged
        writes = 0
    mark.write_text(str((writes + 1) % 50), encoding="utf-8")
    if writes:
        return
    sizes = []
    for folder in root().iterdir():
        for entry in entries(folder) if folder.is_dir() else []:
            size = sum(file.stat().st_size for file in entry.iterdir())
            sizes.append((entry.stat().st_mtime_ns, size, entry))
    kept = 0
    for _, size, entry in sorted(sizes, reverse=True):
        kept += size
        if kept > MAX_BYTES:
            discard(entry)


def discard(entry: Path) -> None:
    shutil.rmtree(entry, ignore_errors=True)


def sha256_of(path: str) -> str | None:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None
