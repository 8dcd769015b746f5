"""Where irscope keeps what it writes for itself."""

from __future__ import annotations

import os
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
