"""Notices when a file that took part is no longer what was compiled. No widgets; call it from a thread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from irscope.model import SourceFile


class Watcher:
    """Compares files with what was compiled: a look at times and sizes first, at contents where these differ."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._stamps: dict[str, tuple[int, int]] = {}

    def watch(self, sources: Iterable[SourceFile]) -> None:
        """From now on, these are the files and their contents."""
        self._known = {source.path: source.sha256 for source in sources}
        self._stamps = {}

    def look(self) -> list[str]:
        """Files whose content is new since they were watched or last reported; an absent file is not news."""
        changed = []
        for path, known in list(self._known.items()):
            try:
                status = Path(path).stat()
                stamp = (status.st_mtime_ns, status.st_size)
                if self._stamps.get(path) == stamp:
                    continue
                sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            except OSError:
                continue
            self._stamps[path] = stamp
            if sha256 != known and path in self._known:
                self._known[path] = sha256
                changed.append(path)
        return changed
