"""A launch without a GPU: captured or made as for one, run in Triton's interpreter, and what it wrote described."""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import compiling, versions, warned
from ..protocol import Wire
from . import copies, interpreter, outputs, redirect, saving, settle, traced, words
from .interpret import DEFAULT_SECONDS, explained, start
from .resolve import Call

#: Of the time for the interpreter, the part that launches before the chosen one may take.
EARLIER_SHARE = 0.5

#: What Triton asks of a pointer and an integer, to say that it is divisible.
DIVISOR = 16


def launch(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Answer an ``interpret`` request without a folder.

    Beyond the fields of ``prepare_launch``'s answer that need no compiled kernel: ``outputs``, ``programs_run``,
    ``programs`` and ``seconds``.

    Raises:
        Rejected: as `settle.settle`, `redirect.redirected` and `interpret.interpret` do.
    """
    import torch

    gc.collect()
    wire.send("phase", phase="loading")
    limit = float(request.get("seconds") or DEFAULT_SECONDS)
    earlier = Earlier(limit * EARLIER_SHARE)
    target = versions.gpu_target(**request["target"])
    # They change nothing here; that they fit is known all the same.
    compiling.parse_options(compiling.backend_for(target), dict(request.get("options") or {}))
    with warnings.catch_warnings(record=True) as caught, redirect.redirected(target), interpreter.repaired():
        warnings.simplefilter("default")
        settled = settle.settle(request, wire, "cpu", earlier.run)
    prepared = settled.prepared
    run = start(prepared.function, {**prepared.arguments, **prepared.constexprs}, prepared.grid, request, wire)
    notes = [*settled.warnings, *warned.messages(caught), *earlier.notes]
    if not run.complete:
        notes.append(f"the interpreter ran {run.programs_run} of {run.programs} programs in {run.seconds:.3g} s")
    if not run.programs:
        notes.append(f"the grid {tuple(prepared.grid)} is empty: nothing runs")
    save = Path(request["save"]) if request.get("save") else None
    described = []
    for name in written_names(run.memory):
        described.append({**describe_output(name, run, prepared.guards), **saved(name, run.memory, save, notes)})
    return {
        **settled.describe(),
        "warnings": notes,
        "specialization": describe_specialization(settled),
        "device": None,
        "outputs": described,
        "programs_run": run.programs_run,
        "programs": run.programs,
        "seconds": run.seconds,
        "torch": str(torch.__version__),
        "triton": versions.TRITON,
    }


class Earlier:
    """Runs the file's launches before the chosen one, all of them together within a limit of seconds."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        #: Whether a launch was given up, or left out: the file's tensors do not hold what they should.
        self.gave_up = False

    @property
    def notes(self) -> list[str]:
        if not self.gave_up:
            return []
        return ["launches before this one took too long in the interpreter: what they should have written is missing"]

    def run(self, launch: Callable[[], Any], call: Call) -> Any:
        end = time.monotonic() + self.left

        def begin() -> None:
            if time.monotonic() > end:
                raise traced.Stop

        try:
            with (
                interpreter.before_each_program(begin),
                traced.guarded(copies.tensors_of(call.arguments)),
                explained(call.kernel.name),
            ):
                return launch()
        except traced.Stop:
            self.gave_up = True
            return None
        finally:
            self.left = max(end - time.monotonic(), 0.0)


def describe_specialization(settled: settle.Settled) -> dict[str, Any]:
    """The fields of ``model.Specialization`` that Triton's JIT would compile for these arguments."""
    prepared = settled.prepared
    signature: dict[str, str] = {}
    constants = dict(prepared.constexprs)
    attributes: dict[str, Any] = {}
    for parameter in prepared.kernel.function.params:
        name = parameter.name
        if name in prepared.constexprs:
            signature[name] = "constexpr"
            continue
        value = prepared.arguments.get(name)
        is_one = type(value) is int and value == 1 and not parameter.do_not_specialize
        if value is None or is_one:
            signature[name], constants[name] = "constexpr", value
            continue
        signature[name] = words.type_in_signature(value)
        address = value.data_ptr() if words.is_tensor(value) else value
        divisible = type(address) is int and address % DIVISOR == 0
        if divisible and not parameter.do_not_specialize and not parameter.do_not_specialize_on_alignment:
            attributes[name] = {"tt.divisibility": DIVISOR}
    return {
        "signature": signature,
        "constexprs": compiling.plain(constants),
        "attributes": attributes,
        "options": compiling.plain(prepared.options),
        "provenance": settled.provenance,
        "evidence": settled.evidence,
        "configuration": settled.configuration,
    }


def written_names(memory: traced.Memory) -> list[str]:
    return [name for name, tensor in memory.tensors.items() if tensor.numel() and bool(memory.written(name).any())]


def saved(name: str, memory: traced.Memory, folder: Path | None, notes: list[str]) -> dict[str, str]:
    """The ``file`` of ``model.Output`` where there is a folder to write the tensor to; what is said of it to notes."""
    if folder is None:
        return {}
    tensor = memory.tensors[name]
    file, note = saving.save_tensor(tensor, folder, name, words.element_type(tensor.dtype))
    notes += [note] if note else []
    return {"file": str(file)}


def describe_output(name: str, run: traced.Run, guards: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``model.Output``; which elements were written is known exactly."""
    memory = run.memory
    tensor = memory.tensors[name]
    written = outputs.unique(memory.written(name))
    count = int(written.sum())
    everything = count == written.numel()
    # Picking out what was written is much cheaper than to look at all and leave the rest away.
    values = tensor if everything else outputs.unique(tensor)[written]
    return {
        "name": name,
        "type": words.element_type(tensor.dtype),
        "shape": list(tensor.shape),
        "elements": written.numel(),
        "written": count,
        "changed_only": False,
        **outputs.statistics(values),
        "first": outputs.first_elements(tensor, None if everything else ~written),
        "outside": int(memory.block(name).written.sum()) - count if name in guards else None,
        **({} if run.complete else {"programs_run": run.programs_run, "programs": run.programs}),
    }
