"""Compile one kernel with Triton's own driver, telling each stage as it is done."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import triton
import triton.language as tl

from . import loading, opening, reasons, standin, targets, versions, warned
from .inference import hidden, infer, retry
from .protocol import Rejected, Wire, names_hint

#: ``ptxas -v`` names itself ``ptxas-blackwell`` where Triton ships that one.
PTXAS_LINE = re.compile(r"ptxas\S* (info|warning)|\s+\d+ bytes stack frame")


@dataclass(frozen=True)
class Subject:
    """A kernel with all that decides how it is compiled."""

    path: Path
    target: Any
    kernel: loading.LoadedKernel
    answer: infer.Answer
    #: The options that were asked for, and the backend's object with all of them.
    asked: dict[str, Any]
    options: Any
    backend: Any
    opened: opening.Opened
    #: The user's files as they were loaded.
    files: dict[Path, bytes]

    def source(self) -> Any:
        """A new source for ``triton.compile``."""
        answer = self.answer
        return versions.source_of(self.kernel.function, answer.signature, answer.constants, answer.attributes)


#: The last request that was prepared and its subject. What follows a compile (its location snapshots) works on the
#: very functions that were compiled, without running the file again.
_latest: tuple[dict[str, Any], Subject] | None = None

#: What decides the subject of a request.
_DECISIVE = ("path", "kernel", "target", "signature", "arguments", "constants", "configuration", "options",
             "layers")  # fmt: skip


def compile_kernel(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Answer a ``compile`` request; see `irscope.client` for its fields."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        subject = prepare(request, wire)
        try:
            stages, compiled = compile_subject(subject, request, wire)
        except Exception as error:
            subject.opened.needs.reject(error)
            raise
    metadata = plain(compiled.metadata._asdict())
    # The key of a cache entry that is gone, and not the one that Triton itself would use.
    metadata.pop("hash", None)
    return {
        "metadata": metadata,
        "sources": loading.source_files(subject.path, stages.texts, subject.files),
        "ptxas_log": stages.ptxas_log,
        "warnings": [*subject.opened.notes, *warned.messages(caught)],
    }


def specialize(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Tell what a kernel would be compiled for, and compile nothing."""
    with warnings.catch_warnings(record=True) as caught:
        subject = prepare(request, wire)
    return {
        "metadata": {},
        "sources": loading.source_files(subject.path, [], subject.files),
        "ptxas_log": "",
        "warnings": warned.messages(caught),
    }


def compile_subject(subject: Subject, request: dict[str, Any], wire: Wire) -> tuple[Stages, Any]:
    """Compile, and again with another guess where the compiler says what was wrong with the last one."""
    retries: retry.Retries | None = None
    while True:
        source = subject.source()
        stages = Stages(wire)
        source.make_ir = stages.front_end(source.make_ir)
        start = wire.log_size()
        try:
            with fresh_cache(wire.log.parent), versions.unhashed_compiler(), versions.observed_stages(stages.run):
                return stages, triton.compile(source, target=subject.target, options=subject.asked)
        except Exception as error:
            retries = retries or retry.Retries(subject.kernel, subject.answer)
            answer = retries.following(error, wire.logged_since(start))
            if answer is None:
                raise
            subject = replace(subject, answer=answer)
            announce(subject, request, wire)


def prepare(request: dict[str, Any], wire: Wire) -> Subject:
    """Load the file and settle what its kernel is compiled for, telling both."""
    global _latest
    _latest = None
    target = versions.gpu_target(**request["target"])
    targets.check(target)
    # Triton's own drivers import torch to find out that there is no GPU, which takes longer than the compile.
    if not request["gpu"]:
        versions.set_active_driver(standin.StandInDriver(target))
    path = Path(request["path"])
    opened = opening.open_kernel(path, request.get("kernel"), target)
    files = loading.contents(path)
    kernel = opened.kernel
    file = Path(kernel.function.fn.__code__.co_filename)
    wire.send("kernel", kernel=describe_kernel(kernel, file), kernels=opened.names)
    if opened.layer is not None:
        request = {**request, "layers": [*(request.get("layers") or ()), opened.layer]}
    answer = infer.specialize(kernel, request)
    backend = backend_for(target)
    options = parse_options(backend, {**answer.options, **request.get("options", {})})
    asked = asked_options(options, answer, request)
    subject = Subject(path, target, kernel, answer, asked, options, backend, opened, files)
    announce(subject, request, wire)
    return subject


