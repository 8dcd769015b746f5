"""``torch.compile``: the kernels that Inductor writes, which it compiles and launches by a way of its own.

With no GPU, Inductor writes them for the CPU that stands in for one, whose properties are those of the target; they
are neither compiled nor run.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

from .. import versions
from ..launch import standins
from .kernels import Note

HEURISTICS = "torch._inductor.runtime.triton_heuristics"


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
    helpers = importlib.import_module("torch._inductor.runtime.triton_helpers")
    hints = importlib.import_module("torch._inductor.runtime.hints")
    utils = importlib.import_module("torch._inductor.utils")
    graph = importlib.import_module("torch._inductor.graph")
    if hasattr(graph, "should_assume_input_aligned"):  # it says no to every tensor of the CPU
        found.append((graph, "should_assume_input_aligned", utils.tensor_is_aligned))
    return [
        *found,
        (tuner, "precompile", standins.answering(None)),
        (helpers, "set_driver_to_cpu", standins.answering(None)),
        *of_users_kernels(),
        (graph.GraphLowering, "is_unspec_arg", is_a_number(graph.GraphLowering.is_unspec_arg)),
        (hints.DeviceProperties, "create", standins.answering(properties(hints.DeviceProperties, target))),
    ]


def is_a_number(original: Callable[..., bool]) -> Callable[..., bool]:
    """Whether an input is a number, which Inductor takes from any tensor of the CPU without dimensions.

    Those that Dynamo has made of a number have 64 bits. Others would lie on the GPU.
    """

    def answer(graph: Any, name: str) -> bool:
        given = graph.graph_inputs.get(name)
        return original(graph, name) and (given is None or str(given.get_dtype()) == "torch.float64")

    return answer


def of_users_kernels() -> list[standins.Replacement]:
    """A kernel of the user's own in a compiled function needs a GPU, without which older torch does not know it."""
    cpu: Any = importlib.import_module("torch._dynamo.device_interface").CpuInterface
    asks = "raise_if_triton_unavailable"
    found: list[standins.Replacement] = [(cpu, asks, standins.answering(None))] if hasattr(cpu, asks) else []
    of_triton: Any = importlib.import_module("torch.utils._triton")
    if "include_cpu" not in inspect.signature(of_triton.has_triton).parameters:
        found.append((of_triton, "has_triton", standins.answering(True)))
    return found


def configure(stack: ExitStack) -> None:
    of_inductor = importlib.import_module("torch._inductor.config")
    of_autograd = importlib.import_module("torch._functorch.config")
    for config, name, value in (
        (of_inductor, "cpu_backend", "triton"),
        # What is kept of a graph says neither for which GPU it was nor what stood in for it.
        (of_inductor, "fx_graph_cache", False),
        (of_autograd, "enable_autograd_cache", False),
        # A backward that cannot be compiled is to say so while the forward can still be called as it is.
        (of_autograd, "force_non_lazy_backward_lowering", True),
    ):
        if hasattr(config, name):
            stack.enter_context(config.patch(**{name: value}))


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
    arguments, more = without_more(tuner.inductor_meta or {}, arguments)
    values = {**meta.get("constants", {}), **config.kwargs}
    names = list(function.arg_names)
    values = {names[name] if isinstance(name, int) else name: value for name, value in values.items()}
    run_time = [name for name in names if name not in config.kwargs]
    if len(arguments) != len(run_time):  # constants of the signature are not passed
        run_time = [name for name in run_time if name not in values]
    bound = dict(zip(run_time, arguments, strict=False)) | values
    specialized = versions.SpecializedLaunch(
        as_user_has_it(function) if getattr(tuner, "custom_kernel", False) else function,
        {name: bound.get(name) for name in names},
        {name: meta["signature"].get(name, "constexpr") for name in names},
        {(number,): values[name] for number, name in enumerate(names) if name in values},
        attributes(meta),
        SimpleNamespace(num_warps=config.num_warps, num_stages=config.num_stages),
    )
    note(specialized, grid(heuristics, tuner, config, {**bound, **more}), vars(specialized.options))


def without_more(meta: dict[str, Any], arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The kernel's arguments, and by name those behind them, of which its grid is made."""
    names = meta.get("extra_launcher_args") or ()
    count = len(arguments) - len(names)
    return arguments[:count], dict(zip(names, arguments[count:], strict=True))


def as_user_has_it(copy: Any) -> Any:
    """The kernel of the user's own file that Inductor has copied into one of its files."""
    known = importlib.import_module("torch._higher_order_ops.triton_kernel_wrap").kernel_side_table.id_to_kernel
    for kernel in known.values():
        while not hasattr(kernel, "src"):  # under an autotuner or heuristics
            kernel = kernel.fn
        if kernel.fn.__name__ == copy.fn.__name__ and kernel.src.strip() == copy.src.strip():
            return kernel
    return copy


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
