"""The user's file as a module, its kernels, and the files that took part."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import linecache
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from triton.runtime.autotuner import Autotuner, Heuristics
from triton.runtime.jit import JITFunction

from . import deferred, places, source_text, versions
from .places import is_installed as is_installed
from .places import package_of as package_of
from .protocol import Rejected, names_hint

#: Modules that were there before any file of the user's was imported.
_OWN_MODULES = frozenset(sys.modules)
_OWN_PATH = tuple(sys.path)
#: What is to be undone before another file is loaded.
_at_next_file: list[Callable[[], None]] = []
#: Files that were executed in part, installed ones too.
_files: set[Path] = set()


@dataclass(frozen=True)
class LoadedKernel:
    """A kernel with what its decorators add."""

    function: JITFunction[Any]
    configurations: tuple[Any, ...]
    heuristics: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.function.__name__)

    @property
    def is_helper(self) -> bool:
        """It returns a value, which a kernel cannot: its host gets nothing back."""
        nodes = ast.walk(self.function.parse())
        return any(isinstance(node, ast.Return) and node.value is not None for node in nodes)


def load_file(path: Path) -> ModuleType:
    """Execute a file as ``import`` would, afresh each time: it and what it imports may have changed.

    A file of a package (a folder with ``__init__.py``) is imported under its name there, so that its
    relative imports work.
    """
    forget_user_modules()
    check_text(path)
    return import_file(path)


def import_file(path: Path) -> ModuleType:
    root, name = package_of(path)
    prepend_to_path(path, root)
    if root != path.parent:
        add_bare_packages(root, name)
        return importlib.import_module(name)
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"kernels_in_{name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Rejected("usage", f"{path.name} is not a Python file", file=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def add_bare_packages(root: Path, name: str) -> None:
    """The packages that a module is in. Their ``__init__`` runs where a name of its own is asked for, not before."""
    folder, parts = root, name.split(".")[:-1]
    for number, part in enumerate(parts, 1):
        folder = folder / part
        package = ".".join(parts[:number])
        if package not in sys.modules:
            sys.modules[package] = bare_package(package, folder)


def bare_package(name: str, folder: Path) -> ModuleType:
    file = folder / "__init__.py"
    package = ModuleType(name)
    package.__file__, package.__path__, package.__package__ = str(file), [str(folder)], name
    package.__spec__ = ModuleSpec(name, None, origin=str(file), is_package=True)

    def execute_and_get(attribute: str) -> Any:
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        if places.file_at(folder / attribute) is not None:
            return importlib.import_module(f"{name}.{attribute}")
        if vars(package).pop("__getattr__", None) is not None:
            exec(compile(file.read_bytes(), str(file), "exec", dont_inherit=True), vars(package))
            return getattr(package, attribute)
        raise AttributeError(f"module '{name}' has no attribute '{attribute}'")

    vars(package)["__getattr__"] = execute_and_get
    return package


def prepend_to_path(path: Path, root: Path) -> None:
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path)]
    if root != path.parent:
        sys.path.insert(0, str(root))


def check_text(path: Path) -> None:
    if (fault := source_text.fault_of(path.read_bytes())) is not None:
        raise Rejected("syntax", fault.message, file=str(path), line=fault.line, hint=fault.hint)


def forget_user_modules() -> None:
    """Undo earlier imports of the user's files; what is installed (torch, numpy) stays loaded."""
    while _at_next_file:
        _at_next_file.pop()()
    _files.clear()
    forget_modules()


def at_next_file(undo: Callable[[], None]) -> None:
    """Have something undone before another file is loaded."""
    _at_next_file.append(undo)


def note_files(files: Iterable[Path]) -> None:
    """Files that took part although no import did it."""
    _files.update(files)


def forget_modules() -> None:
    sys.path[:] = _OWN_PATH
    for name, module in list(sys.modules.items()):
        file = module_file(module)
        if not is_own(name) and file and not is_installed(file):
            del sys.modules[name]
    importlib.invalidate_caches()
    linecache.clearcache()


def is_own(module: str) -> bool:
    """Whether a module was there before the user's, or belongs to the worker, which loads some of itself later."""
    return module in _OWN_MODULES or module.startswith(f"{__package__}.")


def module_file(module: Any) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file) if isinstance(file, str) else None


def kernels_of(module: ModuleType) -> dict[str, LoadedKernel]:
    """The jit functions that the module itself defines, in the order of its lines."""
    found: dict[str, LoadedKernel] = {}
    for value in vars(module).values():
        kernel = unwrap(value)
        if kernel is not None and defined_in(kernel.function, module):
            found.setdefault(kernel.name, kernel)
    return dict(sorted(found.items(), key=lambda item: item[1].function.fn.__code__.co_firstlineno))