def announce(subject: Subject, request: dict[str, Any], wire: Wire) -> None:
    """Tell what is about to be compiled; a client takes the last one that it is told."""
    global _latest
    wire.send(
        "specialized",
        specialization=describe_answer(subject.kernel.function, subject.answer, subject.options),
        pipeline=versions.pipeline(subject.backend, subject.options, subject.source()),
    )
    _latest = decisive(request), subject


def prepared(request: dict[str, Any], wire: Wire) -> Subject:
    """The subject of a request like the last one, or what `prepare` makes of it."""
    if _latest is not None and _latest[0] == decisive(request):
        return _latest[1]
    return prepare(request, wire)


def latest_function() -> Any:
    """The jit function of the last request that got as far as to be prepared."""
    return _latest[1].kernel.function if _latest is not None else None


def decisive(request: dict[str, Any]) -> dict[str, Any]:
    return {name: request.get(name) for name in _DECISIVE}


class Stages:
    """Sends each stage with its time as Triton finishes it."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.texts: list[str] = []
        self.ptxas_log = ""
        self._front_end_seconds = 0.0

    def front_end(self, make_ir: Any) -> Any:
        """From Python to the first module: counted with the stage that takes it from there."""

        def timed(*arguments: Any) -> Any:
            self.wire.send("stage_started", name="ttir")
            start = time.perf_counter()
            module = make_ir(*arguments)
            self._front_end_seconds = time.perf_counter() - start
            return module

        return timed

    def run(self, name: str, function: versions.StageFunction, module: Any, metadata: dict[str, Any]) -> Any:
        if not self._front_end_seconds:
            self.wire.send("stage_started", name=name)
        printed = StringIO()
        start = time.perf_counter()
        # ptxas's figures come only as a print of Triton's, which TRITON_DUMP_PTXAS_LOG asks for.
        with environment(TRITON_DUMP_PTXAS_LOG="1"), redirect_stdout(printed):
            result = function(module, metadata)
        seconds = time.perf_counter() - start + self._front_end_seconds
        self._front_end_seconds = 0.0
        if printed.getvalue():
            print(printed.getvalue(), end="")
        if isinstance(result, bytes):
            self.ptxas_log = ptxas_messages(printed.getvalue())
            self.wire.send("stage", name=name, data=base64.b64encode(result).decode("ascii"), seconds=seconds)
        else:
            text = str(result)
            self.texts.append(text)
            self.wire.send("stage", name=name, text=text, seconds=seconds)
        return result


def ptxas_messages(printed: str) -> str:
    return "\n".join(line for line in printed.splitlines() if PTXAS_LINE.match(line))


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def fresh_cache(parent: Path) -> Iterator[Path]:
    """An empty cache of Triton's own for one compile: it would skip the stages of a kernel that it knows."""
    folder = Path(tempfile.mkdtemp(prefix="triton-cache-", dir=parent))
    # What is handed to ptxas too: Triton removes that only where it is not ended meanwhile.
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        with environment(TRITON_CACHE_DIR=str(folder), TRITON_ALWAYS_COMPILE="1"):
            yield folder
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


def backend_for(target: Any) -> Any:
    try:
        return versions.make_backend(target)
    except RuntimeError as error:
        raise Rejected(
            "missing", f"this Triton ({versions.TRITON}) has no backend for {target.backend}:{target.arch}",
            detail=str(error), hint="choose another --target, or another Triton with --python",
        ) from error  # fmt: skip


def parse_options(backend: Any, values: dict[str, Any]) -> Any:
    """The backend's options object. Text values are read as Python literals where they are such."""
    fields = {field.name: field for field in dataclasses.fields(backend.parse_options({}))}
    unknown = sorted(set(values) - set(fields) - {"ir_override"})
    if unknown:
        raise Rejected(
            "usage", f"the {backend.target.backend} backend of Triton {versions.TRITON} has no option '{unknown[0]}'",
            hint=names_hint(unknown[0], sorted(fields)),
        )  # fmt: skip
    read = {name: infer.literal(value) for name, value in values.items()}
    own = getattr(backend.parse_options({}), "arch", None)
    if "arch" in read and own is not None and str(read["arch"]) != str(own):
        raise Rejected("usage", f"arch is that of the target, {own}, not {read['arch']}", hint="choose with --target")
    for name, value in read.items():
        if (wrong := wrong_option(name, value, fields)) is not None:
            raise Rejected("usage", f"{name} is {wrong}, not {value!r}")
    try:
        return backend.parse_options(read)
    except (AssertionError, ValueError, TypeError) as error:
        if lacking := reasons.refused_option(str(error), backend.target):
            raise Rejected(**lacking) from error
        raise Rejected("usage", f"the options do not fit: {error or 'Triton refuses them'}") from error


