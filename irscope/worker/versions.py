"""All that differs between Triton versions, from 3.3.1 on. Nothing else in the worker asks for a version.

What is of the interpreter is in `launch.interpreter`.
"""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.compiler import compiler as triton_compiler
from triton.compiler.code_generator import CodeGenerator
from triton.runtime import driver
from triton.runtime.autotuner import Autotuner, Heuristics
from triton.runtime.jit import JITFunction

TRITON: str = triton.__version__

#: A stage of the backend's pipeline: it takes the module so far and Triton's metadata of the kernel.
StageFunction = Callable[[Any, dict[str, Any]], Any]
#: Called with a stage's name and its function, in its place.
StageObserver = Callable[[str, StageFunction, Any, dict[str, Any]], Any]


def is_gluon(function: JITFunction[Any]) -> bool:
    # By name: Gluon came with 3.4, and importing it costs more than compiling a small kernel.
    return type(function).__name__ == "GluonJITFunction"


def gpu_target(backend: str, arch: str, warp_size: int) -> GPUTarget:
    """Triton's target: CUDA architectures are numbers there (90), AMD's are names (gfx942)."""
    return GPUTarget(backend, int(arch.removeprefix("sm_")) if backend == "cuda" else arch, warp_size)


def make_backend(target: GPUTarget) -> Any:
    return triton_compiler.make_backend(target)


def source_of(function: JITFunction[Any], signature: dict[str, str], constants: dict[str, Any],
              attributes: dict[str, Any]) -> ASTSource:  # fmt: skip
    """What ``triton.compile`` compiles, with constants and attributes by parameter name."""
    index = {parameter.name: parameter.num for parameter in function.params}
    kind = ASTSource
    if is_gluon(function):
        from triton.experimental.gluon._runtime import GluonASTSource as kind  # type: ignore[no-redef]
    return kind(
        function,
        signature,
        {(index[name],): value for name, value in constants.items()},
        {(index[name],): value for name, value in attributes.items()},
    )


def divisibility(divisor: int) -> list[list[Any]]:
    """The attribute that a parameter is a multiple of ``divisor``, as backends' ``parse_attr`` gives it."""
    return [["tt.divisibility", divisor]]


@contextmanager
def observed_stages(observer: StageObserver) -> Iterator[None]:
    """Within, ``triton.compile`` runs each stage of its backend through ``observer``.

    Triton's own driver stays in charge (contexts, overrides, metadata), in every version.
    """
    make = triton_compiler.make_backend

    def make_observed(target: GPUTarget) -> Any:
        backend = make(target)
        add_stages = backend.add_stages

        def add_observed_stages(stages: dict[str, StageFunction], *rest: Any, **named: Any) -> None:
            add_stages(stages, *rest, **named)
            for name, function in list(stages.items()):
                stages[name] = observe(name, function)

        backend.add_stages = add_observed_stages
        return backend

    def observe(name: str, function: StageFunction) -> StageFunction:
        return lambda module, metadata: observer(name, function, module, metadata)

    triton_compiler.make_backend = make_observed
    try:
        yield
    finally:
        triton_compiler.make_backend = make


@contextmanager
def unhashed_compiler() -> Iterator[None]:
    """Within, Triton does not read its own 300 MB to make the key of a cache that is known to be empty."""
    name = "get_cache_key" if hasattr(triton_compiler, "get_cache_key") else "triton_key"
    before = getattr(triton_compiler, name)
    if name == "triton_key":
        triton_compiler.triton_key = lambda: TRITON
    else:
        triton_compiler.get_cache_key = lambda source, *rest, **named: source.hash()
    try:
        yield
    finally:
        setattr(triton_compiler, name, before)


def pipeline(backend: Any, options: Any, source: ASTSource) -> list[str]:
    """Names of the stages that the backend has for this kind of source, in order."""
    names = list(_stages(backend, options, lambda: source.language))
    return names[names.index(source.ext) :]


def _stages(backend: Any, options: Any, language: Callable[[], Any]) -> dict[str, StageFunction]:
    stages: dict[str, StageFunction] = {}
    # 3.3 has no language argument.
    takes_language = len(inspect.signature(backend.add_stages).parameters) > 2
    backend.add_stages(stages, options, *([language()] if takes_language else []))
    return stages


def is_module(value: Any) -> bool:
    """Whether a stage's result is MLIR, which can be told to name its own rows as locations."""
    return hasattr(value, "create_location_snapshot")


def snapshot_locations(module: Any, file: Path) -> str:
    """Make every operation of a module name its own row as its location, and return the text that has these rows.

    The text has the locations of before; ``file`` is the name that the new ones give.
    """
    text = str(module)
    module.create_location_snapshot(str(file))
    if file.exists():
        return file.read_text(encoding="utf-8")
    # Before 3.4 nothing is written, and rows count as if there were no aliases of locations.
    aliases = [row for row in text.split("\n") if row.startswith("#loc")]
    return "\n".join([row for row in text.split("\n") if not row.startswith("#loc")] + aliases)


