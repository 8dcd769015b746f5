"""From a launch request to a launch: its own workers, the static figures beside the driver's, the checks.

The compile worker never touches the GPU. A launch has a worker of its own, which a CUDA fault, a hang or a
cancel costs; the interpreter has a third, since Triton decides at import which of the two it is.
"""

from __future__ import annotations

import atexit
import base64
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from irscope import bundle, devices, interpreter, session
from irscope.analysis import access
from irscope.analysis.access import Access, bytes_moved
from irscope.analysis.figures import figures
from irscope.analysis.flops import dot_flops
from irscope.client import Client
from irscope.events import Event, WorkerStarted
from irscope.launch import ceilings, command, history
from irscope.launch.fields import from_fields
from irscope.launch.model import (
    DEFAULT_TIMEOUT,
    Argument,
    Check,
    Device,
    Figures,
    Launch,
    LaunchRequest,
    Output,
    Site,
    Timing,
)
from irscope.model import Compilation, Failure, Kernel, Specialization, Stage, Target
from irscope.request import IrscopeError, usage_error

#: Failures after which the GPU's context is not to be trusted, or its memory not free.
POISONED = frozenset({"fault", "memory", "internal"})

#: Seconds for a launch under compute-sanitizer, which makes all of it slow.
SANITIZER_TIMEOUT = 600

#: Seconds for a list of launches with no GPU: what a file does beside launching can take very long on the CPU.
LIST_TIMEOUT = 30.0

_launches = Client()
_interpreters = Client({"TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": ""})
atexit.register(_launches.close)
atexit.register(_interpreters.close)


Follow = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Phase(Event):
    """What the launch is doing; ``done`` of ``total`` where that can be counted."""

    name: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class SitesFound(Event):
    """The launches that the file's own code makes, as far as it has run."""

    sites: tuple[Site, ...]


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something to know about what `sites` found; a launch has its warnings itself."""

    message: str


@dataclass(frozen=True, slots=True)
class Prepared(Event):
    """Arguments, grid and specialization are settled and it is compiled; nothing has been timed."""

    launch: Launch
    compilation: Compilation


@dataclass(frozen=True, slots=True)
class Timed(Event):
    """The first figure."""

    launch: Launch


@dataclass(frozen=True, slots=True)
class LaunchFinished(Event):
    launch: Launch


def ignore(event: Event) -> None:
    pass


def launch(
    request: LaunchRequest,
    on_event: Follow = ignore,
    cancel: threading.Event | None = None,
) -> Launch:
    """Run a kernel and tell what came back, each step to ``on_event``, `LaunchFinished` last.

    Raises:
        IrscopeError: the request does not fit, something is missing (no GPU, no torch), or the kernel does not
            compile or run: kinds "usage", "missing", "compile", "resources", "memory", "fault", "timeout", "file".
        irscope.client.Cancelled: ``cancel`` was set meanwhile.
    """
    conversation = _Conversation(request, on_event, cancel or threading.Event())
    make_folder(request.save)
    found = conversation.interpreted() if request.interpret else conversation.measured()
    history.add(found)
    on_event(LaunchFinished(found))
    return found


def sites(
    request: LaunchRequest,
    on_event: Follow = ignore,
    cancel: threading.Event | None = None,
) -> tuple[Site, ...]:
    """Every launch that the file's own code makes, which is run to its end; without a GPU in Triton's interpreter.

    Raises as `launch`.
    """
    conversation = _Conversation(request, on_event, cancel or threading.Event())
    found: list[Site] = []

    def first_made(message: Mapping[str, Any]) -> None:
        found.append(from_fields(Site, message["site"]))

    try:
        answer = conversation.ask_for_list({"site": first_made})
    except IrscopeError as error:
        if error.failure.kind != "timeout" or not found:
            raise
        on_event(Warned(f"the file did not come to its end within {conversation.timeout:g} s; --timeout gives it more"))
        return tuple(found)
    for warning in answer["warnings"]:
        on_event(Warned(warning))
    return tuple(from_fields(Site, fields) for fields in answer["sites"])


def make_folder(folder: Path | None) -> None:
    """Make the folder for the tensors written, before anything runs. Raises `IrscopeError` (kind "usage")."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise usage_error(f"--save {folder}: cannot write there: {error.strerror or error}") from error