def asked_options(options: Any, answer: infer.Answer, request: dict[str, Any]) -> dict[str, Any]:
    """The options that were asked for, with the values that the backend reads them as; the rest Triton adds itself."""
    asked = {**answer.options, **request.get("options", {})}
    return {name: getattr(options, name, value) for name, value in asked.items()}


#: The least value of options that Triton takes any number for, and then fails on, or does not heed.
LEAST = {"num_warps": 1, "num_stages": 0, "num_ctas": 1, "maxnreg": 1}


def wrong_option(name: str, value: Any, fields: Mapping[str, dataclasses.Field[Any]]) -> str | None:
    """What an option should be where ``value`` is not that: Triton itself looks at few of them."""
    if name not in fields or (value is None and fields[name].default is None):
        return None
    annotation, default = fields[name].type, fields[name].default
    if annotation is bool and isinstance(default, bool) and not isinstance(value, bool):
        return "True or False"
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if (annotation is int or name in LEAST) and not is_number:
        return "a whole number"
    if is_number and abs(value) >= 2**31:
        return "a number of 32 bits"
    if name in LEAST and value < LEAST[name]:
        return f"{LEAST[name]} or more"
    if name in ("num_warps", "num_ctas") and value & (value - 1):
        return "a power of two"
    return None


def describe_kernel(kernel: loading.LoadedKernel, path: Path) -> dict[str, Any]:
    return {
        "file": str(path),
        "name": kernel.name,
        "line": loading.definition_line(kernel.function),
        "parameters": [
            {
                "name": parameter.name,
                "constexpr": parameter.is_constexpr,
                "annotation": str(parameter.annotation) or None,
                "default": repr(parameter.default) if parameter.has_default else None,
            }
            for parameter in kernel.function.params
        ],
        "configurations": [
            {
                "constexprs": plain(configuration.kwargs),
                "options": plain(
                    {
                        name: value
                        for name, value in configuration.all_kwargs().items()
                        if name not in configuration.kwargs and value is not None
                    }
                ),
            }
            for configuration in kernel.configurations
        ],
        "heuristics": list(kernel.heuristics),
        "dialect": "gluon" if versions.is_gluon(kernel.function) else "triton",
    }


def describe_answer(function: Any, answer: infer.Answer, options: Any) -> dict[str, Any]:
    parameters = answer.parameters
    # A stride of 1 that was inferred is none of these: it is hardly ever another.
    guessed = [
        name
        for name, p in parameters.items()
        if p.type == "constexpr" and (p.provenance == "guessed" or (p.value is None and retry.may_change(p)))
    ]
    return {
        "signature": answer.signature,
        "constexprs": plain(answer.constants),
        "attributes": {
            name: {"tt.divisibility": parameter.divisor}
            for name, parameter in parameters.items()
            if parameter.divisor is not None
        },
        "options": plain(dataclasses.asdict(options)),
        "provenance": {name: parameter.provenance for name, parameter in parameters.items()},
        "evidence": {name: parameter.evidence for name, parameter in parameters.items() if parameter.evidence},
        "hidden": hidden.branches(function, answer.constants, guessed, infer.resolve_helper),
        "configuration": answer.configuration,
        "entries": {
            name: entry for name, parameter in parameters.items() if (entry := entry_of(name, parameter)) is not None
        },
    }


def entry_of(name: str, parameter: infer.Parameter) -> str | None:
    """What a user writes to get this parameter: "*fp16:16", "128", "tl.float16"; ``None`` where nothing gives it."""
    if parameter.type != "constexpr":
        entry = parameter.type if parameter.divisor is None else f"{parameter.type}:{parameter.divisor}"
    else:
        named = next((word for word, known in vars(tl).items() if known is parameter.value is not None), None)
        entry = f"tl.{named}" if named and not isinstance(parameter.value, PLAIN) else repr(parameter.value)
    try:
        read = infer.parse_entry(name, entry)
    except Rejected:
        return None
    same = (read.type, read.divisor) == (parameter.type, parameter.divisor) and read.value == parameter.value
    return entry if same else None


#: Values that a Python literal gives.
PLAIN = (bool, int, float, str, tuple, list, type(None))


def plain(value: Any) -> Any:
    """A value as JSON has it; what JSON does not have as the text that a user would type for it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    name = getattr(value, "__name__", None)
    text = str(name if name is not None else value)
    return re.sub(r" at 0x[0-9a-f]+", "", text)
