"""The map of a compilation's shared memory, asked of a worker; no code of the kernel's file runs for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from irscope import interpreter, session
from irscope.analysis import allocated, shared
from irscope.analysis.shared import SharedMemory
from irscope.model import Compilation
from irscope.request import IrscopeError


def shared_memory(compilation: Compilation, python: Path | None = None, timeout: float | None = None,
                  cancel: threading.Event | None = None) -> SharedMemory:  # fmt: skip
    """Every buffer of shared memory, with offset, size, owner and when it is in use.

    ``python`` is the interpreter of the compile. Where its Triton is not the one that compiled the kernel (a bundle
    from another machine), or there is no TTGIR, ``incomplete`` says so.

    Raises:
        IrscopeError: there is no interpreter at ``python``.
        irscope.client.Cancelled: ``cancel`` was set meanwhile.
    """
    ttgir = compilation.text("ttgir")
    if not ttgir:
        return SharedMemory((), None, compilation.metadata.get("shared"), incomplete="there is no TTGIR to read")
    found = interpreter.identify(python)
    reason = _why_not_asked(compilation, found.triton)
    if reason is None:
        asker = _Asker(compilation, found.python, timeout, cancel)
        try:
            return _asked(compilation, asker, ttgir)
        except IrscopeError as error:
            reason = f"Triton did not place it: {error.failure.message}"
    return shared.from_ttgir_alone(ttgir, compilation.metadata, reason)


def _why_not_asked(compilation: Compilation, triton: str | None) -> str | None:
    if triton is None:
        return "there is no Triton here to place it"
    if compilation.triton is not None and compilation.triton != triton:
        return f"Triton {compilation.triton} compiled it, and here is {triton}, which may place it elsewhere"
    return None


class _Asker:
    """Has texts placed by the Triton of one compilation."""

    def __init__(self, compilation: Compilation, python: Path, timeout: float | None,
                 cancel: threading.Event | None) -> None:  # fmt: skip
        self._python = python
        self._timeout = timeout
        self._cancel = cancel
        options = dict(compilation.specialization.options)
        if "num_warps" not in options and "num_warps" in compilation.metadata:
            options["num_warps"] = compilation.metadata["num_warps"]
        self._request = {"do": "allocate", "target": asdict(compilation.target), "options": options}

    def ask(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        if not texts:
            return []
        request = {**self._request, "texts": list(texts)}
        answer, _ = session._client.ask(self._python, request, lambda _: None, self._timeout, self._cancel)
        if answer["event"] == "failure":
            raise IrscopeError(session.failure_from(answer["failure"], {}))
        modules: list[dict[str, Any]] = answer["modules"]
        return modules


def _asked(compilation: Compilation, asker: _Asker, ttgir: str) -> SharedMemory:
    text = "\n".join(shared.without_locations(ttgir).lines) + "\n"
    whole = asker.ask([text])[0]
    if "error" in whole:
        reason = f"Triton's passes do not take this TTGIR ({whole['error']})"
        return shared.from_ttgir_alone(ttgir, compilation.metadata, reason)
    alone = list(dict.fromkeys(owner.alone for owner in allocated.owners(whole["text"]) if owner.alone))
    sizes = {
        question: size
        for question, answer in zip(alone, asker.ask(alone), strict=True)
        if "text" in answer and (size := allocated.total(answer["text"])) is not None
    }
    options = compilation.specialization.options
    metadata = {"min_shared_mem": options.get("min_shared_mem"), **compilation.metadata}
    return shared.shared_memory(ttgir, whole["text"], sizes, metadata)
