"""The request ``prepare_launch``: a launch made ready to be run as often as wished."""

from __future__ import annotations

import base64
import dataclasses
import gc
import warnings
from pathlib import Path
from typing import Any

from .. import compiling, loading, versions, warned
from ..protocol import Rejected, Wire
from . import copies, driver, faults
from .settle import Prepared, Settled, settle

#: What `prepare_launch` has set up last, for the requests that follow it.
current: Prepared | None = None


def prepare_launch(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Answer ``prepare_launch``: capture or make a launch, and compile it as Triton's JIT does.

    Raises `Rejected` (kinds "missing", "usage", "memory", "resources", "fault", "file") besides what the file
    and the compiler raise.
    """
    global current
    current = None
    gc.collect()  # what an earlier launch and its file left on the GPU
    wire.send("phase", phase="loading")
    torch = faults.require_cuda(request["device"])
    made = request.get("source") == "inputs"
    subject = faults.Subject(request["path"], launches_itself=not made, again=again(request, made))
    with faults.told(wire, subject), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        torch.cuda.empty_cache()
        torch.cuda.set_device(request["device"])
        settled = settle(request, wire, f"cuda:{request['device']}")
        # What the file has launched so far ends here, with its error if there is one.
        torch.cuda.synchronize()
        prepared = settled.prepared
        prepared.again = again(request, prepared.seed is not None)
        use_device_of(prepared, request["device"], settled.warnings)
        wire.send("phase", phase="compiling")
        prepared.compiled = compile_launch(prepared)
        versions.load_onto_gpu(prepared.compiled)
        settled.warnings += warned.messages(caught)
    current = prepared
    return {**settled.describe(), **describe_compiled(settled), "device": driver.describe_device(prepared.device),
            "torch": str(torch.__version__), "triton": versions.TRITON}  # fmt: skip


def again(request: dict[str, Any], made: bool) -> str | None:
    """The command that makes the launch again; ``None`` where ``python FILE`` makes the very same."""
    changed = any(request.get(name) for name in ("entry", "signature", "arguments", "constants", "options"))
    return request.get("again") if made or changed or request.get("configuration") is not None else None


# Compiling


def use_device_of(prepared: Prepared, asked: int, notes: list[str]) -> None:
    """The file may have put its tensors on another GPU than the one that was asked for."""
    import torch

    tensors = copies.tensors_of(prepared.arguments)
    for name, tensor in tensors.items():
        if tensor.device.type != "cuda" and not tensor.is_pinned():
            raise Rejected("file", f"{name} is on the {tensor.device.type.upper()}: the kernel needs it on the GPU",
                           hint="make it with device='cuda'")  # fmt: skip
    on_gpu = (tensor.device.index for tensor in tensors.values() if tensor.device.type == "cuda")
    prepared.device = next(on_gpu, asked)
    if prepared.device != asked:
        notes.append(f"the file's tensors are on GPU {prepared.device}, so that is where it runs")
        torch.cuda.set_device(prepared.device)


def compile_launch(prepared: Prepared) -> Any:
    """Triton's CompiledKernel, for the active driver's target; nothing is launched."""
    compiling.parse_options(compiling.backend_for(versions.current_target()), prepared.options)
    everything = {**prepared.arguments, **prepared.constexprs, **prepared.options}
    return prepared.function.run(grid=prepared.grid, warmup=True, **everything)


def describe_compiled(settled: Settled) -> dict[str, Any]:
    compiled = settled.prepared.compiled
    backend = compiling.backend_for(compiled.metadata.target)
    options = compiling.parse_options(backend, settled.prepared.options)
    names = [parameter.name for parameter in settled.prepared.kernel.function.params]
    signature, constants, attributes = versions.specialization_of(compiled)
    metadata = compiling.plain(compiled.metadata._asdict())
    metadata.pop("hash", None)
    texts = {name: text for name, text in compiled.asm.items() if name != "source"}
    order = versions.pipeline(backend, options, compiled.src)
    return {
        "specialization": {
            "signature": {name: str(type_) for name, type_ in signature.items()},
            "constexprs": {path_name(names, path): compiling.plain(value) for path, value in constants.items()},
            "attributes": {path_name(names, path): dict(pairs) for path, pairs in attributes.items() if pairs},
            "options": compiling.plain(dataclasses.asdict(options)),
            "provenance": settled.provenance,
            "evidence": settled.evidence,
            "configuration": settled.configuration,
        },
        "stages": [
            {"name": name, **as_stage(texts[name])}
            for name in sorted(texts, key=lambda name: order.index(name) if name in order else len(order))
        ],
        "metadata": metadata,
        "sources": loading.source_files(
            Path(settled.prepared.kernel.function.fn.__code__.co_filename),
            [text for text in texts.values() if isinstance(text, str)],
        ),
    }


def path_name(names: list[str], path: tuple[int, ...]) -> str:
    """``x``, or ``x.0`` for the first item of a tuple."""
    first, *rest = path
    return ".".join([names[first], *map(str, rest)])


def as_stage(content: Any) -> dict[str, str]:
    if isinstance(content, bytes):
        return {"data": base64.b64encode(content).decode("ascii")}
    return {"text": str(content)}
