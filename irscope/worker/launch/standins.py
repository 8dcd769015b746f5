"""What answers for CUDA where there is none: Triton's driver, `torch.cuda`, benchmarks that call once.

The answers are those of one usual GPU of the architecture that is compiled for (``gpus.json``). Nothing here
launches: whoever runs the file's code decides what a launch does.
"""

from __future__ import annotations

import contextlib
import json
import math
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from .. import standin, versions
from ..deferred import Version
from .streams import Event, Graph, Guard, Stream

#: The architecture whose answers stand for one that ``gpus.json`` does not have, AMD's among them.
USUAL = 90

#: (owner, name, what stands there meanwhile)
Replacement = tuple[Any, str, Any]


def gpu(target: Any) -> dict[str, Any]:
    """The ``gpus.json`` entry for a target: the same architecture, else the newest older one."""
    table = json.loads(Path(__file__).with_name("gpus.json").read_text(encoding="utf-8"))
    arch = target.arch if isinstance(target.arch, int) else USUAL
    known = sorted(int(key) for key in table if key.isdigit())
    chosen: dict[str, Any] = table[str(max((key for key in known if key <= arch), default=known[0]))]
    return chosen


#: What of torch stays replaced where all else of it is as it is.
_COMPILER = ("torch._inductor", "torch._dynamo", "torch.utils._triton")

_NOTHING = object()

#: What the replacements of now took the place of, in the order in which they did.
_before: list[Replacement] = []

#: What stands for torch, and does not within `torch_as_it_is`; the innermost is the last.
_out_of_use: list[list[Replacement]] = []


@contextlib.contextmanager
def replaced(replacements: list[Replacement]) -> Iterator[None]:
    """Within, each owner has its replacement under that name; afterwards what it had before, or nothing."""
    before = [(owner, name, vars(owner).get(name, _NOTHING)) for owner, name, _ in replacements]
    _before.extend(before)
    try:
        put(replacements)
        yield
    finally:
        put(reversed(before))
        del _before[-len(before) or len(_before) :]


def put(values: Iterable[Replacement]) -> None:
    for owner, name, value in values:
        if value is _NOTHING:
            delattr(owner, name)
        else:
            setattr(owner, name, value)


@contextlib.contextmanager
def torch_as_it_is() -> Iterator[None]:
    """Within, nothing of torch is replaced, but for its compiler."""
    kept = [(owner, name, value) for owner, name, value in _before if is_torchs(owner)]
    now = [(owner, name, vars(owner).get(name, _NOTHING)) for owner, name, _ in kept]
    put(reversed(kept))
    _out_of_use.append(now)
    try:
        yield
    finally:
        _out_of_use.pop()
        put(now)


@contextlib.contextmanager
def torch_as_replaced() -> Iterator[None]:
    """Within `torch_as_it_is`, for code of the user's that torch calls there: what was replaced is so again."""
    replacements = _out_of_use[-1] if _out_of_use else []
    before = [(owner, name, vars(owner).get(name, _NOTHING)) for owner, name, _ in replacements]
    put(replacements)
    try:
        yield
    finally:
        put(reversed(before))


def is_torchs(owner: Any) -> bool:
    name = str(owner.__name__ if isinstance(owner, ModuleType) else getattr(owner, "__module__", ""))
    return name.partition(".")[0] == "torch" and not name.startswith(_COMPILER)


class Driver(standin.StandInDriver):
    """Triton's driver, for host code that asks for more than a compilation does."""

    def __init__(self, target: Any) -> None:
        super().__init__(target)
        self.utils = SimpleNamespace(
            get_device_properties=lambda device=0: self.properties(),
            load_binary=lambda name, binary, shared, device: versions.loaded(registers_of(name, binary)),
            unload_module=answering(None),
            # Tensor descriptors of Triton 3.3, which live in a tensor that only a launch would read.
            fill_1d_tma_descriptor=answering(None), fill_2d_tma_descriptor=answering(None),
        )  # fmt: skip
        self.launcher_cls = Launcher

    def properties(self) -> dict[str, int]:
        """As Triton's own driver names them."""
        found = gpu(self.target)
        return {
            "max_shared_mem": found["shared"],
            "max_num_regs": 65536,
            "multiprocessor_count": found["multiprocessors"],
            "warpSize": self.target.warp_size,
            "sm_clock_rate": found["clock"],
            "mem_clock_rate": found["memory_clock"],
            "mem_bus_width": found["bus"],
        }

    def get_device_interface(self) -> Any:
        import torch

        return torch.cuda

    def get_benchmarker(self) -> Any:
        return call_once

    def get_empty_cache_for_benchmark(self) -> Any:
        import torch

        return torch.empty(0, dtype=torch.int)

    def clear_cache(self, cache: Any) -> None:
        pass