@contextmanager
def observed_trees(observer: Callable[[JITFunction[Any], ast.AST], None]) -> Iterator[None]:
    """Within, the tree of each function that Triton compiles is shown to ``observer`` first, which may change it.

    The location of every operation is that of its own node.
    """
    parse = JITFunction.parse
    visit = CodeGenerator.visit

    def observed(function: JITFunction[Any]) -> Any:
        tree = parse(function)
        observer(function, tree)
        return tree

    def visit_and_return(generator: Any, node: Any) -> Any:
        # Before 3.4 what is made after its operands have been visited has the location of the last of these.
        before = generator.builder.get_loc()
        result = visit(generator, node)
        if before:
            generator.builder.set_loc(before)
        return result

    JITFunction.parse = observed
    CodeGenerator.visit = visit_and_return
    try:
        yield
    finally:
        JITFunction.parse = parse
        CodeGenerator.visit = visit


def source_rows(function: JITFunction[Any]) -> tuple[list[str], int]:
    """The rows that a function's tree is made of, and how many columns of each file's row were left off."""
    indented = inspect.getsourcelines(function.fn)[0][0]
    return function.src.split("\n"), len(indented) - len(indented.lstrip(" \t"))


def set_active_driver(stand_in: Any) -> None:
    driver.set_active(stand_in)


# Launching


def interpreting() -> bool:
    """Whether ``@triton.jit`` makes functions that Triton's interpreter runs on the CPU."""
    # Before 3.4 there is no knob.
    knobs = getattr(triton, "knobs", None)
    if knobs is not None:
        return bool(knobs.runtime.interpret)
    return os.environ.get("TRITON_INTERPRET", "0") == "1"


def is_launchable(value: Any) -> bool:
    """A kernel without its decorators, for the GPU or for the interpreter (whose module needs numpy)."""
    return isinstance(value, JITFunction) or type(value).__name__ == "InterpretedFunction"


def as_jit_function(value: Any) -> Any:
    """The JITFunction that says what an interpreted function's parameters and source are; others unchanged."""
    if type(value).__name__ != "InterpretedFunction":
        return value
    if not hasattr(value, "irscope_jit_function"):
        value.irscope_jit_function = JITFunction(value.fn)
    return value.irscope_jit_function


def naming_of(function: JITFunction[Any]) -> Any:
    """What ``@triton.jit(repr=...)`` was given."""
    if "repr" in vars(function):  # before 3.4 it is called by a lambda
        return inspect.getclosurevars(function.repr).nonlocals.get("repr")
    return getattr(function, "_repr", None)


def name_plainly(function: Any) -> None:
    """Call a kernel by its function's name whatever it is compiled for."""
    if "repr" in vars(function):
        function.repr = lambda _: function.fn.__name__
    else:
        function._repr = None


def launch_methods() -> list[tuple[type, str]]:
    """Class and method of everything that ``kernel[grid](...)`` may call first."""
    methods: list[tuple[type, str]] = [(Autotuner, "run"), (Heuristics, "run"), (JITFunction, "run")]
    if interpreting():
        from triton.runtime.interpreter import InterpretedFunction

        # Before 3.6 its ``run`` is an attribute of each instance, and ``[grid]`` does not use it.
        methods.append((InterpretedFunction, "run" if hasattr(InterpretedFunction, "run") else "__getitem__"))
    return methods


def current_target() -> GPUTarget:
    """The target of the active driver's current device."""
    return driver.active.get_current_target()


def load_onto_gpu(compiled: Any) -> None:
    """Load a compiled kernel's binary, which Triton otherwise does at the first launch.

    Raises Triton's OutOfResources where the GPU has too little for one block.
    """
    compiled._init_handles()


def specialization_of(compiled: Any) -> tuple[dict[str, Any], dict[tuple[int, ...], Any], dict[tuple[int, ...], Any]]:
    """Signature by name, and constants and attributes by the path of parameter numbers, of a CompiledKernel."""
    source = compiled.src
    return source.signature, source.constants, source.attrs


def loaded(registers: int) -> tuple[int, ...]:
    """What a driver's ``load_binary`` gives back, for a kernel that spills nothing."""
    # Module, function, registers, spills; with the most threads that a block may have from 3.5 on.
    takes_threads = "n_max_threads" in inspect.getsource(triton_compiler.CompiledKernel._init_handles)
    return (1, 1, registers, 0, 1024) if takes_threads else (1, 1, registers, 0)


@dataclass(frozen=True)
class SpecializedLaunch:
    """What Triton would compile for a launch."""

    function: JITFunction[Any]
    #: Every parameter by name, in order, defaults included.
    arguments: dict[str, Any]
    #: Types by name; for a tuple a tuple of them.
    signature: dict[str, Any]
    #: Values and attributes by the path of parameter numbers.
    constants: dict[tuple[int, ...], Any]
    attributes: dict[tuple[int, ...], Any]
    #: The backend's options object; ``None`` where only the compiled kernel is known.
    options: Any


