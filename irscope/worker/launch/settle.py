"""Which launch a request means: one of the file's own, or one on made inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import compiling, loading, versions
from ..inference import infer
from ..loading import LoadedKernel
from ..protocol import Rejected, Wire, names_hint
from . import capture, grid, made, words
from .inputs import Guard
from .resolve import Call, Wanted


@dataclass
class Prepared:
    """One launch that can be run as often as wished, on the current stream of `device`."""

    kernel: LoadedKernel
    #: The JITFunction (InterpretedFunction in the interpreter's worker) that is launched.
    function: Any
    #: Run-time arguments by name: torch tensors, numbers, ``None``, tensor descriptors, tuples.
    arguments: dict[str, Any]
    constexprs: dict[str, Any]
    #: ``num_warps`` and the like, as keyword arguments of the launch.
    options: dict[str, Any]
    grid: tuple[int, ...]
    #: Triton's CompiledKernel.
    compiled: Any = None
    device: int = 0
    #: ``None`` where the file made its own arguments.
    seed: int | None = None
    #: The command that makes this launch again; ``None`` where running the file does.
    again: str | None = None
    #: Made tensors by name; empty where the file made its own.
    guards: dict[str, Guard] = field(default_factory=dict)

    def run(self) -> Any:
        """One launch, asynchronous; returns Triton's CompiledKernel."""
        return self.function[self.grid](**self.arguments, **self.constexprs, **self.options)


@dataclass
class Settled:
    """A launch with all that it needs but the compiled kernel, and where it comes from."""

    prepared: Prepared
    #: "file" or "inputs".
    source: str
    #: Fields of `irscope.launch.model.Site`, in order, and the one that this is.
    sites: list[dict[str, Any]] = field(default_factory=list)
    site: int | None = None
    configuration: int | None = None
    #: By parameter, as in a `Specialization`.
    provenance: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    #: By run-time parameter, in words.
    how: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """The fields of the answer that need no compiled kernel."""
        prepared = self.prepared
        path = Path(prepared.kernel.function.fn.__code__.co_filename)
        return {
            "kernel": compiling.describe_kernel(prepared.kernel, path),
            "source": self.source,
            "sites": self.sites,
            "site": self.site,
            "grid": list(prepared.grid),
            "seed": prepared.seed,
            "arguments": [describe_argument(name, value, self.how[name]) for name, value in prepared.arguments.items()],
            "warnings": self.warnings,
        }


def settle(request: Mapping[str, Any], wire: Wire, device: str,
           launch_other: capture.LaunchOther | None = None) -> Settled:  # fmt: skip
    """The launch that a request means: the file's own, or one on inputs made on the torch device ``device``.

    ``launch_other`` runs the file's launches before the chosen one; without it they are run as they are.
    """
    path = Path(request["path"])
    source = request.get("source") or ("inputs" if request.get("inputs") else None)
    if source == "file" and request.get("inputs"):
        name = next(iter(request["inputs"]))
        raise Rejected("usage", f"--arg {name}: the file's own launch has its own arguments",
                       hint="leave --arg away, or let irscope make the inputs")  # fmt: skip
    if source == "inputs":
        return made_launch(request, wire, loading.load_file(path), device)
    wire.send("phase", phase="capturing")
    wanted = wanted_by(request)
    recording = capture.record(path, request.get("entry"), wanted, launch_other)
    wire.send("sites", sites=recording.sites)
    if recording.call is not None and recording.site is not None:
        return captured_launch(request, recording, recording.call, recording.site)
    kernel = f"'{request['kernel']}'" if request.get("kernel") else "a kernel of its own"
    launches = recording.sites_of(request.get("kernel")) if request.get("kernel") else recording.sites
    may_be_made = source is None and not request.get("entry")
    if recording.error is not None and not (may_be_made and isinstance(recording.error, SystemExit)):
        raise ended_early(recording.error, path, f"it launched {kernel}")
    if launches and request.get("kernel"):
        raise Rejected("usage", f"the file launches {kernel} {in_times(len(launches))}: there is no launch "
                       f"{wanted.number}", file=str(path), hint=f"--launch takes 0 to {len(launches) - 1}")  # fmt: skip
    why = never_launches(recording, path, kernel, request.get("entry"))
    if not may_be_made:
        raise Rejected("usage", why, file=str(path), hint="--inputs launches it on tensors that irscope makes")
    settled = made_launch(request, wire, recording.module, device)
    settled.sites = recording.sites
    settled.warnings.insert(0, f"{why}; the inputs are made")
    return settled


def wanted_by(request: Mapping[str, Any]) -> Wanted:
    text = request.get("grid")
    return Wanted(
        kernel=request.get("kernel"),
        number=int(request.get("number") or 0),
        configuration=request.get("configuration"),
        autotune=bool(request.get("autotune")),
        constants={name: infer.parse_constant(name, value).value
                   for name, value in (request.get("constants") or {}).items()},
        options={name: infer.literal(value) for name, value in (request.get("options") or {}).items()},
        grid=(lambda values: grid.evaluate(str(text), {name: words.value_of(v) for name, v in values.items()}))
        if text else None,
    )  # fmt: skip


