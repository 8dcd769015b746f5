"""A file's own launch code with no GPU: its CUDA tensors lie in the CPU's memory and say that they do not.

A mode of torch's sees every call of torch: a request for a CUDA device becomes one for the CPU, and
``Tensor.device``, ``is_cuda`` and their kin answer as they would with a GPU. Tensors that the file keeps on the CPU
are marked, so that a copy from one side to the other stays a copy. What torch's C++ makes out of sight (gradients)
counts as CUDA's.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..failures import install_command
from ..protocol import Rejected
from . import autocast, distributed, operators, randomness, standins

#: An attribute of the tensors that are on the CPU in the file's eyes too.
ON_CPU = "_irscope_on_cpu"

#: Tensors below this are made without asking how much memory is left.
SMALL = 64 << 20

_CUDA = re.compile(r"cuda(:\d+)?")


@contextlib.contextmanager
def redirected(target: Any, mode: Any = None) -> Iterator[None]:
    """Within, code for a CUDA device runs on the CPU, and Triton's driver and `torch.cuda` answer as ``target`` would.

    ``target`` is Triton's `GPUTarget`, ``mode`` another one of the kind that `cuda_on_cpu` makes. All is undone at the
    end. Launches are not touched: in the interpreter they run, in a compiling Triton somebody must keep them from
    happening.

    Raises:
        Rejected: torch is missing ("missing"), or, within, a tensor does not fit into memory ("memory").
    """
    require("torch", "running the file's launch code")
    import torch

    mode = mode or cuda_on_cpu()
    with standins.cuda_questions(target), standins.replaced(torch_replacements(torch, mode)), mode:
        yield


def require(module: str, who: str) -> None:
    """Raises `Rejected`, kind "missing", where this interpreter lacks a module that ``who`` needs."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise Rejected(
            "missing", f"{who} needs {module}, which {sys.executable} does not have",
            hint=install_command(module), missing=module,
        ) from error  # fmt: skip


def torch_replacements(torch: Any, mode: Any) -> list[standins.Replacement]:
    """Ways to a CUDA device that do not pass the mode."""
    run_backward, load, set_default_device = (
        torch.autograd._engine_run_backward,
        torch.load,
        torch.set_default_device,
    )
    run_thread = threading.Thread.run
    new_parameter = torch.nn.Parameter.__new__

    class Generator(torch.Generator):  # type: ignore[misc, unused-ignore]
        """Of the CPU, whatever it is asked for."""

        def __new__(cls, device: Any = None) -> Any:
            return super().__new__(cls, "cpu")

    def backward_in_mode(*arguments: Any, **named: Any) -> Any:
        # torch leaves the mode for the length of a call, and the user's own backward functions run in this one.
        with mode:
            return run_backward(*arguments, **named)

    def run_in_mode(thread: threading.Thread) -> None:
        # A mode is of the thread that entered it.
        with mode:
            run_thread(thread)

    def load_on_cpu(file: Any, map_location: Any = None, *rest: Any, **named: Any) -> Any:
        with torch._C.DisableTorchFunction():
            loaded = load(file, "cpu", *rest, **named)
        on_cpu = isinstance(map_location, str | torch.device) and str(map_location) == "cpu"
        for one in tensors_in(loaded):
            setattr(one, ON_CPU, on_cpu)
        return loaded

    def parameter(kind: Any, data: Any = None, *rest: Any, **named: Any) -> Any:
        """It is where its tensor was made, until somebody moves it."""
        made = new_parameter(kind, data, *rest, **named)
        if is_on_cpu(data):
            setattr(made, ON_CPU, True)
        return made

    def default_device(device: Any) -> None:
        mode.by_default = "cuda" if is_cuda_device(device) else "cpu"
        set_default_device("cpu" if is_cuda_device(device) else device)

    return [
        (torch.autograd, "_engine_run_backward", backward_in_mode),
        (torch, "Generator", Generator),
        (torch, "load", load_on_cpu),
        (torch.nn.Parameter, "__new__", staticmethod(parameter)),
        (torch, "set_default_device", default_device),
        (threading.Thread, "run", run_in_mode),
        *autocast.replacements(),
        *operators.replacements(mode),
        *mode.numbers.replacements(),
        *distributed.replacements(),
        *checkpoints(),
    ]