def unwrap(value: Any) -> LoadedKernel | None:
    """Look through ``@triton.autotune`` and ``@triton.heuristics``, in any order and number."""
    configurations: tuple[Any, ...] = ()
    heuristics: dict[str, Any] = {}
    while isinstance(value, Autotuner | Heuristics):
        if isinstance(value, Autotuner):
            configurations = configurations or tuple(value.configs)
        else:
            heuristics.update(value.values)
        value = value.fn
    value = versions.as_jit_function(value)
    if not isinstance(value, JITFunction):
        return None
    return LoadedKernel(value, configurations, heuristics)


def kernel_inside(value: Any, depth: int = 4) -> LoadedKernel | None:
    """The kernel under whatever decorators are around it: an object of theirs has it, or Triton's, as an attribute."""
    kernel = unwrap(value)
    if kernel is not None or depth == 0 or value is None or isinstance(value, ModuleType | type):
        return kernel
    try:
        held = dict(vars(value))
    except TypeError:
        held = {}
    known = [getattr(value, name, None) for name in ("__func__", "fn", "jit_function", "kernel", "__wrapped__")]
    for inner in [*known, *(each for each in held.values() if not isinstance(each, str | int | dict | list | tuple))]:
        if inner is not None and inner is not value and not isinstance(inner, deferred.Deferred):
            kernel = kernel_inside(inner, depth - 1)
            if kernel is not None:
                listed = held.get("configs")
                is_tuned = isinstance(listed, list) and listed and not kernel.configurations
                return replace(kernel, configurations=tuple(listed)) if is_tuned and listed else kernel
    return None


def defined_in(function: JITFunction[Any], module: ModuleType) -> bool:
    return bool(Path(function.fn.__code__.co_filename) == module_file(module))


def choose(functions: dict[str, LoadedKernel], name: str | None, path: Path) -> LoadedKernel:
    """The kernel of that name; with no name the first that no other jit function of the file calls."""
    kernels = {name: function for name, function in functions.items() if not function.is_helper}
    if name in kernels:
        return kernels[name]
    hint = names_hint(name or "", kernels)
    if name in functions:
        message = f"'{name}' returns a value, so it is a helper and not a kernel"
    elif not kernels:
        message = "no kernel in this file"
        hint = "a kernel is a function under @triton.jit at the top level of the file"
    elif name is not None:
        message = f"no kernel '{name}' in this file"
    else:
        called = {callee for kernel in kernels.values() for callee in called_functions(kernel.function)}
        return next((k for n, k in kernels.items() if n not in called), next(iter(kernels.values())))
    raise Rejected("no_kernel", message, file=str(path), hint=hint)


def called_functions(function: JITFunction[Any]) -> Iterator[str]:
    """Names of the jit functions that this one refers to by a global name, itself aside."""
    for name in function.fn.__code__.co_names:
        other = unwrap(function.fn.__globals__.get(name))
        if other is not None and other.function is not function:
            yield other.name


def definition_line(function: Any) -> int:
    """The line of the file that a jit function's ``def`` is on: its AST counts from there."""
    lines, first = inspect.getsourcelines(function.fn)
    return int(first) + next((i for i, line in enumerate(lines) if line.lstrip().startswith("def ")), 0)


def contents(path: Path) -> dict[Path, bytes]:
    """The user's files that took part, to be read as soon as they are loaded: they may change while they compile."""
    return {file: content for file in taking_part(path, []) if (content := content_of(file)) is not None}


def source_files(
    path: Path, stage_texts: list[str], loaded: Mapping[Path, bytes] | None = None
) -> list[dict[str, str]]:
    """Every Python file that took part: the user's own, and those that locations in the IR name.

    The SHA-256 is of the file's bytes, so that a change of it anywhere means another compilation.
    """
    described = []
    for file in sorted(taking_part(path, stage_texts), key=lambda file: (file != path, str(file))):
        content = (loaded or {}).get(file) or content_of(file)
        if content is not None:
            described.append(
                {
                    "path": str(file),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "text": content.decode("utf-8", errors="replace"),
                }
            )
    return described


def taking_part(path: Path, stage_texts: list[str]) -> set[Path]:
    files = {path, *_files}
    for name, module in list(sys.modules.items()):
        file = module_file(module)
        if file is None or file.suffix != ".py":
            continue
        took_part = not is_own(name) and not is_installed(file)
        if took_part or any(f'"{text_path(file)}"' in text for text in stage_texts):
            files.add(file)
    return files


def content_of(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def text_path(file: Path) -> str:
    """A path as MLIR writes it within a string."""
    return str(file).replace("\\", "\\\\")
