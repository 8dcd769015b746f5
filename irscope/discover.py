"""Kernels of Python files, found by reading: nothing is imported, no Triton is needed."""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from irscope.model import Configuration, Failure, Kernel, Parameter
from irscope.prospect import Prospect, launches_in, prospect_of
from irscope.request import IrscopeError, usage_error
from irscope.worker import jitted, source_text
from irscope.worker.jitted import Jitted

#: A file without both has no kernel of Triton's; most files of a tree are passed over by this alone.
_MENTIONS = (re.compile(rb"\bjit\b"), re.compile(rb"triton|gluon"))

#: Folders that hold other people's code, or none.
SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "node_modules", "site-packages", "build", "dist", ".git", ".venv", "venv", "env", ".tox", ".nox"}
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A kernel, and what in its file will decide how it is specialized."""

    kernel: Kernel
    prospect: Prospect


def kernels(path: Path) -> list[Kernel]:
    """The kernels of a file, or of every file below a directory, in the order of their lines.

    Jit functions that return a value and methods (``self``) are helpers and left out; those that another one calls
    come last. A kernel within a function or a class is named with it: ``Outer.kernel``.

    Raises:
        IrscopeError: there is no such file (exit code 2), or a single file has a syntax error (1).
    """
    return [kernel for file, tree in trees(path) for kernel, _ in kernels_in(file, tree, jitted.jitted(tree))]


def listed(path: Path) -> list[Listed]:
    """The same, each with how it will be specialized. Raises as `kernels`."""
    found = []
    for file, tree in trees(path):
        functions = jitted.jitted(tree)
        there = kernels_in(file, tree, functions)
        if there:
            launched = launches_in(tree, {each.function for each in functions})
            called = jitted.names_in(functions)
            found += [Listed(kernel, prospect_of(kernel, each, launched, called)) for kernel, each in there]
    return found


def trees(path: Path) -> Iterator[tuple[Path, ast.Module]]:
    """The syntax trees of those files at or below ``path`` that may have kernels."""
    try:
        if path.is_dir():
            for file in python_files(path):
                with contextlib.suppress(IrscopeError, OSError):
                    yield from parsed(file.read_bytes(), file)
            return
        if path.exists() and not path.is_file():
            raise usage_error(f"{path} is not a file")  # a named pipe, say: reading it would wait for ever
        content = path.read_bytes()
    except OSError as error:
        raise usage_error(f"cannot read {path}: {error.strerror}") from error
    yield from parsed(content, path)


def python_files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            # A link may lead back up, and what it leads to has a path of its own.
            if entry.name not in SKIPPED_FOLDERS and not entry.name.startswith(".") and not entry.is_symlink():
                with contextlib.suppress(PermissionError):
                    yield from python_files(entry)
        elif entry.suffix == ".py" and entry.is_file():
            yield entry


def kernels_quietly(file: Path) -> list[Kernel]:
    try:
        return kernels(file)
    except IrscopeError:
        return []


def parsed(content: bytes, path: Path) -> Iterator[tuple[Path, ast.Module]]:
    if not all(pattern.search(content) for pattern in _MENTIONS):
        return
    if (fault := source_text.fault_of(content)) is not None:
        raise IrscopeError(Failure("syntax", fault.message, str(path.absolute()), fault.line, hint=fault.hint))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about other people's backslashes
            yield path, ast.parse(content, filename=str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: nested too deeply
        line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
        message = f"{type(error).__name__}: {getattr(error, 'msg', error)}"
        raise IrscopeError(Failure("syntax", message, str(path.absolute()), line, column)) from error


def kernels_in(path: Path, tree: ast.Module, functions: list[Jitted]) -> list[tuple[Kernel, Jitted]]:
    constants = module_constants(tree)
    return [(kernel_of(each, path, constants), each) for each in jitted.by_use(functions)]


def module_constants(tree: ast.Module) -> dict[str, ast.expr]:
    return {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    }


def kernel_of(found: Jitted, path: Path, constants: Mapping[str, ast.expr]) -> Kernel:
    function = found.function
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    pairs = [
        *zip(positional, [*defaults, *arguments.defaults], strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    configurations: tuple[Configuration, ...] | None = ()
    heuristics: tuple[str, ...] = ()
    for decorator in found.decorators:
        if isinstance(decorator, ast.Call):
            kind = jitted.dotted(decorator.func).rpartition(".")[2]
            if kind == "autotune":
                configurations = configurations_of(decorator, constants)
            elif kind == "heuristics":
                heuristics = heuristics_of(decorator)
    return Kernel(
        file=str(path),
        name=found.name,
        line=function.lineno,
        parameters=tuple(parameter_of(argument, default) for argument, default in pairs),
        configurations=configurations or (),
        heuristics=heuristics,
        dialect=found.dialect,
        configurations_known=configurations is not None,
    )


def parameter_of(argument: ast.arg, default: ast.expr | None) -> Parameter:
    annotation = ast.unparse(argument.annotation).strip("'\"") if argument.annotation else None
    return Parameter(
        argument.arg,
        constexpr="constexpr" in (annotation or ""),
        annotation=annotation,
        default=ast.unparse(default) if default is not None else None,
    )


def configurations_of(autotune: ast.Call, constants: Mapping[str, ast.expr]) -> tuple[Configuration, ...] | None:
    """The configurations where they are written out; ``None`` where only running the file shows them."""
    listed = next((k.value for k in autotune.keywords if k.arg == "configs"), None)
    if listed is None:
        listed = autotune.args[0] if autotune.args else None
    if isinstance(listed, ast.Name):
        listed = constants.get(listed.id)
    if not isinstance(listed, ast.List | ast.Tuple):
        return None
    found = []
    for element in listed.elts:
        configuration = configuration_of(element)
        if configuration is None:
            return None
        found.append(configuration)
    return tuple(found)


def configuration_of(node: ast.expr) -> Configuration | None:
    if not (isinstance(node, ast.Call) and jitted.dotted(node.func).rpartition(".")[2] == "Config"):
        return None
    try:
        named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg}
        positional = [ast.literal_eval(argument) for argument in node.args]
    except ValueError:
        return None
    names = ("kwargs", "num_warps", "num_stages", "num_ctas", "maxnreg")
    values = {**dict(zip(names, positional, strict=False)), **named}
    constexprs = values.pop("kwargs", {})
    return Configuration(constexprs, {name: value for name, value in values.items() if name in names})


def heuristics_of(decorator: ast.Call) -> tuple[str, ...]:
    values = decorator.args[0] if decorator.args else next((k.value for k in decorator.keywords), None)
    if not isinstance(values, ast.Dict):
        return ()
    return tuple(key.value for key in values.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
