"""``torch.compile``: the kernels that Inductor writes, which it compiles and launches by a way of its own.

With no GPU, Inductor writes them for the CPU that stands in for one, whose properties are those of the target; they
are neither compiled nor run. What Dynamo or Inductor cannot do so is called as it is.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

from .. import versions
from ..launch import standins
from .kernels import Note

HEURISTICS = "torch._inductor.runtime.triton_heuristics"


def compiles(note: Note, gpu: bool, target: Any, stack: ExitStack) -> standins.Replacement:
    """In place of ``torch.compile``. What is changed of Inductor, when it is first called, is undone by ``stack``."""
    import torch

    original: Any = torch.compile
    installed: list[bool] = []

    def compile(model: Any = None, **named: Any) -> Any:
        if model is None:
            return lambda given: compile(given, **named)
        if not installed:
            installed.append(True)
            stack.enter_context(standins.replaced(list(changes(note, gpu, target))))
        compiled = original(model, **named)
        if gpu:
            return compiled
        if isinstance(model, torch.nn.Module):
            compiled.forward = or_as_it_is(compiled.forward, model)
            return compiled
        return or_as_it_is(compiled, model)

    return torch, "compile", compile


def or_as_it_is(compiled: Callable[..., Any], plain: Callable[..., Any]) -> Callable[..., Any]:
    import torch

    functions = [compiled, plain]

    def call(*arguments: Any, **named: Any) -> Any:
        if len(functions) > 1:
            try:
                # Dynamo is to see the CPU, and its tensors as they are.
                with standins.torch_as_it_is(), torch._C.DisableTorchFunction():
                    return compiled(*arguments, **named)
            except Exception:
                functions.remove(compiled)
        return plain(*arguments, **named)

    return call


def changes(note: Note, gpu: bool, target: Any) -> list[standins.Replacement]:
    heuristics = importlib.import_module(HEURISTICS)
    tuner: Any = heuristics.CachingAutotuner
    launch = tuner.run

    def run(self: Any, *arguments: Any, **named: Any) -> Any:
        answer = launch(self, *arguments, **named) if gpu else None
        noted(heuristics, self, arguments, note)
        return answer

    found: list[standins.Replacement] = [(tuner, "run", run)]
    if gpu:
        return found
    config = importlib.import_module("torch._inductor.config")
    helpers = importlib.import_module("torch._inductor.runtime.triton_helpers")
    hints = importlib.import_module("torch._inductor.runtime.hints")
    utils = importlib.import_module("torch._inductor.utils")
    graph = importlib.import_module("torch._inductor.graph")
    if hasattr(graph, "should_assume_input_aligned"):  # it says no to every tensor of the CPU
        found.append((graph, "should_assume_input_aligned", utils.tensor_is_aligned))
    return [
        *found,
        (tuner, "precompile", standins.answering(None)),
        (config, "cpu_backend", "triton"),
        (helpers, "set_driver_to_cpu", standins.answering(None)),
        (hints.DeviceProperties, "create", standins.answering(properties(hints.DeviceProperties, target))),
    ]


def properties(kind: Any, target: Any) -> Any:
    """Inductor's ``DeviceProperties`` of a target, as `standins` answers for it."""
    import torch

    known = torch.cuda.get_device_properties(0)
    fields = {
        "type": "cuda" if target.backend == "cuda" else "hip", "index": 0, "cc": target.arch, "major": known.major,
        "multi_processor_count": known.multi_processor_count, "warp_size": target.warp_size,
        "max_threads_per_block": 1024,
        "regs_per_multiprocessor": 65536, "max_threads_per_multi_processor": 2048,
    }  # fmt: skip
    return kind(**{name: value for name, value in fields.items() if name in kind._fields})


def noted(heuristics: Any, tuner: Any, arguments: tuple[Any, ...], note: Note) -> None:
    """Note a launch by the ``CachingAutotuner`` ``tuner`` with the run-time arguments."""
    function, meta = tuner.fn, tuner.triton_meta
    launchers = getattr(tuner, "launchers", None) or []
    config = launchers[0].config if launchers else tuner.configs[0]
    values = {**meta.get("constants", {}), **config.kwargs}
    names = list(function.arg_names)
    values = {names[name] if isinstance(name, int) else name: value for name, value in values.items()}
    run_time = [name for name in names if name not in config.kwargs]
    if len(arguments) != len(run_time):  # constants of the signature are not passed
        run_time = [name for name in run_time if name not in values]
    bound = dict(zip(run_time, arguments, strict=False)) | values
    specialized = versions.SpecializedLaunch(
        function,
        {name: bound.get(name) for name in names},
        {name: meta["signature"].get(name, "constexpr") for name in names},
        {(number,): values[name] for number, name in enumerate(names) if name in values},
        attributes(meta),
        SimpleNamespace(num_warps=config.num_warps, num_stages=config.num_stages),
    )
    note(specialized, grid(heuristics, tuner, config, bound), vars(specialized.options))


def is_of_inductor(source: Any) -> bool:
    """Whether what ``triton.compile`` is given is a kernel that Inductor wrote, which `noted` has."""
    function = getattr(getattr(source, "fn", None), "fn", None)
    return str(getattr(function, "__module__", "")).startswith("torch._inductor")


def attributes(meta: dict[str, Any]) -> dict[tuple[int, ...], Any]:
    (found,) = meta["configs"]
    if isinstance(found, dict):
        return {tuple(path): [tuple(pair) for pair in pairs] for path, pairs in found.items()}
    return {(number,): [("tt.divisibility", 16)] for number in getattr(found, "divisible_by_16", ())}


def grid(heuristics: Any, tuner: Any, config: Any, bound: dict[str, Any]) -> tuple[int, ...] | None:
    try:
        expressions = heuristics.GridExpr.from_meta(tuner.inductor_meta, config)
        return tuple(int(size) for size in expressions.eval_slow({**bound, **config.kwargs}))
    except Exception:  # torch before 2.7, or a grid of the code's own
        return None