def specialize_launch(run: Callable[..., Any], function: JITFunction[Any], arguments: tuple[Any, ...],
                      named: dict[str, Any], hooks: bool) -> SpecializedLaunch:  # fmt: skip
    """What ``JITFunction.run`` (the method, ``run``) would compile for a launch, in its own words.

    It is run up to where it asks its hook, with an empty cache of kernels, and ends there. ``hooks``: the function's
    pre-run hooks are run. Raises what Triton raises for arguments that do not fit.
    """
    device = driver.active.get_current_device()
    cached = function.device_caches[device]
    before = function.pre_run_hooks
    found: dict[str, Any] = {}
    call_hook = JITFunction._call_hook
    signature = inspect.signature(call_hook)

    def hook(self: Any, *words: Any, **more: Any) -> bool:
        found.update(signature.bind(self, *words, **more).arguments)
        return True

    function.device_caches[device] = ({}, *cached[1:])
    JITFunction._call_hook = hook
    try:
        if not hooks:
            function.pre_run_hooks = []
        run(function, *arguments, grid=None, warmup=True, **named)
    finally:
        JITFunction._call_hook = call_hook
        function.device_caches[device] = cached
        function.pre_run_hooks = before
    bound, *_ = cached[-1](*arguments, **{"debug": False, **named})
    return SpecializedLaunch(
        function, bound, found["signature"], found["constants"], found["configs"][0], found["options"]
    )


def launch_of_compiled(source: Any, metadata: Any, arguments: tuple[Any, ...]) -> SpecializedLaunch | None:
    """The same for a kernel that was compiled by itself; ``None`` where it was made of an IR file."""
    function = getattr(source, "fn", None)
    if not isinstance(function, JITFunction):
        return None
    names = [parameter.name for parameter in function.params]
    if len(arguments) != len(names):  # it may be launched with its run-time arguments alone
        left = iter(arguments)
        arguments = tuple(source.constants.get((number,)) if source.signature.get(name) == "constexpr"
                          else next(left, None) for number, name in enumerate(names))  # fmt: skip
    bound = dict(zip(names, arguments, strict=True))
    return SpecializedLaunch(function, bound, source.signature, source.constants, source.attrs, metadata)


def compile_launch(launch: SpecializedLaunch) -> Any:
    """The CompiledKernel of a launch."""
    function = launch.function
    *_, target, _, _ = function.device_caches[driver.active.get_current_device()]
    source = function.ASTSource(function, launch.signature, launch.constants, launch.attributes)
    return function.compile(source, target=target, options=launch.options.__dict__)


@contextmanager
def active_driver(stand_in: Any) -> Iterator[None]:
    """Within, ``triton.runtime.driver`` is this one, for code that asks for the default one too."""
    # Properties from 3.5 on, with what they hold behind them; plain attributes before.
    names = ("_default", "_active") if hasattr(type(driver), "active") else ("default", "active")
    before = {name: getattr(driver, name) for name in names}
    try:
        for name in names:
            setattr(driver, name, stand_in)
        with one_active_backend(stand_in.get_current_target().backend):
            yield
    finally:
        for name, value in before.items():
            setattr(driver, name, value)


@contextmanager
def one_active_backend(backend: str) -> Iterator[None]:
    """Within, the drivers that Triton finds say of themselves that this one has a GPU, and the others none.

    Large packages count those that do, and switch Triton off where there is not exactly one.
    """
    from triton.backends import backends

    chosen = {"cuda": "nvidia", "hip": "amd"}.get(backend, backend)
    before = {found.driver: vars(found.driver).get("is_active") for found in backends.values()}
    try:
        for name, found in backends.items():
            found.driver.is_active = staticmethod(lambda active=name == chosen: active)
        yield
    finally:
        for driver_class, value in before.items():
            if value is None:
                del driver_class.is_active
            else:
                driver_class.is_active = value


# Between TTGIR and LLVM IR


class _Reached(Exception):
    """The pass manager, with the passes that come before the one in question."""


def before_llvm(backend: Any, options: Any, ttgir: str) -> Any:
    """The module of a TTGIR file after the passes that the backend runs before it makes LLVM IR of it.

    Each version has other passes there, so the backend adds them itself, and is stopped at the first one after.

    Raises:
        RuntimeError: the text is no module, or a pass fails; what MLIR says goes to stderr.
    """
    from triton import backends
    from triton._C import libtriton

    context = libtriton.ir.context()
    libtriton.ir.load_dialects(context)
    backend.load_dialects(context)
    module = libtriton.ir.parse_mlir_module(ttgir, context)
    module.context = context
    stages = _stages(backend, options, lambda: backends.compiler.Language.TRITON)
    passes = getattr(libtriton, {"cuda": "nvidia", "hip": "amd"}[backend.target.backend]).passes.ttgpuir
    lowering = passes.add_to_llvmir

    def stop(manager: Any, *_: Any, **__: Any) -> None:
        raise _Reached(manager)

    passes.add_to_llvmir = stop
    try:
        stages["llir"](module, {})
    except _Reached as reached:
        manager = reached.args[0]
    finally:
        passes.add_to_llvmir = lowering
    try:
        manager.run(module, "irscope")
    except TypeError:  # Before 3.6 a pipeline has no name.
        manager.run(module)
    return module
