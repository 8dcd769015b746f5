"""Where the backend puts things into shared memory: TTGIR as it is right before it becomes LLVM IR.

The backend's own passes up to there are run once more, on the text of a kernel's TTGIR. No code of the user's runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import compiling, targets, versions
from .protocol import Wire

#: What the locations in the answer name: their lines are those of the text that was asked about.
FILE = "irscope-allocation.ttgir"


def allocate(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Answer an ``allocate`` request: ``modules`` with a ``text`` or an ``error`` for each of ``texts``.

    ``texts`` are TTGIR without locations, so that Triton's parser gives each operation its place in the text.
    ``options`` are the backend's by name; what this backend does not know is left out.
    """
    target = versions.gpu_target(**request["target"])
    targets.check(target)
    backend = compiling.backend_for(target)
    options = backend.parse_options(known_options(backend, request["options"]))
    file = wire.log.parent / FILE
    return {"modules": [allocated(backend, options, text, file) for text in request["texts"]]}


def known_options(backend: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Those that are one number or word: lists (libraries to link, element types) have no part in these passes."""
    default = backend.parse_options({})
    return {
        name: value
        for name, value in values.items()
        if hasattr(default, name) and isinstance(value, (bool, int, float, str))
    }


def allocated(backend: Any, options: Any, text: str, file: Path) -> dict[str, str]:
    file.write_text(text, encoding="utf-8")
    try:
        return {"text": str(versions.before_llvm(backend, options, str(file)))}
    except RuntimeError as error:  # MLIR's own message is in the log.
        return {"error": str(error)}
    finally:
        file.unlink()