def captured_launch(request: Mapping[str, Any], recording: capture.Recording, call: Call,
                    site: dict[str, Any]) -> Settled:  # fmt: skip
    kernel = call.kernel
    changed = request.get("constants") or {}
    unknown = next((name for name in changed if name not in call.values), None)
    if unknown is not None:
        raise Rejected("usage", f"--const {unknown}: {kernel.name} has no parameter '{unknown}'",
                       hint=names_hint(unknown, call.values))  # fmt: skip
    if request.get("configuration") is not None and call.configuration is None:
        raise Rejected("usage", f"--config {request['configuration']}: {kernel.name} has no @triton.autotune "
                       "configurations")  # fmt: skip
    settled = Settled(
        Prepared(kernel, call.function, call.arguments, call.constexprs, call.options, call.grid),
        "file", recording.sites, site["number"], call.configuration,
        provenance={name: "given" if name in changed else "captured" for name in call.values},
        how={name: "given" if name in changed else "the file" for name in call.arguments},
        warnings=list(recording.warnings),
    )  # fmt: skip
    if request.get("signature") or request.get("arguments"):
        settled.warnings.append("the types that were given do not count: the file's own arguments have theirs")
    return settled


def made_launch(request: Mapping[str, Any], wire: Wire, module: Any, device: str) -> Settled:
    path = Path(request["path"])
    kernel = loading.choose(loading.kernels_of(module), request.get("kernel"), path)
    answer = infer.specialize(kernel, dict(request))

    def on_progress(done: int, total: int) -> None:
        wire.send("phase", phase="allocating", done=done, total=total)

    found = made.make(kernel, answer, request, device, on_progress)
    options = {**answer.options, **{n: infer.literal(v) for n, v in (request.get("options") or {}).items()}}
    prepared = Prepared(kernel, launchable(module, kernel), found.arguments, found.constexprs, options, found.grid,
                        seed=int(request.get("seed") or 0), guards=found.guards)  # fmt: skip
    if request.get("autotune") and kernel.configurations:
        found.warnings.append(
            f"configuration {answer.configuration}: the autotuner chooses in the file's own launches only"
        )
    parameters = answer.parameters
    return Settled(
        prepared, "inputs", configuration=answer.configuration,
        provenance={name: parameter.provenance for name, parameter in parameters.items()},
        evidence={name: parameter.evidence for name, parameter in parameters.items() if parameter.evidence},
        how=found.how, warnings=found.warnings,
    )  # fmt: skip


def launchable(module: Any, kernel: LoadedKernel) -> Any:
    """What runs a kernel of the module: the JITFunction itself, or the InterpretedFunction."""
    for value in vars(module).values():
        while hasattr(value, "fn") and not versions.is_launchable(value):
            value = value.fn
        if versions.is_launchable(value) and versions.as_jit_function(value) is kernel.function:
            return value
    return kernel.function


# Files that do not come to the launch


def ended_early(error: BaseException, path: Path, before: str) -> BaseException:
    """What to raise for a file that ended by ``error``: its own exceptions are told where they are."""
    if not isinstance(error, SystemExit):
        return error
    return Rejected("file", f"the file ended before {before}: {in_words(error)}", file=str(path))


def in_words(error: BaseException | None) -> str:
    if isinstance(error, SystemExit):
        return f"exit code {error.code}" if isinstance(error.code, int) else str(error.code).partition("\n")[0]
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def in_times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def never_launches(recording: capture.Recording, path: Path, kernel: str, entry: str | None) -> str:
    if isinstance(recording.error, SystemExit):
        return f"the file ended before it launched {kernel}: {in_words(recording.error)}"
    if entry:
        return f"{entry} does not launch {kernel}"
    others = ", ".join(dict.fromkeys(site["kernel"] for site in recording.sites))
    if others:
        return f"the file does not launch {kernel}, only {others}"
    has_main = "__main__" in path.read_text(encoding="utf-8", errors="replace")
    return f"the file {'' if has_main else 'has no __main__ block and '}does not launch {kernel}"


def describe_argument(name: str, value: Any, how: str) -> dict[str, Any]:
    """The fields of `irscope.launch.model.Argument`."""
    described = {"name": name, "type": words.type_in_signature(value), "how": how}
    tensor = value.base if words.is_descriptor(value) else value
    if not words.is_tensor(tensor):
        plain = value if value is None or isinstance(value, bool | int | float) else words.in_words(value)
        return {**described, "value": plain}
    return {
        **described,
        "shape": list(map(int, tensor.shape)),
        "strides": list(map(int, tensor.stride())),
        "bytes": int(tensor.numel() * tensor.element_size()),
    }
