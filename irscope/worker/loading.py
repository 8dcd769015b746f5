"""The user's file as a module, its kernels, and the files that took part."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import linecache
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from triton.runtime.autotuner import Autotuner, Heuristics
from triton.runtime.jit import JITFunction

from . import versions
from .protocol import Rejected, names_hint

#: Modules that were there before any file of the user's was imported.
_OWN_MODULES = frozenset(sys.modules)
_OWN_PATH = tuple(sys.path)
_INSTALLED = tuple(
    # The worker's own: multiprocessing, which torch imports, has its main module by another name too.
    {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {Path(__file__).resolve().parent}
)


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
    root, name = package_of(path)
    prepend_to_path(path, root)
    if root != path.parent:
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


def package_of(path: Path) -> tuple[Path, str]:
    """The folder that must be on ``sys.path`` to import a file, and its dotted name from there."""
    root, name = path.parent, path.stem
    while (root / "__init__.py").exists() and root.name.isidentifier():
        name = f"{root.name}.{name}"
        root = root.parent
    return root, name


def prepend_to_path(path: Path, root: Path) -> None:
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path)]
    if root != path.parent:
        sys.path.insert(0, str(root))


def check_text(path: Path) -> None:
    """Python would run a file whose comments are no text, and Triton could not read its source then."""
    content = path.read_bytes()
    try:
        importlib.util.decode_source(content)
    except UnicodeDecodeError as error:
        raise Rejected(
            "syntax", f"the file is not {error.encoding} text: {error.reason}", file=str(path),
            line=content.count(b"\n", 0, error.start) + 1,
            hint="save it as UTF-8, or declare its encoding in the first line: # -*- coding: latin-1 -*-",
        ) from error  # fmt: skip


def forget_user_modules() -> None:
    """Undo earlier imports of the user's files; what is installed (torch, numpy) stays loaded."""
    sys.path[:] = _OWN_PATH
    for name, module in list(sys.modules.items()):
        if not is_own(name) and (file := module_file(module)) and not is_installed(file):
            del sys.modules[name]
    importlib.invalidate_caches()
    linecache.clearcache()


def is_own(module: str) -> bool:
    """Whether a module was there before the user's, or belongs to the worker, which loads some of itself later."""
    return module in _OWN_MODULES or module.startswith(f"{__package__}.")


def module_file(module: Any) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file) if isinstance(file, str) else None


def is_installed(file: Path) -> bool:
    """Whether a file belongs to Python, to an installed package or to this worker, rather than to the user."""
    resolved = file.resolve()
    return any(resolved.is_relative_to(root) for root in _INSTALLED)


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


def source_files(path: Path, stage_texts: list[str]) -> list[dict[str, str]]:
    """Every Python file that took part: the user's own, and those that locations in the IR name.

    The SHA-256 is of the file's bytes, so that a change of it anywhere means another compilation.
    """
    files = {path}
    for name, module in list(sys.modules.items()):
        file = module_file(module)
        if file is None or file.suffix != ".py":
            continue
        took_part = not is_own(name) and not is_installed(file)
        if took_part or any(f'"{text_path(file)}"' in text for text in stage_texts):
            files.add(file)
    described = []
    for file in sorted(files, key=lambda file: (file != path, str(file))):
        try:
            content = file.read_bytes()
        except OSError:
            continue
        described.append(
            {
                "path": str(file),
                "sha256": hashlib.sha256(content).hexdigest(),
                "text": content.decode("utf-8", errors="replace"),
            }
        )
    return described


def text_path(file: Path) -> str:
    """A path as MLIR writes it within a string."""
    return str(file).replace("\\", "\\\\")