def checkpoints() -> Iterator[standins.Replacement]:
    """What torch saves for a backward it saves out of the mode's sight."""
    import torch

    frame = getattr(importlib.import_module("torch.utils.checkpoint"), "_CheckpointFrame", None)
    compare = "check_recomputed_tensors_match"
    if hasattr(frame, compare):  # with what is recomputed within the mode, devices among the rest
        yield frame, compare, standins.answering(None)
    on_cpu = torch.autograd.graph.save_on_cpu
    begin = on_cpu.__init__

    def without_pinning(self: Any, pin_memory: bool = False, *rest: Any, **named: Any) -> None:
        begin(self, False, *rest, **named)

    yield on_cpu, "__init__", without_pinning


def cuda_on_cpu() -> Any:
    """The mode. A function, since its base class is torch's, which is not imported before it is needed."""
    import torch
    from torch.overrides import TorchFunctionMode

    tensor: Any = torch.Tensor
    cuda = torch.device("cuda", 0)
    # Property getters are new objects on each access: they are compared with ==, which a dictionary does too.
    questions: dict[Any, Callable[[bool], Any]] = {
        tensor.is_cuda.__get__: lambda on_cpu: not on_cpu,
        tensor.is_cpu.__get__: lambda on_cpu: on_cpu,
        tensor.device.__get__: lambda on_cpu: torch.device("cpu") if on_cpu else cuda,
        tensor.get_device: lambda on_cpu: -1 if on_cpu else 0,
    }
    set_data = tensor.data.__set__

    class CudaOnCpu(TorchFunctionMode):  # type: ignore[misc, unused-ignore]
        #: The side of a tensor that is made of numbers alone.
        by_default = "cpu"

        def __init__(self) -> None:
            super().__init__()
            self.numbers = randomness.NumbersOfCuda(torch)

        def __torch_function__(
            self, function: Any, types: Any, arguments: tuple[Any, ...] = (), named: Any = None
        ) -> Any:
            named = dict(named or {})
            if function in questions:
                return questions[function](is_on_cpu(arguments[0]))
            if function == tensor.pin_memory:
                return arguments[0]
            if function == set_data:
                setattr(arguments[0], ON_CPU, is_on_cpu(arguments[1]))
                return function(*arguments)
            arguments, named = self.cast(function, arguments, named)
            wanted = self.wanted_side(function, arguments, named)
            if function in (tensor.cuda, tensor.cpu):
                function, arguments, named = tensor.to, (arguments[0], "cpu"), without(named, "device", "non_blocking")
            elif wanted is not None:
                arguments = tuple("cpu" if is_cuda_device(value) else value for value in arguments)
                if function is tensor.to and len(arguments) > 1 and is_index(arguments[1]):
                    arguments = (arguments[0], "cpu", *arguments[2:])
                if "device" in named:
                    named["device"] = "cpu"
            if named.pop("pin_memory", False):
                wanted = "cpu"
            given = list(tensors_in((arguments, named)))
            on_cpu = wanted == "cpu" if wanted else self.stays_on_cpu(given)
            draws = not on_cpu and getattr(function, "__name__", "") in randomness.DRAWING
            with self.numbers.drawn() if draws else contextlib.nullcontext():
                result = self.call(function, arguments, named, given)
            if wanted and any(result is one and is_on_cpu(one) != on_cpu for one in given):
                result = result.clone()
            for made in tensors_in(result):
                if on_cpu != is_on_cpu(made):
                    setattr(made, ON_CPU, on_cpu)
            return result

        def call(self, function: Any, arguments: tuple[Any, ...], named: dict[str, Any], given: list[Any]) -> Any:
            """Call a function of torch's that is about the CPU now; ``given``: the tensors among its arguments."""
            if not given:
                refuse_what_does_not_fit(function, arguments, named)
            return function(*arguments, **named)

        def cast(self, function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
            """The arguments as ``torch.autocast`` wants them."""
            type_ = autocast.wanted_type(getattr(function, "__name__", ""))
            if type_ is None:
                return arguments, named

            def change(one: Any) -> Any:
                return one.to(type_) if not is_on_cpu(one) and autocast.is_cast(one, type_) else one

            return changed(arguments, change), changed(named, change)

        def wanted_side(self, function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> str | None:
            """``"cuda"``, ``"cpu"``, or ``None`` where the call names no device."""
            if function is tensor.cuda or function is tensor.cpu:
                return "cuda" if function is tensor.cuda else "cpu"
            asked = named.get("device")
            if asked is None and function is tensor.to and len(arguments) > 1:
                asked = arguments[1]
                if isinstance(asked, torch.Tensor):
                    return "cpu" if is_on_cpu(asked) else "cuda"
                if isinstance(asked, torch.dtype):
                    return None
            if is_cuda_device(asked) or is_index(asked):
                return "cuda"
            return "cpu" if isinstance(asked, str | torch.device) and str(asked).startswith("cpu") else None

        def stays_on_cpu(self, given: list[Any]) -> bool:
            return all(is_on_cpu(one) for one in given) if given else self.by_default == "cpu"

    return CudaOnCpu()


def is_cuda_device(value: Any) -> bool:
    if isinstance(value, str):
        return _CUDA.fullmatch(value) is not None
    return type(value).__name__ == "device" and value.type == "cuda"


def is_index(value: Any) -> bool:
    """Whether this is the number of a device."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_on_cpu(value: Any) -> bool:
    return bool(getattr(value, ON_CPU, False))


def without(named: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in named.items() if name not in names}


def tensors_in(value: Any) -> Iterator[Any]:
    """The tensors among arguments or results, through tuples, lists and dictionaries."""
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """With each tensor in it changed, through tuples, lists and dictionaries."""
    import torch

    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(changed(item, change) for item in value))
    if type(value) in (tuple, list):
        return type(value)(changed(item, change) for item in value)
    if type(value) is dict:
        return {name: changed(item, change) for name, item in value.items()}
    return value


def refuse_what_does_not_fit(function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Before a tensor is made: more than the memory that is left would end this process without a word.

    Raises:
        Rejected: "memory".
    """
    import torch

    # The size is the product of the numbers given, within a factor that the element type decides.
    sizes = [item for value in (*arguments, named.get("size")) for item in flat_integers(value)]
    if math.prod(size for size in sizes if size > 0) * 16 < SMALL:
        return
    try:
        shape = function(*arguments, **{**without(named, "generator"), "device": "meta"})
    except Exception:  # not a function that makes a tensor on a device
        return
    if not isinstance(shape, torch.Tensor):
        return
    left = available_memory()
    size = shape.numel() * shape.element_size()
    if left is not None and size > left:
        name = getattr(function, "__name__", "torch")
        raise Rejected(
            "memory",
            f"the file asks for {size / 1e9:.1f} GB ({name} of {list(shape.shape)}), "
            f"and of this machine's memory {left / 1e9:.1f} GB are free",
            hint="without a GPU its tensors lie in the machine's own memory: give smaller sizes",
        )


def flat_integers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from flat_integers(item)


def available_memory() -> int | None:
    """Bytes that a process can still have without pushing others out; ``None`` where the system does not say."""
    if sys.platform == "win32":
        import ctypes

        class Status(ctypes.Structure):
            """MEMORYSTATUSEX of the Windows API."""

            _fields_ = [
                ("length", ctypes.c_uint32),
                ("load", ctypes.c_uint32),
                *[(name, ctypes.c_uint64) for name in ("total", "available", "page_total", "page_available",
                                                       "virtual_total", "virtual_available", "extended")],
            ]  # fmt: skip

        status = Status(length=ctypes.sizeof(Status))
        done = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return min(status.available, status.page_available) if done else None
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError, StopIteration):
            lines = Path("/", "proc", "meminfo").read_text(encoding="ascii").splitlines()
            return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    return None
