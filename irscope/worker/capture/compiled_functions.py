"""``torch.compile`` with no GPU: what Dynamo or Inductor cannot do without one is called as it is, and that is told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from ..launch import settle, standins
from . import inductor
from .kernels import Note

_COMPILER = ("torch._inductor", "torch._dynamo", "torch._functorch")


@dataclass
class CompiledFunctions:
    """Those of one capture. ``gpu``: launches are made."""

    note: Note
    gpu: bool
    #: Gets a line for each function that was called as it is.
    warnings: list[str]
    #: Triton's, where there is no GPU.
    target: Any = None
    #: By the identity of what stands for them, the names of those that have not failed.
    _in_use: dict[int, str] = field(default_factory=dict)
    _given_up: bool = False

    def replacement(self, stack: ExitStack) -> standins.Replacement:
        """In place of ``torch.compile``. What is changed of Inductor, when it is first called, ``stack`` undoes."""
        import torch

        original: Any = torch.compile
        installed: list[bool] = []

        def compile(model: Any = None, **named: Any) -> Any:
            if model is None:
                return lambda given: compile(given, **named)
            if self._given_up:
                return model
            if not installed:
                installed.append(True)
                stack.enter_context(standins.replaced(list(inductor.changes(self.note, self.gpu, self.target))))
                if not self.gpu:
                    inductor.configure(stack)
            compiled = original(model, **named)
            if self.gpu:
                return compiled
            if isinstance(model, torch.nn.Module):
                compiled.forward = self.or_as_it_is(compiled.forward, model)
                return compiled
            return self.or_as_it_is(compiled, model)

        return torch, "compile", compile

    def or_as_it_is(self, compiled: Callable[..., Any], plain: Callable[..., Any]) -> Callable[..., Any]:
        """``compiled`` until it fails; from then on ``plain``."""
        import torch

        name = getattr(plain, "__qualname__", type(plain).__qualname__)

        @functools.partial(functools.update_wrapper, wrapped=compiled, updated=())
        def call(*arguments: Any, **named: Any) -> Any:
            if number not in self._in_use:
                return plain(*arguments, **named)
            try:
                # Dynamo is to see the CPU, and its tensors as they are.
                with standins.torch_as_it_is(), torch._C.DisableTorchFunction():
                    return compiled(*arguments, **named)
            except Exception as error:
                self._in_use.pop(number, None)
                answer = plain(*arguments, **named)  # where this fails too, the reason is the function's own
                self._warn(name, error)
                return answer

        number = id(call)
        self._in_use[number] = name
        return call

    def left_out(self, error: BaseException | None) -> bool:
        """Whether code ended by what was compiled, out of the call: in a backward. All is called as it is from now on.

        A torch that compiles a backward together with its forward does not get here.
        """
        if self.gpu or not self._in_use or not type(error).__module__.startswith(_COMPILER):
            return False
        assert error is not None
        for name in dict.fromkeys(self._in_use.values()):
            self._warn(name, error)
        self._in_use.clear()
        self._given_up = True
        return True

    def _warn(self, name: str, error: Any) -> None:
        reason = settle.in_words(getattr(error, "inner_exception", error))
        self.warnings.append(f"{name} was called as it is, torch.compile having failed without a GPU: {reason}")