def close() -> None:
    """Stop every worker of a launch."""
    _launches.close()
    _interpreters.close()


def why_not() -> Failure | None:
    """Why nothing can be launched on this machine, as far as that shows without loading torch."""
    if devices.devices():
        return None
    return Failure(
        "missing",
        "there is no CUDA device on this machine",
        hint="Triton's interpreter runs the kernel on the CPU: `irscope launch --interpret`, or the key c in the UI",
    )


class _Conversation:
    """One launch request and its workers."""

    def __init__(self, request: LaunchRequest, on_event: Follow, cancel: threading.Event) -> None:
        path = request.compile.path
        if not path.exists():
            raise usage_error(f"{path}: there is no such file")
        if path.suffix != ".py":
            raise usage_error(f"{path}: only a Python file can be launched", hint="name the .py file of the kernel")
        self.request = replace(request, compile=session.with_kernel(request.compile))
        self.on_event = on_event
        self.cancel = cancel
        self.start = time.perf_counter()
        self.python = interpreter.identify(request.compile.python)
        self.timeout = request.compile.timeout or DEFAULT_TIMEOUT

    @property
    def fields(self) -> dict[str, Any]:
        """What every request says of the kernel and its arguments."""
        request, compiled = self.request, self.request.compile
        return {
            "path": str(compiled.path.absolute()),
            "kernel": compiled.kernel,
            "target": asdict(compiled.target or devices.default_target()),
            "gpu": not request.interpret,
            "signature": compiled.signature,
            "arguments": dict(compiled.arguments),
            "constants": dict(compiled.constants),
            "configuration": compiled.configuration,
            "options": dict(compiled.options),
            "source": request.source,
            "entry": request.entry,
            "number": request.number,
            "inputs": dict(request.inputs),
            "grid": request.grid,
            "seed": request.seed,
            "device": request.device,
            "autotune": request.autotune,
            "again": f"{command.again(request)} --timeout {SANITIZER_TIMEOUT}",
        }

    @property
    def save(self) -> str | None:
        return None if self.request.save is None else str(self.request.save.absolute())

    def measured(self) -> Launch:
        reason = why_not()
        if reason is not None:
            raise IrscopeError(reason)
        answer = self.ask_gpu({"do": "prepare_launch", **self.fields})
        compilation = compilation_of(answer)
        found = with_work(prepared(self.request, answer), compilation, self.request)
        self.on_event(Prepared(found, compilation))
        tensors = accesses(compilation)
        read = [name for name, entry in tensors.items() if entry.may_read] if tensors else None
        written = [name for name, entry in tensors.items() if entry.may_write] if tensors else None

        def timed(message: Mapping[str, Any]) -> None:
            nonlocal found
            found = replace(with_times(found, message), seconds=time.perf_counter() - self.start)
            self.on_event(Timed(found))

        measurement = self.ask_gpu(
            {"do": "measure_launch", "read": read, "written": written, "save": self.save}, {"timing": timed}
        )
        found = replace(
            with_times(found, measurement),
            outputs=tuple(from_fields(Output, fields) for fields in measurement["outputs"]),
            driver=from_fields(Figures, measurement["driver"]),
            warnings=(*found.warnings, *measurement.get("warnings", ())),
        )
        self.on_event(Timed(found))
        found = self.with_ceilings(found)
        if self.request.check is not None:
            found = replace(found, check=self.checked(written))
        return found

    def with_ceilings(self, found: Launch) -> Launch:
        assert found.device is not None
        kept = ceilings.load(found.device)
        if kept is None:
            kept = ceilings.keep(found.device, self.ask_gpu({"do": "measure_device", "device": found.device.index}))
        return replace(found, ceilings=kept)

    def checked(self, written: list[str] | None) -> Check:
        """What the reference says; a reference that fails is a check without an answer, not a failed launch."""
        try:
            if self.request.check == "file":
                return from_fields(Check, self.ask_gpu({"do": "check_against_file", **self.fields}))
            with tempfile.TemporaryDirectory(prefix="irscope-launch-", ignore_cleanup_errors=True) as folder:
                self.ask_gpu({"do": "save_launch", "folder": folder})
                return from_fields(Check, self.ask_interpreter({"folder": folder, "written": written}))
        except IrscopeError as error:
            return Check(self.request.check or "interpreter", passed=False, message=str(error.failure))

    def interpreted(self) -> Launch:
        answer = self.ask_interpreter({"folder": None, "written": None, "save": self.save})
        found = prepared(self.request, answer)
        check = None
        if self.request.check == "file":
            check = from_fields(Check, self.ask_interpreter({}, "check_against_file"))
        return replace(
            found,
            outputs=tuple(from_fields(Output, fields) for fields in answer["outputs"]),
            check=check or Check("interpreter", True, programs_run=answer["programs_run"],
                                 programs=answer["programs"], seconds=answer["seconds"],
                                 message="run in the interpreter alone: there is nothing to compare it with"),
            seconds=time.perf_counter() - self.start,
        )  # fmt: skip

    def ask_for_list(self, handlers: Mapping[str, Callable[[Mapping[str, Any]], None]]) -> dict[str, Any]:
        if not self.request.interpret and why_not() is None:
            return self.ask_gpu({"do": "list_launches", **self.fields}, handlers)
        self.timeout = self.request.compile.timeout or LIST_TIMEOUT
        return self.ask_interpreter({}, "list_launches", handlers)

    def ask_gpu(
        self, message: Mapping[str, Any], handlers: Mapping[str, Callable[[Mapping[str, Any]], None]] | None = None
    ) -> dict[str, Any]:
        return self.ask(_launches, message, handlers or {})

    def ask_interpreter(
        self,
        message: Mapping[str, Any],
        do: str = "interpret",
        handlers: Mapping[str, Callable[[Mapping[str, Any]], None]] | None = None,
    ) -> dict[str, Any]:
        seconds = {"seconds": self.request.check_seconds}
        return self.ask(_interpreters, {"do": do, **self.fields, "gpu": False, **seconds, **message}, handlers or {})

    def ask(
        self,
        client: Client,
        message: Mapping[str, Any],
        handlers: Mapping[str, Callable[[Mapping[str, Any]], None]],
    ) -> dict[str, Any]:
        def handle(event: dict[str, Any]) -> None:
            name = event["event"]
            if name == "phase":
                self.on_event(Phase(event["phase"], event.get("done"), event.get("total")))
            elif name == "sites":
                self.on_event(SitesFound(tuple(from_fields(Site, fields) for fields in event["sites"])))
            elif name in handlers:
                handlers[name](event)

        self.on_event(WorkerStarted(self.python.python))
        try:
            answer, log = client.ask(self.python.python, message, handle, self.timeout, self.cancel)
        except IrscopeError as error:
            raise IrscopeError(with_way_out(error.failure, self.timeout)) from error
        if answer["event"] == "failure":
            failure = session.failure_from(answer["failure"], {})
            if failure.kind in POISONED:
                client.discard(self.python.python)
            raise IrscopeError(session.with_advice(failure, self.request.compile))
        return {**answer, "log": log}


