"""What a launch gives back where none is made: a kernel that is compiled when something of it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .. import versions

#: Given a launch, its grid, or a function of the arguments that gives it, and the options that were asked for.
Note = Callable[[versions.SpecializedLaunch, Any, dict[str, Any]], None]


class CapturedKernel:
    """As Triton's CompiledKernel: launched, it only notes that."""

    def __init__(self, specialized: versions.SpecializedLaunch, note: Note, named: dict[str, Any]) -> None:
        self._specialized = specialized
        self._note = note
        self._named = named
        self._compiled: Any = None

    def __getitem__(self, grid: Any) -> Callable[..., None]:
        def launch(*arguments: Any, **_: Any) -> None:
            known = self._specialized.arguments
            bound = dict(zip(known, arguments, strict=True)) if len(arguments) == len(known) else known
            self._note(replace(self._specialized, arguments=bound), grid, self._named)

        return launch

    def run(self, x: int, y: int, z: int, *_: Any, **__: Any) -> None:
        self._note(self._specialized, (x, y, z), self._named)

    def result(self) -> CapturedKernel:
        """As of the future that an asynchronous compile gives back."""
        return self

    def _init_handles(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._compiled is None:
            self._compiled = versions.compile_launch(self._specialized)
            self._compiled._init_handles()
        return getattr(self._compiled, name)
