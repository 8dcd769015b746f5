"""Exceptions of the user's file, of Triton and of its tools as one line, with the place and the way out."""

from __future__ import annotations

import ast
import errno
import importlib.util
import inspect
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Module name to package name, where the two differ.
PACKAGES = {"cv2": "opencv-python", "PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}

#: Characters of the log that are shown with an error that has its own place and words.
LOG_SHOWN = 8_000

#: What MLIR, LLVM and ptxas write to stderr: ``FILE:LINE:COLUMN: error: MESSAGE``.
_DIAGNOSTIC = re.compile(
    r"^(?:loc\()?\"?(?P<file>[^\"\n]+?\.py)\"?:(?P<line>\d+):(?P<column>\d+)\)?: error: (?P<message>.+)$",
    re.MULTILINE,
)
_PTXAS_ERROR = re.compile(r"^ptxas\S* \S+, line (?P<line>\d+); (?:error|fatal)\s*: (?P<message>.+)$", re.MULTILINE)
#: A function that neither the kernel has nor a library that Triton links.
_UNRESOLVED = re.compile(r"Unresolved extern function '(?P<name>[^']+)'")
#: What ptxas says about its options, without a place in the text.
_PTXAS_REFUSAL = re.compile(r"^ptxas\S* (?:error|fatal)\s*: (?P<message>.+)$", re.MULTILINE)
#: LLVM about an AMD architecture that it does not have.
_NO_SUCH_TARGET = re.compile(r"unsupported target: '(\w+)'")
#: Triton passes on other exceptions as Python writes them out: ``NameError('x is not defined')``.
_WRITTEN_OUT = re.compile(r"""^(\w+(?:Error|Exception))\((["'])(.*)\2,?\)$""", re.DOTALL)
_TOOL_ERROR = re.compile(r"^.*?\b(?:error|fatal)\s*:\s*(?P<message>.+)$", re.MULTILINE | re.IGNORECASE)


def describe(error: BaseException, path: Path, logged: str) -> dict[str, Any]:
    """A failure (the fields of ``model.Failure``) for anything that a request can raise."""
    compilation_error = innermost_compilation_error(error)
    if compilation_error is not None:
        return of_kernel(compilation_error, path, logged)
    if isinstance(error, SyntaxError):
        return {
            "kind": "syntax",
            "message": f"{type(error).__name__}: {error.msg}",
            "file": error.filename or str(path),
            "line": error.lineno or None,
            "column": error.offset,
        }
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return of_full_disk(error)
    failure = of_file(error, path)
    if (on_gpu := of_gpu(error, path, logged)) is not None:
        return on_gpu if on_gpu["line"] else {**on_gpu, "file": failure["file"], "line": failure["line"]}
    if isinstance(error, ModuleNotFoundError) and error.name:
        failure |= of_missing_module(error.name)
    elif failure["line"] is None:
        failure |= of_compiler(error, logged)
    return failure


def innermost_compilation_error(error: BaseException | None) -> BaseException | None:
    """The error nearest to the cause: Triton wraps a helper's error in one for each caller."""
    found = None
    seen: set[int] = set()  # causes that a program sets by hand can lead back to where they began
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if hasattr(error, "node") and hasattr(error, "src"):
            found = error
        error = error.__cause__ or error.__context__
    return found


def of_kernel(error: Any, path: Path, logged: str) -> dict[str, Any]:
    """Triton's own error about the kernel's Python source."""
    cause = error.__cause__
    message = str(cause) if cause is not None and str(cause) else error.error_message or unsaid(error)
    failure: dict[str, Any] = {
        "kind": "compile",
        "message": one_line(read_out(message)) or type(error).__name__,
        "detail": f"{error}\n\n{logged[-LOG_SHOWN:]}".rstrip(),
    }
    return failure | (place_in_file(error.src, error.node) or {"file": str(path)})


def read_out(message: str) -> str:
    """A message without the marks of an exception that was written out."""
    return _WRITTEN_OUT.sub(r"\1: \3", message)


def unsaid(error: Any) -> str:
    """What an error without words is about: an assertion by itself is one."""
    if type(error).__name__ == "CompileTimeAssertionFailure" and isinstance(error.node, ast.AST):
        return f"it does not hold: {ast.unparse(error.node)}"
    return str(error)


def place_in_file(source: str | None, node: Any) -> dict[str, Any] | None:
    """File, line and column of a node of a jit function, whose lines count from its ``def``."""
    if source is None or not hasattr(node, "lineno"):
        return None
    from .loading import definition_line

    for function in jit_functions():
        if function.src != source:
            continue
        lines, _ = inspect.getsourcelines(function.fn)
        indent = len(lines[0]) - len(lines[0].lstrip())
        return {
            "file": function.fn.__code__.co_filename,
            "line": definition_line(function) + node.lineno - 1,
            "column": node.col_offset + indent + 1,
        }
    return None


def jit_functions() -> Iterator[Any]:
    from triton.runtime.jit import JITFunction

    from .loading import unwrap

    for module in list(sys.modules.values()):
        for value in list(getattr(module, "__dict__", {}).values()):
            if isinstance(value, JITFunction):
                yield value
            elif (kernel := unwrap(value)) is not None:
                yield kernel.function


def of_file(error: BaseException, path: Path) -> dict[str, Any]:
    """An exception in the user's Python, at the last line of the user's that was running."""
    from .loading import is_installed

    ours = Path(__file__).parent
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and ours not in Path(frame.filename).parents
    ]
    last = next((frame for frame in reversed(frames) if not is_installed(Path(frame.filename))), None)
    ended = isinstance(error, SystemExit)
    return {
        "kind": "file",
        "message": f"the file ends Python with {error!r}" if ended
        else one_line(f"{type(error).__name__}: {error}"),
        "hint": "guard it with `if __name__ == '__main__':`" if ended else None,
        "file": last.filename if last else str(path),
        "line": last.lineno if last else None,
        "detail": "".join(traceback.format_list(frames)) + f"{type(error).__name__}: {error}",
    }  # fmt: skip


