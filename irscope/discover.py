"""Kernels of Python files, found by reading: nothing is imported, no Triton is needed."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from irscope.model import Configuration, Failure, Kernel, Parameter
from irscope.request import IrscopeError, usage_error

#: A file without any of these has no kernel; most files of a tree are passed over by this alone.
_MENTIONS_JIT = re.compile(rb"\bjit\b")

#: Folders that hold other people's code, or none.
SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "node_modules", "site-packages", "build", "dist", ".git", ".venv", "venv", "env", ".tox", ".nox"}
)


def kernels(path: Path) -> list[Kernel]:
    """The kernels of a file, or of every file below a directory, in the order of their lines.

    Jit functions that return a value are helpers and left out; those that another one calls come last.

    Raises:
        IrscopeError: there is no such file (exit code 2), or a single file has a syntax error (1).
    """
    try:
        if path.is_dir():
            return [kernel for file in python_files(path) for kernel in kernels_quietly(file)]
        if path.exists() and not path.is_file():
            raise usage_error(f"{path} is not a file")  # a named pipe, say: reading it would wait for ever
        content = path.read_bytes()
    except OSError as error:
        raise usage_error(f"cannot read {path}: {error.strerror}") from error
    return kernels_in(content, path)


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


def kernels_in(content: bytes, path: Path) -> list[Kernel]:
    if not _MENTIONS_JIT.search(content):
        return []
    try:
        tree = ast.parse(content, filename=str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: nested too deeply
        line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
        message = f"{type(error).__name__}: {getattr(error, 'msg', error)}"
        raise IrscopeError(Failure("syntax", message, str(path), line, column)) from error
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and jit_dialect(node) is not None]
    constants = module_constants(tree)
    names = {function.name for function in functions}
    called = {
        node.id
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id in names and node.id != function.name
    }
    found = [kernel_of(function, path, constants) for function in functions if not returns_value(function)]
    return sorted(found, key=lambda kernel: kernel.name in called)


def module_constants(tree: ast.Module) -> dict[str, ast.expr]:
    return {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    }


def returns_value(function: ast.FunctionDef) -> bool:
    """A kernel cannot: its host gets nothing back."""
    return any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(function))


def jit_dialect(function: ast.FunctionDef) -> str | None:
    """ "triton" or "gluon" for a jit function, by its decorators."""
    for decorator in function.decorator_list:
        name = dotted_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if name.rpartition(".")[2] == "jit":
            return "gluon" if name.startswith("gluon") else "triton"
    return None


def dotted_name(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def kernel_of(function: ast.FunctionDef, path: Path, constants: Mapping[str, ast.expr]) -> Kernel:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    pairs = [
        *zip(positional, [*defaults, *arguments.defaults], strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    configurations: tuple[Configuration, ...] | None = ()
    heuristics: tuple[str, ...] = ()
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call):
            kind = dotted_name(decorator.func).rpartition(".")[2]
            if kind == "autotune":
                configurations = configurations_of(decorator, constants)
            elif kind == "heuristics":
                heuristics = heuristics_of(decorator)
    return Kernel(
        file=str(path),
        name=function.name,
        line=function.lineno,
        parameters=tuple(parameter_of(argument, default) for argument, default in pairs),
        configurations=configurations or (),
        heuristics=heuristics,
        dialect=jit_dialect(function) or "triton",
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
    if not (isinstance(node, ast.Call) and dotted_name(node.func).rpartition(".")[2] == "Config"):
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