def with_way_out(failure: Failure, timeout: float) -> Failure:
    """A failure of the worker itself, in terms of a launch."""
    if failure.kind == "worker":
        hint = "the file's own code, or a library that it calls, ended the process: `python FILE` shows more"
        return replace(failure, hint=failure.hint or hint)
    if failure.kind != "timeout":
        return failure
    return replace(
        failure,
        message=f"the launch did not end within {timeout:g} s; its worker was stopped",
        hint="the kernel, or the file's own code, may loop for ever: --timeout gives it more seconds",
    )


def compilation_of(answer: Mapping[str, Any]) -> Compilation:
    """What was launched, as a compilation: Triton's own stages, with the target of the GPU."""
    stages = {}
    for entry in answer["stages"]:
        data = entry.get("data")
        stages[entry["name"]] = Stage(
            entry["name"], text=entry.get("text"), data=None if data is None else base64.b64decode(data)
        )
    return Compilation(
        kernel=bundle.kernel_from(answer["kernel"]),
        target=Target.parse(answer["device"]["arch"]),
        specialization=from_fields(Specialization, answer["specialization"]),
        stages=stages,
        triton=answer.get("triton"),
        metadata=answer.get("metadata", {}),
        pipeline=tuple(stages),
    )


def prepared(request: LaunchRequest, answer: Mapping[str, Any]) -> Launch:
    """The launch as far as it is known before it has run."""
    kernel: Kernel = bundle.kernel_from(answer["kernel"])
    found = tuple(from_fields(Site, fields) for fields in answer.get("sites", ()))
    return Launch(
        file=str(request.compile.path.absolute()),
        kernel=kernel.name,
        when=datetime.now().astimezone().isoformat(timespec="seconds"),
        source=answer["source"],
        specialization=from_fields(Specialization, answer["specialization"]),
        grid=tuple(answer["grid"]),
        arguments=tuple(from_fields(Argument, fields) for fields in answer["arguments"]),
        device=from_fields(Device, answer["device"]) if answer.get("device") else None,
        site=next((site for site in found if (site.kernel, site.number) == (kernel.name, answer.get("site"))), None),
        sites=found,
        seed=answer.get("seed"),
        triton=answer.get("triton"),
        torch=answer.get("torch"),
        warnings=tuple(answer.get("warnings", ())),
        log=answer.get("log", ""),
    )