def of_gpu(error: BaseException, path: Path, logged: str) -> dict[str, Any] | None:
    """An error of CUDA's, of torch's about CUDA or of Triton's driver; ``None`` for any other."""
    from .launch import faults

    return faults.describe(error, faults.Subject(str(path)), logged)


def install_command(packages: str) -> str:
    """What adds packages to this interpreter. The environments that uv makes have no pip."""
    if importlib.util.find_spec("pip") is None:
        return f'uv pip install --python "{sys.executable}" {packages}'
    return f'"{sys.executable}" -m pip install {packages}'


def of_missing_module(name: str) -> dict[str, Any]:
    top = name.partition(".")[0]
    return {
        "kind": "missing",
        "message": f"the file needs the module '{name}', which {sys.executable} does not have",
        "hint": install_command(PACKAGES.get(top, top)),
        "missing": top,
    }


def of_compiler(error: BaseException, logged: str) -> dict[str, Any]:
    """A failing pass or tool: Python knows little, the diagnostics are in the log."""
    failure: dict[str, Any] = {"kind": "compile", "detail": f"{error}\n\n{logged}".strip()}
    if target := _NO_SUCH_TARGET.search(f"{error}\n{logged}"):
        from . import targets

        return {**targets.unknown(target[1], targets.AMD_HINT).failure, "file": None}
    diagnostic = _DIAGNOSTIC.search(logged)
    if diagnostic:
        return {
            **failure,
            "message": one_line(diagnostic["message"]),
            "file": diagnostic["file"],
            "line": int(diagnostic["line"]),
            "column": int(diagnostic["column"]),
        }
    ptxas = _PTXAS_ERROR.search(str(error))
    if ptxas:
        return {**failure, "message": f"ptxas: {ptxas['message']}", "ptx_line": int(ptxas["line"])}
    if outside := _UNRESOLVED.search(str(error)):
        return {
            **failure,
            "kind": "missing",
            "message": f"the kernel calls {outside['name']}, of a device library that is not linked",
            "hint": "name its file: --option \"extern_libs={'NAME': 'FILE.bc'}\"",
        }
    if refusal := _PTXAS_REFUSAL.search(str(error)):
        return {**failure, "message": f"ptxas: {refusal['message']}"}
    if "ld.lld not found" in str(error):
        return {
            **failure,
            "kind": "missing",
            "message": f"this Triton links AMD kernels with LLVM's lld, which is not there: {one_line(str(error))}",
            "hint": "install lld and set TRITON_HIP_LLD_PATH to its ld.lld, or take Triton 3.5 or newer with --python",
        }
    message = f"{type(error).__name__}: {error}"
    tool = _TOOL_ERROR.search(str(error)) or _TOOL_ERROR.search(logged)
    if tool:
        message = f"{one_line(message)}: {tool['message']}"
    return {**failure, "message": one_line(message)}


def of_full_disk(error: OSError) -> dict[str, Any]:
    folder = error.filename or tempfile.gettempdir()
    return {
        "kind": "missing",
        "message": f"{folder}: {error.strerror}",
        "hint": "make room there, or set TMPDIR (on Windows TEMP) to a folder on another disk",
    }


def out_of_memory(error: MemoryError, path: Path) -> dict[str, Any]:
    place = of_file(error, path)
    return {
        "file": place["file"],
        "line": place["line"],
        "kind": "memory",
        "message": "the worker ran out of memory",
        "hint": "close other programs, or choose smaller blocks",
    }


def of_triton_import(error: BaseException) -> dict[str, Any]:
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "triton":
        package = "triton-windows" if sys.platform == "win32" else "triton"
        return {
            "kind": "missing",
            "message": f"{sys.executable} has no Triton",
            "hint": install_command(package),
            "missing": "triton",
        }
    if isinstance(error, ModuleNotFoundError) and os.environ.get("TRITON_INTERPRET") == "1":
        return {
            "kind": "missing",
            "message": f"Triton's interpreter needs {error.name}, which {sys.executable} does not have",
            "hint": install_command("numpy torch"),
            "missing": error.name,
        }
    return {
        "kind": "missing",
        "message": one_line(f"Triton does not load in {sys.executable}: {type(error).__name__}: {error}"),
        "hint": f'"{sys.executable}" -c "import triton" shows it in full; irscope needs Triton 3.3 or newer',
        "detail": "".join(traceback.format_exception(error)),
    }


def one_line(message: str) -> str:
    """The first line that says something, within reason."""
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return line if len(line) <= 300 else f"{line[:297]}..."
