"""From a request to a compilation: whatever the path names, by the shortest way.

A bundle, an IR file or a Triton cache entry is read, and no code of it runs. A Python file comes from the
store where nothing that took part has changed, and otherwise from a worker.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from irscope import bundle, capturing, devices, discover, interpreter, ir, ir_files, layers, saved, store, tools
from irscope.client import Client
from irscope.events import Event, Finished, KernelFound, Specialized, StageFinished, StageStarted, WorkerStarted
from irscope.model import Compilation, Failure, Kernel, SourceFile, Specialization, Stage, Target
from irscope.request import IrscopeError, Request, usage_error

kernels = discover.kernels
save = bundle.write

#: What nvdisasm is asked for the SASS stage: code only, with line numbers, where they were inlined, and PTX rows.
SASS_OPTIONS = ("-gi", "-gp", "-c")

#: Failures that are about the request, not about the kernel: they are raised, the others are shown.
RAISED_KINDS = frozenset({"usage", "no_kernel"})

_client = Client()
atexit.register(_client.close)


def ignore(event: Event) -> None:
    pass


def open(
    request: Request,
    on_event: Callable[[Event], None] = ignore,
    cancel: threading.Event | None = None,
    client: Client | None = None,
) -> Compilation:
    """Answer a request, telling each step to ``on_event``, the last one being `Finished`.

    A kernel that does not compile is an answer too: its ``failure`` says why, ``stages`` has those reached.

    Args:
        client: the workers to ask, for one who has several side by side; those of this module where it is left out.

    Raises:
        IrscopeError: the request does not fit, or something is missing on this machine.
        irscope.client.Cancelled: ``cancel`` was set meanwhile.
    """
    cancel = cancel or threading.Event()
    path = request.path
    if not path.exists():
        raise usage_error(f"{path}: there is no such file")
    if bundle.is_bundle(path):
        compilation = with_missing_stages(open_bundle(path))
    elif ir_files.is_cache_entry(path):
        compilation = with_missing_stages(ir_files.read_cache_entry(path, request.kernel))
    elif path.suffix in ir_files.SUFFIXES:
        compilation = with_missing_stages(ir_files.read(path, request.target))
    elif path.is_dir():
        raise usage_error(f"{path} is a directory of kernels: name one", hint=kernel_list_hint(path))
    elif path.suffix != ".py":
        raise usage_error(
            f"{path}: not a file that irscope reads",
            hint=f"it reads .py, {' '.join(sorted(ir_files.SUFFIXES))}, Triton cache entries and bundles",
        )
    else:
        return compile_file(request, on_event, cancel, client or _client)
    on_event(KernelFound(compilation.kernel, (compilation.kernel.name,), compilation.triton or ""))
    on_event(Specialized(compilation.target, compilation.specialization, compilation.pipeline))
    on_event(Finished(compilation, stored=True))
    return compilation


def specialize(
    request: Request, on_event: Callable[[Event], None] = ignore, cancel: threading.Event | None = None
) -> Compilation:
    """What a kernel of a Python file would be compiled for: a compilation with no stages.

    Where it has been compiled, and nothing has changed since, it is that compilation.

    Raises: as `open`.
    """
    request = with_kernel(request)
    target = request.target or layers.target_of(request) or devices.default_target()
    found = interpreter.identify(request.python)
    capturing.capture_if_due(request, target, on_event, cancel)
    stored = None if request.fresh else store.find(store.key_of(request, target, found))
    if stored is not None:
        return stored
    _client.start(found.python)
    on_event(WorkerStarted(found.python))
    conversation = Conversation(request, target, on_event, _client, do="specialize")
    return finish(conversation.run(found, cancel or threading.Event()), on_event)


#: Ask the workers that compilations come from something else; as `irscope.client.Client.ask`.
ask = _client.ask


def close() -> None:
    """Stop every worker."""
    _client.close()


def open_bundle(path: Path) -> Compilation:
    try:
        return bundle.read(path)
    except bundle.DamagedBundle as error:
        raise usage_error(str(error)) from error


def kernel_list_hint(folder: Path) -> str:
    found = discover.kernels(folder)
    if not found:
        return "there is no kernel below it"
    shown = ", ".join(f"{kernel.file}::{kernel.name}" for kernel in found[:5])
    return f"{shown}{', ...' if len(found) > 5 else ''}; `irscope list {folder}` shows all"


def compile_file(
    request: Request, on_event: Callable[[Event], None], cancel: threading.Event, client: Client
) -> Compilation:
    try:
        request = with_kernel(request)
    except IrscopeError as error:
        if error.failure.kind != "syntax":
            raise
        target = request.target or devices.default_target()
        return finish(failed(request, target, None, error.failure), on_event)
    target = request.target or layers.target_of(request) or devices.default_target()
    found = interpreter.identify(request.python)
    unknown = capturing.capture_if_due(request, target, on_event, cancel)
    key = store.key_of(request, target, found)
    if not request.fresh:
        stored = store.find(key)
        if stored is not None:
            on_event(KernelFound(stored.kernel, (stored.kernel.name,), stored.triton or ""))
            on_event(Specialized(stored.target, stored.specialization, stored.pipeline))
            on_event(Finished(stored, stored=True))
            return stored
    client.start(found.python)
    on_event(WorkerStarted(found.python))
    compilation = Conversation(request, target, on_event, client).run(found, cancel)
    if unknown is not None:
        compilation = replace(compilation, warnings=(*compilation.warnings, unknown))
    if compilation.failure is None:
        store.put(key, compilation)
    return finish(compilation, on_event)


def finish(compilation: Compilation, on_event: Callable[[Event], None]) -> Compilation:
    failure = compilation.failure
    if failure is not None and failure.kind in RAISED_KINDS:
        raise IrscopeError(failure)
    on_event(Finished(compilation))
    return compilation


def with_kernel(request: Request) -> Request:
    """The same request with the kernel named, where reading the file tells which one it is."""
    found = discover.kernels(request.path)
    if request.kernel is None and found:
        return replace(request, kernel=found[0].name)
    return request


def compile_message(request: Request, target: Target) -> dict[str, Any]:
    """What a worker is asked to compile a kernel."""
    return {
        "do": "compile",
        "path": str(request.path.absolute()),
        "kernel": request.kernel,
        "target": asdict(target),
        "gpu": bool(devices.devices()),
        "signature": request.signature,
        "arguments": dict(request.arguments),
        "constants": dict(request.constants),
        "configuration": request.configuration,
        "options": dict(request.options),
        "layers": layers.of(request),
    }


class Conversation:
    """One ``compile`` (or ``specialize``) request to a worker, and what has come back so far."""

    def __init__(
        self,
        request: Request,
        target: Target,
        on_event: Callable[[Event], None],
        client: Client,
        do: Literal["compile", "specialize"] = "compile",
    ) -> None:
        self.do = do
        self.request = request
        self.target = target
        self.on_event = on_event
        self.client = client
        self.kernel: Kernel | None = None
        self.triton: str | None = None
        self.specialization = Specialization()
        self.pipeline: tuple[str, ...] = ()
        self.stages: dict[str, Stage] = {}
        self.warnings: list[str] = []
        #: The file beside the kernel's that took part.
        self.saved = saved.sources_of(request)
        self._sass: Future[Stage] | None = None

    def run(self, found: interpreter.Interpreter, cancel: threading.Event) -> Compilation:
        self.triton = found.triton
        start = time.perf_counter()
        with ThreadPoolExecutor(1, "irscope-nvdisasm") as self._pool:
            try:
                message = {**compile_message(self.request, self.target), "do": self.do}
                answer, log = self.client.ask(found.python, message, self.on_message, self.request.timeout, cancel)
            except IrscopeError as error:
                return failed(self.request, self.target, self, with_advice(error.failure, self.request))
            self.finish_sass()
        seconds = time.perf_counter() - start
        if answer["event"] == "failure":
            failure = with_advice(failure_from(answer["failure"], self.stages), self.request)
            return replace(failed(self.request, self.target, self, failure), log=log, seconds=seconds)
        return Compilation(
            kernel=self.kernel or Kernel(str(self.request.path), self.request.kernel or ""),
            target=self.target,
            specialization=self.specialization,
            stages={name: self.stages[name] for name in self.pipeline if name in self.stages},
            sources=[*(SourceFile(**source) for source in answer["sources"]), *self.saved],
            triton=self.triton,
            metadata=answer["metadata"],
            pipeline=self.pipeline,
            warnings=(*answer["warnings"], *self.warnings),
            log=log,
            ptxas_log=answer["ptxas_log"],
            seconds=seconds,
        )

    def on_message(self, message: Mapping[str, Any]) -> None:
        event = message["event"]
        if event == "ready":
            self.triton = message["triton"]
        elif event == "kernel":
            self.kernel = bundle.kernel_from(message["kernel"])
            self.on_event(KernelFound(self.kernel, tuple(message["kernels"]), self.triton or ""))
        elif event == "specialized":
            self.specialization = Specialization(**message["specialization"])
            self.pipeline = with_sass(message["pipeline"])
            self.on_event(Specialized(self.target, self.specialization, self.pipeline))
        elif event == "stage_started":
            self.on_event(StageStarted(message["name"]))
        elif event == "stage":
            data = message.get("data")
            self.add(
                Stage(
                    message["name"],
                    text=message.get("text"),
                    data=None if data is None else base64.b64decode(data),
                    seconds=message["seconds"],
                )
            )

    def add(self, stage: Stage) -> None:
        self.stages[stage.name] = stage
        self.on_event(StageFinished(stage))
        if stage.name == "cubin" and stage.data is not None:
            # The worker still has to wind up: the disassembler runs beside it.
            self._sass = self._pool.submit(disassembled, stage.data)
            self.on_event(StageStarted("sass"))

    def finish_sass(self) -> None:
        if self._sass is None:
            return
        try:
            self.add(self._sass.result())
        except IrscopeError as error:
            self.warnings.append(warning_of(error))


def disassembled(cubin: bytes) -> Stage:
    """The SASS stage of a cubin. Raises `IrscopeError` where there is no nvdisasm that reads it."""
    start = time.perf_counter()
    text = tools.disassemble(cubin, *SASS_OPTIONS)
    return Stage("sass", text=text, seconds=time.perf_counter() - start)


def warning_of(error: IrscopeError) -> str:
    hint = f" ({error.failure.hint})" if error.failure.hint else ""
    return f"no SASS: {error.failure.message}{hint}"


def with_sass(pipeline: list[str]) -> tuple[str, ...]:
    """The backend's stages with SASS, which is irscope's own reading of the cubin, before that."""
    names = [name for name in pipeline if name != "sass"]
    if "cubin" in names:
        names.insert(names.index("cubin"), "sass")
    return tuple(names)


def with_missing_stages(compilation: Compilation) -> Compilation:
    """A compilation read from files, with SASS where it has only a cubin."""
    cubin = compilation.stages.get("cubin")
    if cubin is None or cubin.data is None or "sass" in compilation.stages:
        return compilation
    pipeline = with_sass(list(compilation.pipeline or compilation.stages))
    try:
        stages = {**compilation.stages, "sass": disassembled(cubin.data)}
    except IrscopeError as error:
        return replace(compilation, pipeline=pipeline, warnings=(*compilation.warnings, warning_of(error)))
    ordered = {name: stages[name] for name in pipeline if name in stages}
    return replace(compilation, pipeline=pipeline, stages=ordered)


def failed(request: Request, target: Target, reached: Conversation | None, failure: Failure) -> Compilation:
    """What there is of a compilation that failed: the file as it is now, and the stages reached."""
    stages = reached.stages if reached else {}
    pipeline = reached.pipeline if reached else ()
    unfinished = [name for name in pipeline if name not in stages and name != "sass"]
    if stages and failure.stage is None and unfinished:
        failure = replace(failure, stage=unfinished[0])
    return Compilation(
        kernel=(reached and reached.kernel) or Kernel(str(request.path.absolute()), request.kernel or ""),
        target=target,
        specialization=reached.specialization if reached else Specialization(),
        stages=stages,
        sources=[source_file(request.path)],
        triton=reached.triton if reached else None,
        pipeline=pipeline,
        failure=failure,
    )


def source_file(path: Path) -> SourceFile:
    content = path.read_bytes()
    text = content.decode("utf-8", errors="replace")
    return SourceFile(str(path.absolute()), hashlib.sha256(content).hexdigest(), text)


def failure_from(fields: Mapping[str, Any], stages: Mapping[str, Stage]) -> Failure:
    """A worker's failure; a line of the PTX that ptxas refuses is followed to the Python it came from."""
    known = Failure.__dataclass_fields__
    failure = Failure(**{name: value for name, value in fields.items() if name in known})
    ptx = stages.get("ptx")
    if "ptx_line" not in fields or ptx is None or ptx.text is None:
        return failure
    chains = ir.index("ptx", ptx.text).chains
    row = fields["ptx_line"] - 1
    if row < len(chains) and chains[row]:
        place = chains[row][-1]
        return replace(failure, file=place.file, line=place.line, column=place.column or None)
    return failure


def with_advice(failure: Failure, request: Request) -> Failure:
    """Point to the project's own interpreter where this one lacks what the file imports."""
    if failure.kind not in ("missing", "api") or request.python is not None:
        return failure
    environments = interpreter.project_environments(request.path)
    if not environments:
        return failure
    own = f"or use the file's own project: --python {environments[0]}"
    return replace(failure, hint=f"{failure.hint}; {own}" if failure.hint else own)