def with_work(launch: Launch, compilation: Compilation, request: LaunchRequest) -> Launch:
    """With bytes and operations of one launch, and irscope's static figures."""
    sizes = {argument.name: argument.bytes for argument in launch.arguments if argument.bytes is not None}
    numbers = {a.name: a.value for a in launch.arguments if isinstance(a.value, int)}
    work = dot_flops(first_ir(compilation), numbers, launch.grid, compilation.specialization.signature)
    uncertain = work.dots and work.total is None and request.flops is None
    return replace(
        launch,
        bytes=request.bytes if request.bytes is not None else bytes_moved(accesses(compilation), sizes),
        flops=request.flops if request.flops is not None else work.total,
        flops_type=work.type,
        static=static_figures(compilation),
        warnings=(*launch.warnings, f"no TFLOP/s: {work.reason}") if uncertain else launch.warnings,
    )


def accesses(compilation: Compilation) -> dict[str, Access]:
    """What the kernel does with each tensor, by the parameter's name."""
    return access.accesses(first_ir(compilation), compilation.specialization.signature)


def first_ir(compilation: Compilation) -> str:
    """TTIR; TTGIR for Gluon, which begins there."""
    return compilation.text("ttir") or compilation.text("ttgir")


def static_figures(compilation: Compilation) -> Figures:
    """What irscope says of this binary with no GPU."""
    found = figures(compilation)
    used = found.resources
    return Figures(
        registers=used.registers,
        local_bytes=used.local_bytes,
        shared_static_bytes=used.shared_static_bytes,
        shared_dynamic_bytes=used.shared_dynamic_bytes,
        blocks_per_sm=found.occupancy.blocks_per_sm,
    )


def with_times(launch: Launch, message: Mapping[str, Any]) -> Launch:
    graph = message.get("graph")
    return replace(
        launch,
        timing=from_fields(Timing, message["timing"]),
        graph=from_fields(Timing, graph) if graph else None,
    )
