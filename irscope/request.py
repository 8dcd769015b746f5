"""What a user asks for, and how it is told that it cannot be answered.

A `Request` is the same whether it comes from the command line or from the TUI's form. `irscope.session`
answers one with a `Compilation`, and calls back with an `irscope.events.Event` at every step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from irscope.model import Failure, Target


@dataclass(frozen=True, slots=True)
class Request:
    """One kernel to compile, and all that the user said about how."""

    path: Path
    kernel: str | None = None
    target: Target | None = None
    #: Positional types and constants in the syntax of Triton's AOT tool: ``"*fp16:16, i32, 128"``.
    signature: str | None = None
    #: By parameter name, a type in the same syntax: ``{"a_ptr": "*fp16:16"}``.
    arguments: Mapping[str, str] = field(default_factory=dict)
    #: By constexpr name, a Python literal as text: ``{"BLOCK": "128"}``.
    constants: Mapping[str, str] = field(default_factory=dict)
    #: Number of the autotune configuration, from 0; ``None`` takes the first.
    configuration: int | None = None
    #: Fields of the backend's options as text: ``{"num_warps": "8"}``.
    options: Mapping[str, str] = field(default_factory=dict)
    #: The interpreter that has Triton and what the file imports; ``None`` is irscope's own.
    python: Path | None = None
    #: Seconds a worker may take over one request; ``None`` sets no limit.
    timeout: float | None = None
    #: Heed the specialization that is saved beside the kernel (`irscope.saved`).
    saved: bool = True
    #: What the file's own launches are asked for: "auto" runs its launch code once where that is likely to tell
    #: (`irscope.capturing`), "once" runs it where its launches are not known yet, "always" and "never" speak for
    #: themselves, "kept" uses what is known already.
    capture: Literal["auto", "once", "always", "kept", "never"] = "auto"
    #: Which of the captured specializations, from 0.
    captured: int = 0
    #: Compile even where the store has it.
    fresh: bool = False

    def with_kernel(self, name: str) -> Request:
        return replace(self, kernel=name)


#: Exit codes by the kind of a failure; every other kind is 1, "does not compile or run".
EXIT_CODES = {"usage": 2, "no_kernel": 2, "missing": 3, "budget": 4}


class IrscopeError(Exception):
    """A request that cannot be answered; ``failure`` is what to tell the user."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure

    @property
    def exit_code(self) -> int:
        return EXIT_CODES.get(self.failure.kind, 1)


def usage_error(message: str, hint: str | None = None, **place: Any) -> IrscopeError:
    """The command line (or the form) is wrong: exit code 2."""
    from irscope.model import Failure

    return IrscopeError(Failure("usage", message, hint=hint, **place))


def missing(message: str, hint: str | None = None, **place: Any) -> IrscopeError:
    """Something is not there on this machine: exit code 3; the hint is the command that installs it."""
    from irscope.model import Failure

    return IrscopeError(Failure("missing", message, hint=hint, **place))