class Launcher:
    """What CompiledKernel launches through: it does nothing."""

    def __init__(self, source: Any, metadata: Any) -> None:
        self.source = source
        self.metadata = metadata

    def __call__(self, *launch: Any, **_: Any) -> None:
        """``launch``: the grid, six values of the driver's, and the kernel's arguments."""
        self.launched(launch[:3], launch[9:])

    def launched(self, grid: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
        pass


def registers_of(name: str, binary: Any) -> int:
    """Registers of one thread, which a cubin has in the highest byte of its code section's ``sh_info``; 32 of others.

    Host code that fills a GPU with blocks computes its grid with them.
    """
    if isinstance(binary, bytes) and binary[:5] == b"\x7fELF\x02":
        start, count = struct.unpack_from("<Q", binary, 40)[0], struct.unpack_from("<H", binary, 60)[0]
        headers = [struct.unpack_from("<IIQQQQII", binary, start + 64 * number) for number in range(count)]
        names = headers[struct.unpack_from("<H", binary, 62)[0]][4]
        for header in headers:
            first = names + header[0]
            if binary[first : binary.index(b"\0", first)].decode() == f".text.{name}":
                return header[7] >> 24 or 32
    return 32


def call_once(call: Callable[[], Any], *_: Any, quantiles: Any = None, return_mode: str = "mean", **__: Any) -> Any:
    """In place of ``triton.testing.do_bench``: one call, which takes a millisecond."""
    call()
    if quantiles is not None:
        return [1.0] * len(quantiles) if len(quantiles) != 1 else 1.0
    return [1.0] if return_mode == "all" else 1.0


def run_first_row(mark: Any, *_: Any, **named: Any) -> None:
    """In place of a ``perf_report``'s run: each line once, at the first size, and nothing drawn."""
    benchmarks = mark.benchmarks if isinstance(mark.benchmarks, list) else [mark.benchmarks]
    for benchmark in benchmarks:
        if not benchmark.x_vals:
            continue
        sizes = benchmark.x_vals[0]
        if not isinstance(sizes, list | tuple):
            sizes = [sizes] * len(benchmark.x_names)
        for line in benchmark.line_vals:
            arguments = {**dict(zip(benchmark.x_names, sizes, strict=False)), benchmark.line_arg: line}
            mark.fn(**arguments, **benchmark.args)


@contextlib.contextmanager
def benchmarks_call_once() -> Iterator[None]:
    """Within, Triton's helpers for timing call what they are given once; for runs that only look for launches."""
    import triton.testing

    owner = triton.testing
    names = [name for name in ("do_bench", "do_bench_cudagraph", "do_bench_proton") if hasattr(owner, name)]
    replacements: list[Replacement] = [(owner, name, call_once) for name in names]
    if hasattr(owner, "Mark"):
        replacements.append((owner.Mark, "run", run_first_row))
    with replaced(replacements):
        yield


@contextlib.contextmanager
def cuda_questions(target: Any) -> Iterator[None]:
    """Within, `torch.cuda` and Triton's driver speak as if one GPU of the target were there. Needs torch."""
    with versions.active_driver(Driver(target)), replaced(torch_replacements(target)), benchmarks_call_once():
        yield


def cuda_answers(target: Any) -> dict[str, Any]:
    """What the functions of `torch.cuda` answer, as far as that needs no torch."""
    found = gpu(target)
    capability = divmod(target.arch, 10) if isinstance(target.arch, int) else (9, 4)
    properties = SimpleNamespace(
        name=found["name"], major=capability[0], minor=capability[1],
        total_memory=found["memory"], multi_processor_count=found["multiprocessors"],
        warp_size=target.warp_size, is_integrated=False, is_multi_gpu_board=False,
        L2_cache_size=found["l2"], regs_per_multiprocessor=65536,
        max_threads_per_multi_processor=found["threads"], max_threads_per_block=1024,
        shared_memory_per_block=49152, shared_memory_per_block_optin=found["shared"],
        shared_memory_per_multiprocessor=found["shared_multiprocessor"],
        clock_rate=found["clock"], memory_clock_rate=found["memory_clock"], memory_bus_width=found["bus"],
        gcnArchName=str(target.arch), uuid="00000000-0000-0000-0000-000000000000",
    )  # fmt: skip
    return {
        "is_available": True, "is_initialized": True, "_is_in_bad_fork": False, "device_count": 1,
        "current_device": 0, "get_device_name": found["name"], "get_device_capability": capability,
        "get_device_properties": properties, "is_bf16_supported": True, "is_tf32_supported": True,
        "get_arch_list": [f"sm_{capability[0]}{capability[1]}"], "is_current_stream_capturing": False,
        "can_device_access_peer": False, "mem_get_info": (found["memory"], found["memory"]),
        # Code divides by what is allocated and reserved.
        "memory_allocated": 1 << 30, "max_memory_allocated": 1 << 30, "memory_reserved": 1 << 30,
        "max_memory_reserved": 1 << 30,
        "memory_stats": defaultdict(int), "memory_summary": "", "memory_snapshot": [],
        "utilization": 0, "graph_pool_handle": (0, 0),
        "_exchange_device": 0, "_maybe_exchange_device": 0,
    }  # fmt: skip


def torch_answers(target: Any) -> dict[str, Any]:
    """What torch says about itself and the GPU, by dotted path, for code that need not import it for that."""
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        version = "2.9.0"
    is_cuda = target.backend == "cuda"
    answers = {f"torch.cuda.{name}()": value for name, value in cuda_answers(target).items()}
    return {
        **answers,
        "torch.__version__": Version(version),
        "torch.version.__version__": Version(version),
        "torch.version.cuda": "12.8" if is_cuda else None,
        "torch.version.hip": None if is_cuda else "6.4",
        "torch.version.xpu": None,
        "torch.xpu.is_available()": False,
        "torch.backends.mps.is_available()": False,
        "torch.accelerator.is_available()": True,
        "torch.compiler.is_compiling()": False,
        "torch.inf": math.inf,
        "torch.nan": math.nan,
        "torch.pi": math.pi,
        "torch.e": math.e,
    }


def making(kind: type) -> Callable[..., Any]:
    """A function of its own each time: Dynamo tells functions by what they are, not by their names."""
    return lambda *arguments, **named: kind(*arguments, **named)


def torch_replacements(target: Any) -> list[Replacement]:
    """What `torch.cuda` answers with, function by function."""
    import torch

    cuda = torch.cuda
    answers = {**cuda_answers(target), "initial_seed": torch.initial_seed()}
    silent = (
        "init", "_lazy_init", "_lazy_call", "set_device", "synchronize", "empty_cache", "ipc_collect", "manual_seed",
        "manual_seed_all", "seed", "seed_all", "set_stream", "reset_peak_memory_stats", "set_rng_state",
        "reset_max_memory_allocated", "reset_accumulated_memory_stats", "set_per_process_memory_fraction",
    )  # fmt: skip
    of_memory = ("_record_memory_history", "_dump_snapshot", "_snapshot", "_set_allocator_settings")
    streams = ("Stream", "ExternalStream", "StreamContext")
    guards = ("device", "device_of", "_DeviceGuard")
    graphs = ("CUDAGraph", "graph")
    changes: list[Replacement] = [(cuda, name, answering(value)) for name, value in answers.items()]
    changes += [(cuda, name, answering(None)) for name in silent]
    changes += [(cuda.memory, name, answering(None)) for name in of_memory]
    changes += [(cuda.memory, name, change) for _, name, change in changes if hasattr(cuda.memory, name)]
    for kind, names in ((Stream, streams), (Guard, guards), (Graph, graphs), (Event, ("Event",))):
        changes += [(cuda, names[0], kind)] + [(cuda, name, type(name, (kind,), {})) for name in names[1:]]
    changes += [(cuda, name, making(Stream)) for name in ("current_stream", "default_stream", "stream")]
    changes += [(cuda.nvtx, name, answering(0)) for name in ("range_push", "range_pop", "mark")]
    core = {
        "_cuda_getCurrentRawStream": 0, "_cuda_getDevice": 0, "_cuda_getDeviceCount": 1, "_cuda_setDevice": None,
        "_cuda_synchronize": None, "_cuda_isCurrentStreamCapturing": False,
    }  # fmt: skip
    changes += [(torch._C, name, answering(value)) for name, value in core.items()]
    cuda_version = torch.version.cuda or "12.8"
    changes += [
        (torch.version, "cuda", cuda_version if target.backend == "cuda" else torch.version.cuda),
        (torch.backends.cuda, "is_built", answering(True)),
        # It takes streams of torch's own alone.
        (torch.Tensor, "record_stream", answering(None)),
    ]
    accelerator = getattr(torch, "accelerator", None)
    if accelerator is not None:
        device = torch.device("cuda", 0)
        known = {
            "is_available": True, "current_accelerator": device, "device_count": 1, "current_device_index": 0,
            "current_device_idx": 0, "set_device_index": None, "set_device_idx": None, "synchronize": None,
            "empty_cache": None,
        }  # fmt: skip
        changes += [(accelerator, name, answering(value)) for name, value in known.items()]
        changes += [(accelerator, "current_stream", type("current_stream", (Stream,), {}))]
    return changes


def answering(value: Any) -> Callable[..., Any]:
    """A function of any arguments that returns this."""

    def answer(*_: Any, **__: Any) -> Any:
        return value

    return answer
