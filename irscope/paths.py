"""Where irscope keeps what it writes for itself."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cache_directory() -> Path:
    """``IRSCOPE_CACHE_DIR``, or the platform's cache directory for this user."""
    chosen = os.environ.get("IRSCOPE_CACHE_DIR")
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("irscope", appauthor=False)


def config_directory() -> Path:
    """``IRSCOPE_CONFIG_DIR``, or the platform's configuration directory for this user."""
    chosen = os.environ.get("IRSCOPE_CONFIG_DIR")
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_config_path("irscope", appauthor=False)


def write_whole(file: Path, text: str) -> None:
    """Write a file that others see whole or not at all; its folder is made. Raises `OSError`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-", suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as written:
        written.write(text)
    Path(part).replace(file)
